//! The safe engine: any thread may call at any time, and most calls meet nobody.
//!
//! ```text
//!   allocate:   own magazine ─► depot ─► frontier ─► the magazines of others ─► none
//!   deallocate: own magazine ─► depot
//!               └ fast path     └──── slow path, under the pool's lock ────┘
//! ```
//!
//! The state of each block is in the ledger; nothing is ever read or written in a block.
//!
//! `None` is exact: it is answered under the lock, when the depot is empty, the frontier is at the
//! capacity, and every magazine is empty. A block that a thread gives back at that very moment was
//! live.

use core::cell::Cell;
use core::ptr::NonNull;

use crate::base::error::Error;
use crate::base::ids::{Block, BlockIndex, UserPointer};
use crate::base::sync::barrier;
use crate::cache::depot::Depot;
use crate::cache::magazine::Magazine;
use crate::cache::magazines::{Explicit, Magazines, Own};
use crate::cache::visits::Visits;
use crate::checks::ledger::{SharedLedger, State};
use crate::host::{probe, thread};
use crate::layout::geometry::{Geometry, Place};
use crate::pool::single::{Counts, Supply};

/// The state of a safe pool. `CHECKED`: a block that is not live is not taken back.
#[repr(C)]
pub(crate) struct Safe<const CHECKED: bool> {
    pub(super) base: NonNull<u8>,
    pub(super) ledger: SharedLedger,
    pub(super) geometry: Geometry,
    /// Here, so that its first words share a cache line with what is above.
    magazines: Magazines,
    /// What is above is read by every call, what is below is written under the lock: not on the
    /// same cache lines.
    apart: [usize; 16],
    pub(super) depot: Depot,
    pub(super) visits: Visits,
    /// Whether all magazines do.
    stay_closed: Cell<bool>,
    /// Blocks that went to or came from the depot one by one.
    operations: Cell<usize>,
    failures: Cell<usize>,
    taken_by_reset: Cell<usize>,
    /// As far as it was asked for, or a reset came.
    peak: Cell<usize>,
}

impl<const CHECKED: bool> Safe<CHECKED> {
    /// For the blocks of `geometry`, none of which was handed out yet.
    pub(crate) fn new(
        depot: Depot,
        ledger: SharedLedger,
        base: NonNull<u8>,
        geometry: Geometry,
    ) -> Self {
        let zero = || Cell::new(0);
        Self {
            base,
            ledger,
            geometry,
            magazines: if depot.limit() > 0 { Magazines::new() } else { Magazines::none() },
            apart: [0; _],
            depot,
            visits: Visits::default(),
            stay_closed: Cell::new(false),
            operations: zero(),
            failures: zero(),
            taken_by_reset: zero(),
            peak: zero(),
        }
    }

    #[inline(always)]
    pub(crate) fn allocate(&self) -> Option<Block> {
        self.allocate_from(self.magazines.of_this_thread()?)
    }

    /// A block of a magazine that this thread owns.
    #[inline(always)]
    pub(crate) fn allocate_from(&self, magazine: &Magazine) -> Option<Block> {
        Some(self.block_at(magazine.take(|index| self.note(index, State::Live))?))
    }

    #[inline(always)]
    pub(super) fn note(&self, index: BlockIndex, state: State) {
        if CHECKED {
            self.ledger.set(index, state);
        }
    }

    #[inline(always)]
    pub(super) fn block_at(&self, index: BlockIndex) -> Block {
        // SAFETY: P1, the blocks lie in the span up to the capacity.
        unsafe { self.base.add(self.geometry.offset_of(index)) }
    }

    #[inline(always)]
    pub(crate) fn deallocate(&self, pointer: UserPointer) -> bool {
        let magazine = self.magazines.of_this_thread();
        magazine.is_some_and(|magazine| self.deallocate_to(magazine, pointer))
    }

    /// Takes a block back into a magazine that this thread owns.
    #[inline(always)]
    pub(crate) fn deallocate_to(&self, magazine: &Magazine, pointer: UserPointer) -> bool {
        let Some(index) = self.geometry.index_of(self.offset(pointer)) else { return false };
        // Looked up once: another look after the magazine's barrier would need one register more
        // than there are without a stack frame.
        let entry = self.ledger.entry(index);
        if CHECKED && !entry.is(State::Live) {
            return false;
        }
        let note = || {
            if CHECKED {
                entry.set(State::Free);
            }
        };
        magazine.put(index, note)
    }

    #[inline(always)]
    pub(super) fn offset(&self, pointer: UserPointer) -> usize {
        pointer.address().wrapping_sub(self.base.addr().get())
    }

