//! A free block that is on no list, kept in a word of its own: the first that comes back to a large
//! pool that keeps none.
//!
//! Who gives and takes by turns, whichever blocks, then touches none of them: the line of a block
//! that has not been used for long is slow to come, and the stores behind it wait. In a small pool
//! all lines are near, and none is kept there: so each free block is on the list, where a write
//! into it is noticed.

#![forbid(unsafe_code)]

use core::cell::Cell;

use crate::base::ids::Block;

/// Bytes of blocks from which on a pool is large: what the nearest caches of processors hold.
pub(crate) const LARGE_BYTES: usize = 256 << 10;

/// Room for a block, and for what leads to its state.
pub(crate) struct Kept<K> {
    block: Cell<Option<Block>>,
    known: Cell<K>,
    has_room: Cell<bool>,
}

impl<K: Copy + Default> Kept<K> {
    /// Keeps none, until it is opened.
    pub(crate) fn new() -> Self {
        Self { block: Cell::new(None), known: Cell::new(K::default()), has_room: Cell::new(false) }
    }

    /// Keeps a block from now on, when one comes.
    pub(crate) fn open(&self) {
        self.has_room.set(self.block.get().is_none());
    }

    /// Keeps none from now on. None is kept.
    pub(crate) fn close(&self) {
        self.has_room.set(false);
    }

    #[inline(always)]
    pub(crate) fn has_room(&self) -> bool {
        self.has_room.get()
    }

    /// There is room.
    #[inline(always)]
    pub(crate) fn put(&self, block: Block, known: K) {
        self.has_room.set(false);
        self.known.set(known);
        self.block.set(Some(block));
    }

    #[inline(always)]
    pub(crate) fn block(&self) -> Option<Block> {
        self.block.get()
    }

    /// Lets the block go, if there is one, and answers what leads to its state.
    #[inline(always)]
    pub(crate) fn forget(&self) -> K {
        if self.block.get().is_some() {
            self.block.set(None);
            self.has_room.set(true);
        }
        self.known.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_block_is_kept_at_a_time_and_none_before_it_is_opened() {
        let kept = Kept::<usize>::new();
        kept.forget();
        assert!(!kept.has_room() && kept.block().is_none());
        kept.open();
        assert!(kept.has_room());
        kept.put(Block::dangling(), 7);
        kept.open();
        assert!(!kept.has_room() && kept.block().is_some());
        assert_eq!(kept.forget(), 7);
        assert!(kept.has_room() && kept.block().is_none());
        kept.close();
        assert!(!kept.has_room());
    }
}
