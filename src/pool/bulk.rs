//! Many blocks at once: what single calls do, with the head of the free list and the counters kept
//! in registers from one block to the next, or by the depot, past the magazines.
//!
//! Both functions stop at the first block that the hot path can't decide, with everything up to it
//! done and written down; the caller takes the slow path for that one and comes back.

use crate::base::ids::{Block, BlockIndex, UserPointer};
use crate::checks::Checks;
use crate::checks::ledger::State;
use crate::freelist::intrusive::IntrusiveList;
use crate::pool::core::Core;
use crate::pool::engine::each;
use crate::pool::safe::Safe;
use crate::pool::single::Single;

impl Core {
    /// Hands up to `count` blocks to `put`, in order; answers how many: none while allocations fail
    /// on purpose, for then they are counted one by one.
    pub(super) fn allocate_run(&self, count: usize, put: impl FnMut(Block)) -> usize {
        if self.failing.is_armed() {
            return 0;
        }
        each!(&self.engine, engine => engine.allocate_run(count, put))
    }

    /// Takes blocks back from `next` until it ends; `Some`: one that the slow path must look at.
    pub(super) fn deallocate_run(
        &self,
        next: impl Iterator<Item = UserPointer>,
    ) -> Option<UserPointer> {
        each!(&self.engine, engine => engine.deallocate_run(next))
    }
}

impl<C: Checks> Single<C> {
    #[inline]
    pub(super) fn allocate_run(&self, count: usize, mut put: impl FnMut(Block)) -> usize {
        let mut got = 0;
        while got < count
            && let Some(block) = self.take_from_hand()
        {
            put(block);
            got += 1;
        }
        let from_hand = got;
        self.prepare_to_keep();
        let mut head = self.free().first();
        while got < count
            && let Some(block) = self.checks.hand_out(head)
        {
            // SAFETY: the checks vouch that the head is a block, and it is free.
            head = unsafe { IntrusiveList::link_of(block) };
            put(block);
            got += 1;
        }
        self.free().set_first(head);
        // Only where nothing is left to be linked or repaired.
        let in_use = self.counts().in_use + got - from_hand;
        if got < count && head.is_null() && in_use == self.frontier.get() {
            let first = self.frontier.get();
            let end = self.capacity().min(first + count - got);
            for index in first..end {
                self.checks.hand_out_fresh(BlockIndex(index));
                put(self.block_at(BlockIndex(index)));
            }
            self.frontier.set(end);
            got += end - first;
        }
        self.count_allocations(got - from_hand);
        got
    }

    #[inline]
    pub(super) fn deallocate_run(
        &self,
        mut next: impl Iterator<Item = UserPointer>,
    ) -> Option<UserPointer> {
        self.settle();
        let mut head = self.free().first();
        let mut given = 0;
        let stopped = next.find(|&pointer| {
            let Some(block) = self.checks.take_back(pointer) else { return true };
            // SAFETY: the checks vouch that it was a live block, so it is on no list.
            unsafe { IntrusiveList::link(block, head) };
            head = block.as_ptr();
            given += 1;
            false
        });
        self.free().set_first(head);
        self.count_deallocations(given);
        stopped
    }
}

impl<const CHECKED: bool> Safe<CHECKED> {
    pub(super) fn allocate_run(&self, count: usize, mut put: impl FnMut(Block)) -> usize {
        let note = |index| self.note(index, State::Live);
        let own = self.own_magazine();
        let (mut got, mut from_depot) = (0, 0);
        while got < count {
            let cached = own.and_then(|magazine| magazine.take(note));
            let Some(index) = cached.or_else(|| self.depot.pop(self.capacity())) else { break };
            if cached.is_none() {
                note(index);
                from_depot += 1;
            }
            put(self.block_at(index));
            got += 1;
        }
        self.count_operations(from_depot);
        got
    }

    pub(super) fn deallocate_run(
        &self,
        mut next: impl Iterator<Item = UserPointer>,
    ) -> Option<UserPointer> {
        // Fresh blocks would be taken before those that come back now.
        if let Some(magazine) = self.own_magazine()
            && magazine.blocks().next().is_some_and(|index| self.is_fresh(index))
        {
            self.empty(magazine);
        }
        let mut given = 0;
        let stopped = next.find(|&pointer| {
            let Some(index) = self.geometry.index_of(self.offset(pointer)) else {
                return true;
            };
            if CHECKED && !self.is_live(index) {
                return true;
            }
            self.note(index, State::Free);
            self.depot.push(index, |_| false);
            given += 1;
            false
        });
        self.count_operations(given);
        stopped
    }
}
