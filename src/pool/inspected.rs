//! The engine of `POOL_CHECKS_FULL` and of the switches: the lock-free one, with an inspector that
//! looks at each block that goes out or comes back.
//!
//! ```text
//!   allocate:   stack, frontier or quarantine ─► inspector ─► the user
//!   deallocate: claim ─► inspector ─► quarantine ─► the one that waited longest ─► stack
//! ```
//!
//! One engine for every `threading`: the lock-free one keeps nothing inside blocks, so that all of
//! a free block can be watched; of two frees at once it lets one succeed; and it works in signal
//! handlers. A block in quarantine is claimed and not on the stack, so for the engine below it is
//! in use, and for everybody else it is not.
//!
//! Here are no hot paths: every call takes the slow one, and nobody else pays for that.

use core::cell::Cell;

use crate::base::error::{Error, Refusal};
use crate::base::ids::{Block, BlockIndex, UserPointer};
use crate::base::sync::{AtomicUsize, Ordering};
use crate::cache::magazines::Explicits;
use crate::host::sleep::Deadline;
use crate::host::tsan;
use crate::inspect::Inspector;
use crate::inspect::fill::Damage;
use crate::layout::geometry::Place;
use crate::pool::Pool;
use crate::pool::config::Threading;
use crate::pool::core::Core;
use crate::pool::engine::Engine;
use crate::pool::inspect::Broken;
use crate::pool::lock_free::LockFree;
use crate::pool::report::Finding;
use crate::pool::single::{Counts, Supply};
use crate::source::memory::Memory;

/// The state of a pool that is watched.
pub(crate) struct Inspected {
    pub(super) inner: LockFree<true>,
    inspector: Inspector,
    threading: Threading,
    /// Blocks are not of the span but of the heap, and whether they are no more than `capacity`.
    elsewhere: Option<bool>,
    /// Explicit caches, which stay empty.
    pub(super) explicits: Explicits,
    allocations: AtomicUsize,
    deallocations: AtomicUsize,
    peak: AtomicUsize,
    /// What was found while a block was handed to a thread that waits. Under the pool's lock.
    kept: Cell<Option<Finding>>,
}

/// A write that should not have been, the block it has to do with, and when it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damaged {
    pub(crate) index: BlockIndex,
    pub(crate) block: Block,
    pub(crate) damage: Damage,
    pub(crate) when: When,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    HandedOut,
    TakenBack,
    /// Somebody asked.
    Looked,
}

impl Pool {
    /// A block that another thread gives back before the deadline.
    pub(super) fn wait_watched(
        &self,
        engine: &Inspected,
        deadline: Deadline,
    ) -> Result<Block, Error> {
        match engine.threading {
            Threading::Single => Err(Error::Exhausted),
            Threading::LockFree if engine.elsewhere.is_none() => {
                self.wait_lock_free(&engine.inner, deadline)
            }
            Threading::Safe | Threading::LockFree => {
                let block = self.wait_in_line(deadline)?;
                // Who handed it over held the lock, and could not tell.
                if let Some(finding) = self.hold(|_| engine.kept.take()) {
                    self.tell(finding);
                }
                Ok(block)
            }
        }
    }
}

impl Pool {
    /// Tells what was found, or remembers it where the lock is held.
    pub(super) fn keep_for_who_waits(&self, finding: Finding) {
        match &self.core.engine {
            Engine::Inspected(engine) if engine.threading == Threading::Safe => {
                engine.kept.set(Some(finding));
            }
            Engine::Inspected(_) => self.tell(finding),
            _ => {}
        }
    }
}

impl Inspected {
    pub(crate) fn new(
        inner: LockFree<true>,
        inspector: Inspector,
        threading: Threading,
        elsewhere: Option<bool>,
    ) -> Self {
        Self {
            inner,
            inspector,
            threading,
            elsewhere,
            explicits: Explicits::new(),
            allocations: AtomicUsize::new(0),
            deallocations: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            kept: Cell::new(None),
        }
    }

    pub(super) fn elsewhere(&self) -> Option<bool> {
        self.elsewhere
    }

    /// Whether there are steps that one thread at a time takes: with the heap.
    pub(super) fn is_shared(&self) -> bool {
        match self.threading {
            Threading::Safe => true,
            Threading::Single => false,
            Threading::LockFree => self.elsewhere.is_some(),
        }
    }

