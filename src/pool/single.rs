//! The single-owner engine: the seed's pool. Two moves take a block, two moves bring it back.
//!
//! ```text
//!           at hand      free list         kept
//!             │   │       ┌──────────────┐   │
//!   span   │ free free │ free │ live │ free free │ untouched   untouched   untouched │
//!                                                ▲ frontier                          ▲ capacity
//! ```
//!
//! A block that comes back goes on the free list, or is kept at hand (`freelist/hand.rs`) if the
//! pool is large and keeps none. One is taken from where it was kept, from the list, or from the
//! frontier, which then moves up by one. Nothing is linked before it was used once, so that
//! creation touches no block.
//!
//! Who gives and takes by turns, whichever blocks, touches none of a large pool's: the line of one
//! that has not been used for long is slow to come, and the stores behind it wait. In a small pool
//! all lines are near, and none is kept there: so each free block is on the list, where a write
//! into it is noticed.
//!
//! Programs that inline the hot paths (`pool_inline.h`) keep the newest free blocks at hand, in
//! words that are lent to them (`view.rs`). Meanwhile the calls of the library put nothing there,
//! and take from there when the free list is empty: measured, through a call the list is faster.
//!
//! The frontier only moves while no block below it is free, which is to say while every one of them
//! is in use. So the frontier is the highest number of blocks that were ever in use at once,
//! and the peak costs nothing to keep.
//!
//! State is kept in `Cell`s, because a callback that reports a misuse may call into its own pool.
//! Calls from two threads at once are the caller's to prevent.

use core::cell::Cell;
use core::hint::cold_path;

use crate::base::error::Error;
use crate::base::ids::{Block, BlockIndex, UserPointer};
use crate::checks::Checks;
use crate::checks::ledger::State;
use crate::freelist::hand::Hand;
use crate::freelist::intrusive::IntrusiveList;
use crate::freelist::waiting::WaitingPages;
use crate::layout::geometry::Place;
use crate::layout::pages::Pages;
use crate::pool::report::Finding;
use crate::pool::view::LentHand;

/// Bytes of blocks from which on a pool is large: what the nearest caches of processors hold.
const LARGE_BYTES: usize = 256 << 10;

/// The state of a single-owner pool. The words of the hot paths come first.
#[repr(C)]
pub(crate) struct Single<C: Checks> {
    /// Blocks that did not come from the hand, and that did not go there.
    pub(super) allocations: Cell<u64>,
    pub(super) deallocations: Cell<u64>,
    free: IntrusiveList,
    pub(super) checks: C,
    /// Whether the next block that comes back may have to do with a kept one: there is room for
    /// it, or a program keeps one.
    may_keep: Cell<bool>,
    capacity: Cell<usize>,
    pub(super) frontier: Cell<usize>,
    /// Blocks that were let go by the hand, and not taken from it.
    pub(super) let_go: Cell<u64>,
    failures: Cell<u64>,
    pub(super) peak_before_reset: Cell<usize>,
    pub(super) waiting: WaitingPages,
    pub(super) pages: Pages,
    pub(super) hand: LentHand,
}

/// What the slow path of an allocation found.
pub(crate) struct Supply {
    /// `None`: every block is in use.
    pub(crate) block: Option<Block>,
    pub(crate) finding: Option<Finding>,
}

impl Supply {
    /// Nothing was found beside it.
    pub(crate) fn of(block: Option<Block>) -> Self {
        Self { block, finding: None }
    }
}

/// The figures that an engine keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) in_use: usize,
    pub(crate) peak_in_use: usize,
    pub(crate) allocations: u64,
    pub(crate) deallocations: u64,
    pub(crate) failures: u64,
    /// Blocks from here on were not touched since the last reset.
    pub(crate) frontier: usize,
}

fn add(counter: &Cell<u64>, count: u64) {
    counter.set(counter.get().wrapping_add(count));
}

impl<C: Checks> Single<C> {
    /// For the blocks of `checks`, none of which was handed out yet.
    pub(crate) fn new(checks: C, pages: Pages) -> Self {
        let capacity = checks.geometry().capacity();
        let engine = Self {
            allocations: Cell::new(0),
            deallocations: Cell::new(0),
            free: IntrusiveList::new(),
            checks,
            may_keep: Cell::new(false),
            capacity: Cell::new(capacity),
            frontier: Cell::new(0),
            let_go: Cell::new(0),
            failures: Cell::new(0),
            peak_before_reset: Cell::new(0),
            waiting: WaitingPages::new(),
            pages,
            hand: LentHand::new(),
        };
        engine.prepare_to_keep();
        engine
    }

