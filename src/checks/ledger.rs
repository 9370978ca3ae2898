//! The ledger: one byte of state for each block, outside the blocks.
//!
//! ```text
//!   blocks   │ block 0 │ block 1 │ block 2 │ block 3 │ never touched yet │
//!   ledger        L         f         L         f       .   .   .   .
//! ```
//!
//! It makes a double free, a free of a block that was never handed out, and the list of live
//! blocks certain instead of likely. A byte, not a bit: a bit must be read, changed and written
//! back, which chains every call to the one before it.
//!
//! L1. `states` points to `count` bytes that belong to this ledger alone.
//! L2. Every index comes from the geometry of the same pool, so it is below `count`.

use core::ptr::NonNull;

use crate::base::ids::BlockIndex;

/// What is known of one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum State {
    /// Never handed out; a fresh span is zero, so this costs nothing to write.
    Untouched = 0,
    /// Came back, and waits on the free list.
    Free = 1,
    /// Handed out.
    Live = 2,
}

/// The states of all blocks of a pool.
pub(crate) struct Ledger {
    states: NonNull<u8>,
    count: usize,
}

impl Ledger {
    /// # Safety
    /// * `states` points to `count` zero bytes that nothing else uses while the ledger lives.
    pub(crate) unsafe fn new(states: NonNull<u8>, count: usize) -> Self {
        Self { states, count }
    }

    /// The state as it is stored: any byte, if something wrote over it.
    #[inline(always)]
    pub(crate) fn state(&self, index: BlockIndex) -> u8 {
        // SAFETY: L1 and L2.
        unsafe { *self.place(index) }
    }

    #[inline(always)]
    pub(crate) fn set(&self, index: BlockIndex, state: State) {
        // SAFETY: L1 and L2.
        unsafe { *self.place(index) = state as u8 };
    }

    #[inline(always)]
    fn place(&self, index: BlockIndex) -> *mut u8 {
        debug_assert!(index.0 < self.count);
        self.states.as_ptr().wrapping_add(index.0)
    }

    /// The indices below `end` that are in `state`, in order.
    pub(crate) fn indices_in(
        &self,
        state: State,
        end: usize,
    ) -> impl DoubleEndedIterator<Item = BlockIndex> {
        (0..end.min(self.count)).map(BlockIndex).filter(move |&i| self.state(i) == state as u8)
    }

    /// Makes the first `end` blocks untouched again.
    pub(crate) fn forget(&self, end: usize) {
        // SAFETY: L1, and the range is cut to `count`.
        unsafe { self.states.write_bytes(State::Untouched as u8, end.min(self.count)) };
    }
}
