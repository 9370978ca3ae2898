//! The free blocks that all threads of a pool share, under its lock.
//!
//! ```text
//!    free set │ bits of the blocks that came back      blocks, of which none is touched
//!             └────────────────────────►   │ live │ free │ free │ live │ ... │ untouched │
//!                                                                            ▲ frontier
//! ```
//!
//! Blocks that came back wait in a set of bits (`free_set.rs`); the others begin at the frontier.
//! Batches are exchanged with magazines, of whole groups of neighbours where that can be. So that
//! they stay whole on their way through many hands, a magazine gives its newest blocks without
//! those of a group of which more may be on their way.
//!
//! D1. Everything here is read and written under the pool's lock.
//! D2. The groups of the blocks below the frontier were added to the set; others hold no block.

use core::cell::Cell;
use core::ops::Range;
use core::ptr::NonNull;

use crate::base::ids::BlockIndex;
use crate::cache::free_set::{Blocks, FreeSet, GROUP_BLOCKS, group_of};
use crate::cache::magazine::{Magazine, ROUNDS_MAX};

/// The most blocks that a magazine holds when there are others: two batches of a group.
const ROUNDS_AMONG_OTHERS: u32 = 2 * GROUP_BLOCKS as u32;

/// The most blocks that can be numbered.
pub(crate) const BLOCKS_MAX: usize = u32::MAX as usize - 1;

/// After so many exchanges without a theft the magazines may hold twice as much again.
const EXCHANGES_OF_PEACE: u32 = 64;

/// Where blocks wait that are in no magazine.
pub(crate) struct Depot {
    free: FreeSet,
    pub(crate) frontier: Cell<usize>,
    /// The most blocks that a magazine of this pool may hold now, and ever.
    limit: Cell<u32>,
    limit_max: Cell<u32>,
    exchanges: Cell<u32>,
    /// How many magazines may be open, or hold blocks.
    open: Cell<usize>,
}

impl Depot {
    /// # Safety
    /// * `end` is as B1 of the set wants it.
    pub(crate) unsafe fn new(end: NonNull<u64>, capacity: usize, has_magazines: bool) -> Self {
        // In a small pool a magazine holds a part of the blocks only.
        let limit_max = match has_magazines {
            true => u32::try_from(capacity.div_ceil(2)).unwrap_or(u32::MAX).min(ROUNDS_MAX as u32),
            false => 0,
        };
        Self {
            // SAFETY: by this function's contract.
            free: unsafe { FreeSet::new(end) },
            frontier: Cell::new(0),
            limit: Cell::new(limit_max),
            limit_max: Cell::new(limit_max),
            exchanges: Cell::new(0),
            open: Cell::new(0),
        }
    }

    /// How many blocks wait here.
    pub(crate) fn count(&self) -> usize {
        self.free.count()
    }

    /// Whether there is none, not even at the frontier, to which fresh blocks return.
    pub(crate) fn is_dry(&self, capacity: usize) -> bool {
        self.count() == 0 && self.frontier() == capacity
    }

    /// The first block that was never handed out.
    pub(crate) fn frontier(&self) -> usize {
        self.frontier.get()
    }

    /// The most blocks that a magazine may hold now; 0: none at all. One that is alone holds more:
    /// where threads pass blocks on, more of them under way cost more than visits here (measured).
    pub(crate) fn limit(&self) -> u32 {
        let most = if self.is_shared() { ROUNDS_AMONG_OTHERS } else { ROUNDS_MAX as u32 };
        match self.limit.get().min(most) {
            0 => 0,
            // Magazines are held to powers of two less one, which is what halving leads to.
            limit => 1 << (limit + 1).ilog2(),
        }
    }

    /// Whether several threads work on the pool. Where one is alone it gets the lowest address
    /// first: then the processor fetches what the thread writes to next. Among others it gets the
    /// highest first, or the processor would fetch lines that others still use (both measured).
    fn is_shared(&self) -> bool {
        self.open.get() > 1
    }

    /// Says that so many more magazines may be open, or hold blocks.
    pub(crate) fn count_open(&self, magazines: usize) {
        self.open.set(self.open.get() + magazines);
    }

    /// Whether there is one.
    pub(crate) fn has_open(&self) -> bool {
        self.open.get() > 0
    }

    /// Says that all are closed and empty.
    pub(crate) fn forget_open(&self) {
        self.open.set(0);
    }

    /// Takes a block, or the one at the frontier.
    pub(crate) fn pop(&self, capacity: usize) -> Option<BlockIndex> {
        match self.count() {
            0 => self.advance(1.min(capacity - self.frontier())).next().map(BlockIndex),
            _ => self.free.take(1).next(),
        }
    }

    /// Takes the first `count` blocks that were never handed out.
    fn advance(&self, count: usize) -> Range<usize> {
        let fresh = self.frontier()..self.frontier() + count;
        let new = fresh.start.div_ceil(GROUP_BLOCKS)..fresh.end.div_ceil(GROUP_BLOCKS);
        self.free.add_groups(new);
        self.frontier.set(fresh.end);
        fresh
    }

    /// Puts a free block here, or makes it the one at the frontier again.
    pub(crate) fn push(&self, index: BlockIndex, is_untouched: impl FnOnce(BlockIndex) -> bool) {
        if index.0 + 1 == self.frontier() && self.count() == 0 && is_untouched(index) {
            return self.frontier.set(index.0);
        }
        self.free.put_all([index].into_iter());
    }