    /// A block is kept by a large pool, or by the program that has its words: then each one that
    /// comes back is compared with what the program keeps.
    pub(super) fn prepare_to_keep(&self) {
        let is_large = self.capacity() * self.checks.geometry().stride >= LARGE_BYTES;
        let has_room = is_large && self.hand.own.kept.get().is_none();
        self.may_keep.set(self.hand.is_lent() || has_room);
    }

    #[inline(always)]
    pub(crate) fn allocate(&self) -> Option<Block> {
        let own = &self.hand.own;
        if let Some(block) = own.kept.get() {
            // Not seldom at all, but bursts take more for one more jump (measured).
            cold_path();
            own.kept.set(None);
            add(&own.taken_kept, 1);
            self.may_keep.set(true);
            return Some(block);
        }
        // An empty list has a null head, and null is no block: one test finds both.
        let block = self.checks.hand_out(self.free.first())?;
        // SAFETY: the checks vouch that the head is a block.
        unsafe { self.free.remove_first(block) };
        add(&self.allocations, 1);
        Some(block)
    }

    /// Puts the block that the hand keeps on the free list, so that the ledger is right about all
    /// (A3).
    pub(super) fn settle(&self) {
        if let Some(kept) = self.hand().kept.take() {
            self.checks.hand_in_known(self.checks.known(kept));
            add(&self.let_go, 1);
            // SAFETY: A2, and it is with the hand no more.
            unsafe { self.free.push(kept) };
            self.prepare_to_keep();
        }
    }

    pub(super) fn take_from_hand(&self) -> Option<Block> {
        let block = self.hand().take()?;
        self.checks.hand_out_known(self.checks.known(block));
        Some(block)
    }

    #[inline(always)]
    pub(crate) fn deallocate(&self, pointer: UserPointer) -> bool {
        let Some(known) = self.checks.find_live(pointer) else { return false };
        // SAFETY: a live block starts there.
        let block = unsafe { pointer.vouched() };
        if self.may_keep.get() {
            // As in `allocate`.
            cold_path();
            return self.keep(block, known);
        }
        if self.hand.own.kept.get() == Some(block) {
            // The slow path says so.
            return false;
        }
        self.checks.hand_in_known(known);
        self.put_on_list(block);
        true
    }

    /// Of a large pool, or one whose words are lent. `false`: the program keeps it already.
    #[inline(always)]
    fn keep(&self, block: Block, known: C::Known) -> bool {
        if self.hand.is_lent() {
            return self.put_beside_program(block, known);
        }
        self.may_keep.set(false);
        self.hand.own.kept.set(Some(block));
        true
    }

    #[cold]
    fn put_beside_program(&self, block: Block, known: C::Known) -> bool {
        if self.hand().kept.get() == Some(block) {
            // As in `deallocate`.
            return false;
        }
        self.checks.hand_in_known(known);
        self.put_on_list(block);
        true
    }

    #[inline(always)]
    fn put_on_list(&self, block: Block) {
        // SAFETY: the checks vouch that it was a live block, so it is on no list.
        unsafe { self.free.push(block) };
        add(&self.deallocations, 1);
    }

    pub(crate) fn allocate_slow(&self) -> Supply {
        if let Some(block) = self.allocate() {
            return Supply::of(Some(block));
        }
        if self.free.first().is_null() {
            if let Some(block) = self.take_from_hand() {
                return Supply::of(Some(block));
            }
            if let Some(page) = self.waiting.pop() {
                self.link_blocks_of(page);
                return Supply::of(self.allocate());
            }
            if self.counts().in_use == self.frontier.get() {
                return Supply::of(self.allocate_fresh());
            }
        }
        // P3 is broken: something wrote into a free block and so into its link.
        let repaired = self.rebuild_free_list();
        let finding = repaired.map(|free_blocks| Finding::DamagedFreeList { free_blocks });
        Supply { block: self.allocate().or_else(|| self.allocate_fresh()), finding }
    }

    /// The block at the frontier, unless one is free that was used before, or something is wrong.
    pub(super) fn allocate_in_order(&self) -> Option<Block> {
        let is_next = self.free.first().is_null() && self.counts().in_use == self.frontier.get();
        if is_next { self.allocate_fresh() } else { None }
    }

    /// The block at the frontier.
    fn allocate_fresh(&self) -> Option<Block> {
        let index = BlockIndex(self.frontier.get());
        if index.0 == self.capacity.get() {
            return None;
        }
        self.checks.hand_out_fresh(index);
        self.frontier.set(index.0 + 1);
        add(&self.allocations, 1);
        Some(self.block_at(index))
    }

