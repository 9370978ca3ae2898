//! The free blocks that all threads of a pool share, under its lock.
//!
//! ```text
//!     numbers, downwards ◄─┐                 blocks, of which none is touched
//!    .  .  .  2  8  1  5   │       │ live │ free │ free │ live │ ... │ untouched │
//!             ▲ count      ▲ end                                     ▲ frontier
//! ```
//!
//! A stack of block numbers, as an array: a batch is copied, and no link is followed.
//!
//! D1. The words before `end`, one for each block there may come to be, belong to this depot alone.
//! D2. Everything here is read and written under the pool's lock.

use core::cell::Cell;
use core::ptr::NonNull;

use crate::base::ids::BlockIndex;
use crate::cache::magazine::{BATCH_MAX, Magazine, ROUNDS_MAX};

/// What a depot takes beside each block.
pub(crate) const NUMBER_BYTES: usize = size_of::<u32>();

/// The most blocks that can be numbered.
pub(crate) const BLOCKS_MAX: usize = u32::MAX as usize - 1;

/// After so many exchanges without a theft the magazines may hold twice as much again.
const EXCHANGES_OF_PEACE: u32 = 64;

/// Where blocks wait that are in no magazine.
pub(crate) struct Depot {
    end: NonNull<u32>,
    count: Cell<usize>,
    frontier: Cell<usize>,
    /// The most blocks that a magazine of this pool may hold now, and ever.
    limit: Cell<u32>,
    limit_max: Cell<u32>,
    exchanges: Cell<u32>,
}

impl Depot {
    /// # Safety
    /// * D1.
    pub(crate) unsafe fn new(end: NonNull<u32>, capacity: usize, has_magazines: bool) -> Self {
        // In a small pool a magazine holds a part of the blocks only.
        let limit_max = match has_magazines {
            true => u32::try_from(capacity.div_ceil(2)).unwrap_or(u32::MAX).min(ROUNDS_MAX as u32),
            false => 0,
        };
        Self {
            end,
            count: Cell::new(0),
            frontier: Cell::new(0),
            limit: Cell::new(limit_max),
            limit_max: Cell::new(limit_max),
            exchanges: Cell::new(0),
        }
    }

    fn number(&self, place: usize) -> NonNull<u32> {
        // SAFETY: D1, for `place` is below the number of blocks.
        unsafe { self.end.sub(place + 1) }
    }

    fn block(&self, place: usize) -> BlockIndex {
        // SAFETY: D1 and D2.
        BlockIndex(unsafe { self.number(place).read() } as usize)
    }

    fn set_block(&self, place: usize, index: BlockIndex) {
        // SAFETY: D1 and D2.
        unsafe { self.number(place).write(index.0 as u32) };
    }

    /// How many blocks wait here.
    pub(crate) fn count(&self) -> usize {
        self.count.get()
    }

    /// Whether there is none, not even at the frontier, to which fresh blocks return.
    pub(crate) fn is_dry(&self, capacity: usize) -> bool {
        self.count() == 0 && self.frontier() == capacity
    }

    /// The first block that was never handed out.
    pub(crate) fn frontier(&self) -> usize {
        self.frontier.get()
    }

    /// The most blocks that a magazine may hold now; 0: none at all.
    pub(crate) fn limit(&self) -> u32 {
        self.limit.get()
    }

    /// Takes the newest block, or the one at the frontier.
    pub(crate) fn pop(&self, capacity: usize) -> Option<BlockIndex> {
        let Some(count) = self.count.get().checked_sub(1) else {
            let frontier = self.frontier.get();
            self.frontier.set(capacity.min(frontier + 1));
            return (frontier < capacity).then_some(BlockIndex(frontier));
        };
        self.count.set(count);
        Some(self.block(count))
    }

    /// Puts a free block on top, or makes it the one at the frontier again.
    pub(crate) fn push(&self, index: BlockIndex, is_untouched: impl FnOnce(BlockIndex) -> bool) {
        if index.0 + 1 == self.frontier.get() && self.count.get() == 0 && is_untouched(index) {
            return self.frontier.set(index.0);
        }
        let count = self.count.get();
        // More than there are only if two threads gave one block back at the same moment.
        if count < self.frontier.get() {
            self.set_block(count, index);
            self.count.set(count + 1);
        }
    }

    /// Fills an empty magazine with a batch, if there is one: of free blocks, or at the frontier.
    pub(crate) fn fill(&self, magazine: &Magazine, capacity: usize) {
        self.count_exchange();
        let wanted = magazine.next_batch(self.limit());
        if self.count() > 0 {
            let batch = wanted.min(self.count());
            let rest = self.count() - batch;
            magazine.fill(batch, |place| self.block(rest + place));
            self.count.set(rest);
        } else {
            let batch = self.whole_lines(wanted).min(capacity - self.frontier());
            let last = self.frontier() + batch - 1;
            magazine.fill(batch, |place| BlockIndex(last - place));
            self.frontier.set(self.frontier() + batch);
        }
    }

    /// As many fresh blocks, or fewer, so that the next batch begins with a line of the ledger.
    fn whole_lines(&self, wanted: usize) -> usize {
        let frontier = self.frontier();
        let end = (frontier + wanted) / BATCH_MAX as usize * BATCH_MAX as usize;
        if end > frontier { end - frontier } else { wanted }
    }

    /// Takes a batch of the newest blocks of a full magazine.
    pub(crate) fn take_from(&self, magazine: &Magazine) {
        self.count_exchange();
        let batch = magazine.next_batch(self.limit()).min(magazine.count());
        let count = self.count();
        // As in `push`.
        if count + batch <= self.frontier() {
            magazine.pour(batch, |place, index| self.set_block(count + place, index));
            self.count.set(count + batch);
        }
    }

    /// Takes all blocks of a magazine, whose batches begin small again.
    pub(crate) fn empty(&self, magazine: &Magazine, is_untouched: impl Fn(BlockIndex) -> bool) {
        magazine.empty(|index| self.push(index, &is_untouched));
        magazine.forget_batch();
    }

    /// Says that blocks had to be stolen: magazines hold less from now on, and in the end nothing,
    /// for a pool that is nearly dry is better off without them.
    pub(crate) fn count_theft(&self) {
        self.limit.set(self.limit() / 2);
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
            self.limit.set((2 * self.limit()).max(1).min(self.limit_max.get()));
        }
    }

    /// The blocks that wait here, newest first.
    pub(crate) fn blocks(&self) -> impl DoubleEndedIterator<Item = BlockIndex> {
        (0..self.count()).rev().map(|place| self.block(place))
    }

    /// Puts the free blocks into another order: `blocks`, the last of which is on top.
    pub(crate) fn rewrite(&self, blocks: impl Iterator<Item = BlockIndex>) {
        self.count.set(0);
        blocks.for_each(|index| self.push(index, |_| false));
    }

    /// Makes every block untouched.
    pub(crate) fn forget(&self) {
        self.count.set(0);
        self.frontier.set(0);
    }
}
