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
//! end of a block is a far more common bug than what writes before its start. An engine that wants
//! two tables has the far one before the room of the near one; it grows downwards too. What an
//! engine keeps once for all blocks stands between them and the near table.
//!
//! With guard pages, the last block there may come to be ends where the guard begins, to the byte.
//! Before block 0 the rest of its page can be written: both ends are exact only where the blocks
//! fill whole pages.
//!
//! S1. `base` is aligned to the layout's alignment, and the side table's end to 16.
//! S2. `low .. side_end`, `floor .. high`, `floor` being the start of the page of `base`, and
//!     `far_low .. far_high` are whole pages of the reservation, readable and writable. They, and
//!     no others, hold the side tables and the blocks of the capacity that was last asked for, and
//!     belong to this span.
//! S3. The reservation is released exactly once, when the span is dropped.

use core::num::NonZero;
use core::ops::Range;
use core::ptr::NonNull;

use crate::base::error::{Error, Refusal};
use crate::base::sync::{AtomicUsize, Ordering};
use crate::layout::inside::HEADER_ALIGNMENT as SIDE_ALIGNMENT;
use crate::layout::stride::Layout;
use crate::source::Source;
use crate::source::memory::Memory;

/// What an engine keeps beside the blocks, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Side {
    /// For each block, in the table that ends before the blocks, which is zero at first.
    pub(crate) near: usize,
    /// For so many blocks, in the table before that one, which is not.
    pub(crate) far: Option<fn(usize) -> usize>,
    /// Beside all blocks together, between the near table and the blocks; a multiple of 16.
    pub(crate) fixed: usize,
}

impl Side {
    fn near_bytes(self, capacity: usize) -> Option<usize> {
        let bytes = capacity.checked_mul(self.near)?.checked_next_multiple_of(SIDE_ALIGNMENT)?;
        bytes.checked_add(self.fixed)
    }

    fn far_bytes(self, capacity: usize) -> Option<usize> {
        self.far.map_or(0, |bytes| bytes(capacity)).checked_next_multiple_of(SIDE_ALIGNMENT)
    }
}

/// The memory of one pool.
pub(crate) struct Span {
    source: Source,
    reservation: NonNull<u8>,
    reserved_bytes: usize,
    side: Side,
    far_end: NonNull<u8>,
    side_end: NonNull<u8>,
    pub(crate) base: NonNull<u8>,
    stride: usize,
    /// Bytes of the side table that can be used.
    side_bytes: AtomicUsize,
    /// Addresses.
    far_low: AtomicUsize,
    far_high: usize,
    low: AtomicUsize,
    high: AtomicUsize,
}

const TOO_LARGE: Refusal =
    Refusal::invalid("capacity x stride does not fit in the address space; ask for less");

impl Span {
    /// Reserves room for all the blocks that there may come to be, with `side` beside each, and
    /// commits what the first `capacity` need. Where the source refuses, it is asked for easier
    /// memory, and an unbounded layout for less. Memory of the system is not taken before it is
    /// touched.
    pub(crate) fn new(
        layout: &mut Layout,
        side: Side,
        mut source: Source,
    ) -> Result<Self, Refusal> {
        let span = loop {
            match Self::reserve(layout, side, source) {
                Err(Refusal { error: Error::OutOfMemory, .. })
                    if source.settle_for_less() || layout.ask_for_less() => {}
                reserved => break reserved?,
            }
        };
        span.commit(layout.capacity)?;
        Ok(span)
    }

    fn reserve(layout: &Layout, side: Side, source: Source) -> Result<Self, Refusal> {
        let (page_bytes, guard_bytes) = (source.commit_bytes(), source.guard_bytes());
        let start_alignment = source.start_alignment();
        let alignment = layout.alignment.max(SIDE_ALIGNMENT);
        let near_bytes = side.near_bytes(layout.max_capacity).ok_or(TOO_LARGE)?;
        let far_bytes = side.far_bytes(layout.max_capacity).ok_or(TOO_LARGE)?;
        // A far table that grows ends on a page, for its pages are not those of the near one.
        let far_alignment = match layout.max_capacity > layout.capacity && side.far.is_some() {
            true => page_bytes,
            false => SIDE_ALIGNMENT,
        };
        let side_bytes = near_bytes
            .checked_add(far_bytes)
            .and_then(|bytes| bytes.checked_add(far_alignment - SIDE_ALIGNMENT))
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
        let near_start = side_end - near_bytes;
        let far_end = near_start / far_alignment * far_alignment;
        // Its last page may be the near table's first one.
        let far_high =
            far_end.next_multiple_of(page_bytes).min(near_start / page_bytes * page_bytes);
        // SAFETY: inside the reservation, as computed above.
        let at = |address: usize| unsafe { reservation.add(address - first) };
        Ok(Self {
            source,
            reservation,
            reserved_bytes,
            side,
            far_end: at(far_end),
            side_end: at(side_end),
            base: at(base),
            stride: layout.stride,
            side_bytes: AtomicUsize::new(0),
            far_low: AtomicUsize::new(far_high),
            far_high,
            low: AtomicUsize::new(side_end.min(floor)),
            high: AtomicUsize::new(floor),
        })
    }

