//! Blocks that came back and wait before they are handed out again, so that a write after free, or
//! a second free, meets a block that is nobody else's.
//!
//! ```text
//!   places │ 7 │ 3 │   │ 9 │ 1 │      each ticket has the next place; who puts a block there
//!                    ▲ ticket         takes the one that has waited longest
//! ```
//!
//! A swap for each block, so that threads and signal handlers share it without a lock.

use core::ptr::NonNull;

use crate::base::ids::BlockIndex;
use crate::base::sync::{AtomicU32, AtomicUsize, Ordering};
use crate::source::memory::Memory;

/// A line of blocks, first in, first out.
pub(crate) struct Quarantine {
    memory: Memory,
    length: usize,
    ticket: AtomicUsize,
    count: AtomicUsize,
}

impl Quarantine {
    /// `None`: the system gives no memory.
    pub(crate) fn new(length: usize) -> Option<Self> {
        let memory = Memory::new(length * size_of::<AtomicU32>())?;
        Some(Self { memory, length, ticket: AtomicUsize::new(0), count: AtomicUsize::new(0) })
    }

    fn place(&self, ticket: usize) -> &AtomicU32 {
        let places: NonNull<AtomicU32> = self.memory.start().cast();
        // SAFETY: `length` places, zero at first, stay as long as the memory does.
        unsafe { &*places.as_ptr().wrapping_add(ticket % self.length) }
    }

    /// Lets a block wait; answers the one that has waited long enough.
    pub(crate) fn put(&self, index: BlockIndex) -> Option<BlockIndex> {
        // Relaxed: a place for each, whoever comes first.
        let ticket = self.ticket.fetch_add(1, Ordering::Relaxed);
        // Relaxed: a figure.
        self.count.fetch_add(1, Ordering::Relaxed);
        self.swap(ticket, index.0 as u32 + 1)
    }

    /// Takes the block that has waited longest.
    pub(crate) fn take(&self) -> Option<BlockIndex> {
        // Relaxed, both: where to look first.
        let oldest = self.ticket.load(Ordering::Relaxed);
        (self.count.load(Ordering::Relaxed) > 0)
            .then(|| (oldest..oldest + self.length).find_map(|ticket| self.swap(ticket, 0)))?
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

    /// Forgets all of them. Only while nobody else calls.
    pub(crate) fn clear(&self) {
        while self.take().is_some() {}
    }

    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> usize {
        self.length * size_of::<AtomicU32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_came_is_the_first_to_leave() {
        let quarantine = Quarantine::new(3).expect("memory");
        let put = |index| quarantine.put(BlockIndex(index)).map(|index| index.0);
        assert_eq!([put(5), put(0), put(7)], [None; 3]);
        assert_eq!([put(2), put(5)], [Some(5), Some(0)]);
        assert_eq!(quarantine.count(), 3);
        let taken = || quarantine.take().map(|index| index.0);
        assert_eq!([taken(), taken(), taken(), taken()], [Some(7), Some(2), Some(5), None]);
        assert_eq!(quarantine.count(), 0);
    }
}
