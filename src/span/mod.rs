//! Layer 2: the one contiguous range of memory that a pool lives on.
//!
//! ```text
//!   reserved ─►┌ ─ ─ ─ ┬────────────┬─────────┬─────────┬─ ─ ─┬───────────┬ ─ ─ ─ ┐
//!                slack   side table │ block 0 │ block 1 │     │ last block  slack
//!              └ ─ ─ ─ ┴────────────┴─────────┴─────────┴─ ─ ─┴───────────┴ ─ ─ ─ ┘
//!                                   ▲ base: aligned as the blocks are
//! ```
//!
//! The side table is the engine's: state that must not lie inside blocks. It stands before the
//! blocks, because what writes past the end of a block is a far more common bug than what writes
//! before its start, and close to them, so that a small pool takes a single OS page for both.
//!
//! S1. `base` is aligned to the layout's alignment and to a cache line.
//! S2. `side_table .. base` and `base .. base + span_bytes` are committed and belong to this span.
//! S3. The reservation is released exactly once, when the span is dropped.

use core::ptr::NonNull;

use crate::base::error::{Error, Refusal};
use crate::layout::stride::Layout;
use crate::source::os;

const CACHE_LINE_BYTES: usize = 64;

/// The memory of one pool.
pub(crate) struct Span {
    reservation: NonNull<u8>,
    reserved_bytes: usize,
    base: NonNull<u8>,
    side_bytes: usize,
    span_bytes: usize,
}

impl Span {
    /// Reserves and commits room for the blocks of `layout` and `side_bytes` beside them. All of
    /// it is zero, and none of it takes memory before it is touched.
    pub(crate) fn new(layout: &Layout, side_bytes: usize) -> Result<Self, Refusal> {
        let too_large = Refusal::invalid("capacity x stride does not fit in the address space");
        let no_memory = Refusal::new(Error::OutOfMemory, "the system gave no memory for the span");
        let page_bytes = os::page_bytes();
        let alignment = layout.alignment.max(CACHE_LINE_BYTES);
        let side_bytes = side_bytes.checked_next_multiple_of(CACHE_LINE_BYTES).ok_or(too_large)?;
        let span_bytes = layout.span_bytes();
        // The reservation starts on an OS page: up to there the place of `base` is known now.
        let before_base = if alignment <= page_bytes {
            side_bytes.checked_next_multiple_of(alignment)
        } else {
            side_bytes.checked_add(alignment)
        };
        let reserved_bytes = before_base
            .and_then(|bytes| bytes.checked_add(span_bytes))
            .and_then(|bytes| bytes.checked_next_multiple_of(page_bytes))
            .ok_or(too_large)?;
        let reservation = os::reserve(reserved_bytes).ok_or(no_memory)?;
        let first = reservation.addr().get();
        let base = (first + side_bytes).next_multiple_of(alignment);
        // SAFETY: at most `before_base` bytes into the reservation.
        let base = unsafe { reservation.add(base - first) };
        let span = Self { reservation, reserved_bytes, base, side_bytes, span_bytes };
        let (start, bytes) = span.committed();
        // SAFETY: S2, the range is whole OS pages inside the reservation.
        if unsafe { os::commit(start, bytes) } { Ok(span) } else { Err(no_memory) }
    }

    /// The start of block 0.
    pub(crate) fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// The start of the side table, aligned to a cache line.
    pub(crate) fn side_table(&self) -> NonNull<u8> {
        // SAFETY: S2, the side table ends where the blocks begin.
        unsafe { self.base.sub(self.side_bytes) }
    }

    pub(crate) fn side_bytes(&self) -> usize {
        self.side_bytes
    }

    pub(crate) fn reserved_bytes(&self) -> usize {
        self.reserved_bytes
    }

    /// Bytes in memory now, in whole OS pages, side table included.
    pub(crate) fn resident_bytes(&self) -> usize {
        let (start, bytes) = self.committed();
        // SAFETY: S2, the range is whole OS pages of this span.
        unsafe { os::resident_bytes(start, bytes) }
    }

    /// The OS pages that hold the side table and the blocks.
    fn committed(&self) -> (NonNull<u8>, usize) {
        let page_bytes = os::page_bytes();
        let side = self.side_table().addr().get();
        let before = (side - self.reservation.addr().get()) / page_bytes * page_bytes;
        let end = self.base.addr().get() + self.span_bytes - self.reservation.addr().get();
        // SAFETY: `before` is inside the reservation.
        let start = unsafe { self.reservation.add(before) };
        (start, end.next_multiple_of(page_bytes) - before)
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        // SAFETY: S3; the pool that owned this span is gone, its blocks with it.
        unsafe { os::release(self.reservation, self.reserved_bytes) };
    }
}

#[cfg(test)]
#[expect(clippy::multiple_unsafe_ops_per_block, reason = "one reason covers the whole test")]
mod tests {
    use super::*;

    fn span(block_size: usize, alignment: usize, capacity: usize) -> (Span, Layout) {
        let layout = Layout::new(block_size, alignment, capacity, 8, 4096).expect("sound");
        (Span::new(&layout, capacity).expect("memory"), layout)
    }

    #[test]
    fn base_is_aligned_and_every_byte_can_be_written() {
        for (size, alignment, capacity) in
            [(16, 0, 8), (100, 0, 7), (4096, 0, 3), (64, 1 << 16, 2), (1, 1 << 21, 3)]
        {
            let (span, layout) = span(size, alignment, capacity);
            assert_eq!(span.base().addr().get() % layout.alignment, 0);
            // SAFETY: S2.
            unsafe {
                span.base().write_bytes(0xAB, layout.span_bytes());
                span.side_table().write_bytes(0xCD, span.side_bytes());
                assert_eq!(*span.base().as_ptr(), 0xAB);
            }
            assert!(span.resident_bytes() >= layout.span_bytes());
        }
    }

    #[test]
    fn a_small_pool_is_a_single_os_page() {
        assert_eq!(span(16, 0, 8).0.reserved_bytes(), 4096);
    }

    #[test]
    fn a_new_span_takes_no_memory() {
        assert_eq!(span(64, 0, 1_000_000).0.resident_bytes(), 0);
    }
}
