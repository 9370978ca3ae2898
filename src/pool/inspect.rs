//! Looking at a pool without changing it: figures, live blocks, and the invariants as code.

use crate::base::ids::{Block, BlockIndex, UserPointer};
use crate::checks::Checks;
use crate::checks::ledger::State;
use crate::freelist::intrusive::IntrusiveList;
use crate::layout::inside::HEADER_BYTES;
use crate::pool::core::Core;
use crate::pool::engine::each;
use crate::pool::fork::is_child;
use crate::pool::lock_free::LockFree;
use crate::pool::overflow::Overflow;
use crate::pool::safe::Safe;
use crate::pool::single::{Counts, Single};
use crate::pool::slot::SLOT_BYTES;

/// An invariant of `pool/mod.rs` that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken(&'static str);

impl Broken {
    pub(super) fn new(what: &'static str) -> Self {
        Self(what)
    }
}

impl core::fmt::Display for Broken {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.0)
    }
}

/// Everything that can be counted of a pool.
pub(crate) struct Figures {
    pub(crate) counts: Counts,
    pub(crate) capacity: usize,
    pub(crate) available: usize,
    /// Address space, or a caller's buffer.
    pub(crate) reserved_bytes: usize,
    /// 0 where the system does not say.
    pub(crate) resident_bytes: usize,
    /// What the pool takes beside its blocks.
    pub(crate) metadata_bytes: usize,
    /// Blocks that are live on the heap.
    pub(crate) heap_blocks: usize,
}

impl Core {
    pub(crate) fn figures(&self) -> Figures {
        let place_bytes = if self.span.is_in_buffer() { HEADER_BYTES } else { SLOT_BYTES };
        Figures {
            counts: self.counts(),
            capacity: self.capacity(),
            available: self.available(),
            reserved_bytes: self.span.reserved_bytes() + self.room.reserved_bytes(),
            resident_bytes: self.resident_bytes().unwrap_or(0),
            metadata_bytes: self.span.side_bytes(self.capacity())
                + self.room.bytes()
                + self.guard_bytes()
                + each!(&self.engine, engine => engine.magazine_bytes(SLOT_BYTES))
                + place_bytes,
            heap_blocks: self.overflow.as_ref().map_or(0, Overflow::blocks),
        }
    }

    /// Bytes in memory now; `None`: the system does not say.
    pub(super) fn resident_bytes(&self) -> Option<usize> {
        Some(self.span.resident_bytes()? + self.room.resident_bytes()?)
    }

    /// The figures of the span and of the heap blocks together.
    pub(crate) fn counts(&self) -> Counts {
        let mut counts = self.span_counts();
        if let Some(overflow) = &self.overflow {
            let heap_blocks = overflow.blocks();
            counts.in_use += heap_blocks;
            counts.allocations += overflow.allocations();
            counts.deallocations += overflow.allocations() - heap_blocks as u64;
            counts.peak_in_use = overflow.note_peak(counts.peak_in_use);
        }
        counts
    }

    pub(super) fn span_counts(&self) -> Counts {
        each!(&self.engine, engine => engine.counts())
    }

    /// The heap block that `pointer` leads into, and how far.
    pub(super) fn heap_block_with(&self, pointer: UserPointer) -> Option<(usize, usize)> {
        let (block, into) = self.overflow.as_ref()?.containing(pointer, &self.layout)?;
        Some((block.addr().get(), into))
    }

    /// Blocks there are now.
    pub(crate) fn capacity(&self) -> usize {
        each!(&self.engine, engine => engine.capacity())
    }

    /// Never below 0, whatever an unchecked double free did to the counters.
    pub(crate) fn available(&self) -> usize {
        let in_use = match self.elsewhere() {
            Some((overflow, _)) => overflow.blocks(),
            None => self.span_counts().in_use,
        };
        self.capacity().saturating_sub(in_use)
    }

    /// Checks every invariant, in time proportional to the blocks that were ever used.
    pub(crate) fn validate(&self) -> Result<(), Broken> {
        each!(&self.engine, engine => engine.validate())
    }
}

