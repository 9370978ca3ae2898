//! The threads that sleep until a block comes back to a lock-free pool, as its `deallocate` sees
//! them: how many there are, and a word that changes when the first in line shall look again.

use crate::base::sync::{AtomicU32, Ordering, barrier};
use crate::host::sleep::{self, Deadline};

pub(crate) struct Sleepers {
    count: AtomicU32,
    turn: AtomicU32,
}

impl Sleepers {
    pub(super) fn new() -> Self {
        Self { count: AtomicU32::new(0), turn: AtomicU32::new(0) }
    }

    /// For a thread that has just pushed a block.
    #[inline(always)]
    pub(super) fn are_there(&self) -> bool {
        barrier::light();
        // Relaxed: ordered after the push by the barrier, whose heavy half the waiter runs between
        // `arrive` and its look at the stack.
        self.count.load(Ordering::Relaxed) > 0
    }

    pub(super) fn wake(&self) {
        // Release: pairs with the Acquire in `turn`.
        self.turn.fetch_add(1, Ordering::Release);
        sleep::wake(&raw const self.turn);
    }

    /// To be read before a look at the stack.
    pub(super) fn turn(&self) -> u32 {
        // Acquire: pairs with the Release in `wake`, before which a block was pushed.
        self.turn.load(Ordering::Acquire)
    }

    /// Until the turn is another one.
    pub(super) fn sleep(&self, turn: u32, deadline: Deadline) {
        sleep::sleep(&self.turn, turn, deadline);
    }

    pub(super) fn arrive(&self) {
        // Relaxed: ordered by the barrier that follows.
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn leave(&self) {
        // Relaxed: nothing is handed over.
        self.count.fetch_sub(1, Ordering::Relaxed);
    }

    /// In the child of a fork.
    pub(super) fn forget(&self) {
        // Relaxed: this thread is the only one.
        self.count.store(0, Ordering::Relaxed);
    }
}
