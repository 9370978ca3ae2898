//! The one table of status codes: number, name and sentence.
//!
//! C sees the constants (cbindgen copies them and their comments into pool.h), Rust sees [`Error`],
//! whose numbers are the constants. A number is never given a second meaning.

#![forbid(unsafe_code)]

use core::ffi::CStr;

/// What a call came to: `POOL_OK` or one of `POOL_ERR_*`.
#[allow(non_camel_case_types, reason = "the name C sees")]
pub type pool_status_t = i32;

/// The call did what it says.
pub const POOL_OK: pool_status_t = 0;
/// A pointer that must not be NULL is NULL.
pub const POOL_ERR_NULL_ARGUMENT: pool_status_t = 1;
/// A value is outside its range; the log says which and what the range is.
pub const POOL_ERR_INVALID_ARGUMENT: pool_status_t = 2;
/// The system gave no memory.
pub const POOL_ERR_OUT_OF_MEMORY: pool_status_t = 3;
/// Every block of the pool is live.
pub const POOL_ERR_EXHAUSTED: pool_status_t = 4;
/// No block became free in the time given.
pub const POOL_ERR_TIMED_OUT: pool_status_t = 5;
/// The pointer belongs to no block of this pool. Nothing was changed.
pub const POOL_ERR_FOREIGN_POINTER: pool_status_t = 6;
/// The pointer leads into a block of this pool, but not to its start. Nothing was changed.
pub const POOL_ERR_INTERIOR_POINTER: pool_status_t = 7;
/// The block is free already, or was never handed out. Nothing was changed.
pub const POOL_ERR_DOUBLE_FREE: pool_status_t = 8;
/// The pool's own memory was overwritten. What could be saved was saved; the log says what.
pub const POOL_ERR_CORRUPTED: pool_status_t = 9;
/// Blocks are live and the pool's policy (`POOL_LEAK_REFUSE`) keeps it for them.
pub const POOL_ERR_IN_USE: pool_status_t = 10;
/// The handle is no live pool: it was destroyed, or never was one.
pub const POOL_ERR_STALE_HANDLE: pool_status_t = 11;
/// This version of the library cannot do that.
pub const POOL_ERR_UNSUPPORTED: pool_status_t = 12;

/// Why a call failed: every status but `POOL_OK`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
#[non_exhaustive]
pub enum Error {
    /// `POOL_ERR_NULL_ARGUMENT`
    NullArgument = POOL_ERR_NULL_ARGUMENT,
    /// `POOL_ERR_INVALID_ARGUMENT`
    InvalidArgument = POOL_ERR_INVALID_ARGUMENT,
    /// `POOL_ERR_OUT_OF_MEMORY`
    OutOfMemory = POOL_ERR_OUT_OF_MEMORY,
    /// `POOL_ERR_EXHAUSTED`
    Exhausted = POOL_ERR_EXHAUSTED,
    /// `POOL_ERR_TIMED_OUT`
    TimedOut = POOL_ERR_TIMED_OUT,
    /// `POOL_ERR_FOREIGN_POINTER`
    ForeignPointer = POOL_ERR_FOREIGN_POINTER,
    /// `POOL_ERR_INTERIOR_POINTER`
    InteriorPointer = POOL_ERR_INTERIOR_POINTER,
    /// `POOL_ERR_DOUBLE_FREE`
    DoubleFree = POOL_ERR_DOUBLE_FREE,
    /// `POOL_ERR_CORRUPTED`
    Corrupted = POOL_ERR_CORRUPTED,
    /// `POOL_ERR_IN_USE`
    InUse = POOL_ERR_IN_USE,
    /// `POOL_ERR_STALE_HANDLE`
    StaleHandle = POOL_ERR_STALE_HANDLE,
    /// `POOL_ERR_UNSUPPORTED`
    Unsupported = POOL_ERR_UNSUPPORTED,
}

impl Error {
    /// The number that C sees.
    pub const fn status(self) -> pool_status_t {
        self as pool_status_t
    }
}

/// The sentences, at the index of their status.
const SENTENCES: [&CStr; 13] = [
    c"ok",
    c"a pointer that must not be NULL is NULL",
    c"a value is outside its range",
    c"the system gave no memory",
    c"every block of the pool is live",
    c"no block became free in the time given",
    c"the pointer belongs to no block of this pool",
    c"the pointer leads into a block, not to its start",
    c"the block is free already or was never handed out",
    c"the pool's own memory was overwritten",
    c"blocks of the pool are live",
    c"the handle is no live pool",
    c"this version of the library cannot do that",
];

/// The sentence for `status`, also for a number that is no status.
pub(crate) const fn sentence(status: pool_status_t) -> &'static CStr {
    if 0 <= status && (status as usize) < SENTENCES.len() {
        SENTENCES[status as usize]
    } else {
        c"not a status of this library"
    }
}

/// A call that was turned down, with the reason in words for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) error: Error,
    /// What is wrong and what to do about it.
    pub(crate) reason: &'static str,
}

impl Refusal {
    pub(crate) const fn new(error: Error, reason: &'static str) -> Self {
        Self { error, reason }
    }

    pub(crate) const fn invalid(reason: &'static str) -> Self {
        Self::new(Error::InvalidArgument, reason)
    }

    pub(crate) const fn unsupported(reason: &'static str) -> Self {
        Self::new(Error::Unsupported, reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_sentence_of_its_own() {
        for (i, a) in SENTENCES.iter().enumerate() {
            assert!(!a.is_empty());
            assert!(SENTENCES[..i].iter().all(|b| a != b), "{a:?} stands twice");
        }
        assert_eq!(SENTENCES.len() - 1, POOL_ERR_UNSUPPORTED as usize);
    }

    #[test]
    fn numbers_outside_the_table_are_answered_too() {
        for status in [-1, 13, i32::MIN, i32::MAX] {
            assert_eq!(sentence(status), c"not a status of this library");
        }
    }
}
