//! The two hot calls, for the engines of most pools. What they can't decide goes to a twin of the
//! same signature, in tail position, so that the hot path needs no stack frame: first to the one
//! for other engines and for pools in callers' buffers, which is as short, then to the one for
//! lock-free engines, which takes more registers, then to the cold one, which knows everything. A
//! pool of one owner that has no block back yet has a short way of its own to the next fresh one.

use core::ffi::c_void;
use core::ptr;

use crate::base::error::{POOL_OK, pool_status_t};
use crate::base::ids::UserPointer;
use crate::capi::boundary::{enter, enter_buffer, enter_fast, enter_usual, status, value};
use crate::capi::inspect::pool_block_size;
use crate::capi::pool_t;
use crate::pool::{Pool, Usual, handles};

/// Answers a free block: block_size bytes, uninitialised, aligned to pool_alignment. NULL when
/// all blocks are live, or when `pool` is no live pool, which is logged. Constant time.
///
/// Thread-safety: as the pool's `threading` says.
/// cbindgen:postfix=POOL_NOEXCEPT POOL_MALLOC
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn pool_allocate(pool: *mut pool_t) -> *mut c_void {
    let block = match enter_usual(pool) {
        Usual::Safe(engine) => engine.allocate(),
        Usual::Single(engine) => match engine.allocate() {
            None => return allocate_fresh(pool),
            block => block,
        },
        Usual::None => None,
    };
    match block {
        Some(block) => block.as_ptr().cast(),
        None => allocate_unusual(pool),
    }
}

#[inline(never)]
extern "C" fn allocate_fresh(pool: *mut pool_t) -> *mut c_void {
    match enter_fast(pool).or_else(|| enter_buffer(pool)).and_then(Pool::allocate_fresh) {
        Some(block) => block.as_ptr().cast(),
        None => allocate_slow(pool),
    }
}

#[inline(never)]
extern "C" fn allocate_unusual(pool: *mut pool_t) -> *mut c_void {
    let Some(found) = enter_fast(pool).or_else(|| enter_buffer(pool)) else {
        return allocate_slow(pool);
    };
    match found.allocate_unusual() {
        Some(block) => block.as_ptr().cast(),
        None => allocate_lock_free(pool, found),
    }
}

#[inline(never)]
fn allocate_lock_free(pool: *mut pool_t, found: &Pool) -> *mut c_void {
    match found.allocate_lock_free().or_else(|| found.allocate_fresh()) {
        Some(block) => block.as_ptr().cast(),
        None => allocate_slow(pool),
    }
}

#[cold]
#[inline(never)]
extern "C" fn allocate_slow(pool: *mut pool_t) -> *mut c_void {
    const CALL: &str = "pool_allocate";
    value(CALL, ptr::null_mut(), || {
        let block = enter(CALL, pool).ok().and_then(|pool| pool.allocate_slow());
        block.map_or(ptr::null_mut(), |block| block.as_ptr().cast())
    })
}

/// Answers a free block whose block_size bytes are zero; otherwise as pool_allocate. Time in
/// proportion to block_size.
///
/// Thread-safety: as the pool's `threading` says.
/// cbindgen:postfix=POOL_NOEXCEPT POOL_MALLOC
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn pool_allocate_zeroed(pool: *mut pool_t) -> *mut c_void {
    // SAFETY: the caller keeps to the same contract here.
    let block = unsafe { pool_allocate(pool) };
    if !block.is_null() {
        // SAFETY: as above.
        let block_size = unsafe { pool_block_size(pool) };
        // SAFETY: a block of this pool, handed out just now, has block_size bytes.
        unsafe { block.cast::<u8>().write_bytes(0, block_size) };
    }
    block
}

/// Gives a block back. NULL as block is fine. Constant time.
///
/// Errors, after which nothing has changed and the pool goes on: POOL_ERR_FOREIGN_POINTER,
/// POOL_ERR_INTERIOR_POINTER, POOL_ERR_DOUBLE_FREE (also a block that was never handed out),
/// POOL_ERR_NULL_ARGUMENT (the pool is NULL), POOL_ERR_STALE_HANDLE. With POOL_CHECKS_NONE only
/// the last two are found. See POOL_CHECKS_STANDARD for two threads that free one block at once.
/// With POOL_CHECKS_FULL also POOL_ERR_CORRUPTED: something was written past the end of the block
/// or before its start; then the block was taken back all the same.
/// Thread-safety: as the pool's `threading` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pool_deallocate(pool: *mut pool_t, block: *mut c_void) -> pool_status_t {
    let pointer = UserPointer::new(block);
    let is_done = match enter_usual(pool) {
        Usual::Safe(engine) => engine.deallocate(pointer),
        Usual::Single(engine) => engine.deallocate(pointer),
        Usual::None => false,
    };
    if is_done { POOL_OK } else { deallocate_unusual(pool, block) }
}

#[inline(never)]
extern "C" fn deallocate_unusual(pool: *mut pool_t, block: *mut c_void) -> pool_status_t {
    let Some(found) = enter_fast(pool).or_else(|| enter_buffer(pool)) else {
        return deallocate_slow(pool, block);
    };
    match found.deallocate_unusual(UserPointer::new(block)) {
        true => POOL_OK,
        false => deallocate_lock_free(pool, block, found),
    }
}

#[inline(never)]
fn deallocate_lock_free(pool: *mut pool_t, block: *mut c_void, found: &Pool) -> pool_status_t {
    match found.deallocate_lock_free(UserPointer::new(block)) {
        true if found.has_sleepers() => wake(pool, block),
        true => POOL_OK,
        false => deallocate_slow(pool, block),
    }
}

#[cold]
#[inline(never)]
extern "C" fn wake(pool: *mut pool_t, _block: *mut c_void) -> pool_status_t {
    // It may be off its hot paths by now.
    if let Some(found) = handles::find(UserPointer::new(pool)) {
        found.wake_sleepers();
    }
    POOL_OK
}

#[cold]
#[inline(never)]
extern "C" fn deallocate_slow(pool: *mut pool_t, block: *mut c_void) -> pool_status_t {
    const CALL: &str = "pool_deallocate";
    status(CALL, || enter(CALL, pool)?.deallocate_slow(UserPointer::new(block), None))
}

/// Makes every block free at once, the live ones too; pointers to them are dead. Time in
/// proportion to the blocks that were used since the last reset.
///
/// Errors: POOL_ERR_NULL_ARGUMENT, POOL_ERR_STALE_HANDLE.
/// Thread-safety: no other call with this pool may be under way.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pool_reset(pool: *mut pool_t) -> pool_status_t {
    const CALL: &str = "pool_reset";
    status(CALL, || enter(CALL, pool).map(|pool| pool.reset()))
}
