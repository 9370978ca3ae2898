//! A fixed-block memory pool for C, C++ and every language with a C FFI.
//!
//! This file is the map. Folders are layers, and imports point down only (tests/tidy.rs):
//!
//! | layer | folder | what |
//! |---|---|---|
//! | 0 | `base`     | error codes, log, atomics and locks, who vouches for a pointer |
//! | 1 | `layout`   | size, alignment, stride; address to index (pure arithmetic) |
//! | 1 | `source`   | where memory comes from: the operating system |
//! | 1 | `freelist` | the order in which free blocks wait |
//! | 2 | `span`     | the one contiguous range that a pool lives on |
//! | 2 | `checks`   | the ledger, and what is verified before a pointer is believed |
//! | 3 | `pool`     | create, allocate, deallocate, report, inspect; handles |
//! | 5 | `capi`     | the C ABI, the only `extern "C"` |
//!
//! To understand the pool, read `pool/mod.rs`, then `pool/single.rs`, then what they call.
//! ARCHITECTURE.md has the words and the pictures; include/memory_pool/pool.h is what users see.
//!
//! Rust users call the same functions as C users do; they are exported here. Their contract is
//! what each says under "Thread-safety", and in a pool without checks that the caller is right.

#![deny(unreachable_pub)]

mod base;
mod capi;
mod checks;
mod freelist;
mod layout;
mod pool;
mod source;
mod span;

pub use base::error::*;
pub use capi::allocate::*;
pub use capi::create::*;
pub use capi::inspect::*;
pub use capi::library::*;
pub use capi::many::*;
pub use capi::memory::*;
pub use capi::options::*;
pub use capi::pool_t;
