//! Handles: why a call with a destroyed pool is an error code and not a crash.
//!
//! ```text
//!                ┌─ arena.rs      slots of ours: pools on memory of the system or of callbacks
//!   handle ─► ? ─┤
//!                └─ directory.rs  entries of ours that point into callers' buffers
//! ```
//!
//! A handle is a word that is compared, never an address that is followed: some of its bits say
//! which slot, or which entry, to look at, and that holds the handle of the pool that lives there
//! now. Whatever was passed as a handle, only memory of the library's own is read before it is
//! found to be right. Handles are even, because some language runtimes use a pointer's lowest bit.

use core::ptr::NonNull;

use crate::base::error::{Error, Refusal};
use crate::base::ids::UserPointer;
use crate::host::HAS_SYSTEM;
use crate::pool::engine::Usual;
use crate::pool::failing::Mode;
use crate::pool::{Pool, arena, directory};

pub(crate) const NO_SYSTEM: Refusal = Refusal::unsupported(
    "this build of the library is freestanding: give the pool a buffer to live in",
);

/// The engine of the pool that lives under `handle`, for the hot paths.
#[inline(always)]
pub(crate) fn find_usual<'call>(handle: UserPointer) -> Usual<'call> {
    match HAS_SYSTEM {
        true => arena::find_usual(handle),
        false => directory::find_fast(handle).map_or(Usual::None, |pool| pool.core.engine.usual()),
    }
}

/// The pool that lives under `handle`; `None` means "not in the first arena, or off the hot paths".
#[inline(always)]
pub(crate) fn find_fast<'call>(handle: UserPointer) -> Option<&'call Pool> {
    if HAS_SYSTEM { arena::find_fast(handle) } else { directory::find_fast(handle) }
}

/// The same in a caller's buffer.
#[inline(always)]
pub(crate) fn find_in_buffer<'call>(handle: UserPointer) -> Option<&'call Pool> {
    directory::find_fast(handle)
}

/// The pool that lives under `handle`.
pub(crate) fn find<'call>(handle: UserPointer) -> Option<&'call Pool> {
    let in_arena = if HAS_SYSTEM { arena::find(handle) } else { None };
    in_arena.or_else(|| directory::find(handle))
}

/// Puts `pool` where it will live and gives it a handle: at `place`, or in a slot of ours.
///
/// # Safety
/// * `place` has room for a `Pool`, is aligned for one, and is nobody else's until the pool is
///   removed.
pub(super) unsafe fn insert(
    pool: Pool,
    place: Option<NonNull<u8>>,
) -> Result<UserPointer, Refusal> {
    match place {
        // SAFETY: by this function's contract.
        Some(place) => unsafe { directory::insert(pool, place.cast()) },
        None if HAS_SYSTEM => arena::insert(pool),
        None => Err(NO_SYSTEM),
    }
}

/// Lets allocations of the pool under `handle` fail, or no longer: then it is back on its hot
/// paths.
pub(crate) fn fail(handle: UserPointer, mode: Mode) -> Result<(), Error> {
    let fail = |pool: &Pool| pool.fail(mode);
    let in_arena = if HAS_SYSTEM { arena::settle(handle, fail) } else { None };
    in_arena.or_else(|| directory::settle(handle, fail)).ok_or(Error::StaleHandle)
}

/// Takes the pool under `handle` from where it lives. Of two threads that try, one succeeds.
pub(super) fn remove(handle: UserPointer) -> Result<Pool, Error> {
    let from_arena = if HAS_SYSTEM { arena::remove(handle) } else { None };
    from_arena.or_else(|| directory::remove(handle)).ok_or(Error::StaleHandle)
}
