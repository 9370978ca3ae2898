//! The ledger: one byte of state for each block, outside the blocks.
//!
//! ```text
//!     ledger, downwards ◄─┐   ┌─► blocks, upwards
//!    .  .  .  L  f  L  L  │   │ block 0 │ block 1 │ block 2 │ block 3 │ never touched yet │
//!             3  2  1  0  ▲ end
//! ```
//!
//! It makes a double free, a free of a block that was never handed out, and the list of live
//! blocks certain instead of likely. A byte, not a bit: a bit must be read, changed and written
//! back, which chains every call to the one before it. Downwards from before
//! the blocks, so that both can grow.
//!
//! L1. The `count` bytes before `end` belong to this ledger alone.
//! L2. Every index comes from the geometry of the same pool, so it is below `count`.

use core::ptr::NonNull;

use crate::base::ids::BlockIndex;
use crate::base::sync::{AtomicU8, Ordering};

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
    /// Free, and so marked while free blocks are counted.
    Held = 3,
}

/// The states of all blocks of a pool, for one thread at a time.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Ledger {
    end: NonNull<u8>,
}

impl Ledger {
    /// # Safety
    /// * L1 for as many blocks as the pool has, and those bytes are zero.
    pub(crate) unsafe fn new(end: NonNull<u8>) -> Self {
        Self { end }
    }

    /// Where the bytes end.
    pub(crate) fn end(&self) -> NonNull<u8> {
        self.end
    }

    /// The state as it is stored: any byte, if something wrote over it.
    #[inline(always)]
    pub(crate) fn state(&self, index: BlockIndex) -> u8 {
        // SAFETY: L1 and L2.
        unsafe { *self.entry(index) }
    }

    #[inline(always)]
    pub(crate) fn set(&self, index: BlockIndex, state: State) {
        // SAFETY: L1 and L2.
        unsafe { *self.entry(index) = state as u8 };
    }

    #[inline(always)]
    fn entry(&self, index: BlockIndex) -> *mut u8 {
        self.end.as_ptr().wrapping_offset(!(index.0 as isize))
    }

    /// The indices below `end` that are in `state`, in order.
    pub(crate) fn indices_in(
        self,
        state: State,
        end: usize,
    ) -> impl DoubleEndedIterator<Item = BlockIndex> {
        (0..end).map(BlockIndex).filter(move |&index| self.state(index) == state as u8)
    }

    /// Makes the first `end` blocks untouched again.
    pub(crate) fn forget(&self, end: usize) {
        let first = self.end.as_ptr().wrapping_sub(end);
        // SAFETY: L1, `end` being at most the number of blocks.
        unsafe { first.write_bytes(State::Untouched as u8, end) };
    }
}

/// The same for threads that call at once.
#[derive(Clone, Copy)]
pub(crate) struct SharedLedger(Ledger);

impl SharedLedger {
    /// # Safety
    /// * As for [`Ledger::new`].
    pub(crate) unsafe fn new(end: NonNull<u8>) -> Self {
        // SAFETY: by this function's contract.
        Self(unsafe { Ledger::new(end) })
    }

    /// The state of one block, to be looked at and changed.
    #[inline(always)]
    pub(crate) fn entry(&self, index: BlockIndex) -> Entry<'_> {
        // SAFETY: L1 and L2; the entries of a shared ledger are reached as atomics alone.
        Entry(unsafe { AtomicU8::from_ptr(self.0.entry(index)) })
    }

    /// Where it ends: the byte of block 0 is the one before.
    pub(crate) fn end(&self) -> NonNull<u8> {
        self.0.end
    }

    #[inline(always)]
    pub(crate) fn is(&self, state: State, index: BlockIndex) -> bool {
        self.entry(index).is(state)
    }

    #[inline(always)]
    pub(crate) fn set(&self, index: BlockIndex, state: State) {
        self.entry(index).set(state);
    }

    /// Makes the first `end` blocks untouched again. Only while nobody else calls.
    pub(crate) fn forget(&self, end: usize) {
        self.0.forget(end);
    }
}

/// The state of one block.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'ledger>(&'ledger AtomicU8);

impl Entry<'_> {
    #[inline(always)]
    pub(crate) fn is(self, state: State) -> bool {
        // Relaxed: whoever may ask got the block from the thread that wrote its state last.
        self.0.load(Ordering::Relaxed) == state as u8
    }

    #[inline(always)]
    pub(crate) fn set(self, state: State) {
        // Relaxed: as in `is`.
        self.0.store(state as u8, Ordering::Relaxed);
    }
}
