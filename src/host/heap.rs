//! Memory from the C heap, where tools that watch malloc and free see it; their only caller.

use core::ffi::c_void;
use core::ptr::{self, NonNull};

/// `bytes` of memory at a multiple of `alignment`, a power of two. `None`: the heap has none.
pub(crate) fn allocate(bytes: usize, alignment: usize) -> Option<NonNull<u8>> {
    let mut start: *mut c_void = ptr::null_mut();
    let alignment = alignment.max(size_of::<*mut c_void>());
    // SAFETY: `start` is a place for a pointer; the alignment is a power of two and large enough.
    let error = unsafe { libc::posix_memalign(&raw mut start, alignment, bytes) };
    if error == 0 { NonNull::new(start.cast()) } else { None }
}

/// # Safety
/// * `start` came from [`allocate`] and was not freed yet.
pub(crate) unsafe fn free(start: NonNull<u8>) {
    // SAFETY: by this function's contract.
    unsafe { libc::free(start.as_ptr().cast()) };
}
