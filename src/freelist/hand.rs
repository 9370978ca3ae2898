//! The blocks at hand: the newest free blocks of a single-owner pool, by address, outside the
//! blocks.
//!
//! ```text
//!   kept ─► z          low ─► │ a │ b │ c │   │   │ ... high
//!                                         ▲ top: take here, put here
//! ```
//!
//! It is for programs that inline the hot paths (`pool_inline.h`); large pools keep one block here
//! for the calls of the library (`pool/single.rs`). Who takes and gives by turns, or
//! by bursts, reads and writes no block, and waits for no link. The first block to come back is
//! kept in a word of its own, the next ones go into the array, and what does not fit is for the
//! library's free list (`intrusive.rs`).
//!
//! The words of [`Hand`] are public: the programs work on them, and hold them (`pool/view.rs`).
//! What is taken is counted apart for the kept block and for the array, so that compilers find
//! nothing that both ways have in common, and jump from one into the other. Their order keeps apart
//! what is written together: compilers would write two neighbours at once, and processors are slow
//! to read one of them then.
//!
//! Nor does the ledger hear of the kept block (A3). Who gives and takes by turns would write to an
//! address that comes late, twice, and processors that were wrong about such a write once let every
//! read of the ledger wait for those before it: three times as long, measured, for thousands of
//! calls. So the library looks at no state before it has put that block elsewhere.
//!
//! A1. `low .. high` belongs to this alone, and `top` lies in it, or at its end.
//! A2. What stands in `low .. top` are free blocks, each nowhere else; so is the one that is kept,
//!     if there is one.
//! A3. With checks, the ledger calls the blocks of the array free, and the kept one live.

use core::cell::Cell;
use core::ptr::NonNull;

use crate::base::ids::Block;

#[derive(Clone)]
#[repr(C)]
pub(crate) struct Hand {
    /// How many blocks were taken that were kept.
    pub(crate) taken_kept: Cell<u64>,
    /// How many were taken from the array.
    pub(crate) taken: Cell<u64>,
    pub(crate) kept: Cell<Option<Block>>,
    pub(crate) low: Cell<NonNull<Block>>,
    pub(crate) top: Cell<NonNull<Block>>,
    pub(crate) high: Cell<NonNull<Block>>,
}

impl Hand {
    /// Without an array.
    pub(crate) const fn new() -> Self {
        let nowhere = NonNull::dangling();
        Self {
            taken_kept: Cell::new(0),
            taken: Cell::new(0),
            kept: Cell::new(None),
            low: Cell::new(nowhere),
            top: Cell::new(nowhere),
            high: Cell::new(nowhere),
        }
    }

    /// Gives it an array, or a longer one at the same place.
    ///
    /// # Safety
    /// * `limit` words at `low` belong to this alone.
    /// * The array is at `low` already, or empty.
    pub(crate) unsafe fn widen(&self, low: NonNull<Block>, limit: usize) {
        if self.low.get() != low {
            self.low.set(low);
            self.top.set(low);
        }
        // SAFETY: by this function's contract.
        self.high.set(unsafe { low.add(limit) });
    }

    /// Becomes as another, which nobody uses any more.
    pub(crate) fn set(&self, other: Self) {
        self.taken_kept.swap(&other.taken_kept);
        self.taken.swap(&other.taken);
        self.kept.swap(&other.kept);
        self.low.swap(&other.low);
        self.top.swap(&other.top);
        self.high.swap(&other.high);
    }

    pub(crate) fn count(&self) -> usize {
        // SAFETY: A1.
        let in_array = unsafe { self.top.get().offset_from_unsigned(self.low.get()) };
        in_array + usize::from(self.kept.get().is_some())
    }

    /// How many blocks were taken.
    pub(crate) fn taken(&self) -> u64 {
        self.taken_kept.get().wrapping_add(self.taken.get())
    }

    /// One of the blocks.
    pub(crate) fn take(&self) -> Option<Block> {
        let block = self.kept.take().or_else(|| self.pop())?;
        self.taken.set(self.taken.get() + 1);
        Some(block)
    }

    fn pop(&self) -> Option<Block> {
        if self.top.get() == self.low.get() {
            return None;
        }
        // SAFETY: A1.
        self.top.set(unsafe { self.top.get().sub(1) });
        // SAFETY: A2.
        Some(unsafe { self.top.get().read() })
    }

    /// Puts a free block here, which is nowhere else; what a program does. `false`: there is no
    /// room.
    #[cfg(test)]
    fn put(&self, block: Block) -> bool {
        if self.kept.get().is_none() {
            self.kept.set(Some(block));
            return true;
        }
        let top = self.top.get();
        if top == self.high.get() {
            return false;
        }
        // SAFETY: A1.
        unsafe { top.write(block) };
        // SAFETY: A1.
        self.top.set(unsafe { top.add(1) });
        true
    }

    /// Lets all blocks go, to wherever the caller puts them; answers how many they are.
    pub(crate) fn forget(&self) -> u64 {
        let count = self.count();
        self.kept.set(None);
        self.top.set(self.low.get());
        count as u64
    }

    /// The blocks.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = Block> {
        let kept = self.kept.get();
        let in_array = self.count() - usize::from(kept.is_some());
        // SAFETY: A1.
        let places = (0..in_array).map(|place| unsafe { self.low.get().add(place) });
        // SAFETY: A2.
        kept.into_iter().chain(places.map(|place| unsafe { place.read() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_no_more_than_it_has_room_for_and_gives_each_once() {
        let mut words = [NonNull::<u8>::dangling(); 2];
        let hand = Hand::new();
        // SAFETY: two words of this function's.
        unsafe { hand.widen(NonNull::from(&mut words).cast(), words.len()) };
        let [a, b, c, d] = [8, 16, 24, 32].map(|address| {
            NonNull::new(std::ptr::without_provenance_mut::<u8>(address)).expect("not null")
        });
        assert!(hand.take().is_none());
        assert!(hand.put(a) && hand.put(b) && hand.put(c) && !hand.put(d));
        assert_eq!(hand.blocks().collect::<Vec<_>>(), [a, b, c]);
        assert_eq!((hand.count(), hand.taken()), (3, 0));
        assert_eq!([(); 4].map(|()| hand.take()), [Some(a), Some(c), Some(b), None]);
        assert_eq!((hand.count(), hand.taken()), (0, 3));
        assert!(hand.put(d) && hand.put(a));
        assert_eq!((hand.forget(), hand.count(), hand.taken()), (2, 0, 3));
    }

    #[test]
    fn one_without_an_array_keeps_a_single_block() {
        let hand = Hand::new();
        let block = NonNull::dangling();
        assert!(hand.take().is_none() && hand.put(block) && !hand.put(block));
        assert_eq!((hand.take(), hand.taken()), (Some(block), 1));
    }
}
