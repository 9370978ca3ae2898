//! Layer 7: the C ABI, the only exported symbols of the crate. One file a topic; cbindgen makes
//! include/memory_pool/pool.h of these files and of their comments, which are written for C.
//!
//! Every function goes through `boundary`: a handle that is NULL, stale or garbage becomes a
//! status and a log line, and no panic leaves the library.

mod boundary;

// In the order of the header, which the blank lines keep.
pub(crate) mod source;

pub(crate) mod options;

pub(crate) mod create;

pub(crate) mod allocate;

pub(crate) mod many;

pub(crate) mod wait;

pub(crate) mod cache;

pub(crate) mod memory;

pub(crate) mod inspect;

pub(crate) mod live;

pub(crate) mod snapshot;

pub(crate) mod failing;

pub(crate) mod report;

pub(crate) mod library;

pub(crate) mod view;

mod debug;

/// A memory pool. The handle is opaque: never read or write through it.
#[allow(non_camel_case_types, reason = "the name C sees")]
pub struct pool_t {
    _opaque: [u8; 0],
}

/// Free blocks of a pool that one thread keeps for itself. The handle is opaque.
#[allow(non_camel_case_types, reason = "the name C sees")]
pub struct pool_cache_t {
    _opaque: [u8; 0],
}

/// What pool_inline.h works on, which has its fields.
#[allow(non_camel_case_types, reason = "the name C sees")]
pub struct pool_single_view_t {
    _opaque: [u8; 0],
}

/// What pool_inline.h works on, which has its fields.
#[allow(non_camel_case_types, reason = "the name C sees")]
pub struct pool_cache_view_t {
    _opaque: [u8; 0],
}