    /// Under the pool's lock, as all that follow.
    pub(crate) fn allocate_slow(&self) -> Supply {
        let take = || self.take(&self.magazines);
        let index = take().or_else(|| if self.steal() { take() } else { None });
        Supply::of(index.map(|index| self.block_at(index)))
    }

    /// A block of a magazine that this thread owns, or of the depot.
    pub(crate) fn allocate_slow_from(&self, magazine: &Magazine) -> Option<Block> {
        Some(self.block_at(self.take(magazine)?))
    }

    fn take(&self, own: &impl Own) -> Option<BlockIndex> {
        let note = |index| self.note(index, State::Live);
        let is_dry = self.depot.is_dry(self.capacity());
        if is_dry && own.magazine().is_none_or(|magazine| magazine.count() == 0) {
            return None;
        }
        if let Some(magazine) = self.open(own) {
            return magazine.take(note).or_else(|| {
                self.depot.fill(magazine, self.capacity());
                magazine.take(note)
            });
        }
        let index = self.depot.pop(self.capacity())?;
        self.count_operations(1);
        note(index);
        Some(index)
    }

    /// This thread's own magazine, open; `None`: the thread works with the depot.
    fn open<'own>(&self, own: &'own impl Own) -> Option<&'own Magazine> {
        if self.depot.limit() == 0 || self.stay_closed.get() {
            if let Some(magazine) = own.magazine() {
                self.empty(magazine);
            }
            self.depot.count_exchange();
            self.visits.count_one();
            return None;
        }
        let magazine = own.provide()?;
        let was_open = self.visits.refresh(magazine);
        self.depot.count_open(usize::from(!was_open));
        magazine.open(self.depot.limit());
        Some(magazine)
    }

    /// Fetches the blocks back that wait in magazines; `false`: there are none. To look at open
    /// ones would not do: a block can move from one that was not looked at yet to one that was.
    /// Once all are closed, no look is needed before the next is opened.
    fn steal(&self) -> bool {
        let found = self.depot.has_open() && self.gather() && !self.depot.is_dry(self.capacity());
        if found {
            probe::steal(self.base.addr().get(), self.depot.count());
            self.depot.count_theft();
        }
        found
    }

    /// Closes all magazines; `false`: the system does not let us know any more when their owners
    /// are off them. They give their blocks to the depot with their next call.
    pub(crate) fn close(&self) -> bool {
        self.magazines.all().for_each(Magazine::close);
        if !self.depot.has_open() {
            return true;
        }
        if !barrier::heavy() {
            self.depot.give_up_magazines();
            return false;
        }
        for magazine in self.magazines.all() {
            (0..).take_while(|_| !magazine.is_idle()).for_each(thread::pause);
        }
        true
    }

    /// Brings all free blocks into the depot.
    pub(super) fn gather(&self) -> bool {
        let is_closed = self.close();
        if is_closed {
            self.empty_all();
        }
        is_closed
    }

    /// The same while nobody else calls: then no fence is needed.
    pub(super) fn gather_alone(&self) {
        self.magazines.all().for_each(Magazine::close);
        self.empty_all();
    }

    fn empty_all(&self) {
        self.magazines.all().for_each(|magazine| self.empty(magazine));
        self.depot.forget_open();
    }

    /// In the child of a fork.
    pub(super) fn settle(&self) {
        self.magazines.all().for_each(Magazine::settle);
    }

    /// Sends every thread to the lock from now on; `false`: as for [`close`](Self::close).
    pub(crate) fn keep_closed(&self) -> bool {
        self.stay_closed.set(true);
        self.gather()
    }

    pub(crate) fn let_open(&self) {
        self.stay_closed.set(false);
    }

    pub(super) fn empty(&self, magazine: &Magazine) {
        self.depot.empty(magazine, |index| self.is_fresh(index));
    }

    /// Whether the block was never handed out; `false` where no ledger says so.
    pub(super) fn is_fresh(&self, index: BlockIndex) -> bool {
        CHECKED && self.ledger.is(State::Untouched, index)
    }

    pub(crate) fn deallocate_slow(&self, pointer: UserPointer) -> Result<(), Error> {
        match self.place(pointer) {
            _ if pointer.is_null() => Ok(()),
            Place::Foreign => Err(Error::ForeignPointer),
            Place::Interior(..) => Err(Error::InteriorPointer),
            Place::Start(index) if CHECKED && !self.is_live(index) => Err(Error::DoubleFree),
            Place::Start(index) => {
                self.take_back(&self.magazines, index);
                Ok(())
            }
        }
    }

    /// Takes a block back into a magazine that this thread owns, or into the depot.
    pub(crate) fn deallocate_slow_to(&self, magazine: &Magazine, pointer: UserPointer) -> bool {
        match self.place(pointer) {
            Place::Start(index) if !CHECKED || self.is_live(index) => {
                self.take_back(magazine, index);
                true
            }
            _ => false,
        }
    }

    fn take_back(&self, own: &impl Own, index: BlockIndex) {
        let note = || self.note(index, State::Free);
        let put = |magazine: &Magazine| {
            magazine.put(index, note) || self.put_into_full(magazine, index, note)
        };
        if !self.open(own).is_some_and(put) {
            note();
            self.depot.push(index, |_| false);
            self.count_operations(1);
        }
        self.visits.forget();
    }

    /// Fresh blocks, which are the oldest, go first: they would be taken before those in the depot.
    fn put_into_full(&self, magazine: &Magazine, index: BlockIndex, note: impl FnOnce()) -> bool {
        if magazine.blocks().next().is_some_and(|oldest| self.is_fresh(oldest)) {
            self.empty(magazine);
            return magazine.put(index, note);
        }
        // One more than it may hold, so that what goes can be a whole group.
        magazine.put_over(index, note);
        self.depot.take_from(magazine);
        true
    }

    pub(super) fn count_operations(&self, count: usize) {
        self.operations.set(self.operations.get() + count);
    }

    /// No other call may be under way.
    pub(crate) fn reset(&self) {
        self.gather_alone();
        let counts = self.counts();
        self.taken_by_reset.set(self.taken_by_reset.get() + counts.in_use);
        self.depot.forget();
        self.ledger.forget(counts.frontier);
    }

    /// Exact when nobody calls meanwhile, else each magazine's of a moment; what only ever grows
    /// does so from look to look. The peak is the number of blocks that were ever touched: a thread
    /// touches a fresh one only when it has no other and the depot has none, so more were never in
    /// use at once, and as many were but for those that waited in the magazines of other threads.
    pub(crate) fn counts(&self) -> Counts {
        let (mut waiting, mut operations) = (self.depot.count(), self.operations.get());
        let mut fresh = 0;
        for magazine in self.magazines.all() {
            let (count, its_operations) = magazine.figures();
            (waiting, operations) = (waiting + count, operations + its_operations);
            fresh += magazine.blocks().filter(|&index| self.is_fresh(index)).count();
        }
        let frontier = self.depot.frontier();
        let peak = self.peak.get().max(frontier.saturating_sub(fresh));
        self.peak.set(peak);
        // Below 0 when a block went from one magazine to another between two looks.
        let in_use = frontier as isize - waiting as isize;
        let taken_by_reset = self.taken_by_reset.get() as isize;
        // allocations + deallocations = operations,
        // allocations - deallocations = in_use + taken_by_reset.
        let given_back = (operations as isize - in_use - taken_by_reset) / 2;
        let deallocations = given_back.max(0) + taken_by_reset;
        Counts {
            in_use: in_use.max(0) as usize,
            peak_in_use: peak,
            allocations: (deallocations + in_use).max(0) as u64,
            deallocations: deallocations as u64,
            failures: self.failures.get() as u64,
            frontier,
        }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.geometry.capacity()
    }

    /// Says that there are `to` blocks now, which the span has committed.
    pub(crate) fn extend(&self, from: usize, to: usize) -> bool {
        self.geometry.extend(from, to)
    }

    pub(crate) fn count_failure(&self) {
        self.failures.set(self.failures.get() + 1);
    }

    pub(crate) fn place(&self, pointer: UserPointer) -> Place {
        self.geometry.place(self.offset(pointer))
    }

    /// Whether the block is live, as far as is known.
    pub(crate) fn is_live(&self, index: BlockIndex) -> bool {
        self.ledger.is(State::Live, index)
    }

    /// Adds an explicit cache to those that blocks are stolen from.
    ///
    /// # Safety
    /// * It stays where it is until it is removed.
    pub(super) unsafe fn add(&self, explicit: &Explicit) {
        // SAFETY: by this function's contract.
        unsafe { self.magazines.explicits.add(explicit) };
    }

    /// Takes one of the explicit caches from the list, at the end of the pool.
    pub(super) fn pop_explicit(&self) -> Option<NonNull<Explicit>> {
        self.magazines.explicits.pop()
    }

    /// Takes its blocks back, when its owner is off it; what it counted stays counted.
    pub(super) fn remove(&self, explicit: &Explicit) {
        self.close();
        self.empty(&explicit.magazine);
        self.count_operations(explicit.magazine.figures().1);
        self.magazines.explicits.remove(explicit);
    }

    pub(super) fn ledger(&self) -> SharedLedger {
        self.ledger
    }

    pub(super) fn own_magazine(&self) -> Option<&Magazine> {
        self.magazines.of_this_thread()
    }

    pub(super) fn magazines(&self) -> &Magazines {
        &self.magazines
    }
}
