//! Allocators for every size, by the trait that `#[global_allocator]` uses.

use std::alloc::{GlobalAlloc, Layout};
use std::ffi::c_void;

use crate::Peer;

pub(crate) struct SnMalloc(snmalloc_rs::SnMalloc);
pub(crate) struct MiMalloc(mimalloc::MiMalloc);

const fn layout(words: usize) -> Layout {
    match Layout::from_size_align(8 * words, 8) {
        Ok(layout) => layout,
        Err(_) => panic!("too large"),
    }
}

impl<const WORDS: usize> Peer<WORDS> for SnMalloc {
    const IS_MADE: bool = false;

    fn new(_: usize) -> Self {
        Self(snmalloc_rs::SnMalloc)
    }

    fn take(&self) -> *mut c_void {
        // SAFETY: the size is not zero.
        unsafe { self.0.alloc(const { layout(WORDS) }).cast() }
    }

    unsafe fn give(&self, block: *mut c_void) {
        // SAFETY: it came from `take`, so from the same allocator and layout.
        unsafe { self.0.dealloc(block.cast(), const { layout(WORDS) }) };
    }
}

impl<const WORDS: usize> Peer<WORDS> for MiMalloc {
    const IS_MADE: bool = false;

    fn new(_: usize) -> Self {
        Self(mimalloc::MiMalloc)
    }

    fn take(&self) -> *mut c_void {
        // SAFETY: the size is not zero.
        unsafe { self.0.alloc(const { layout(WORDS) }).cast() }
    }

    unsafe fn give(&self, block: *mut c_void) {
        // SAFETY: it came from `take`, so from the same allocator and layout.
        unsafe { self.0.dealloc(block.cast(), const { layout(WORDS) }) };
    }
}
