//! Which blocks are live.

use core::ffi::c_void;

use crate::base::error::{Error, POOL_OK, pool_status_t};
use crate::base::ids::UserPointer;
use crate::capi::boundary::{bad_argument, enter, enter_usual, refused, status};
use crate::capi::pool_t;
use crate::pool::{Pool, Usual, handles};

/// Receives live blocks; false ends the walk. It may call the library itself, also with the same
/// pool. It must not throw: the program would end.
#[allow(non_camel_case_types, reason = "the name C sees")]
pub type pool_block_callback_t =
    Option<extern "C" fn(user_data: *mut c_void, block: *mut c_void) -> bool>;

/// Calls `callback` with each live block, in address order, then with those on the heap, in
/// address order too, until it answers false. Time in proportion to the blocks that were ever used.
/// A guarded block (docs/debugging.md) comes in the place of the one that it stands for.
///
/// No lock is held while `callback` runs, and it may call any function of the pool, with any block;
/// should it destroy the pool, the walk ends. Each block is looked at just before its call, so one
/// that was given back by then is passed over; one that was handed out since the walk began may be
/// met or not. What other threads give back just then is for the caller to prevent.
///
/// Errors, before any call of `callback`: POOL_ERR_UNSUPPORTED (with POOL_CHECKS_NONE only a
/// lock-free pool knows its live blocks), POOL_ERR_OUT_OF_MEMORY (for the list of those on the
/// heap), POOL_ERR_NULL_ARGUMENT, POOL_ERR_STALE_HANDLE.
/// Thread-safety: as the pool's `threading` says, but not in a signal handler; in a lock-free pool
/// pool_trim may not be under way.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pool_for_each_live(
    pool: *mut pool_t,
    callback: pool_block_callback_t,
    user_data: *mut c_void,
) -> pool_status_t {
    const CALL: &str = "pool_for_each_live";
    status(CALL, || {
        let found = enter(CALL, pool)?;
        let callback =
            callback.ok_or_else(|| bad_argument(CALL, Error::NullArgument, "callback is NULL"))?;
        let mut walk = found.walk().map_err(|refusal| refused(CALL, refusal))?;
        // Looked up anew each time: the callback may have destroyed the pool.
        let mut next = || handles::find(UserPointer::new(pool))?.next_live(&mut walk);
        while let Some(block) = next()
            && callback(user_data, block.as_ptr().cast())
        {}
        Ok(())
    })
}

/// Writes to the log, whatever its level, how many blocks are live, and with POOL_CHECKS_FULL who
/// allocated them: the stacks with the oldest blocks, each with the number of its blocks and their
/// bytes. Time in proportion to the blocks that were ever used.
///
/// Errors: POOL_ERR_NULL_ARGUMENT, POOL_ERR_STALE_HANDLE.
/// Thread-safety: as the pool's `threading` says, but not in a signal handler.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pool_log_live(pool: *const pool_t) -> pool_status_t {
    const CALL: &str = "pool_log_live";
    status(CALL, || enter(CALL, pool).map(Pool::log_live))
}

/// What pool_deallocate would answer for `block`, with its report, but nothing is changed: POOL_OK
/// for a live block and for NULL. For what must happen while a block is still live, such as the
/// destruction of an object. Constant time.
///
/// Errors: as of pool_deallocate; as there, the caller is believed with POOL_CHECKS_NONE.
/// Thread-safety: as the pool's `threading` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pool_check_block(
    pool: *const pool_t,
    block: *const c_void,
) -> pool_status_t {
    let pointer = UserPointer::new(block);
    let is_live = match enter_usual(pool) {
        Usual::Safe(engine) => engine.has_live(pointer),
        Usual::Single(engine) => engine.has_live(pointer),
        Usual::None => false,
    };
    if is_live { POOL_OK } else { check_slow(pool, block) }
}

#[cold]
#[inline(never)]
extern "C" fn check_slow(pool: *const pool_t, block: *const c_void) -> pool_status_t {
    const CALL: &str = "pool_check_block";
    status(CALL, || enter(CALL, pool)?.check(UserPointer::new(block)))
}
