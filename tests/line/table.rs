//! The table of a `TaggedStack` of loom's atomics, which are larger than their values and not made
//! of zeros: each of them is where the stack looks for it.

use std::ptr::NonNull;

use crate::base::sync::{AtomicHalf, AtomicU16};

/// What two blocks have.
#[repr(C)]
struct Pair {
    second: AtomicHalf,
    depths: [AtomicU16; 2],
    first: AtomicHalf,
}

pub(crate) struct Table(Box<[Pair]>);

impl Table {
    /// For so many blocks, untouched.
    pub(crate) fn new(count: usize) -> Self {
        let pair = || Pair {
            second: AtomicHalf::new(0),
            depths: [AtomicU16::new(0), AtomicU16::new(0)],
            first: AtomicHalf::new(0),
        };
        Self((0..count.div_ceil(2)).map(|_| pair()).collect())
    }

    /// Where it ends, as long as it lives.
    pub(crate) fn end(&self) -> NonNull<u8> {
        // SAFETY: the end of the slice.
        unsafe { NonNull::from(&*self.0).cast::<Pair>().add(self.0.len()) }.cast()
    }
}
