//! Layer 4: where free blocks wait in a pool that many threads call.
//!
//! ```text
//!   thread 1 ─► magazine │ 7 3 9 . . │  ◄─┐ batches,
//!   thread 2 ─► magazine │ 4 . . . . │  ◄─┤ under the pool's lock
//!                                         └─► depot │ bits │  frontier ─►
//! ```
//!
//! A thread takes and gives blocks in its own magazine, without a lock and without an atomic
//! read-modify-write. Only a magazine that is empty or full exchanges a batch with the depot. When
//! the depot is dry, magazines are emptied by whoever needs a block ("stealing"), so that no block
//! is out of reach of any thread.
//!
//! Blocks are numbers here; nothing is read or written in their memory.
//!
//! Source: J. Bonwick and J. Adams, "Magazines and Vmem", USENIX 2001; there a depot keeps whole
//! magazines, and no thread reaches into the magazine of another.

pub(crate) mod depot;
pub(crate) mod free_set;
pub(crate) mod magazine;
pub(crate) mod magazines;
pub(crate) mod threads;
pub(crate) mod visits;

#[cfg(test)]
mod depot_test;
#[cfg(test)]
mod free_set_test;
#[cfg(test)]
mod magazine_test;
#[cfg(test)]
mod visits_test;
