//! Giving memory back while the pool lives: every OS page that holds only free blocks.
//!
//! ```text
//!   before  │ L f L f │ f f f f │ f L f f │ f f f f │ f f f .  │ . . . .    L live, f free
//!   after   │ L f L f │ ─ ─ ─ ─ │ f L f f │ .  .  .    .  .  .    .          . untouched
//!                       waiting            ▲ frontier
//! ```
//!
//! The links of free blocks lie on the pages that go, so the free list is built anew: blocks after
//! the last live one become untouched, those on a page that goes wait with their page
//! (`freelist/waiting.rs`), and the others are linked. That is time in proportion to the blocks
//! that were used; allocate and deallocate stay as fast as they were.
//!
//! A page stays where the link of a free block crosses from it to a page that stays.

use core::ops::Range;
use core::ptr::NonNull;

use crate::base::error::{Error, Refusal};
use crate::base::ids::{Block, BlockIndex, UserPointer};
use crate::checks::Checks;
use crate::checks::ledger::{Ledger, State};
use crate::freelist::intrusive::IntrusiveList;
use crate::layout::pages::Pages;
use crate::pool::core::Core;
use crate::pool::engine::each;
use crate::pool::lock_free::LockFree;
use crate::pool::safe::Safe;
use crate::pool::single::Single;
use crate::source::memory::Memory;

const NO_MEMORY: Refusal =
    Refusal::new(Error::OutOfMemory, "the system gave no memory to keep track of trimmed pages");

impl Core {
    /// Gives back what it can; answers how many bytes left memory, and what kept track of the last
    /// trim, to be dropped when the pool's lock is free.
    pub(crate) fn trim(&self) -> Result<(usize, Option<Memory>), Refusal> {
        each!(&self.engine, engine => engine.trim_of(self))
    }

    fn trim_single<C: Checks>(
        &self,
        engine: &Single<C>,
    ) -> Result<(usize, Option<Memory>), Refusal> {
        if self.span.page_bytes().is_none() {
            return Ok((0, None));
        }
        let before = self.resident_bytes();
        let pages = engine.pages.count(engine.capacity());
        let links = Memory::new(pages * size_of::<usize>()).ok_or(NO_MEMORY)?;
        let scratch = engine.scratch_ledger()?;
        let kept = engine.checks().ledger().or(scratch.as_ref().map(|(_, ledger)| ledger));
        let ledger = *kept.ok_or(NO_MEMORY)?;
        let end = ledger.indices_in(State::Live, engine.frontier.get()).next_back();
        self.lower_frontier(engine, end.map_or(0, |last| last.0 + 1));
        // SAFETY: a word for each page; `self.trimmed` keeps the memory until the next trim.
        unsafe { engine.waiting.restart(links.start().cast()) };
        let last = self.trimmed.replace(Some(links));
        self.give_pages_back(engine, &ledger);
        // Where the system doesn't say, nothing is claimed.
        let after = self.resident_bytes();
        let bytes = before.zip(after).map_or(0, |(before, after)| before.saturating_sub(after));
        Ok((bytes, last))
    }

    /// Calls the blocks from `end` on, none of which is live, untouched.
    fn lower_frontier<C: Checks>(&self, engine: &Single<C>, end: usize) {
        let frontier = engine.frontier.get();
        engine.peak_before_reset.set(engine.counts().peak_in_use);
        engine.frontier.set(end);
        if engine.checks().ledger().is_some() && frontier > end {
            let first = self.span.side_end().as_ptr().wrapping_sub(frontier);
            if let Some(first) = NonNull::new(first) {
                // SAFETY: the bytes of the ledger from `end` to `frontier`.
                unsafe { self.span.clear(first, frontier - end) };
            }
        }
    }

    /// Builds the free list anew, without the blocks on pages that go; the pages go.
    fn give_pages_back<C: Checks>(&self, engine: &Single<C>, ledger: &Ledger) {
        let (pages, end) = (engine.pages, engine.frontier.get());
        let is_free = |page| {
            let live = |index| ledger.state(index) == State::Live as u8;
            pages.holds_only_blocks(page) && !pages.blocks_on(page, end).any(live)
        };
        engine.forget_free();
        self.room.discard();
        // Downwards, so that the list begins with the lowest address; pages that go are collected
        // to runs, each of which is one call of the system.
        let mut run_end = pages.count(engine.capacity());
        let mut next_goes = true;
        for page in (0..run_end).rev() {
            // A link that crosses to the next page goes with that page or keeps this one.
            next_goes = is_free(page) && (next_goes || !pages.link_crosses_end_of(page));
            if next_goes {
                match pages.blocks_of(page, end).count() {
                    0 => {}
                    blocks => engine.waiting.push(page, blocks),
                }
                continue;
            }
            self.discard_pages(engine, page + 1..run_end);
            run_end = page;
            engine.link_free_blocks_of(page, ledger);
        }
        self.discard_pages(engine, 0..run_end);
    }

    fn discard_pages<C: Checks>(&self, engine: &Single<C>, pages: Range<usize>) {
        if !pages.is_empty() {
            let bytes = pages.len() * engine.pages.page_bytes();
            let offset = engine.pages.offset_of(pages.start);
            // SAFETY: a committed page of this pool, which holds only blocks.
            let start = unsafe { self.base().add(offset) };
            // SAFETY: whole pages with free blocks only, on which no link is needed any more.
            unsafe { self.span.discard(start, bytes) };
        }
    }
}

