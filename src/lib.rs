//! A fixed-block memory pool for C, C++ and every language with a C FFI.
//!
//! This file is the map. Folders are layers, and imports point down only (tests/tidy.rs):
//!
//! | layer | folder | what |
//! |---|---|---|
//! | 0 | `host`     | what the machine gives: memory, heap, locks, environment |
//! | 1 | `base`     | error codes, log, atomics, who vouches for a pointer |
//! | 2 | `layout`   | size, alignment, stride; address to index (pure arithmetic) |
//! | 3 | `source`   | where memory comes from: the system, callbacks, a buffer |
//! | 3 | `freelist` | the order in which free blocks wait |
//! | 4 | `span`     | the one contiguous range that a pool lives on |
//! | 4 | `cache`    | the magazines of threads, and the depot that they share |
//! | 4 | `checks`   | the ledger, and what is verified before a pointer is believed |
//! | 4 | `inspect`  | what is found out beyond the checks: `POOL_CHECKS_FULL` |
//! | 5 | `pool`     | create, allocate, deallocate, report, inspect; handles |
//! | 7 | `capi`     | the C ABI, the only `extern "C"` |
//!
//! To understand the pool, read `pool/mod.rs`, then `pool/single.rs`, then what they call.
//! ARCHITECTURE.md has the words and the pictures; include/memory_pool/pool.h is what users see.
//!
//! Rust users call the same functions as C users do; they are exported here. Their contract is
//! what each says under "Thread-safety", and in a pool without checks that the caller is right.

#![cfg_attr(not(feature = "std"), no_std)]
#![deny(unreachable_pub)]

// The one choice that a build makes: an operating system below, or none.
#[cfg_attr(not(feature = "std"), path = "bare/mod.rs")]
mod host;

mod base;
mod cache;
mod capi;
mod checks;
mod freelist;
mod inspect;
mod layout;
mod pool;
mod source;
mod span;

pub use base::error::*;
pub use base::report::{pool_report_callback_t, pool_report_t, pool_site_t};
pub use capi::allocate::*;
pub use capi::cache::*;
pub use capi::create::*;
pub use capi::failing::*;
pub use capi::inspect::*;
pub use capi::library::*;
pub use capi::live::*;
pub use capi::many::*;
pub use capi::memory::*;
pub use capi::options::*;
pub use capi::report::*;
pub use capi::snapshot::*;
pub use capi::source::*;
pub use capi::view::*;
pub use capi::wait::*;
pub use capi::{pool_cache_t, pool_cache_view_t, pool_single_view_t, pool_t};
