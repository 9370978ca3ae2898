//! After how many operations the owner of a magazine comes to the lock, if nothing else leads it
//! there: so that one allocation in so many can be looked at.
//!
//! ```text
//!   operations:  t p t p t p P t p t p t p t p t p T      t takes, p puts a block
//!                └─ a distance ─┘└─── another ────┘└ ...
//!                           not a taking one     this one is due
//! ```
//!
//! The fast path looks for nothing more than it does anyway: a magazine is given so many operations
//! (`magazine.rs`), and the slow path finds that they are spent. The distances are drawn, so that
//! no habit of the program keeps a place in it from being looked at. Under the pool's lock.

#![forbid(unsafe_code)]

use core::cell::Cell;

use crate::base::random;
use crate::cache::magazine::{Magazine, OPERATIONS_MAX};

/// Fewer operations can't be given: the call that asks for more has the first.
const LEAST: usize = 2;

#[derive(Default)]
pub(crate) struct Visits {
    /// One allocation in so many; 0: none.
    one_in: Cell<usize>,
    draws: Cell<u64>,
    weight: Cell<usize>,
}

impl Visits {
    /// From now on one allocation in so many is due.
    pub(crate) fn ask_for(&self, one_in: usize) {
        self.one_in.set(one_in.min(OPERATIONS_MAX / 2));
    }

    /// Gives the owner's fast path operations, if it has none, or if the magazine is not open so
    /// far; answers whether it is.
    pub(crate) fn refresh(&self, magazine: &Magazine) -> bool {
        let (is_open, is_spent) = (magazine.is_open(), magazine.is_spent());
        self.weight.set(if is_spent { usize::MAX } else { 0 });
        if is_spent || (!is_open && self.one_in.get() > 0) {
            magazine.give_operations(self.distance());
        }
        is_open
    }

    /// As many operations, on the average, as there are allocations from one that is due to the
    /// next: one operation in two is none, and then another distance follows.
    fn distance(&self) -> usize {
        let Some(most) = (2 * self.one_in.get()).checked_sub(LEAST) else { return OPERATIONS_MAX };
        self.draws.set(self.draws.get() + 1);
        LEAST + random::draw(0, self.draws.get()) as usize % most.max(1)
    }

    /// An allocation comes here without a magazine, as all others do then.
    pub(crate) fn count_one(&self) {
        self.weight.set(1);
    }

    /// The operation is no allocation.
    pub(crate) fn forget(&self) {
        self.weight.set(0);
    }

    /// How many allocations the last one stands for, as far as one in so many is asked for: all if
    /// it is due, none if it came here for another reason.
    pub(crate) fn take_weight(&self) -> usize {
        self.weight.take()
    }
}
