//! The free list of the single-owner pool: the first word of a free block points to the next.
//!
//! ```text
//!   head ─► ┌──────┬─────────┐   ┌──────┬─────────┐   ┌──────┬─────────┐
//!           │ next ┼─────────┼─► │ next ┼─────────┼─► │ null │         │
//!           └──────┴─────────┘   └──────┴─────────┘   └──────┴─────────┘
//! ```
//!
//! Last in, first out, so that the block handed out next is the one that is still in the cache.
//! A link may be unaligned: a stride of 100 bytes aligns blocks to 4. Where words may be read at
//! any address, that is the same instruction.
//!
//! A user who writes into a block after freeing it writes over its link. The list therefore hands
//! out pointers that are only *claimed* to be blocks: [`IntrusiveList::first`] is looked at, and
//! the engine asks its checks before it calls [`IntrusiveList::remove_first`], which reads.

use core::cell::Cell;
use core::ptr;

use crate::base::ids::Block;

/// A free block must have room for one link.
pub(crate) const LINK_BYTES: usize = size_of::<*mut u8>();

/// A stack of free blocks, linked through themselves.
#[repr(transparent)]
pub(crate) struct IntrusiveList {
    head: Cell<*mut u8>,
}

impl IntrusiveList {
    pub(crate) const fn new() -> Self {
        Self { head: Cell::new(ptr::null_mut()) }
    }

    /// What stands at the head: null, a free block, or what a stray write left in a link.
    #[inline(always)]
    pub(crate) fn first(&self) -> *mut u8 {
        self.head.get()
    }

    /// Makes the link of `first` the new head.
    ///
    /// # Safety
    /// * `first` is what [`first`](Self::first) answers, and a block of this pool.
    #[inline(always)]
    pub(crate) unsafe fn remove_first(&self, first: Block) {
        // SAFETY: `first` is a block by this function's contract.
        self.head.set(unsafe { Self::link_of(first) });
    }

    /// Makes `first` the head: null, or a block that is linked to the others.
    #[inline(always)]
    pub(crate) fn set_first(&self, first: *mut u8) {
        self.head.set(first);
    }

    /// Links a block to what shall come after it.
    ///
    /// # Safety
    /// * `block` is a block of this pool, in nobody's use and not on the list.
    #[inline(always)]
    pub(crate) unsafe fn link(block: Block, next: *mut u8) {
        // SAFETY: `block` is a block in nobody's use, so LINK_BYTES can be written there.
        unsafe { block.cast::<*mut u8>().write_unaligned(next) };
    }

    /// What a free block holds in its first word.
    ///
    /// # Safety
    /// * `block` is a block of this pool, so that LINK_BYTES can be read there.
    #[inline(always)]
    pub(crate) unsafe fn link_of(block: Block) -> *mut u8 {
        // SAFETY: readable by this function's contract, and every bit pattern is a pointer.
        unsafe { block.cast::<*mut u8>().read_unaligned() }
    }

    /// # Safety
    /// * `block` is a block of this pool, in nobody's use and not on the list.
    #[inline(always)]
    pub(crate) unsafe fn push(&self, block: Block) {
        // SAFETY: by this function's contract.
        unsafe { Self::link(block, self.head.get()) };
        self.head.set(block.as_ptr());
    }

    /// Forgets every block.
    pub(crate) fn clear(&self) {
        self.head.set(ptr::null_mut());
    }
}

#[cfg(test)]
#[expect(clippy::multiple_unsafe_ops_per_block, reason = "one reason covers the whole test")]
mod tests {
    use super::*;
    use core::ptr::NonNull;

    #[test]
    fn the_last_block_in_is_the_first_out_also_unaligned() {
        let mut memory = [0_u8; 100];
        let start = NonNull::new(memory.as_mut_ptr()).expect("an array");
        let list = IntrusiveList::new();
        // SAFETY: three disjoint places in `memory`, each with room for a link.
        unsafe {
            let blocks = [start.add(1), start.add(20), start.add(43)];
            blocks.iter().for_each(|&block| list.push(block));
            for block in blocks.iter().rev() {
                assert_eq!(list.first(), block.as_ptr());
                list.remove_first(*block);
            }
        }
        assert!(list.first().is_null());
    }
}
