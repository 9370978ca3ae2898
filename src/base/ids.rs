//! Who vouches for a pointer: `UserPointer` nobody, `Block` the ledger or the free list.
//!
//! ```text
//!   pool_deallocate(pool, p) ── UserPointer ──► Checks::take_back ──► Block ──► free list
//!                                                       │
//!                                                       └─ no block of ours: status and report
//! ```
//!
//! A `UserPointer` can only be looked at as an address; nothing in the crate reads or writes
//! through it. A `Block` is the start of a block of the pool at hand.

use core::ptr::NonNull;

/// A pointer as the caller passed it: any bit pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UserPointer(*const u8);

impl UserPointer {
    #[inline(always)]
    pub(crate) fn new<T>(pointer: *const T) -> Self {
        Self(pointer.cast())
    }

    #[inline(always)]
    pub(crate) fn address(self) -> usize {
        self.0.addr()
    }

    pub(crate) fn is_null(self) -> bool {
        self.0.is_null()
    }

    /// The pointer as a block.
    ///
    /// # Safety
    /// * The address is the start of a block of the pool at hand.
    #[inline(always)]
    pub(crate) unsafe fn vouched(self) -> Block {
        // SAFETY: a block's address is never 0.
        unsafe { NonNull::new_unchecked(self.0.cast_mut()) }
    }
}

/// The start of a block: `base + index * stride` of the pool at hand.
pub(crate) type Block = NonNull<u8>;

/// Which block of its pool, counted from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BlockIndex(pub(crate) usize);

impl core::fmt::Display for BlockIndex {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}", self.0)
    }
}
