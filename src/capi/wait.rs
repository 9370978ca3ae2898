//! A block, sooner or later.

use core::ffi::c_void;

use crate::base::error::{Error, pool_status_t};
use crate::base::ids::Block;
use crate::base::log::{Level, log};
use crate::capi::boundary::{bad_argument, enter, status};
use crate::capi::pool_t;
use crate::host::sleep::Deadline;
use crate::pool::Missed;

/// Stores a free block in `*out_block`, as pool_allocate would answer it; when all are live, sleeps
/// until one comes back. Threads that wait are served in the order in which they came. A
/// `timeout_nanoseconds` of 0 does not wait, UINT64_MAX waits for ever; the clock is the monotonic
/// one. In a pool of POOL_THREADS_LOCK_FREE a pool_allocate of another thread may come before those
/// who wait.
///
/// Errors, after which `*out_block` is NULL: POOL_ERR_TIMED_OUT; POOL_ERR_EXHAUSTED (a pool of one
/// owner: nobody else could give a block back; or pool_fail_after asked for it);
/// POOL_ERR_UNSUPPORTED (a freestanding build); POOL_ERR_NULL_ARGUMENT, POOL_ERR_STALE_HANDLE.
/// While threads wait, pool_destroy answers POOL_ERR_IN_USE.
/// Thread-safety: as the pool's `threading` says, but not in a signal handler.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pool_allocate_wait(
    pool: *mut pool_t,
    timeout_nanoseconds: u64,
    out_block: *mut *mut c_void,
) -> pool_status_t {
    const CALL: &str = "pool_allocate_wait";
    status(CALL, || {
        if out_block.is_null() {
            return Err(bad_argument(CALL, Error::NullArgument, "out_block is NULL"));
        }
        let taken = take(CALL, pool, timeout_nanoseconds);
        let block = taken.as_ref().map_or(core::ptr::null_mut(), |block| block.as_ptr());
        // SAFETY: not NULL, so a place of the caller's for a pointer.
        unsafe { out_block.write_unaligned(block.cast()) };
        taken.map(|_| ())
    })
}

fn take(call: &str, pool: *mut pool_t, timeout_nanoseconds: u64) -> Result<Block, Error> {
    let deadline = Deadline::after(timeout_nanoseconds);
    match enter(call, pool)?.try_allocate() {
        Ok(block) => return Ok(block),
        Err(Missed::OnPurpose) => return Err(Error::Exhausted),
        Err(Missed::AllLive) => {}
    }
    // Looked up anew: the log callback may have destroyed the pool.
    let found = enter(call, pool)?;
    let (has_one_owner, reporter) = (found.has_one_owner(), found.reporter());
    let taken = found.wait(deadline);
    if taken == Err(Error::Exhausted) && !has_one_owner {
        reporter.tell_failed_on_purpose();
    } else if taken == Err(Error::Exhausted) {
        log!(
            Level::Error,
            "{call}: all blocks are live, and a pool of one owner has nobody else to give one \
             back; ask for POOL_THREADS_SAFE to wait"
        );
    }
    taken
}
