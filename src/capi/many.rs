//! Many blocks in one call.

use core::ffi::c_void;

use crate::base::error::{Error, pool_status_t};
use crate::base::ids::{Block, UserPointer};
use crate::capi::boundary::{bad_argument, enter, status, value};
use crate::capi::pool_t;

/// Stores up to `count` blocks in `out_blocks` and answers how many it got: fewer than `count`
/// only when the pool has no more. Entries beyond that are not written.
///
/// Answers 0 for a bad handle, and for NULL as `out_blocks` with a `count`; both are logged.
/// Thread-safety: as the pool's `threading` says.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn pool_allocate_many(
    pool: *mut pool_t,
    out_blocks: *mut *mut c_void,
    count: usize,
) -> usize {
    const CALL: &str = "pool_allocate_many";
    value(CALL, 0, || {
        let Ok(mut found) = enter(CALL, pool) else { return 0 };
        if out_blocks.is_null() && count > 0 {
            bad_argument(CALL, Error::NullArgument, "out_blocks is NULL");
            return 0;
        }
        let mut got = 0;
        let mut put = |block: Block| {
            // SAFETY: not NULL, so the caller has room for `count` entries there.
            unsafe { out_blocks.wrapping_add(got).write_unaligned(block.as_ptr().cast()) };
            got += 1;
        };
        let mut missing = count;
        loop {
            missing -= found.allocate_run(missing, &mut put);
            if missing == 0 {
                return count;
            }
            let Some(block) = found.allocate_slow() else { return count - missing };
            // Looked up anew: the log callback may have destroyed the pool.
            let Ok(again) = enter(CALL, pool) else { return count - missing };
            found = again;
            put(block);
            missing -= 1;
        }
    })
}

/// Gives `count` blocks back. Entries that are NULL are passed over. A bad entry is logged with
/// its place, and the others still go back.
///
/// Errors: that of the first bad entry, as of pool_deallocate; POOL_ERR_NULL_ARGUMENT also for
/// NULL as `blocks` with a `count`.
/// Thread-safety: as the pool's `threading` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pool_deallocate_many(
    pool: *mut pool_t,
    blocks: *const *mut c_void,
    count: usize,
) -> pool_status_t {
    const CALL: &str = "pool_deallocate_many";
    status(CALL, || {
        let mut found = enter(CALL, pool)?;
        if blocks.is_null() && count > 0 {
            return Err(bad_argument(CALL, Error::NullArgument, "blocks is NULL"));
        }
        let mut result = Ok(());
        // SAFETY: not NULL, so the caller has `count` entries there.
        let entry = |at| UserPointer::new(unsafe { blocks.wrapping_add(at).read_unaligned() });
        let mut entries = 0..count;
        while let Some(block) = found.deallocate_run(entries.by_ref().map(entry)) {
            let place = entries.start - 1;
            result = result.and(found.deallocate_slow(block, Some(place)));
            if entries.is_empty() {
                break;
            }
            // Looked up anew: the log callback may have destroyed the pool.
            found = match enter(CALL, pool) {
                Ok(found) => found,
                Err(error) => return result.and(Err(error)),
            };
        }
        result
    })
}