    pub(super) fn is_of_one_owner(&self) -> bool {
        self.threading == Threading::Single
    }

    pub(super) fn inner(&self) -> &LockFree<true> {
        &self.inner
    }

    pub(super) fn inspector(&self) -> &Inspector {
        &self.inspector
    }

    pub(super) fn threading(&self) -> Threading {
        self.threading
    }

    /// The slow path is the only one.
    pub(crate) fn allocate(&self) -> Option<Block> {
        None
    }

    /// As above.
    pub(crate) fn deallocate(&self, _pointer: UserPointer) -> bool {
        false
    }

    pub(crate) fn allocate_slow(&self) -> Supply {
        let Some((index, was_given)) = self.inspector.search(
            || self.inner.take(),
            |index| {
                self.inner.stack().set_live(index);
                (index, true)
            },
        ) else {
            return Supply::of(None);
        };
        let damage = self.inspector.hand_out(index, was_given);
        let block = self.inspector.fill().block(index);
        tsan::handed_out(block);
        // Relaxed, both: figures.
        let before = self.allocations.fetch_add(1, Ordering::Relaxed);
        let given = self.deallocations.load(Ordering::Relaxed);
        let in_use = before.saturating_sub(given) + 1;
        // Relaxed: a figure. Never more than there are blocks, whatever was read beside each other.
        self.peak.fetch_max(in_use.min(self.capacity()), Ordering::Relaxed);
        let damaged = |damage| Damaged { index, block, damage, when: When::HandedOut };
        Supply { block: Some(block), finding: damage.map(damaged).map(Finding::Damaged) }
    }

    /// Takes a block back, also one that is damaged.
    pub(super) fn take_back(&self, pointer: UserPointer) -> Result<Option<Damaged>, Error> {
        let index = match self.place(pointer) {
            _ if pointer.is_null() => return Ok(None),
            Place::Foreign => return Err(Error::ForeignPointer),
            Place::Interior(..) => return Err(Error::InteriorPointer),
            Place::Start(index) if !self.inner.stack().claim(index) => {
                return Err(Error::DoubleFree);
            }
            Place::Start(index) => index,
        };
        let block = self.inspector.fill().block(index);
        let damage = self.inspector.take_back(index);
        tsan::taken_back(block);
        self.inspector.delay(index, |free| self.inner.stack().push(free));
        // Relaxed: a figure.
        self.deallocations.fetch_add(1, Ordering::Relaxed);
        Ok(damage.map(|damage| Damaged { index, block, damage, when: When::TakenBack }))
    }

