//! Which block an address belongs to, as arithmetic on addresses alone.
//!
//! ```text
//!   base                 base + index * stride                    base + bytes
//!   ├── block 0 ──┬── block 1 ──┬── block 2 ──┬ ─ ─ ─ ─ ─ ─ ─ ─ ─ ┤
//!        start ───┘     └─ interior                     foreign ──┘
//! ```

#![forbid(unsafe_code)]

use crate::base::ids::{BlockIndex, UserPointer};
use crate::layout::{reciprocal::Reciprocal, stride::Layout};

/// The blocks of one pool as a range of addresses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    base: usize,
    bytes: usize,
    reciprocal: Reciprocal,
    stride: usize,
}

/// Where a pointer leads, seen from one pool.
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
    pub(crate) fn new(base: usize, layout: &Layout) -> Self {
        Self {
            base,
            bytes: layout.span_bytes(),
            reciprocal: Reciprocal::new(layout.stride, layout.capacity),
            stride: layout.stride,
        }
    }

    /// The block that starts at `pointer`. `None` means "not by multiplication": the slow path
    /// asks [`place`](Self::place), which also knows the strides that only division can handle.
    #[inline(always)]
    pub(crate) fn start_index(&self, pointer: UserPointer) -> Option<BlockIndex> {
        let offset = pointer.address().wrapping_sub(self.base);
        if offset >= self.bytes {
            return None;
        }
        self.reciprocal.start_index(offset)
    }

    /// Where `pointer` leads, for any pointer and any stride.
    pub(crate) fn place(&self, pointer: UserPointer) -> Place {
        let offset = pointer.address().wrapping_sub(self.base);
        if offset >= self.bytes {
            return Place::Foreign;
        }
        let index = BlockIndex(offset / self.stride);
        match offset % self.stride {
            0 => Place::Start(index),
            into => Place::Interior(index, into),
        }
    }

    /// The block that starts at `pointer`, for any stride.
    pub(crate) fn index_of(&self, pointer: UserPointer) -> Option<BlockIndex> {
        match self.place(pointer) {
            Place::Start(index) => Some(index),
            Place::Interior(..) | Place::Foreign => None,
        }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.bytes / self.stride
    }

    pub(crate) fn offset_of(&self, index: BlockIndex) -> usize {
        index.0 * self.stride
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_fast_answer_is_the_slow_answer(
            size in 2_usize..5000,
            capacity in 1_usize..100_000,
            at in any::<usize>(),
            step in -9_isize..9,
        ) {
            let layout = Layout::new(size, 0, capacity, 1, 4096).expect("sound");
            let geometry = Geometry::new(1 << 20, &layout);
            let offset = at % (layout.span_bytes() + 2 * size);
            let address = ((1 << 20) + offset).wrapping_add_signed(step);
            let pointer = UserPointer::new(core::ptr::without_provenance::<u8>(address));
            prop_assert_eq!(geometry.start_index(pointer), geometry.index_of(pointer));
        }
    }
}
