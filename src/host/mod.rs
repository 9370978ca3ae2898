//! Layer 0: what the machine below gives: memory, a heap, locks, an environment, an end.
//!
//! The only callers of the C library. `src/bare/mod.rs` stands in for this folder, with the same
//! names, in a build without the feature `std`; src/lib.rs chooses between the two.

pub(crate) mod address_set;
pub(crate) mod barrier;
pub(crate) mod env;
pub(crate) mod fault;
pub(crate) mod heap;
pub(crate) mod lock;
pub(crate) mod os;
pub(crate) mod process;
pub(crate) mod sleep;
pub(crate) mod stack;
pub(crate) mod symbols;
pub(crate) mod thread;
pub(crate) mod tsan;
pub(crate) mod watcher;

#[cfg_attr(target_arch = "x86_64", path = "client_request_x86_64.rs")]
#[cfg_attr(not(target_arch = "x86_64"), path = "client_request_none.rs")]
mod client_request;

#[cfg_attr(all(target_os = "linux", target_arch = "x86_64"), path = "thread_word_elf.rs")]
#[cfg_attr(not(all(target_os = "linux", target_arch = "x86_64")), path = "thread_word_portable.rs")]
mod thread_word;

#[cfg_attr(all(target_os = "linux", target_pointer_width = "64"), path = "debugger_elf.rs")]
#[cfg_attr(not(all(target_os = "linux", target_pointer_width = "64")), path = "debugger_none.rs")]
mod debugger;
pub(crate) use debugger::*;

#[cfg_attr(all(target_os = "linux", target_arch = "x86_64"), path = "probe_elf.rs")]
#[cfg_attr(not(all(target_os = "linux", target_arch = "x86_64")), path = "probe_none.rs")]
pub(crate) mod probe;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod hot_sections;

/// Whether there is an operating system to have memory from.
pub(crate) const HAS_SYSTEM: bool = true;

/// How many pools can live in buffers of their callers at a time; a power of two.
pub(crate) const BUFFER_POOLS_MAX: usize = 4096;