    /// Fills an empty magazine with a batch, if there is one: of free blocks, or at the frontier.
    pub(crate) fn fill(&self, magazine: &Magazine, capacity: usize) {
        self.count_exchange();
        let wanted = magazine.next_batch(self.limit());
        if self.count() == 0 {
            let fresh = self.whole_groups(wanted).min(capacity - self.frontier());
            magazine.fill(fresh, self.advance(fresh).rev().map(BlockIndex));
        } else {
            self.fill_from_set(magazine, wanted);
        }
        magazine.open(self.limit());
    }

    fn fill_from_set(&self, magazine: &Magazine, wanted: usize) {
        // A large batch is made of whole groups, rather than of just so many blocks.
        let most = if wanted >= GROUP_BLOCKS { self.limit() as usize } else { wanted };
        let take = |have: usize| match have < wanted && self.count() > 0 {
            true => self.free.take(most - have),
            false => Blocks::none(),
        };
        while magazine.count() < wanted && self.count() > 0 {
            let first = take(magazine.count());
            if self.is_shared() {
                magazine.fill(first.len(), first);
            } else {
                // What is on top is taken first: the lower of two groups.
                let second = take(magazine.count() + first.len());
                magazine.fill_backwards(second.len(), second);
                magazine.fill_backwards(first.len(), first);
            }
        }
    }

    /// As many fresh blocks, or fewer, so that the next batch begins with a group.
    fn whole_groups(&self, wanted: usize) -> usize {
        let frontier = self.frontier();
        let end = (frontier + wanted) / GROUP_BLOCKS * GROUP_BLOCKS;
        if end > frontier { end - frontier } else { wanted }
    }

    /// Takes a batch of the newest blocks of a full magazine, which is this thread's, and those
    /// that are too many since others came.
    pub(crate) fn take_from(&self, magazine: &Magazine) {
        self.count_exchange();
        let too_many = magazine.count().saturating_sub(self.limit() as usize);
        let batch = (magazine.next_batch(self.limit()) + too_many).min(magazine.count());
        let end = match batch >= GROUP_BLOCKS {
            true => magazine.count() - of_unfinished_group(magazine),
            false => magazine.count(),
        };
        let batch = end.saturating_sub(batch)..end;
        self.put_newest_first(magazine, batch.clone());
        magazine.remove(batch);
        magazine.open(self.limit());
    }

    /// Takes the blocks at some places, by groups as far as they are whole ones in order.
    fn put_newest_first(&self, magazine: &Magazine, places: Range<usize>) {
        let mut rest = places;
        while let Some(start) = rest.end.checked_sub(GROUP_BLOCKS).filter(|&at| at >= rest.start)
            && magazine.is_run(start..rest.end)
        {
            magazine.blocks_at(start..start + 1).for_each(|index| self.free.put_group_of(index));
            rest.end = start;
        }
        self.free.put_all(magazine.blocks_at(rest));
    }

    /// Takes all blocks of a magazine, whose batches begin small again.
    pub(crate) fn empty(&self, magazine: &Magazine, is_untouched: impl Fn(BlockIndex) -> bool) {
        magazine.empty(|index| self.push(index, &is_untouched));
        magazine.forget_batch();
    }

    /// Says that blocks had to be stolen: magazines hold less from now on, and in the end nothing,
    /// for a pool that is nearly dry is better off without them.
    pub(crate) fn count_theft(&self) {
        self.limit.set(self.limit.get() / 2);
        self.exchanges.set(0);
    }

    /// Says that there will be no magazines any more.
    pub(crate) fn give_up_magazines(&self) {
        self.limit.set(0);
        self.limit_max.set(0);
    }

    /// Says that the lock was taken without need for a theft.
    pub(crate) fn count_exchange(&self) {
        self.exchanges.set(self.exchanges.get() + 1);
        if self.exchanges.get() >= EXCHANGES_OF_PEACE {
            self.exchanges.set(0);
            self.limit.set((2 * self.limit.get()).max(1).min(self.limit_max.get()));
        }
    }

    /// Whether a block below the frontier waits here.
    pub(crate) fn holds(&self, index: BlockIndex) -> bool {
        self.free.holds(index)
    }

    /// Puts the lowest address on top.
    pub(crate) fn sort(&self) {
        self.free.sort(self.frontier());
    }

    /// Whether the set is as it should be, and `is_free` of each block in it.
    pub(crate) fn is_sound(&self, is_free: impl Fn(BlockIndex) -> bool) -> bool {
        self.free.is_sound(self.frontier()) && self.free.blocks(self.frontier()).all(is_free)
    }

    /// Makes every block untouched.
    pub(crate) fn forget(&self) {
        self.free.clear();
        self.frontier.set(0);
    }
}

/// How many of the newest blocks of a magazine are of a group of which more may come.
fn of_unfinished_group(magazine: &Magazine) -> usize {
    let mut newest = magazine.newest().map(group_of);
    let Some(group) = newest.next() else { return 0 };
    let oldest_of_whole = magazine.count().saturating_sub(GROUP_BLOCKS);
    let is_of_it = |index| group_of(index) == group;
    // Then those between are of it as well, nearly always; if not, a group is parted, no more.
    if magazine.blocks_at(oldest_of_whole..oldest_of_whole + 1).all(is_of_it) {
        return 0;
    }
    1 + newest.take_while(|&its| its == group).count()
}
