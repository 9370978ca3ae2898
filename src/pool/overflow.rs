//! Blocks beyond the last one, from the heap: `POOL_EXHAUSTED_HEAP`.
//!
//! They are as large and as aligned as the blocks of the span, and go back to the heap as soon as
//! they are deallocated. A set of their addresses tells them from every other pointer, so that a
//! pointer is freed only if it is the start of a heap block that is live. All of it is slow path:
//! the hot paths see no more than that the pointer is none of the span's.
//!
//! The most blocks that were ever live at once, those of the span too: when a heap block is handed
//! out, all of the span are live, and what the span grows by later counts to its peak when it is
//! live. So the peak of the span and the heap blocks of a moment were live at once, and their sum
//! falls only when a heap block goes: it is noted before.
//!
//! O1. `live` holds the addresses of the heap blocks that are handed out, and nothing else.

use core::cell::{Cell, RefCell};
use core::ptr::NonNull;

use crate::base::ids::{Block, UserPointer};
use crate::host::address_set::{AddressSet, Addresses};
use crate::host::heap;
use crate::layout::stride::Layout;

/// The heap blocks of one pool.
#[derive(Default)]
pub(crate) struct Overflow {
    live: RefCell<AddressSet>,
    peak: Cell<usize>,
    /// How many blocks the span had when the last heap block was handed out.
    capacity: Cell<usize>,
    allocations: Cell<u64>,
}

impl Overflow {
    /// A block of so many bytes. `None`: the heap has no memory, for it or for remembering it.
    pub(crate) fn allocate(&self, bytes: usize, layout: &Layout, capacity: usize) -> Option<Block> {
        let mut live = self.live.borrow_mut();
        if !live.reserve_one() {
            return None;
        }
        let block = heap::allocate(bytes, layout.alignment)?;
        live.insert(block);
        drop(live);
        self.capacity.set(capacity);
        self.note_peak(capacity);
        self.allocations.set(self.allocations.get() + 1);
        Some(block)
    }

    /// Frees the live heap block that `pointer` is the start of; `false`: it is none.
    pub(crate) fn deallocate(
        &self,
        pointer: UserPointer,
        capacity: usize,
        span_peak: impl FnOnce() -> usize,
    ) -> bool {
        let found = self.find(pointer);
        if let Some(block) = found {
            // To ask for it may take long, and is in vain if the span has not grown.
            if capacity > self.capacity.get() {
                self.note_peak(span_peak());
            }
            self.live.borrow_mut().remove(block);
            // SAFETY: O1, it was live until now.
            unsafe { heap::free(block) };
        }
        found.is_some()
    }

    /// Frees every block.
    pub(crate) fn clear(&self) {
        for &block in self.live.take().iter() {
            // SAFETY: O1, and the set is empty from here on.
            unsafe { heap::free(block) };
        }
    }

    /// The live heap block that starts at `pointer`.
    pub(crate) fn find(&self, pointer: UserPointer) -> Option<Block> {
        let start = NonNull::new(core::ptr::without_provenance_mut(pointer.address()))?;
        self.live.borrow().get(start)
    }

    /// The live heap block that `pointer` leads into, and how far. Looks at each.
    pub(crate) fn containing(
        &self,
        pointer: UserPointer,
        layout: &Layout,
    ) -> Option<(Block, usize)> {
        let into = |block: &Block| pointer.address().wrapping_sub(block.addr().get());
        let live = self.live.borrow();
        live.iter().find(|block| into(block) < layout.stride).map(|block| (*block, into(block)))
    }

    /// Those that are live now, in order; `None`: the heap has no memory for the list.
    pub(crate) fn sorted(&self) -> Option<Addresses> {
        self.live.borrow().sorted()
    }

    /// How many are live now.
    pub(crate) fn blocks(&self) -> usize {
        self.live.borrow().len()
    }

    /// The most blocks that were ever live at once, when so many of the span were.
    pub(crate) fn note_peak(&self, span_peak: usize) -> usize {
        self.peak.set(self.peak.get().max(span_peak + self.blocks()));
        self.peak.get()
    }

    /// How many were handed out since creation.
    pub(crate) fn allocations(&self) -> u64 {
        self.allocations.get()
    }
}

impl Drop for Overflow {
    fn drop(&mut self) {
        self.clear();
    }
}
