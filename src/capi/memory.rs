//! The memory of a pool: more of it.

use crate::base::error::pool_status_t;
use crate::capi::boundary::{enter, refused, status};
use crate::capi::pool_t;

/// Adds `blocks` to the capacity now, all of them or none; at most up to max_capacity. A pool that
/// runs dry grows by itself as well; this is for those who want it done beforehand. No block
/// moves.
///
/// Errors: POOL_ERR_INVALID_ARGUMENT (beyond max_capacity), POOL_ERR_OUT_OF_MEMORY,
/// POOL_ERR_NULL_ARGUMENT, POOL_ERR_STALE_HANDLE; the pool is as it was then.
/// Thread-safety: as the pool's `threading` says.
#[unsafe(no_mangle)]
pub extern "C" fn pool_grow(pool: *mut pool_t, blocks: usize) -> pool_status_t {
    const CALL: &str = "pool_grow";
    status(CALL, || enter(CALL, pool)?.grow(blocks).map_err(|refusal| refused(CALL, refusal)))
}
