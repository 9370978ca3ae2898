//! Allocations that fail on purpose, so that a program can see what it does then.
//!
//! ```text
//!   left:   n ─► n - 1 ─► ... ─► 0 ─► 0 ...     n successes, then none
//!           BY_CHANCE                           each call draws
//!           OFF                                 nothing is refused
//! ```
//!
//! The hot paths know nothing of it. While it is armed, a pool is off them: its keys are shut
//! (`slot.rs`, `directory.rs`), so that every call with its handle is a slow one; its magazines
//! stay closed, as while threads wait; and what programs inline finds no block and no place for one
//! (`Single::hide`). So who looks here has the pool's lock, where there is one; in a lock-free pool
//! it is anybody at any time.

use crate::base::ids::Block;
use crate::base::random;
use crate::base::sync::{AtomicU32, AtomicUsize, Ordering};
use crate::pool::Pool;
use crate::pool::core::{Core, Taken};
use crate::pool::engine::{Engine, each};
use crate::pool::report::Finding;

const OFF: usize = usize::MAX;
const BY_CHANCE: usize = usize::MAX - 1;
/// More are never counted down to 0.
const MOST: usize = usize::MAX - 2;

/// A chance is a number of these parts of 1.
const PARTS: u32 = 1 << 31;

/// When allocations fail.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mode {
    Off,
    /// After so many successes all of them.
    After(usize),
    /// Each with this probability; the draws follow from the seed.
    ByChance {
        probability: f64,
        seed: usize,
    },
}

/// What is left until then.
pub(crate) struct Failing {
    left: AtomicUsize,
    chance: AtomicU32,
    seed: AtomicUsize,
    draws: AtomicUsize,
}

impl Failing {
    /// Off.
    pub(crate) fn new() -> Self {
        let zero = || AtomicUsize::new(0);
        Self { left: AtomicUsize::new(OFF), chance: AtomicU32::new(0), seed: zero(), draws: zero() }
    }

    /// By one thread at a time; who is told of it by that thread finds all of it.
    pub(crate) fn set(&self, mode: Mode) {
        let (left, chance, seed) = match mode {
            Mode::Off => (OFF, 0.0, 0),
            Mode::After(successes) => (successes.min(MOST), 0.0, 0),
            Mode::ByChance { probability, seed } => (BY_CHANCE, probability, seed),
        };
        let parts = chance.clamp(0.0, 1.0) * f64::from(PARTS);
        // Relaxed, all: nothing else is handed over, and see above.
        self.chance.store(parts as u32, Ordering::Relaxed);
        self.seed.store(seed, Ordering::Relaxed);
        self.draws.store(0, Ordering::Relaxed);
        self.left.store(left, Ordering::Relaxed);
    }

    fn left(&self) -> usize {
        // Relaxed: as in `set`.
        self.left.load(Ordering::Relaxed)
    }

    pub(crate) fn is_armed(&self) -> bool {
        self.left() != OFF
    }

    /// Whether every allocation fails from now on.
    pub(crate) fn is_spent(&self) -> bool {
        self.left() == 0
    }

    /// Whether the allocation fails that begins now. To be asked once for each.
    fn refuses(&self) -> bool {
        // Relaxed: as in `set`.
        match self.left() {
            BY_CHANCE => self.draw() < self.chance.load(Ordering::Relaxed),
            left => left == 0,
        }
    }

    /// Counts an allocation that was not refused and found a block. `false`: it fails after all,
    /// for the last success was another thread's.
    fn allows(&self) -> bool {
        let next = |left| match left {
            0 => None,
            OFF | BY_CHANCE => Some(left),
            left => Some(left - 1),
        };
        // Relaxed, both: a count.
        !self.is_armed()
            || self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }

    /// A number below `PARTS`.
    fn draw(&self) -> u32 {
        // Relaxed, both: as in `set`.
        let seed = self.seed.load(Ordering::Relaxed) as u64;
        let draw = self.draws.fetch_add(1, Ordering::Relaxed) as u64 + 1;
        (random::draw(seed, draw) >> 33) as u32
    }
}

impl Core {
    /// Refuses the allocation that begins now, or answers what it comes to.
    pub(super) fn unless_refused(&self, allocate: impl FnOnce() -> Taken) -> Taken {
        if self.failing.refuses() {
            return self.refused();
        }
        let taken = allocate();
        match taken.block {
            Some(block) if !self.failing.allows() => {
                self.engine.put_back(block);
                self.refused()
            }
            _ => taken,
        }
    }

    fn refused(&self) -> Taken {
        each!(&self.engine, engine => engine.count_failure());
        Taken { block: None, finding: Some(Finding::FailedOnPurpose) }
    }