impl Core {
    /// Gives the pages back on which there are blocks that `is_free` alone, of an engine that keeps
    /// nothing in blocks.
    fn discard_free_pages(
        &self,
        page_bytes: usize,
        frontier: usize,
        is_free: impl Fn(BlockIndex) -> bool,
    ) {
        let stride = self.layout.stride;
        let pages = Pages::new(self.base().addr().get(), page_bytes, stride, stride);
        let goes = |page: &usize| {
            pages.holds_only_blocks(*page) && pages.blocks_on(*page, frontier).all(&is_free)
        };
        let discard = |run: Range<usize>| {
            if !run.is_empty() {
                // SAFETY: a committed page of this pool, which holds only blocks.
                let start = unsafe { self.base().add(pages.offset_of(run.start)) };
                // SAFETY: whole pages, on which no block is live.
                unsafe { self.span.discard(start, run.len() * page_bytes) };
            }
        };
        // Pages that go are collected to runs, each of which is one call of the system.
        let count = pages.count(self.capacity());
        let mut start = 0;
        for page in (0..count).filter(|page| !goes(page)) {
            discard(start..page);
            start = page + 1;
        }
        discard(start..count);
    }
}

impl<const CHECKED: bool> LockFree<CHECKED> {
    /// Takes every free block off the stack, to know them. No link lies in a block, so the pages
    /// can just go. Nobody else may call meanwhile.
    fn trim_of(&self, core: &Core) -> Result<(usize, Option<Memory>), Refusal> {
        let Some(page_bytes) = core.span.page_bytes() else { return Ok((0, None)) };
        let capacity = self.capacity();
        let memory = Memory::new(capacity).ok_or(NO_MEMORY)?;
        // SAFETY: the end of the memory.
        let end = unsafe { memory.start().add(capacity) };
        // SAFETY: so many zero bytes lie before it, and are used by nobody else.
        let taken = unsafe { Ledger::new(end) };
        let before = core.span.resident_bytes();
        self.hold_free(|index| taken.set(index, State::Free));
        let frontier = self.frontier();
        core.discard_free_pages(page_bytes, frontier, |index| {
            taken.state(index) == State::Free as u8
        });
        // Downwards, so that the lowest address is on top.
        self.release(taken.indices_in(State::Free, frontier).rev());
        let after = core.span.resident_bytes();
        let bytes = before.zip(after).map_or(0, |(before, after)| before.saturating_sub(after));
        Ok((bytes, Some(memory)))
    }
}

impl<const CHECKED: bool> Safe<CHECKED> {
    /// Brings every free block into the depot, where it stays while the lock is held. What a thread
    /// gives back meanwhile is not among them, for it may take it again at once.
    fn trim_of(&self, core: &Core) -> Result<(usize, Option<Memory>), Refusal> {
        let Some(page_bytes) = core.span.page_bytes() else { return Ok((0, None)) };
        let before = core.span.resident_bytes();
        self.gather();
        let depot = &self.depot;
        core.discard_free_pages(page_bytes, depot.frontier(), |index| depot.holds(index));
        depot.sort();
        let after = core.span.resident_bytes();
        let bytes = before.zip(after).map_or(0, |(before, after)| before.saturating_sub(after));
        Ok((bytes, None))
    }
}

impl<C: Checks> Single<C> {
    fn trim_of(&self, core: &Core) -> Result<(usize, Option<Memory>), Refusal> {
        core.trim_single(self)
    }

    /// Where the checks keep no ledger: one made for the moment, from the free list.
    fn scratch_ledger(&self) -> Result<Option<(Memory, Ledger)>, Refusal> {
        if self.checks().ledger().is_some() {
            return Ok(None);
        }
        let frontier = self.frontier.get();
        let memory = Memory::new(frontier.max(1)).ok_or(NO_MEMORY)?;
        // SAFETY: the end of the memory.
        let base = unsafe { memory.start().add(frontier) };
        // SAFETY: so many zero bytes lie before it, and are used by nobody else.
        let ledger = unsafe { Ledger::new(base) };
        (0..frontier).for_each(|index| ledger.set(BlockIndex(index), State::Live));
        // Not linked, which would take the memory of their pages again.
        while let Some(page) = self.waiting.pop() {
            let waiting = self.pages.blocks_of(page, frontier);
            waiting.for_each(|index| ledger.set(index, State::Free));
        }
        let free = |block: Block| self.checks().index_of(UserPointer::new(block.as_ptr()));
        self.hand().blocks().filter_map(free).for_each(|index| ledger.set(index, State::Free));
        let mut next = self.free().first();
        while let Some(index) = self.checks().index_of(UserPointer::new(next)) {
            ledger.set(index, State::Free);
            // SAFETY: `next` is a free block.
            next = unsafe { IntrusiveList::link_of(self.block_at(index)) };
        }
        Ok(Some((memory, ledger)))
    }

    fn link_free_blocks_of(&self, page: usize, ledger: &Ledger) {
        for index in self.pages.blocks_of(page, self.frontier.get()).rev() {
            if ledger.state(index) == State::Free as u8 {
                // SAFETY: free, and on no list: each block is of one page.
                unsafe { self.free().push(self.block_at(index)) };
            }
        }
    }

    /// Links the blocks of a page that waited.
    #[cold]
    pub(super) fn link_blocks_of(&self, page: usize) {
        let blocks = self.pages.blocks_of(page, self.frontier.get());
        // SAFETY: free, and on no list while their page waited.
        let linked = blocks.rev().map(|i| unsafe { self.free().push(self.block_at(i)) }).count();
        self.waiting.left(linked);
    }
}
