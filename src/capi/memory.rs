//! The memory of a pool: more of it, and less.

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
pub unsafe extern "C" fn pool_grow(pool: *mut pool_t, blocks: usize) -> pool_status_t {
    const CALL: &str = "pool_grow";
    status(CALL, || enter(CALL, pool)?.grow(blocks).map_err(|refusal| refused(CALL, refusal)))
}

/// Gives every whole OS page that holds only free blocks back to the system, whatever the order in
/// which the blocks became free. No block is lost: all can be had as before, and take memory again
/// when they are used. Stores in `*out_bytes`, unless it is NULL, how many bytes left memory.
///
/// Time in proportion to the blocks that were used; call it when the load is over, not after each
/// block. An allocation that finds only blocks on trimmed pages links those of one page, at most
/// an OS page divided by the stride.
///
/// Errors: POOL_ERR_OUT_OF_MEMORY (no memory to keep track; the pool is as it was),
/// POOL_ERR_NULL_ARGUMENT, POOL_ERR_STALE_HANDLE.
/// Thread-safety: as the pool's `threading` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pool_trim(pool: *mut pool_t, out_bytes: *mut usize) -> pool_status_t {
    const CALL: &str = "pool_trim";
    status(CALL, || {
        let trimmed = enter(CALL, pool)?.trim().map_err(|refusal| refused(CALL, refusal))?;
        if !out_bytes.is_null() {
            // SAFETY: not NULL, so a place of the caller's for a size.
            unsafe { out_bytes.write_unaligned(trimmed) };
        }
        Ok(())
    })
}