impl<C: Checks> Single<C> {
    fn validate(&self) -> Result<(), Broken> {
        let counts = self.counts();
        if counts.frontier > self.checks().geometry().capacity() {
            return Err(Broken("P1: the frontier lies beyond the last block"));
        }
        if counts.in_use > counts.frontier {
            return Err(Broken("P2: more blocks are in use than were ever handed out"));
        }
        if let Some(ledger) = self.checks().ledger() {
            let in_state = |state| ledger.indices_in(state, counts.frontier).count();
            if in_state(State::Live) != counts.in_use {
                return Err(Broken(
                    "P2: the ledger and the counters disagree on the blocks in use",
                ));
            }
            if in_state(State::Free) != counts.frontier - counts.in_use {
                return Err(Broken("P3: the ledger holds a state that is none"));
            }
        }
        let listed = (counts.frontier - counts.in_use).checked_sub(self.waiting.blocks());
        let listed = listed.and_then(|listed| listed.checked_sub(self.hand().count()));
        let listed = listed.ok_or(Broken("P3: more blocks are at hand or wait than are free"))?;
        // Marked on the way, so that a block that is there twice is found.
        let (mut seen, ledger) = (0, self.checks().ledger());
        let turn = |block: Block, from: State, to: State| {
            let index = self.checks().index_of(UserPointer::new(block.as_ptr()));
            let is_so = |index| ledger.is_none_or(|ledger| ledger.state(index) == from as u8);
            let known = index.filter(|&index| is_so(index));
            known.zip(ledger).inspect(|&(index, ledger)| ledger.set(index, to));
            known.is_some()
        };
        let mut hold = |block| {
            let is_free = turn(block, State::Free, State::Held);
            seen += usize::from(is_free);
            is_free
        };
        let hand_is_sound = self.hand().blocks().all(&mut hold);
        let list_is_sound = self.validate_free_list(listed);
        self.hand().blocks().take(seen).for_each(|block| {
            turn(block, State::Held, State::Free);
        });
        match hand_is_sound {
            true => list_is_sound,
            false => Err(Broken("P3: a block at hand is not free")),
        }
    }

    /// P3. A list that ends after as many free blocks as there are visited each of them once: a
    /// link back would keep it from ending.
    fn validate_free_list(&self, free_blocks: usize) -> Result<(), Broken> {
        let mut next = self.free().first();
        for _ in 0..free_blocks {
            let Some(index) = self.checks().index_of(UserPointer::new(next)) else {
                return Err(Broken("P3: a link of the free list leads to no block"));
            };
            let state = self.checks().ledger().map(|ledger| ledger.state(index));
            if state.is_some_and(|state| state != State::Free as u8) {
                return Err(Broken("P3: the free list holds a block that is not free"));
            }
            // SAFETY: `next` was just found to be a block, and free, so its first word is a link.
            next = unsafe { IntrusiveList::link_of(self.block_at(index)) };
        }
        if next.is_null() { Ok(()) } else { Err(Broken("P3: the free list does not end")) }
    }
}

impl<const CHECKED: bool> LockFree<CHECKED> {
    /// P1 to P3, while nobody else calls: every block below the frontier is live or on the stack.
    fn validate(&self) -> Result<(), Broken> {
        let counts = self.counts();
        if counts.frontier > self.capacity() {
            return Err(Broken("P1: the frontier lies beyond the last block"));
        }
        let is_live = |index: &usize| self.is_live(BlockIndex(*index));
        let live = (0..counts.frontier).filter(is_live).count();
        if live > counts.in_use || (live < counts.in_use && !is_child()) {
            return Err(Broken("P2: the links and the counters disagree on the blocks in use"));
        }
        let free_blocks = counts.frontier - counts.in_use;
        let sound = |index: &BlockIndex| index.0 < counts.frontier && !self.is_live(*index);
        // A walk that goes on after as many blocks as are free goes in circles.
        if self.stack().blocks(free_blocks + 1).take_while(sound).count() != free_blocks {
            return Err(Broken("P3: the free list does not hold each free block once"));
        }
        Ok(())
    }
}

impl<const CHECKED: bool> Safe<CHECKED> {
    /// Whether the block was never handed out, as far as is known.
    pub(super) fn is_untouched(&self, index: BlockIndex) -> bool {
        match CHECKED {
            true => self.ledger().is(State::Untouched, index),
            false => index.0 >= self.depot.frontier(),
        }
    }

    pub(super) fn magazine_bytes(&self, explicit_bytes: usize) -> usize {
        self.magazines().bytes(explicit_bytes)
    }

    /// P1 to P3, with every free block in the depot.
    fn validate(&self) -> Result<(), Broken> {
        self.gather_alone();
        let counts = self.counts();
        if counts.frontier > self.capacity() {
            return Err(Broken("P1: the frontier lies beyond the last block"));
        }
        let is_live = |index: &BlockIndex| self.is_live(*index);
        if CHECKED && (0..counts.frontier).map(BlockIndex).filter(is_live).count() != counts.in_use
        {
            return Err(Broken("P2: the ledger and the counters disagree on the blocks in use"));
        }
        if self.depot.count() != counts.frontier - counts.in_use
            || !self.depot.is_sound(|index| !CHECKED || !self.is_live(index))
        {
            return Err(Broken("P3: the depot does not hold each free block once"));
        }
        Ok(())
    }
}
