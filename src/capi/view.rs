//! The views that pool_inline.h works on.

use core::ptr::{self, NonNull};

use crate::base::ids::UserPointer;
use crate::capi::boundary::{enter, value};
use crate::capi::cache::enter_cache;
use crate::capi::options::{POOL_CHECKS_NONE, POOL_CHECKS_STANDARD};
use crate::capi::{pool_cache_t, pool_cache_view_t, pool_single_view_t, pool_t};
use crate::pool::{explicit, view};

/// For pool_inline.h, which says what a view is: lends the words of a pool of POOL_THREADS_SINGLE
/// whose checks are `checks` to `*view`, as version `version` of that header knows them. Whoever
/// had them before has them no more. With NULL the pool takes them back.
///
/// `*view` stays where it is until then, or until the pool ends, which closes it.
///
/// Answers whether they are lent. Leaves all as it was where the calls can't be inlined: another
/// `threading` or other checks, also by MEMORY_POOL_CHECKS; a version that this library does not
/// know; a machine without words of 64 bits; no live pool, which is logged.
/// Thread-safety: as the pool's `threading` says.
/// cbindgen:postfix=POOL_NOEXCEPT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pool_single_view(
    pool: *mut pool_t,
    version: u32,
    checks: u32,
    view: *mut pool_single_view_t,
) -> bool {
    const CALL: &str = "pool_single_view";
    value(CALL, false, || {
        let Ok(found) = enter(CALL, pool) else { return false };
        let is_checked = match checks {
            POOL_CHECKS_STANDARD => true,
            POOL_CHECKS_NONE => false,
            _ => return false,
        };
        // SAFETY: the caller leaves the view where it is until it is taken back.
        unsafe { found.lend_words(version, is_checked, NonNull::new(view.cast())) }
    })
}

/// For pool_inline.h: the words of a cache, as version `version` of that header knows them. They
/// stay readable after the end of the cache; the first of them tells whether it is still the same.
///
/// Answers NULL where the calls can't be inlined: a version that this library does not know, a
/// machine without words of 64 bits, no live cache, which is logged.
/// Thread-safety: any thread.
/// cbindgen:postfix=POOL_NOEXCEPT
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn pool_cache_view(
    cache: *mut pool_cache_t,
    version: u32,
) -> *mut pool_cache_view_t {
    const CALL: &str = "pool_cache_view";
    value(CALL, ptr::null_mut(), || {
        if enter_cache(CALL, cache).is_err() || !view::is_known(version) {
            return ptr::null_mut();
        }
        let view = explicit::view(UserPointer::new(cache));
        view.map_or(ptr::null_mut(), |view| view.as_ptr().cast())
    })
}
