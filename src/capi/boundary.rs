//! The door: what comes in is checked, what goes out is a status.

use crate::base::error::{Error, POOL_OK, Refusal, pool_status_t};
use crate::base::ids::UserPointer;
use crate::base::log::{Level, log};
use crate::capi::pool_t;
use crate::host::process;
use crate::pool::{Pool, Usual, handles};

/// What a caller can have set `struct_size` to: at least its own bytes, and no version of a struct
/// will be larger than the end. Anything else was never set.
pub(super) const STRUCT_SIZES: core::ops::RangeInclusive<usize> = size_of::<usize>()..=4096;

/// The engine under a handle, for the hot paths.
#[inline(always)]
pub(super) fn enter_usual<'call>(pool: *const pool_t) -> Usual<'call> {
    handles::find_usual(UserPointer::new(pool))
}

/// The pool under a handle; `None`: let a slow path find out why.
#[inline(always)]
pub(super) fn enter_fast<'call>(pool: *const pool_t) -> Option<&'call Pool> {
    handles::find_fast(UserPointer::new(pool))
}

/// The pool in a caller's buffer under a handle; `None`: let a slow path find out why.
#[inline(always)]
pub(super) fn enter_buffer<'call>(pool: *const pool_t) -> Option<&'call Pool> {
    handles::find_in_buffer(UserPointer::new(pool))
}

/// The pool under a handle, or the error, which is logged.
pub(super) fn enter<'call>(call: &str, pool: *const pool_t) -> Result<&'call Pool, Error> {
    handles::find(UserPointer::new(pool)).ok_or_else(|| bad_handle(call, pool))
}

/// Logs a handle that is no live pool.
#[cold]
pub(super) fn bad_handle(call: &str, pool: *const pool_t) -> Error {
    if pool.is_null() {
        log!(Level::Error, "{call}: the pool is NULL; check what pool_create answered");
        return Error::NullArgument;
    }
    log!(
        Level::Error,
        "{call}: {:#x} is no live pool; it was destroyed, or never was a pool",
        pool.addr()
    );
    Error::StaleHandle
}

/// Logs an argument that can't be NULL or is out of its range.
#[cold]
pub(super) fn bad_argument(call: &str, error: Error, what: &str) -> Error {
    log!(Level::Error, "{call}: {what}");
    error
}

/// Logs why a request was turned down.
pub(super) fn refused(call: &str, refusal: Refusal) -> Error {
    bad_argument(call, refusal.error, refusal.reason)
}

/// Runs the body of a C function that answers a status. A panic becomes `POOL_ERR_CORRUPTED`:
/// something that we hold for impossible has happened.
pub(super) fn status(call: &str, body: impl FnOnce() -> Result<(), Error>) -> pool_status_t {
    let result = value(call, Err(Error::Corrupted), body);
    result.map_or_else(Error::status, |()| POOL_OK)
}

/// Runs the body of a C function that answers a value; `fallback` when it panics.
pub(super) fn value<T>(call: &str, fallback: T, body: impl FnOnce() -> T) -> T {
    process::without_panic(body).unwrap_or_else(|| {
        log!(Level::Error, "{call}: an internal check failed; please report this as a bug");
        fallback
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::error::POOL_ERR_CORRUPTED;

    #[test]
    fn a_panic_becomes_a_status_and_a_value() {
        std::panic::set_hook(Box::new(|_| {}));
        assert_eq!(status("test", || panic!("on purpose")), POOL_ERR_CORRUPTED);
        assert_eq!(value("test", 7, || panic!("on purpose")), 7);
        assert_eq!(status("test", || Ok(())), POOL_OK);
        let _ = std::panic::take_hook();
    }
}
