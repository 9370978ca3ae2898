//! Blocks that came back and wait before they are handed out again, so that a write after free, or
//! a second free, meets a block that is nobody else's.
//!
//! ```text
//!   places │ 7 │ 3 │   │ 9 │ 1 │      each ticket has the next place; who puts a block there
//!                    ▲ ticket         takes the one that has waited longest, and frees it
//! ```
//!
//! A swap for each block, so that threads and signal handlers share it without a lock. A block that
//! is freed is in no place and not yet free for a moment. So whoever looks for the last block and
//! finds none asks whether somebody was under way meanwhile, and looks again.
//!
//! Q1. So many places at `places` belong to this alone, and are zero at first.

use core::ptr::NonNull;

use crate::base::ids::BlockIndex;
use crate::base::sync::{AtomicU32, AtomicUsize, Ordering};
use crate::host::thread;

/// A line of blocks, first in, first out.
pub(crate) struct Quarantine {
    places: NonNull<AtomicU32>,
    length: usize,
    ticket: AtomicUsize,
    count: AtomicUsize,
    /// How many blocks began to move, and how many arrived.
    begun: AtomicUsize,
    done: AtomicUsize,
}

impl Quarantine {
    /// What so many places take.
    pub(crate) fn bytes(length: usize) -> usize {
        length * size_of::<AtomicU32>()
    }

    /// # Safety
    /// * Q1.
    pub(crate) unsafe fn new(places: NonNull<AtomicU32>, length: usize) -> Self {
        let zero = || AtomicUsize::new(0);
        Self { places, length, ticket: zero(), count: zero(), begun: zero(), done: zero() }
    }

    pub(crate) fn length(&self) -> usize {
        self.length
    }

    fn place(&self, ticket: usize) -> &AtomicU32 {
        // SAFETY: Q1.
        unsafe { &*self.places.as_ptr().wrapping_add(ticket % self.length) }
    }

    /// Lets a block wait; the one that has waited long enough goes to `free`.
    pub(crate) fn put(&self, index: BlockIndex, free: impl FnOnce(BlockIndex)) {
        // Relaxed: released with the swap below.
        self.begun.fetch_add(1, Ordering::Relaxed);
        // Relaxed: a place for each, whoever comes first.
        let ticket = self.ticket.fetch_add(1, Ordering::Relaxed);
        // Relaxed: a figure.
        self.count.fetch_add(1, Ordering::Relaxed);
        if let Some(oldest) = self.swap(ticket, index.0 as u32 + 1) {
            free(oldest);
        }
        // Release: pairs with the Acquire in `search`, so that what was freed is found there.
        self.done.fetch_add(1, Ordering::Release);
    }

    /// Takes the block that has waited longest.
    fn take(&self) -> Option<BlockIndex> {
        // Relaxed: where to look first.
        let oldest = self.ticket.load(Ordering::Relaxed);
        (0..self.length).find_map(|after| self.swap(oldest.wrapping_add(after), 0))
    }

    /// What `look` finds elsewhere, or the block that has waited longest here. `None`: at some
    /// moment there was neither, or somebody is stopped in the middle of a move, as when this is
    /// called by a signal handler.
    pub(crate) fn search<T>(
        &self,
        look: impl Fn() -> Option<T>,
        waited: impl FnOnce(BlockIndex) -> T,
    ) -> Option<T> {
        const ATTEMPTS: u32 = 200;
        for attempt in 0..ATTEMPTS {
            // Acquire: pairs with the Release in `put`.
            let done = self.done.load(Ordering::Acquire);
            if let Some(found) = look() {
                return Some(found);
            }
            if let Some(index) = self.take() {
                return Some(waited(index));
            }
            // Relaxed: the swaps in `take` acquired what those of `put` released.
            if self.begun.load(Ordering::Relaxed) == done {
                break;
            }
            thread::pause(attempt);
        }
        None
    }

    fn swap(&self, ticket: usize, with: u32) -> Option<BlockIndex> {
        // AcqRel: pairs with itself, so that who takes a block sees what was written when it was
        // put here.
        let found = self.place(ticket).swap(with, Ordering::AcqRel).checked_sub(1)?;
        // Relaxed: a figure.
        self.count.fetch_sub(1, Ordering::Relaxed);
        Some(BlockIndex(found as usize))
    }

    /// How many blocks wait.
    pub(crate) fn count(&self) -> usize {
        // Relaxed: a figure of the moment.
        self.count.load(Ordering::Relaxed)
    }

    /// Forgets all of them, and who was under way. Only while nobody else calls.
    pub(crate) fn clear(&self) {
        while self.take().is_some() {}
        // Relaxed, both: nobody else calls.
        self.count.store(0, Ordering::Relaxed);
        self.done.store(self.begun.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}
