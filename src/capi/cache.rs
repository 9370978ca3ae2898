//! Explicit caches.

use core::ffi::c_void;
use core::ptr;

use crate::base::error::{Error, POOL_OK, pool_status_t};
use crate::base::ids::UserPointer;
use crate::base::log::{Level, log};
use crate::capi::boundary::{enter, refused, status, value};
use crate::capi::{pool_cache_t, pool_t};
use crate::pool::explicit::{self, Cache};

/// Makes a cache for one thread: it takes and gives blocks of the pool without looking its own up.
/// pool_cache_destroy ends it; a pool that is destroyed ends its caches. A cache holds up to 128
/// free blocks, which others get when they need them.
///
/// Answers NULL, and the log says why: the pool is not of POOL_THREADS_SAFE or lies in a buffer, it
/// is no live pool, or there is no memory.
/// Thread-safety: as the pool's `threading` says. The thread that calls with the cache first owns
/// it.
/// cbindgen:postfix=POOL_NOEXCEPT
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn pool_cache_create(pool: *mut pool_t) -> *mut pool_cache_t {
    const CALL: &str = "pool_cache_create";
    value(CALL, ptr::null_mut(), || {
        let Ok(pool) = enter(CALL, pool) else { return ptr::null_mut() };
        match explicit::create(pool) {
            Ok(handle) => ptr::without_provenance_mut(handle.address()),
            Err(refusal) => {
                refused(CALL, refusal);
                ptr::null_mut()
            }
        }
    })
}

/// As pool_allocate, of the pool of the cache; NULL also when `cache` is no live cache, or another
/// thread's, which is logged.
///
/// Thread-safety: by the thread that owns the cache.
/// cbindgen:postfix=POOL_NOEXCEPT POOL_MALLOC
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn pool_cache_allocate(cache: *mut pool_cache_t) -> *mut c_void {
    match explicit::find_fast(UserPointer::new(cache)).and_then(Cache::allocate) {
        Some(block) => block.as_ptr().cast(),
        None => allocate_slow(cache),
    }
}

#[cold]
#[inline(never)]
extern "C" fn allocate_slow(cache: *mut pool_cache_t) -> *mut c_void {
    const CALL: &str = "pool_cache_allocate";
    value(CALL, ptr::null_mut(), || {
        let block = enter_cache(CALL, cache).ok().and_then(|cache| cache.allocate_slow(CALL));
        block.map_or(ptr::null_mut(), |block| block.as_ptr().cast())
    })
}

/// As pool_deallocate, to the pool of the cache: any live block of it, wherever it was allocated.
///
/// Errors: those of pool_deallocate; POOL_ERR_STALE_HANDLE (no live cache);
/// POOL_ERR_INVALID_ARGUMENT (the cache belongs to another thread; found when it is full, or by
/// pool_cache_allocate when it is empty).
/// Thread-safety: by the thread that owns the cache.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pool_cache_deallocate(
    cache: *mut pool_cache_t,
    block: *mut c_void,
) -> pool_status_t {
    match explicit::find_fast(UserPointer::new(cache)) {
        Some(found) if found.deallocate(UserPointer::new(block)) => POOL_OK,
        _ => deallocate_slow(cache, block),
    }
}

#[cold]
#[inline(never)]
extern "C" fn deallocate_slow(cache: *mut pool_cache_t, block: *mut c_void) -> pool_status_t {
    const CALL: &str = "pool_cache_deallocate";
    status(CALL, || enter_cache(CALL, cache)?.deallocate_slow(CALL, UserPointer::new(block)))
}

/// Ends a cache; its free blocks go back to the pool. NULL is fine. Blocks that were allocated with
/// it stay live.
///
/// Errors: POOL_ERR_STALE_HANDLE (it is ended already, or its pool is).
/// Thread-safety: any thread, while no other call with the cache is under way.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pool_cache_destroy(cache: *mut pool_cache_t) -> pool_status_t {
    const CALL: &str = "pool_cache_destroy";
    if cache.is_null() {
        return POOL_OK;
    }
    status(CALL, || explicit::destroy(UserPointer::new(cache)).map_err(|_| bad_cache(CALL, cache)))
}

pub(super) fn enter_cache<'call>(
    call: &str,
    cache: *mut pool_cache_t,
) -> Result<&'call Cache, Error> {
    explicit::find(UserPointer::new(cache)).ok_or_else(|| bad_cache(call, cache))
}

#[cold]
fn bad_cache(call: &str, cache: *mut pool_cache_t) -> Error {
    if cache.is_null() {
        log!(Level::Error, "{call}: the cache is NULL; check what pool_cache_create answered");
        return Error::NullArgument;
    }
    log!(
        Level::Error,
        "{call}: {:#x} is no live cache; it was destroyed, or its pool was, or it never was one",
        cache.addr()
    );
    Error::StaleHandle
}
