//! Layer 4: the one contiguous range of memory that a pool lives on.
//!
//! ```text
//!   reserved ─►┌ ─ ─ ─ ─ ─ ─┬────────────┬─────────┬─────────┬─ ─ ─┬─────────┬ ─ ─ ─ ─ ─ ─┐
//!                not yet     side table  │ block 0 │ block 1 │     │ block n   not yet
//!              └ ─ ─ ─ ─ ─ ─┴────────────┴─────────┴─────────┴─ ─ ─┴─────────┴ ─ ─ ─ ─ ─ ─┘
//!                         ◄── committed ─▲ base: aligned as the blocks are ── committed ──►
//!
//!   guarded   ─►┌ ─ ─ ─ ─ ┬────────────┬───────┬──────┬─────────┬─ ─ ─┬─────────┬───────┐
//!                not yet   side table  │ guard │ rest │ block 0 │     │ the last│ guard │
//!              └ ─ ─ ─ ─ ─┴────────────┴───────┴──────┴─────────┴─ ─ ─┴─────────┴───────┘
//! ```
//!
//! The side table is the engine's: state that must not lie inside blocks. It ends where the blocks
//! begin and grows downwards while they grow upwards, so that growing moves nothing, and a small
//! pool takes a single OS page for both. It stands before the blocks because what writes past the
//! end of a block is a far more common bug than what writes before its start.
//!
//! With guard pages, the last block there may come to be ends where the guard begins, to the byte.
//! Before block 0 the rest of its page can be written: both ends are exact only where the blocks
//! fill whole pages.
//!
//! S1. `base` is aligned to the layout's alignment, and the side table's end to 16.
//! S2. `low .. side_end` and `floor .. high`, `floor` being the start of the page of `base`, are
//!     whole pages of the reservation, readable and writable. They hold the side table and the
//!     blocks of the capacity that was last asked for, and belong to this span.
//! S3. The reservation is released exactly once, when the span is dropped.

use core::num::NonZero;
use core::ops::Range;
use core::ptr::NonNull;

use crate::base::error::{Error, Refusal};
use crate::base::sync::{AtomicUsize, Ordering};
use crate::layout::inside::HEADER_ALIGNMENT as SIDE_ALIGNMENT;
use crate::layout::stride::Layout;
use crate::source::Source;

/// The memory of one pool.
pub(crate) struct Span {
    source: Source,
    reservation: NonNull<u8>,
    reserved_bytes: usize,
    side_end: NonNull<u8>,
    base: NonNull<u8>,
    stride: usize,
    side_bytes_per_block: usize,
    /// Bytes of the side table that can be used.
    side_bytes: AtomicUsize,
    /// Addresses.
    low: AtomicUsize,
    high: AtomicUsize,
}

const TOO_LARGE: Refusal =
    Refusal::invalid("capacity x stride does not fit in the address space; ask for less");

impl Span {
    /// Reserves room for all the blocks that there may come to be, with `side_bytes_per_block`
    /// beside each, and commits what the first `capacity` need. Where the source refuses, it is
    /// asked for easier memory, and an unbounded layout for less. The side table is zero. Memory
    /// of the system is not taken before it is touched.
    pub(crate) fn new(
        layout: &mut Layout,
        side_bytes_per_block: usize,
        mut source: Source,
    ) -> Result<Self, Refusal> {
        let span = loop {
            match Self::reserve(layout, side_bytes_per_block, source) {
                Err(Refusal { error: Error::OutOfMemory, .. })
                    if source.settle_for_less() || layout.ask_for_less() => {}
                reserved => break reserved?,
            }
        };
        span.commit(layout.capacity)?;
        Ok(span)
    }

    fn reserve(
        layout: &Layout,
        side_bytes_per_block: usize,
        source: Source,
    ) -> Result<Self, Refusal> {
        let (page_bytes, guard_bytes) = (source.commit_bytes(), source.guard_bytes());
        let start_alignment = source.start_alignment();
        let alignment = layout.alignment.max(SIDE_ALIGNMENT);
        let side_bytes = layout
            .max_capacity
            .checked_mul(side_bytes_per_block)
            .and_then(|bytes| bytes.checked_next_multiple_of(SIDE_ALIGNMENT))
            .ok_or(TOO_LARGE)?;
        // How far it is from the start of a reservation to the alignment is known only then.
        let to_alignment = alignment.saturating_sub(start_alignment);
        let before_blocks = if guard_bytes > 0 {
            side_bytes.checked_next_multiple_of(page_bytes).map(|bytes| bytes + 2 * guard_bytes)
        } else {
            side_bytes.checked_next_multiple_of(alignment.min(start_alignment))
        };
        let reserved_bytes = before_blocks
            .and_then(|bytes| bytes.checked_add(layout.span_bytes_max()))
            .and_then(|bytes| bytes.checked_add(to_alignment))
            .and_then(|bytes| bytes.checked_next_multiple_of(page_bytes))
            .ok_or(TOO_LARGE)?;
        let reservation = source.reserve(reserved_bytes)?;
        let first = reservation.addr().get();
        let (side_end, base) = if guard_bytes > 0 {
            let side_end = first + side_bytes.next_multiple_of(page_bytes);
            let end = side_end + guard_bytes + layout.span_bytes_max();
            let end = end.next_multiple_of(alignment.max(page_bytes));
            (side_end, end - layout.span_bytes_max())
        } else {
            let base = (first + side_bytes).next_multiple_of(alignment);
            (base, base)
        };
        let floor = base / page_bytes * page_bytes;
        // SAFETY: inside the reservation, as computed above.
        let at = |address: usize| unsafe { reservation.add(address - first) };
        Ok(Self {
            source,
            reservation,
            reserved_bytes,
            side_end: at(side_end),
            base: at(base),
            stride: layout.stride,
            side_bytes_per_block,
            side_bytes: AtomicUsize::new(0),
            low: AtomicUsize::new(side_end.min(floor)),
            high: AtomicUsize::new(floor),
        })
    }

