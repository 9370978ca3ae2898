//! Memory from the operating system: there is none. Nothing is ever reserved, so what is said of
//! reserved memory is never asked.

use core::ptr::NonNull;

pub(crate) const HUGE_PAGE_BYTES: usize = 2 << 20;

pub(crate) fn page_bytes() -> usize {
    4096
}

pub(crate) fn reserve(_bytes: usize, _alignment: usize) -> Option<NonNull<u8>> {
    None
}

pub(crate) fn reserve_huge(_bytes: usize) -> Option<NonNull<u8>> {
    None
}

/// The functions that ask for reserved memory, and answer that the system refuses.
macro_rules! refuse {
    ($($name:ident)+) => {
        $(
            /// # Safety
            /// * The range was reserved here, which none is.
            pub(crate) unsafe fn $name(_start: NonNull<u8>, _bytes: usize) -> bool {
                false
            }
        )+
    };
}

refuse! { advise_huge commit discard keep_in_memory prefault release uncommit }

/// # Safety
/// * The range was reserved here, which none is.
pub(crate) unsafe fn resident_bytes(_start: NonNull<u8>, _bytes: usize) -> Option<usize> {
    None
}
