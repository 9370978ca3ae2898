//! Which block an offset belongs to. Offsets count from the start of block 0.
//!
//! ```text
//!   0             stride        2 * stride                           bytes
//!   ├── block 0 ──┬── block 1 ──┬── block 2 ──┬ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─┤
//!        start ───┘     └─ interior                        foreign ──┘
//! ```
//!
//! What lies before block 0 has an offset too: it wraps around, beyond `bytes`.

#![forbid(unsafe_code)]

use crate::base::ids::BlockIndex;
use crate::base::sync::{AtomicUsize, Ordering};
use crate::layout::reciprocal::Reciprocal;
use crate::layout::stride::Layout;

/// The blocks of one pool. The words of the hot paths come first.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Geometry {
    /// To the end of the last block there is now.
    pub(crate) bytes: AtomicUsize,
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
            bytes: AtomicUsize::new(layout.stride * layout.capacity),
            reciprocal: Reciprocal::new(layout.stride, layout.max_capacity),
            stride: layout.stride,
        }
    }

    /// Says that there are `capacity` blocks now; at most the `max_capacity` of the layout.
    pub(crate) fn set_capacity(&self, capacity: usize) {
        // Relaxed: as in `bytes`.
        self.bytes.store(self.stride * capacity, Ordering::Relaxed);
    }

    /// Says that there are `to` blocks now, if there are still `from`.
    pub(crate) fn extend(&self, from: usize, to: usize) -> bool {
        let (from, to) = (self.stride * from, self.stride * to);
        // Relaxed, both: as in `bytes`.
        self.bytes.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    #[inline(always)]
    pub(crate) fn bytes(&self) -> usize {
        // Relaxed: whoever asks about a block got it from a thread that knew it to be there.
        self.bytes.load(Ordering::Relaxed)
    }

    /// The block that starts at `offset`. `None` means "not by multiplication": the slow path
    /// asks [`place`](Self::place), which also knows the strides that only division can handle.
    #[inline(always)]
    pub(crate) fn start_index(&self, offset: usize) -> Option<BlockIndex> {
        if offset >= self.bytes() {
            return None;
        }
        self.reciprocal.start_index(offset)
    }

    /// The block that starts at `offset`, which [`start_index`](Self::start_index) found before.
    pub(crate) fn known_index(&self, offset: usize) -> BlockIndex {
        self.reciprocal.known_index(offset)
    }

    /// Where `offset` leads, for any offset and any stride.
    pub(crate) fn place(&self, offset: usize) -> Place {
        if offset >= self.bytes() {
            return Place::Foreign;
        }
        let index = BlockIndex(offset / self.stride);
        match offset % self.stride {
            0 => Place::Start(index),
            into => Place::Interior(index, into),
        }
    }

    /// The block that starts at `offset`, for any offset and any stride.
    pub(crate) fn index_of(&self, offset: usize) -> Option<BlockIndex> {
        match self.place(offset) {
            Place::Start(index) => Some(index),
            Place::Interior(..) | Place::Foreign => None,
        }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.bytes() / self.stride
    }

    pub(crate) fn offset_of(&self, index: BlockIndex) -> usize {
        index.0 * self.stride
    }
}