    /// Makes the memory of the first `capacity` blocks usable, and that beside them. If the source
    /// refuses, nothing is lost. Threads may do this at once where the source's memory is zero.
    pub(crate) fn commit(&self, capacity: usize) -> Result<(), Refusal> {
        let page_bytes = self.source.commit_bytes();
        let (low, high) = self.committed();
        let (side_end, base) = (self.side_end.addr().get(), self.base.addr().get());
        let side_bytes = self.side_bytes(capacity);
        let new_low = low.min((side_end - side_bytes) / page_bytes * page_bytes);
        let new_high = high.max((base + capacity * self.stride).next_multiple_of(page_bytes));
        if low == high {
            self.commit_range(new_low..new_high)?;
        } else {
            self.commit_range(new_low..low)?;
            self.commit_range(high..new_high)?;
        }
        // Relaxed, both: bounds of what is committed for good; too old a value costs a call.
        self.low.fetch_min(new_low, Ordering::Relaxed);
        self.high.fetch_max(new_high, Ordering::Relaxed);
        self.extend_side_table(side_bytes);
        Ok(())
    }

    /// The bounds of what is committed.
    fn committed(&self) -> (usize, usize) {
        // Relaxed, both: as in `commit`.
        (self.low.load(Ordering::Relaxed), self.high.load(Ordering::Relaxed))
    }

    fn commit_range(&self, range: Range<usize>) -> Result<(), Refusal> {
        if range.is_empty() {
            return Ok(());
        }
        // SAFETY: inside the reservation, which covers the greatest capacity, and whole pages.
        unsafe { self.source.commit(self.at(range.start), range.len()) }
    }

    /// Makes the part of the side table zero that can be used from now on.
    fn extend_side_table(&self, side_bytes: usize) {
        // Relaxed: memory that is not zero has one thread at a time here.
        let before = self.side_bytes.fetch_max(side_bytes, Ordering::Relaxed);
        if side_bytes > before && !self.source.is_zero() {
            let start = self.at(self.side_end.addr().get() - side_bytes);
            // SAFETY: S2, and seen by nobody yet.
            unsafe { start.write_bytes(0, side_bytes - before) };
        }
    }

    /// An address of the reservation.
    fn at(&self, address: usize) -> NonNull<u8> {
        self.reservation.map_addr(|_| NonZero::new(address).unwrap_or(NonZero::<usize>::MIN))
    }

    /// How many blocks there are if the last page of the first `capacity` is used to its end.
    pub(crate) fn capacity_of_whole_pages(&self, capacity: usize) -> usize {
        let base = self.base.addr().get();
        let end = (base + capacity * self.stride).next_multiple_of(self.source.commit_bytes());
        (end - base) / self.stride
    }

    /// The start of block 0.
    pub(crate) fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// Where the side table ends that grows downwards.
    pub(crate) fn side_end(&self) -> NonNull<u8> {
        self.side_end
    }

    /// What stands beside the first `capacity` blocks.
    pub(crate) fn side_bytes(&self, capacity: usize) -> usize {
        (capacity * self.side_bytes_per_block).next_multiple_of(SIDE_ALIGNMENT)
    }

    /// Address space, or the whole of a caller's buffer.
    pub(crate) fn reserved_bytes(&self) -> usize {
        match self.source {
            Source::Buffer(buffer) => buffer.bytes(),
            Source::System(_) | Source::Callbacks(_) => self.reserved_bytes,
        }
    }

    /// Whether the pool itself lies in front of the span, in a caller's buffer.
    pub(crate) fn is_in_buffer(&self) -> bool {
        matches!(self.source, Source::Buffer(_))
    }

    /// The pages that memory can be given back in; `None`: it can't.
    pub(crate) fn page_bytes(&self) -> Option<usize> {
        self.source.page_bytes()
    }

    /// Gives the memory of pages under the blocks back. Pages that the source keeps, as the system
    /// does with locked ones, do no harm where they are.
    ///
    /// # Safety
    /// * `start .. start + bytes` is whole pages of [`page_bytes`](Self::page_bytes), between the
    ///   start of block 0 and the end of what is committed, and holds no live block and no link.
    pub(crate) unsafe fn discard(&self, start: NonNull<u8>, bytes: usize) {
        // SAFETY: by this function's contract.
        let _ = unsafe { self.source.discard(start, bytes) };
    }