    /// Lets inlined calls find nothing while allocations fail on purpose.
    pub(super) fn hide(&self) {
        match &self.engine {
            Engine::SingleStandard(engine) => engine.hide(),
            Engine::SingleUnchecked(engine) => engine.hide(),
            _ => {}
        }
    }

    pub(super) fn show(&self) {
        match &self.engine {
            Engine::SingleStandard(engine) => engine.show(),
            Engine::SingleUnchecked(engine) => engine.show(),
            _ => {}
        }
    }
}

impl Pool {
    /// Lets allocations fail from now on, or no longer. `true`: the hot paths may be taken.
    pub(super) fn fail(&self, mode: Mode) -> bool {
        let is_off = mode == Mode::Off;
        self.hold(|core| {
            core.failing.set(mode);
            if !is_off {
                core.hide();
                // Where the system has no fence, what is under way on a hot path may still succeed.
                let _ = core.engine.keep_magazines_closed();
                return;
            }
            core.show();
            if core.engine.is_shared() && self.waiters.is_empty() {
                core.engine.let_magazines_open();
            }
        });
        // So that those who wait learn that they are refused.
        self.wake_sleepers();
        is_off
    }

    /// Under the lock, when nobody waits any more.
    pub(super) fn let_magazines_open(&self) {
        if !self.core.failing.is_armed() {
            self.core.engine.let_magazines_open();
        }
    }

    /// Whether who waits for a block waits in vain.
    pub(super) fn refuses_who_waits(&self) -> bool {
        self.core.failing.is_spent()
    }

    /// A block for who waits.
    pub(super) fn take_quietly(&self) -> Option<Block> {
        if self.refuses_who_waits() {
            return None;
        }
        let supply = self.core.take_quietly();
        if let Some(finding) = supply.finding {
            self.keep_for_who_waits(finding);
        }
        let block = supply.block?;
        if self.core.failing.allows() {
            return Some(self.core.guarded(block));
        }
        self.core.engine.put_back(block);
        None
    }
}

impl Engine {
    /// Takes back a block that nobody got, because another thread had the last success: where a
    /// lock is held there is no such thread.
    fn put_back(&self, block: Block) {
        match self {
            Self::LockFreeStandard(engine) => engine.put_back(block),
            Self::LockFreeUnchecked(engine) => engine.put_back(block),
            Self::Inspected(engine) => engine.put_back(block),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn successes(failing: &Failing, calls: usize) -> usize {
        (0..calls).filter(|_| !failing.refuses() && failing.allows()).count()
    }

    #[test]
    fn nothing_fails_unless_it_is_asked_for() {
        let failing = Failing::new();
        assert!(!failing.is_armed() && !failing.is_spent());
        assert_eq!(successes(&failing, 1000), 1000);
    }

    #[test]
    fn as_many_succeed_as_were_asked_for_and_no_more() {
        let failing = Failing::new();
        for left in [0, 1, 7] {
            failing.set(Mode::After(left));
            assert_eq!(successes(&failing, 20), left);
            assert!(failing.is_spent() && failing.is_armed() && !failing.allows());
        }
        failing.set(Mode::Off);
        assert_eq!(successes(&failing, 20), 20);
        assert!(!failing.is_armed());
    }

    #[test]
    fn a_call_that_found_no_block_is_not_counted() {
        let failing = Failing::new();
        failing.set(Mode::After(1));
        assert!(!failing.refuses() && !failing.refuses() && failing.allows() && failing.refuses());
    }

    #[test]
    fn the_largest_counts_are_neither_off_nor_a_chance() {
        let failing = Failing::new();
        for many in [MOST, BY_CHANCE, OFF] {
            failing.set(Mode::After(many));
            assert_eq!(failing.left(), MOST);
        }
    }

    #[test]
    fn by_chance_as_many_fail_as_are_likely_to() {
        let failing = Failing::new();
        for (probability, least, most) in [(0.0, 0, 0), (0.01, 900, 1100), (0.5, 49_500, 50_500)] {
            failing.set(Mode::ByChance { probability, seed: 1 });
            let failures = 100_000 - successes(&failing, 100_000);
            assert!((least..=most).contains(&failures), "{failures} for {probability}");
            assert!(failing.is_armed() && !failing.is_spent());
        }
        failing.set(Mode::ByChance { probability: 1.0, seed: 1 });
        assert_eq!(successes(&failing, 100_000), 0);
    }

    #[test]
    fn the_same_seed_draws_the_same_and_another_one_does_not() {
        let failing = Failing::new();
        let drawn = |seed| {
            failing.set(Mode::ByChance { probability: 0.5, seed });
            [(); 64].map(|()| failing.refuses())
        };
        assert_eq!(drawn(3), drawn(3));
        assert_ne!(drawn(3), drawn(4));
    }
}
