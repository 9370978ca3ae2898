//! Layer 2: the one contiguous range of memory that a pool lives on.
//!
//! ```text
//!   reserved ─►┌ ─ ─ ─ ─ ─ ─┬────────────┬─────────┬─────────┬─ ─ ─┬─────────┬ ─ ─ ─ ─ ─ ─┐
//!                not yet     side table  │ block 0 │ block 1 │     │ block n   not yet
//!              └ ─ ─ ─ ─ ─ ─┴────────────┴─────────┴─────────┴─ ─ ─┴─────────┴ ─ ─ ─ ─ ─ ─┘
//!                         ◄── committed ─▲ base: aligned as the blocks are ── committed ──►
//! ```
//!
//! The side table is the engine's: state that must not lie inside blocks. It ends where the blocks
//! begin and grows downwards while they grow upwards, so that growing moves nothing, and a small
//! pool takes a single OS page for both. It stands before the blocks because what writes past the
//! end of a block is a far more common bug than what writes before its start.
//!
//! S1. `base` is aligned to the layout's alignment and to a cache line.
//! S2. `committed` is whole OS pages of the reservation, readable and writable; it holds the side
//!     table and the blocks of the capacity that was last asked for, and belongs to this span.
//! S3. The reservation is released exactly once, when the span is dropped.

use core::cell::Cell;
use core::ops::Range;
use core::ptr::NonNull;

use crate::base::error::{Error, Refusal};
use crate::layout::stride::Layout;
use crate::source::os;

const CACHE_LINE_BYTES: usize = 64;

/// What is done to memory as it is committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Residency {
    /// Take it at once, not when it is first touched.
    pub(crate) prefault: bool,
    /// Keep it out of swap, or refuse.
    pub(crate) lock: bool,
}

/// The memory of one pool.
pub(crate) struct Span {
    reservation: NonNull<u8>,
    reserved_bytes: usize,
    base: NonNull<u8>,
    stride: usize,
    side_bytes_per_block: usize,
    residency: Residency,
    /// Addresses.
    committed: Cell<(usize, usize)>,
}

impl Span {
    /// Reserves room for all the blocks that there may come to be, with `side_bytes_per_block`
    /// beside each, and commits what the first `capacity` need. Where the system refuses, an
    /// unbounded layout asks for less. All memory is zero, and none is taken before it is touched.
    pub(crate) fn new(
        layout: &mut Layout,
        side_bytes_per_block: usize,
        residency: Residency,
    ) -> Result<Self, Refusal> {
        let span = loop {
            match Self::reserve(layout, side_bytes_per_block, residency) {
                Err(Refusal { error: Error::OutOfMemory, .. }) if layout.ask_for_less() => {}
                reserved => break reserved?,
            }
        };
        span.commit(layout.capacity)?;
        Ok(span)
    }

    fn reserve(
        layout: &Layout,
        side_bytes_per_block: usize,
        residency: Residency,
    ) -> Result<Self, Refusal> {
        let too_large = Refusal::invalid("capacity x stride does not fit in the address space");
        let page_bytes = os::page_bytes();
        let alignment = layout.alignment.max(CACHE_LINE_BYTES);
        let side_bytes = layout
            .max_capacity
            .checked_mul(side_bytes_per_block)
            .and_then(|bytes| bytes.checked_next_multiple_of(CACHE_LINE_BYTES))
            .ok_or(too_large)?;
        // The reservation starts on an OS page: up to there the place of `base` is known now.
        let before_base = if alignment <= page_bytes {
            side_bytes.checked_next_multiple_of(alignment)
        } else {
            side_bytes.checked_add(alignment)
        };
        let reserved_bytes = before_base
            .and_then(|bytes| bytes.checked_add(layout.span_bytes_max()))
            .and_then(|bytes| bytes.checked_next_multiple_of(page_bytes))
            .ok_or(too_large)?;
        let reservation = os::reserve(reserved_bytes).ok_or(NO_MEMORY)?;
        let first = reservation.addr().get();
        let base = (first + side_bytes).next_multiple_of(alignment);
        let nothing = base / page_bytes * page_bytes;
        // SAFETY: at most `before_base` bytes into the reservation.
        let base = unsafe { reservation.add(base - first) };
        let committed = Cell::new((nothing, nothing));
        Ok(Self {
            reservation,
            reserved_bytes,
            base,
            stride: layout.stride,
            side_bytes_per_block,
            residency,
            committed,
        })
    }

    /// Makes the memory of the first `capacity` blocks usable, and that beside them. If the system
    /// refuses, nothing is lost.
    pub(crate) fn commit(&self, capacity: usize) -> Result<(), Refusal> {
        let page_bytes = os::page_bytes();
        let (low, high) = self.committed.get();
        let base = self.base.addr().get();
        let new_low = low.min((base - self.side_bytes(capacity)) / page_bytes * page_bytes);
        let new_high = high.max((base + capacity * self.stride).next_multiple_of(page_bytes));
        if low == high {
            self.commit_range(new_low..new_high)?;
        } else {
            self.commit_range(new_low..low)?;
            self.commit_range(high..new_high)?;
        }
        self.committed.set((new_low, new_high));
        Ok(())
    }