    /// Links the blocks that the ledger calls free, lowest address first. The links themselves
    /// say nothing any more; the ledger lies outside the blocks and still knows.
    fn rebuild_free_list(&self) -> Option<usize> {
        self.settle();
        let ledger = self.checks.ledger()?;
        self.forget_free();
        self.waiting.clear();
        let free = ledger.indices_in(State::Free, self.frontier.get());
        // SAFETY: blocks that the ledger calls free are in nobody's use, and the list was empty.
        let push = |index| unsafe { self.free.push(self.block_at(index)) };
        Some(free.rev().map(push).count())
    }

    /// Leaves the hand and the free list empty; what was there is the caller's to find.
    pub(super) fn forget_free(&self) {
        add(&self.let_go, self.hand().forget());
        self.free.clear();
        self.prepare_to_keep();
    }

    /// Lets inlined calls find no block, and no place for one, until [`show`](Self::show).
    pub(super) fn hide(&self) {
        self.settle();
        // Nothing comes to the hand while this is hidden, so it is emptied but once.
        // SAFETY: A2, and they are forgotten below.
        self.hand().blocks().for_each(|block| unsafe { self.free.push(block) });
        add(&self.let_go, self.hand().forget());
        self.hand.hide();
    }

    /// Undoes `hide`, if it was done.
    pub(super) fn show(&self) {
        self.hand.show(self.checks.geometry());
    }

    pub(crate) fn deallocate_slow(&self, pointer: UserPointer) -> Result<(), Error> {
        self.settle();
        if let Some(block) = self.checks.take_back_slow(pointer)? {
            self.put_on_list(block);
        }
        Ok(())
    }

    pub(crate) fn reset(&self) {
        let counts = self.counts();
        self.peak_before_reset.set(counts.peak_in_use);
        add(&self.deallocations, counts.in_use as u64);
        self.forget_free();
        self.waiting.clear();
        if let Some(ledger) = self.checks.ledger() {
            ledger.forget(counts.frontier);
        }
        self.frontier.set(0);
    }

    pub(crate) fn counts(&self) -> Counts {
        let hand = self.hand();
        let (taken, not_taken) = (hand.taken(), hand.count() as u64 + self.let_go.get());
        let allocations = self.allocations.get().wrapping_add(taken);
        let deallocations = self.deallocations.get().wrapping_add(taken + not_taken);
        let frontier = self.frontier.get();
        Counts {
            in_use: allocations.wrapping_sub(deallocations) as usize,
            peak_in_use: self.peak_before_reset.get().max(frontier),
            allocations,
            deallocations,
            failures: self.failures.get(),
            frontier,
        }
    }

    /// The start of a block. `index < capacity`.
    pub(crate) fn block_at(&self, index: BlockIndex) -> Block {
        debug_assert!(index.0 < self.capacity.get());
        // SAFETY: P1, the blocks lie in the span up to `capacity`.
        unsafe { self.checks.base().add(self.checks.geometry().offset_of(index)) }
    }

    /// There are none.
    pub(crate) fn magazine_bytes(&self, _explicit_bytes: usize) -> usize {
        0
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity.get()
    }

    /// Says that there are `to` blocks now, which the span has committed. Nobody else calls, so
    /// there are still `from`.
    pub(crate) fn extend(&self, _from: usize, to: usize) -> bool {
        self.capacity.set(to);
        self.checks.geometry().set_capacity(to);
        self.hand.extend(self.checks.geometry());
        self.prepare_to_keep();
        true
    }

    pub(super) fn count_allocations(&self, count: usize) {
        add(&self.allocations, count as u64);
    }

    pub(super) fn count_deallocations(&self, count: usize) {
        add(&self.deallocations, count as u64);
    }

    /// Counts an allocation that found no block.
    pub(crate) fn count_failure(&self) {
        add(&self.failures, 1);
    }

    pub(crate) fn place(&self, pointer: UserPointer) -> Place {
        self.checks.place(pointer)
    }

    /// Whether the block was never handed out, as far as is known.
    pub(crate) fn is_untouched(&self, index: BlockIndex) -> bool {
        self.is_in(State::Untouched, index)
    }

    /// Whether the block is live, as far as is known.
    pub(crate) fn is_live(&self, index: BlockIndex) -> bool {
        self.is_in(State::Live, index) && self.hand().kept.get() != Some(self.block_at(index))
    }

    fn is_in(&self, state: State, index: BlockIndex) -> bool {
        self.checks.ledger().is_some_and(|ledger| ledger.state(index) == state as u8)
    }

    /// With a ledger that is right about every block.
    pub(crate) fn checks(&self) -> &C {
        self.settle();
        &self.checks
    }

    pub(crate) fn hand(&self) -> &Hand {
        self.hand.get()
    }

    pub(crate) fn free(&self) -> &IntrusiveList {
        &self.free
    }
}