    /// Makes a part of the side table zero, and gives its whole pages back where they come back
    /// as zero.
    ///
    /// # Safety
    /// * `start .. start + bytes` lies in the side table (S2), and nothing refers into it.
    pub(crate) unsafe fn clear(&self, start: NonNull<u8>, bytes: usize) {
        let first = start.addr().get();
        let page_bytes = self.source.page_bytes().filter(|_| self.source.is_zero()).unwrap_or(1);
        let whole = first.next_multiple_of(page_bytes);
        let end = (first + bytes) / page_bytes * page_bytes;
        let pages = self.at(whole);
        // SAFETY: whole pages of the side table, by this function's contract.
        if whole < end && page_bytes > 1 && unsafe { self.source.discard(pages, end - whole) } {
            // SAFETY: by this function's contract; up to the first whole page.
            unsafe { start.write_bytes(0, whole - first) };
            // SAFETY: by this function's contract; from the last whole page on.
            unsafe { self.at(end).write_bytes(0, first + bytes - end) };
        } else {
            // SAFETY: by this function's contract.
            unsafe { start.write_bytes(0, bytes) };
        }
    }

    /// Bytes in memory now, in whole OS pages, side table included; a caller's buffer counts whole.
    /// `None`: the system does not say.
    pub(crate) fn resident_bytes(&self) -> Option<usize> {
        if let Source::Buffer(buffer) = self.source {
            return Some(buffer.bytes());
        }
        let resident = |range: Range<usize>| {
            // SAFETY: S2.
            unsafe { self.source.resident_bytes(self.at(range.start), range.len()) }
        };
        let (low, high) = self.committed();
        if self.source.guard_bytes() == 0 {
            return resident(low..high);
        }
        let floor = self.base.addr().get() / self.source.commit_bytes();
        let side = resident(low..self.side_end.addr().get())?;
        Some(side + resident(floor * self.source.commit_bytes()..high)?)
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        // SAFETY: S3; the pool that owned this span is gone, its blocks with it.
        unsafe { self.source.release(self.reservation, self.reserved_bytes) };
    }
}

#[cfg(test)]
#[expect(clippy::multiple_unsafe_ops_per_block, reason = "one reason covers the whole test")]
mod tests {
    use super::*;
    use crate::layout::stride::{Request, UNBOUNDED};
    use crate::source::system::System;

    const SYSTEM: Source = Source::System(System::PLAIN);
    const PAGE_BYTES: usize = 4096;

    fn layout(block_size: usize, alignment: usize, capacity: usize, max: usize) -> Layout {
        let request = Request {
            block_size,
            alignment,
            capacity,
            max_capacity: max,
            link_bytes: 8,
            side_bytes: 1,
            blocks_max: usize::MAX,
            room: None,
        };
        Layout::new(&request).expect("sound")
    }

    fn fill(span: &Span, capacity: usize, stride: usize, value: u8) {
        // SAFETY: S2.
        unsafe {
            span.base().write_bytes(value, capacity * stride);
            span.side_end()
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
            let span = Span::new(&mut layout, 1, SYSTEM).expect("memory");
            assert_eq!(span.base().addr().get() % layout.alignment, 0);
            fill(&span, capacity, layout.stride, 0xAB);
            assert!(span.resident_bytes() >= Some(layout.span_bytes_max()));
        }
    }

    #[test]
    fn a_span_grows_in_both_directions_and_keeps_what_is_there() {
        for size in [8, 24, 100, 5000] {
            let mut layout = layout(size, 0, 1, 1 << 20);
            let span = Span::new(&mut layout, 1, SYSTEM).expect("address space");
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
        let span = Span::new(&mut layout, 1, SYSTEM).expect("memory");
        let capacity = span.capacity_of_whole_pages(1);
        assert!(capacity > 1 && capacity <= 64);
        let end = span.base().addr().get() + capacity * 64;
        assert_eq!(end % PAGE_BYTES, 0);
    }

    #[test]
    fn an_unbounded_span_takes_what_it_gets() {
        let mut layout = layout(64, 0, 10, UNBOUNDED);
        let span = Span::new(&mut layout, 1, SYSTEM).expect("address space");
        assert!(layout.max_capacity >= 1 << 30, "{layout:?}");
        assert!(span.reserved_bytes() >= layout.span_bytes_max());
        assert_eq!(span.resident_bytes(), Some(0));
    }

    #[test]
    fn a_small_pool_is_a_single_os_page() {
        let span = Span::new(&mut layout(16, 0, 8, 0), 1, SYSTEM).expect("memory");
        assert_eq!(span.reserved_bytes(), PAGE_BYTES);
    }

    #[test]
    fn a_new_span_takes_no_memory() {
        let span = Span::new(&mut layout(64, 0, 1_000_000, 0), 1, SYSTEM).expect("memory");
        assert_eq!(span.resident_bytes(), Some(0));
    }
}
