//! Which block an offset belongs to. Offsets count from the start of block 0.
//!
//! ```text
//!   0             stride        2 * stride                           bytes
//!   ├── block 0 ──┬── block 1 ──┬── block 2 ──┬ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─┤
//!        start ───┘     └─ interior                        foreign ──┘
//! ```
//!
//! What lies before block 0 has an offset too: it wraps around, beyond the bytes of all blocks.

#![forbid(unsafe_code)]

use crate::base::ids::BlockIndex;
use crate::base::sync::{AtomicUsize, Ordering};
use crate::layout::reciprocal::Reciprocal;
use crate::layout::stride::Layout;

/// The blocks of one pool. The words of the hot paths come first.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Geometry {
    /// How many blocks there are now.
    pub(crate) capacity: AtomicUsize,
    pub(crate) reciprocal: Reciprocal,
    pub(crate) stride: usize,
}

/// Where an offset leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The start of a block.
    Start(BlockIndex),
    /// Some bytes into a block.
    Interior(BlockIndex, usize),
    /// Outside every block.
    Foreign,
}

impl Geometry {
    pub(crate) fn new(layout: &Layout) -> Self {
        Self {
            capacity: AtomicUsize::new(layout.capacity),
            reciprocal: Reciprocal::new(layout.stride),
            stride: layout.stride,
        }
    }

    /// Says that there are `capacity` blocks now; at most the `max_capacity` of the layout.
    pub(crate) fn set_capacity(&self, capacity: usize) {
        // Relaxed: as in `capacity`.
        self.capacity.store(capacity, Ordering::Relaxed);
    }

    /// Says that there are `to` blocks now, if there are still `from`.
    pub(crate) fn extend(&self, from: usize, to: usize) -> bool {
        // Relaxed, both: as in `capacity`.
        self.capacity.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    #[inline(always)]
    pub(crate) fn capacity(&self) -> usize {
        // Relaxed: whoever asks about a block got it from a thread that knew it to be there.
        self.capacity.load(Ordering::Relaxed)
    }

    /// The block that starts at `offset`, if one does.
    #[inline(always)]
    pub(crate) fn index_of(&self, offset: usize) -> Option<BlockIndex> {
        let number = self.reciprocal.number(offset);
        (number.0 < self.capacity()).then_some(number)
    }

    /// Where `offset` leads, by division.
    pub(crate) fn place(&self, offset: usize) -> Place {
        let index = BlockIndex(offset / self.stride);
        match offset % self.stride {
            _ if index.0 >= self.capacity() => Place::Foreign,
            0 => Place::Start(index),
            into => Place::Interior(index, into),
        }
    }

    pub(crate) fn offset_of(&self, index: BlockIndex) -> usize {
        index.0 * self.stride
    }
}
