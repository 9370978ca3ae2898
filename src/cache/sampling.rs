//! When a call turns to the slow path so that it can be looked at: one allocation in so many.
//!
//! ```text
//!   operations:  t p t p t p P t p t p t p t p t p T      t takes, p puts a block
//!                └─ a distance ─┘└─── another ────┘└ ...
//!                               not a taking one  this one is due
//! ```
//!
//! The fast path looks for nothing more than it does anyway: a magazine is given so many operations
//! (`magazine.rs`), and the slow path finds that they are spent. The distances are drawn, so that
//! no habit of the program keeps a place in it from being looked at. Under the pool's lock.

#![forbid(unsafe_code)]

use core::cell::Cell;

use crate::base::random;
use crate::cache::magazine::{Magazine, OPERATIONS_MAX};

/// Fewer can't be given: the call that asks for more has the first.
const LEAST: usize = 2;

#[derive(Default)]
pub(crate) struct Sampling {
    /// One allocation in so many; 0: none.
    every: Cell<usize>,
    draws: Cell<u64>,
    is_due: Cell<bool>,
}

impl Sampling {
    /// From now on one allocation in so many is due.
    pub(crate) fn start(&self, every: usize) {
        self.every.set(every.min(OPERATIONS_MAX / 2));
    }

    /// Gives the owner's fast path operations, if it has none, or if the magazine is not open so
    /// far; answers whether it is.
    pub(crate) fn refresh(&self, magazine: &Magazine) -> bool {
        let (is_open, is_spent) = (magazine.is_open(), magazine.is_spent());
        if is_spent {
            self.is_due.set(self.every.get() > 0);
        }
        if is_spent || (!is_open && self.every.get() > 0) {
            magazine.give_operations(self.distance());
        }
        is_open
    }

    /// From 2 to twice as many operations as allocations are between two that are due: of the
    /// operations that end a distance, one in two is an allocation.
    fn distance(&self) -> usize {
        let every = self.every.get();
        if every == 0 {
            return OPERATIONS_MAX;
        }
        self.draws.set(self.draws.get() + 1);
        LEAST + random::drawn(0, self.draws.get()) as usize % (2 * every - LEAST).max(1)
    }

    /// The operation is no allocation.
    pub(crate) fn forget(&self) {
        self.is_due.set(false);
    }

    /// Whether this allocation is due.
    pub(crate) fn take_due(&self) -> bool {
        self.is_due.take()
    }
}