    /// Makes the memory of the first `capacity` blocks usable, and that beside them. If the source
    /// refuses, nothing is lost. Threads may do this at once where the source's memory is zero.
    pub(crate) fn commit(&self, capacity: usize) -> Result<(), Refusal> {
        let page_bytes = self.source.commit_bytes();
        let down = |address: usize| address / page_bytes * page_bytes;
        let (far_low, low, high) = self.committed();
        let (side_end, base) = (self.side_end.addr().get(), self.base.addr().get());
        let near_bytes = self.near_bytes(capacity);
        let far_start = self.far_end.addr().get() - self.far_bytes(capacity);
        let new_far_low = far_low.min(down(far_start));
        let new_low = low.min(down(side_end - near_bytes));
        let new_high = high.max((base + capacity * self.stride).next_multiple_of(page_bytes));
        let near_end = if low == high { new_high } else { low };
        if new_far_low < far_low && far_low == new_low {
            self.commit_range(new_far_low..near_end)?;
        } else {
            self.commit_range(new_far_low..far_low)?;
            self.commit_range(new_low..near_end)?;
        }
        self.commit_range(high.max(near_end)..new_high)?;
        // Relaxed, all: bounds of what is committed for good; too old a value costs a call.
        self.far_low.fetch_min(new_far_low, Ordering::Relaxed);
        self.low.fetch_min(new_low, Ordering::Relaxed);
        self.high.fetch_max(new_high, Ordering::Relaxed);
        self.extend_side_table(near_bytes);
        Ok(())
    }

    /// The bounds of what is committed: of the far table, and of the rest.
    fn committed(&self) -> (usize, usize, usize) {
        let load = |address: &AtomicUsize| {
            // Relaxed: as in `commit`.
            address.load(Ordering::Relaxed)
        };
        (load(&self.far_low), load(&self.low), load(&self.high))
    }

    fn commit_range(&self, range: Range<usize>) -> Result<(), Refusal> {
        if range.is_empty() {
            return Ok(());
        }
        // SAFETY: inside the reservation, which covers the greatest capacity, and whole pages.
        unsafe { self.source.commit(self.at(range.start), range.len()) }
    }

    /// Makes the part of the near table zero that can be used from now on.
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

    /// Where the near table ends, which grows downwards, and the fixed one begins.
    pub(crate) fn side_end(&self) -> NonNull<u8> {
        // SAFETY: S2; the fixed table is a part of what is committed for any capacity.
        unsafe { self.side_end.sub(self.side.fixed) }
    }

    /// Whether what is kept once for all blocks ends where they begin: without guard pages.
    pub(crate) fn side_ends_at_blocks(&self) -> bool {
        self.side_end == self.base
    }

    /// Where the far table ends, which grows downwards too.
    pub(crate) fn far_end(&self) -> NonNull<u8> {
        self.far_end
    }

    /// What stands beside the first `capacity` blocks.
    pub(crate) fn side_bytes(&self, capacity: usize) -> usize {
        self.near_bytes(capacity) + self.far_bytes(capacity)
    }

    fn near_bytes(&self, capacity: usize) -> usize {
        self.side.near_bytes(capacity).unwrap_or(0)
    }

    fn far_bytes(&self, capacity: usize) -> usize {
        self.side.far_bytes(capacity).unwrap_or(0)
    }

    /// Address space, or the whole of a caller's buffer.
    pub(crate) fn reserved_bytes(&self) -> usize {
        match self.source {
            Source::Buffer(buffer) => buffer.bytes(),
            Source::System(_) | Source::Callbacks(_) => self.reserved_bytes,
        }
    }

    /// Whether the system gives the memory.
    pub(crate) fn is_of_system(&self) -> bool {
        matches!(self.source, Source::System(_))
    }

    /// Commits a part of other memory as that of the span is committed. `false`: the system
    /// refuses.
    pub(crate) fn commit_beside(&self, memory: &Memory, range: Range<usize>) -> bool {
        match &self.source {
            Source::System(system) => memory.commit_as(system, range),
            Source::Callbacks(_) | Source::Buffer(_) => false,
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
        let (far_low, low, high) = self.committed();
        let far = resident(far_low..self.far_high)?;
        if self.source.guard_bytes() == 0 {
            return Some(far + resident(low..high)?);
        }
        let floor = self.base.addr().get() / self.source.commit_bytes();
        let side = resident(low..self.side_end.addr().get())?;
        Some(far + side + resident(floor * self.source.commit_bytes()..high)?)
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        // SAFETY: S3; the pool that owned this span is gone, its blocks with it.
        unsafe { self.source.release(self.reservation, self.reserved_bytes) };
    }
}

#[cfg(test)]
mod span_test;