    /// Takes back a block that nobody got.
    pub(super) fn put_back(&self, block: Block) {
        if self.take_back(UserPointer::new(block.as_ptr())).is_ok() {
            // Relaxed, both: figures.
            self.allocations.fetch_sub(1, Ordering::Relaxed);
            self.deallocations.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn deallocate_slow(&self, pointer: UserPointer) -> Result<(), Error> {
        self.take_back(pointer).map(|_damaged| ())
    }

    pub(crate) fn reset(&self) {
        let counts = self.counts();
        self.inspector.forget(counts.frontier);
        // Relaxed: nobody else calls.
        self.deallocations.fetch_add(counts.in_use, Ordering::Relaxed);
        self.inner.reset();
    }

    pub(crate) fn counts(&self) -> Counts {
        // Relaxed, both: figures; in this order, so that never more came back than went out.
        let deallocations = self.deallocations.load(Ordering::Relaxed);
        let allocations = self.allocations.load(Ordering::Relaxed);
        let inner = self.inner.counts();
        Counts {
            in_use: allocations.saturating_sub(deallocations),
            // Relaxed: a figure.
            peak_in_use: self.peak.load(Ordering::Relaxed),
            allocations: allocations as u64,
            deallocations: deallocations as u64,
            ..inner
        }
    }

    /// In the child of a fork: what threads that it does not have were about to give back is free,
    /// and what they were about to take stays in use.
    pub(super) fn settle(&self) {
        self.inspector.end_delays();
        let end = self.inner.frontier();
        let indices = || (0..end).map(BlockIndex);
        let was_taken = |index: &BlockIndex| self.is_untouched(*index);
        indices().filter(was_taken).for_each(|index| self.inner.stack().set_live(index));
        let free = |index: &BlockIndex| !self.is_live(*index);
        let count = indices().filter(free).count();
        self.inner.stack().drop_all();
        indices().rev().filter(free).for_each(|index| self.inner.stack().push(index));
        // Relaxed, all: this thread is the only one.
        let allocations = self.allocations.load(Ordering::Relaxed).max(end - count);
        self.allocations.store(allocations, Ordering::Relaxed);
        self.deallocations.store(allocations - (end - count), Ordering::Relaxed);
    }

    /// Looked for at blocks that nobody took or gave meanwhile.
    pub(super) fn damage_of(&self, index: BlockIndex) -> Option<Damage> {
        match () {
            () if self.is_live(index) => self.inspector.damage_of_live(index),
            () if self.is_untouched(index) => None,
            () => self.inspector.damage_of_free(index),
        }
    }

    /// The first block that something is wrong with, and how many there are.
    pub(super) fn damaged(&self) -> Option<(Damaged, usize)> {
        let damaged = |index| {
            let (block, damage) = (self.inspector.fill().block(index), self.damage_of(index)?);
            Some(Damaged { index, block, damage, when: When::Looked })
        };
        let mut found = (0..self.inner.frontier()).map(BlockIndex).filter_map(damaged);
        let first = found.next()?;
        Some((first, 1 + found.count()))
    }

    /// P1 to P3, while nobody else calls.
    pub(super) fn validate(&self) -> Result<(), Broken> {
        let counts = self.counts();
        if counts.frontier > self.capacity() {
            return Err(Broken::new("P1: the frontier lies beyond the last block"));
        }
        let is_live = |index: &usize| self.is_live(BlockIndex(*index));
        let live = (0..counts.frontier).filter(is_live).count();
        if live != counts.in_use {
            return Err(Broken::new(
                "P2: the links and the counters disagree on the blocks in use",
            ));
        }
        let free_blocks = counts.frontier - live - self.inspector.delayed();
        let sound = |index: &BlockIndex| index.0 < counts.frontier && !self.is_live(*index);
        // A walk that goes on after as many blocks as are free goes in circles.
        let listed = self.inner.stack().blocks(free_blocks + 1).take_while(sound).count();
        if listed != free_blocks {
            return Err(Broken::new("P3: the free list does not hold each free block once"));
        }
        Ok(())
    }

    /// There are none; what the inspector keeps.
    pub(super) fn magazine_bytes(&self, explicit_bytes: usize) -> usize {
        self.inspector.bytes(self.capacity()) + self.explicits.count() * explicit_bytes
    }

    pub(crate) fn capacity(&self) -> usize {
        self.inner.capacity()
    }

    pub(crate) fn extend(&self, from: usize, to: usize) -> bool {
        self.inspector.extend(to);
        // Where no lock is held, another thread may have added these blocks, and have one.
        if self.threading != Threading::LockFree {
            self.inspector.mark(from..to);
        }
        self.inner.extend(from, to)
    }

    pub(crate) fn count_failure(&self) {
        self.inner.count_failure();
    }

    pub(crate) fn place(&self, pointer: UserPointer) -> Place {
        self.inner.place(pointer)
    }

    pub(crate) fn is_untouched(&self, index: BlockIndex) -> bool {
        self.inner.is_untouched(index)
    }

    pub(crate) fn is_live(&self, index: BlockIndex) -> bool {
        self.inner.is_live(index)
    }

    pub(super) fn knows_live(&self) -> bool {
        true
    }

    pub(super) fn end(&self) -> usize {
        self.inner.frontier()
    }

    pub(super) fn would_take_back(&self, pointer: UserPointer) -> bool {
        matches!(self.place(pointer), Place::Start(index) if self.is_live(index))
    }

    /// One by one, by the slow path.
    pub(super) fn allocate_run(&self, _count: usize, _put: impl FnMut(Block)) -> usize {
        0
    }

    /// As above.
    pub(super) fn deallocate_run(
        &self,
        mut next: impl Iterator<Item = UserPointer>,
    ) -> Option<UserPointer> {
        next.next()
    }

    /// Nothing: the patterns in free blocks stay where they are.
    pub(super) fn trim_of(&self, _core: &Core) -> Result<(usize, Option<Memory>), Refusal> {
        Ok((0, None))
    }
}
