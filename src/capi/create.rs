//! The life of a pool: create, destroy.

use core::ptr;

use crate::base::error::{Error, Refusal, pool_status_t};
use crate::base::ids::UserPointer;
use crate::base::log::{Level, log};
use crate::capi::boundary::{bad_argument, bad_handle, refused, status, value};
use crate::capi::debug::keep_for_debuggers;
use crate::capi::options::pool_options_t;
use crate::capi::pool_t;
use crate::pool;
use crate::pool::config::Config;

fn create(call: &str, config: Result<Config, Refusal>) -> Result<*mut pool_t, Error> {
    keep_for_debuggers();
    let config = config.map_err(|refusal| refused(call, refusal))?;
    let handle = pool::create(config).map_err(|refusal| {
        log!(
            Level::Error,
            "{call}: pool \"{}\" refused: {} (block_size {}, capacity {}, alignment {})",
            config.policy.name,
            refusal.reason,
            config.block_size,
            config.capacity,
            config.alignment
        );
        refusal.error
    })?;
    Ok(ptr::without_provenance_mut(handle.address()))
}

/// Creates a pool of `capacity` blocks with `block_size` usable bytes each. It takes address
/// space at once, and memory block by block as the blocks are first used.
///
/// Any thread may use the pool at any time (POOL_THREADS_SAFE).
///
/// Answers NULL when the request is refused; the log says why.
///
/// Errors (by the log): block_size or capacity 0, capacity x stride beyond the address space, no
/// memory.
/// Thread-safety: any thread.
/// cbindgen:postfix=POOL_NOEXCEPT POOL_MALLOC
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn pool_create(block_size: usize, capacity: usize) -> *mut pool_t {
    const CALL: &str = "pool_create";
    value(CALL, ptr::null_mut(), || {
        create(CALL, Ok(Config::new(block_size, capacity))).unwrap_or(ptr::null_mut())
    })
}

/// Creates a pool as `options` say and stores its handle in `*out_pool`, which is written on
/// success only.
///
/// Errors: POOL_ERR_NULL_ARGUMENT, POOL_ERR_INVALID_ARGUMENT (a value outside its range),
/// POOL_ERR_OUT_OF_MEMORY, POOL_ERR_UNSUPPORTED (a field or value of a later version). The log
/// says which field.
/// Thread-safety: any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pool_create_with(
    options: *const pool_options_t,
    out_pool: *mut *mut pool_t,
) -> pool_status_t {
    const CALL: &str = "pool_create_with";
    status(CALL, || {
        if options.is_null() || out_pool.is_null() {
            return Err(bad_argument(CALL, Error::NullArgument, "an argument is NULL"));
        }
        // SAFETY: not NULL, so a pool_options_t as its struct_size says, with its name.
        let config = unsafe { pool_options_t::request(options) };
        let pool = create(CALL, config)?;
        // SAFETY: not NULL, so a place of the caller's for a handle.
        unsafe { out_pool.write_unaligned(pool) };
        Ok(())
    })
}

/// Destroys a pool. Its blocks are gone, and its handle is an error from now on, for every call
/// and for ever: no later pool gets the same handle. NULL is fine.
///
/// What happens to live blocks is the pool's `on_leak`; by default they are logged and freed.
///
/// Errors: POOL_ERR_STALE_HANDLE, POOL_ERR_IN_USE (POOL_LEAK_REFUSE and live blocks; the pool
/// stays).
/// Thread-safety: no other call with this pool may be under way.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pool_destroy(pool: *mut pool_t) -> pool_status_t {
    const CALL: &str = "pool_destroy";
    status(CALL, || {
        if pool.is_null() {
            return Ok(());
        }
        pool::destroy(UserPointer::new(pool)).map_err(|error| match error {
            Error::StaleHandle => bad_handle(CALL, pool),
            other => other,
        })
    })
}
