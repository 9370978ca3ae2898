//! The blocks at hand: the newest free blocks of a single-owner pool, by address, outside the
//! blocks.
//!
//! ```text
//!   state │ limit │ blocks ─► │ a │ b │ c │   │   │ ...   up to `limit`
//!     │                                   ▲ count: take here, put here
//!     └── operations ┆ count
//! ```
//!
//! It is for programs that inline the hot paths (`pool_inline.h`): who takes and gives by turns, or
//! by bursts of up to `limit`, reads and writes no block, and waits for no link. What does not fit
//! goes on the free list (`intrusive.rs`).
//!
//! The count shares a word with the operations that led to it: so the statistics cost nothing more.
//! They are 53 bits, which last for a hundred days of one operation a nanosecond.
//!
//! The words of [`Hand`] are public: the programs work on them.
//!
//! A1. `limit` words at `blocks` belong to this alone; the count is `limit` at most.
//! A2. The first of them, as many as the count, are free blocks, each nowhere else.

use core::cell::Cell;
use core::ptr::NonNull;

use crate::base::ids::Block;

/// The most blocks at hand.
pub(crate) const HAND_MAX: usize = 1024;

/// One operation, in `state`; what is below is the count.
const OPERATION: u64 = 2 * HAND_MAX as u64;

#[repr(C)]
pub(crate) struct Hand {
    pub(crate) state: Cell<u64>,
    pub(crate) limit: usize,
    pub(crate) blocks: NonNull<Block>,
}

impl Hand {
    /// # Safety
    /// * A1.
    pub(crate) unsafe fn new(blocks: NonNull<Block>, limit: usize) -> Self {
        debug_assert!(limit <= HAND_MAX);
        Self { state: Cell::new(0), limit, blocks }
    }

    pub(crate) fn count(&self) -> usize {
        (self.state.get() % OPERATION) as usize
    }

    /// How often a block was taken or put.
    pub(crate) fn operations(&self) -> u64 {
        self.state.get() / OPERATION
    }

    /// The newest block.
    pub(crate) fn take(&self) -> Option<Block> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        self.state.set(self.state.get().wrapping_add(OPERATION - 1));
        // SAFETY: A1.
        let place = unsafe { self.blocks.add(count - 1) };
        // SAFETY: A2.
        Some(unsafe { place.read() })
    }

    /// Puts a free block on top, which is nowhere else; what a program does. `false`: there is no
    /// room.
    #[cfg(test)]
    fn put(&self, block: Block) -> bool {
        let count = self.count();
        if count == self.limit {
            return false;
        }
        self.state.set(self.state.get().wrapping_add(OPERATION + 1));
        // SAFETY: A1.
        let place = unsafe { self.blocks.add(count) };
        // SAFETY: A1.
        unsafe { place.write(block) };
        true
    }

    /// Lets all blocks go, to wherever the caller puts them; answers how many they are.
    pub(crate) fn forget(&self) -> usize {
        let count = self.count();
        self.state.set(self.state.get() - count as u64);
        count
    }

    /// The blocks, oldest first.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = Block> {
        // SAFETY: A1.
        let places = (0..self.count()).map(|place| unsafe { self.blocks.add(place) });
        // SAFETY: A2.
        places.map(|place| unsafe { place.read() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_no_more_than_it_has_room_for_and_gives_the_newest_first() {
        let mut words = [NonNull::<u8>::dangling(); 2];
        // SAFETY: two words of this function's.
        let hand = unsafe { Hand::new(NonNull::from(&mut words).cast(), words.len()) };
        let [a, b, c] = [8, 16, 24].map(|address| {
            NonNull::new(core::ptr::without_provenance_mut::<u8>(address)).expect("not null")
        });
        assert!(hand.take().is_none());
        assert!(hand.put(a) && hand.put(b) && !hand.put(c));
        assert_eq!(hand.blocks().collect::<Vec<_>>(), [a, b]);
        assert_eq!((hand.take(), hand.take(), hand.take()), (Some(b), Some(a), None));
        assert_eq!((hand.count(), hand.operations()), (0, 4));
        assert!(hand.put(c));
        assert_eq!((hand.forget(), hand.count(), hand.operations()), (1, 0, 5));
    }

    #[test]
    fn one_without_room_refuses_and_gives_nothing() {
        // SAFETY: no word is ever used.
        let hand = unsafe { Hand::new(NonNull::dangling(), 0) };
        assert!(!hand.put(NonNull::dangling()) && hand.take().is_none());
        assert_eq!(hand.operations(), 0);
    }
}