    fn commit_range(&self, range: Range<usize>) -> Result<(), Refusal> {
        if range.is_empty() {
            return Ok(());
        }
        let offset = range.start - self.reservation.addr().get();
        // SAFETY: inside the reservation, which covers the greatest capacity.
        let start = unsafe { self.reservation.add(offset) };
        // SAFETY: reserved by this span, and on an OS page.
        if !unsafe { os::commit(start, range.len()) } {
            return Err(NO_MEMORY);
        }
        // SAFETY: just committed, whole OS pages.
        if self.residency.lock && !unsafe { os::keep_in_memory(start, range.len()) } {
            return Err(NOT_LOCKED);
        }
        // SAFETY: just committed, whole OS pages.
        if self.residency.prefault && !unsafe { os::prefault(start, range.len()) } {
            return Err(NO_MEMORY);
        }
        Ok(())
    }

    /// How many blocks there are if the last OS page of the first `capacity` is used to its end.
    pub(crate) fn capacity_of_whole_pages(&self, capacity: usize) -> usize {
        let base = self.base.addr().get();
        let end = (base + capacity * self.stride).next_multiple_of(os::page_bytes());
        (end - base) / self.stride
    }

    /// The start of block 0, and the end of the side table.
    pub(crate) fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// What stands beside the first `capacity` blocks.
    pub(crate) fn side_bytes(&self, capacity: usize) -> usize {
        (capacity * self.side_bytes_per_block).next_multiple_of(CACHE_LINE_BYTES)
    }

    pub(crate) fn reserved_bytes(&self) -> usize {
        self.reserved_bytes
    }

    /// Bytes in memory now, in whole OS pages, side table included.
    pub(crate) fn resident_bytes(&self) -> usize {
        let (low, high) = self.committed.get();
        // SAFETY: S2, inside the reservation.
        let start = unsafe { self.reservation.add(low - self.reservation.addr().get()) };
        // SAFETY: S2, whole OS pages of this span.
        unsafe { os::resident_bytes(start, high - low) }
    }
}

const NO_MEMORY: Refusal =
    Refusal::new(Error::OutOfMemory, "the system gave no memory for the span");

const NOT_LOCKED: Refusal = Refusal::new(
    Error::OutOfMemory,
    "the system does not lock the memory (POOL_LOCK_MEMORY); raise RLIMIT_MEMLOCK",
);

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
    use crate::layout::stride::{Request, UNBOUNDED};

    fn layout(block_size: usize, alignment: usize, capacity: usize, max: usize) -> Layout {
        let request = Request { block_size, alignment, capacity, max_capacity: max, link_bytes: 8 };
        Layout::new(&request, os::page_bytes()).expect("sound")
    }

    fn fill(span: &Span, capacity: usize, stride: usize, value: u8) {
        // SAFETY: S2.
        unsafe {
            span.base().write_bytes(value, capacity * stride);
            span.base()
                .sub(span.side_bytes(capacity))
                .write_bytes(!value, span.side_bytes(capacity));
        }
    }

    #[test]
    fn base_is_aligned_and_every_byte_can_be_written() {
        for (size, alignment, capacity) in
            [(16, 0, 8), (100, 0, 7), (4096, 0, 3), (64, 1 << 16, 2), (1, 1 << 21, 3)]
        {
            let mut layout = layout(size, alignment, capacity, 0);
            let span = Span::new(&mut layout, 1, Residency::default()).expect("memory");
            assert_eq!(span.base().addr().get() % layout.alignment, 0);
            fill(&span, capacity, layout.stride, 0xAB);
            assert!(span.resident_bytes() >= layout.span_bytes_max());
        }
    }

    #[test]
    fn a_span_grows_in_both_directions_and_keeps_what_is_there() {
        for size in [8, 24, 100, 5000] {
            let mut layout = layout(size, 0, 1, 1 << 20);
            let span = Span::new(&mut layout, 1, Residency::default()).expect("address space");
            fill(&span, 1, layout.stride, 0x5A);
            for capacity in [2, 3, 100, 101, 5000] {
                span.commit(capacity).expect("memory");
                // SAFETY: S2.
                assert_eq!(unsafe { span.base().read() }, 0x5A);
                fill(&span, capacity, layout.stride, 0x5A);
            }
            span.commit(7).expect("less than there is changes nothing");
            fill(&span, 5000, layout.stride, 0x11);
        }
    }

    #[test]
    fn whole_pages_are_used_to_their_end() {
        let mut layout = layout(64, 0, 1, 1000);
        let span = Span::new(&mut layout, 1, Residency::default()).expect("memory");
        let capacity = span.capacity_of_whole_pages(1);
        assert!(capacity > 1 && capacity <= 64);
        let end = span.base().addr().get() + capacity * 64;
        assert_eq!(end % os::page_bytes(), 0);
    }

    #[test]
    fn an_unbounded_span_takes_what_it_gets() {
        let mut layout = layout(64, 0, 10, UNBOUNDED);
        let span = Span::new(&mut layout, 1, Residency::default()).expect("address space");
        assert!(layout.max_capacity >= 1 << 30, "{layout:?}");
        assert!(span.reserved_bytes() >= layout.span_bytes_max());
        assert_eq!(span.resident_bytes(), 0);
    }

    #[test]
    fn a_small_pool_is_a_single_os_page() {
        let span = Span::new(&mut layout(16, 0, 8, 0), 1, Residency::default()).expect("memory");
        assert_eq!(span.reserved_bytes(), os::page_bytes());
    }

    #[test]
    fn a_new_span_takes_no_memory() {
        let span =
            Span::new(&mut layout(64, 0, 1_000_000, 0), 1, Residency::default()).expect("memory");
        assert_eq!(span.resident_bytes(), 0);
    }
}
