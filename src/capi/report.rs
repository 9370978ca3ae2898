//! Who hears what is wrong with a pool.

use core::ffi::c_void;

use crate::base::error::pool_status_t;
use crate::base::report::pool_report_callback_t;
use crate::capi::boundary::{enter, status};
use crate::capi::pool_t;

/// Calls `callback`, with `user_data`, for each misuse of the pool that a call answers with a
/// status, for damage (POOL_ERR_CORRUPTED), and when pool_destroy finds live blocks
/// (POOL_ERR_IN_USE); NULL as callback: no more. A pool has one callback.
///
/// It is called before the line of the log, which is written as well, and before a program ends
/// because of POOL_MISUSE_ABORT or POOL_LEAK_ABORT.
///
/// A callback that is replaced may still be running in another thread when this returns.
///
/// Errors: POOL_ERR_NULL_ARGUMENT (the pool is NULL), POOL_ERR_STALE_HANDLE.
/// Thread-safety: as the pool's `threading` says, but not in a signal handler.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pool_set_report_callback(
    pool: *mut pool_t,
    callback: pool_report_callback_t,
    user_data: *mut c_void,
) -> pool_status_t {
    const CALL: &str = "pool_set_report_callback";
    status(CALL, || enter(CALL, pool).map(|pool| pool.report_to(callback, user_data)))
}
