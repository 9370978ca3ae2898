//! Zeroed memory for magazines, and the size of an OS page: so small that few magazines fit.

pub(crate) mod memory {
    use std::cell::UnsafeCell;
    use std::ops::Range;
    use std::ptr::NonNull;

    use crate::cache::magazine::{MAGAZINE_BYTES, Magazine};

    #[repr(C, align(64))]
    struct Line(UnsafeCell<[u64; 8]>);

    pub(crate) struct Memory(Box<[Line]>);

    impl Memory {
        pub(crate) fn reserved(bytes: usize) -> Option<Self> {
            Some(Self((0..bytes / 64).map(|_| Line(UnsafeCell::new([0; _]))).collect()))
        }

        pub(crate) fn commit(&self, range: Range<usize>) -> bool {
            // Those that are whole now.
            for number in range.start / MAGAZINE_BYTES..range.end / MAGAZINE_BYTES {
                let start = self.start().as_ptr().wrapping_add(number * MAGAZINE_BYTES);
                // SAFETY: inside the memory, where zero bytes are a magazine.
                crate::machine::know(unsafe { &*start.cast::<Magazine>() });
            }
            true
        }

        pub(crate) fn start(&self) -> NonNull<u8> {
            NonNull::from(&*self.0).cast()
        }
    }
}

pub(crate) mod os {
    use crate::cache::magazine::MAGAZINE_BYTES;

    /// The magazines of three threads, and the one that is nobody's.
    pub(crate) fn page_bytes() -> usize {
        4 * MAGAZINE_BYTES
    }
}
