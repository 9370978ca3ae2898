//! What a picture needs of a pool, taken while its lock is held.
//!
//! | engine              | a block below the frontier is                                         |
//! |---------------------|-----------------------------------------------------------------------|
//! | single, with ledger | what the ledger says                                                  |
//! | single, without     | free if it is at hand, listed or waits with its page, and else live   |
//! | safe, with ledger   | live by the ledger, free in the depot, and else in a magazine         |
//! | safe, without       | free in the depot, cached as far as magazines show it, and else live  |
//! | lock-free           | live, untouched or free by its link                                   |
//! | watched             | the same, and quarantined while it is claimed but not on the stack    |
//!
//! Each block gets one mark, so the marks add up to the capacity whatever other threads do. What
//! they take or give just then, by hot paths or without a lock, may show as before or as after.

use crate::base::error::Refusal;
use crate::base::ids::{Block, BlockIndex, UserPointer};
use crate::checks::Checks;
use crate::checks::ledger;
use crate::freelist::intrusive::IntrusiveList;
use crate::pool::config::{Name, Threading};
use crate::pool::core::Core;
use crate::pool::engine::{Engine, each};
use crate::pool::inspected::Inspected;
use crate::pool::lock_free::LockFree;
use crate::pool::safe::Safe;
use crate::pool::single::Single;
use crate::pool::snapshot::marks::{Mark, Marks, State};
use crate::pool::snapshot::pages::KeptPages;
use crate::pool::snapshot::sites::LiveSites;
use crate::pool::snapshot::{NO_MEMORY, Picture};

impl Core {
    pub(super) fn picture(&self, name: Name) -> Result<Picture, Refusal> {
        let figures = self.figures();
        let touched = figures.counts.frontier.min(figures.capacity);
        let mut marks = Marks::new(touched).ok_or(NO_MEMORY)?;
        each!(&self.engine, engine => engine.mark(marks.all_mut()));
        let sites = self.live_sites(marks.all_mut())?;
        let (threading, checks) = self.engine.words();
        let layout = *self.layout();
        let base = self.base().addr().get();
        let pages = self.span.page_bytes();
        let pages = pages.map(|bytes| KeptPages::new(base, bytes, layout.stride, figures.capacity));
        Ok(Picture { name, threading, checks, layout, figures, base, marks, sites, pages })
    }

    /// Who took the live blocks. Marks them with the numbers of their stacks.
    fn live_sites(&self, marks: &mut [Mark]) -> Result<LiveSites, Refusal> {
        match self.inspector().and_then(|inspector| inspector.sites()) {
            Some(sites) => LiveSites::of(sites, marks, self.layout().block_size).ok_or(NO_MEMORY),
            None => Ok(LiveSites::none()),
        }
    }
}

impl Engine {
    /// Who may call, and what is verified.
    fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::SingleStandard(_) => ("single", "standard"),
            Self::SingleUnchecked(_) => ("single", "none"),
            Self::SharedStandard(_) | Self::SafeStandard(_) => ("safe", "standard"),
            Self::SharedUnchecked(_) | Self::SafeUnchecked(_) => ("safe", "none"),
            Self::LockFreeStandard(_) => ("lock-free", "standard"),
            Self::LockFreeUnchecked(_) => ("lock-free", "none"),
            Self::Inspected(engine) => match engine.threading() {
                Threading::Single => ("single", "full"),
                Threading::Safe => ("safe", "full"),
                Threading::LockFree => ("lock-free", "full"),
            },
        }
    }
}

/// Marks each block by what `state` says of it.
fn mark_each(marks: &mut [Mark], state: impl Fn(BlockIndex) -> State) {
    marks.iter_mut().zip(0..).for_each(|(mark, index)| *mark = Mark::of(state(BlockIndex(index))));
}

/// Marks some blocks, of which those that there is no mark for are passed over.
fn mark_these(marks: &mut [Mark], these: impl Iterator<Item = BlockIndex>, state: State) {
    for index in these {
        if let Some(mark) = marks.get_mut(index.0) {
            *mark = Mark::of(state);
        }
    }
}

impl<C: Checks> Single<C> {
    fn mark(&self, marks: &mut [Mark]) {
        let Some(ledger) = self.checks().ledger() else { return self.mark_by_list(marks) };
        mark_each(marks, |index| match ledger.state(index) {
            state if state == ledger::State::Live as u8 => State::Live,
            state if state == ledger::State::Untouched as u8 => State::Untouched,
            _ => State::Free,
        });
    }

    /// A list that was damaged ends where it leads to no block, or after as many as there are.
    fn mark_by_list(&self, marks: &mut [Mark]) {
        mark_each(marks, |_| State::Live);
        let frontier = self.frontier.get();
        let index_of = |block: Block| self.checks().index_of(UserPointer::new(block.as_ptr()));
        mark_these(marks, self.hand().blocks().filter_map(index_of), State::Free);
        for page in self.waiting.pages() {
            mark_these(marks, self.pages.blocks_of(page, frontier), State::Free);
        }
        let mut next = self.free().first();
        let listed = core::iter::from_fn(|| {
            let index = self.checks().index_of(UserPointer::new(next))?;
            // SAFETY: `next` was just found to be a block, on the free list.
            next = unsafe { IntrusiveList::link_of(self.block_at(index)) };
            Some(index)
        });
        mark_these(marks, listed.take(frontier), State::Free);
    }
}

impl<const CHECKED: bool> Safe<CHECKED> {
    fn mark(&self, marks: &mut [Mark]) {
        let depot = &self.depot;
        mark_each(marks, |index| match () {
            () if depot.holds(index) && self.is_fresh(index) => State::Untouched,
            () if depot.holds(index) => State::Free,
            () if CHECKED && !self.is_live(index) => State::Cached,
            () => State::Live,
        });
        if !CHECKED {
            for magazine in self.magazines().all() {
                mark_these(marks, magazine.blocks(), State::Cached);
            }
        }
    }
}

impl<const CHECKED: bool> LockFree<CHECKED> {
    fn mark(&self, marks: &mut [Mark]) {
        mark_each(marks, |index| match () {
            () if self.is_live(index) => State::Live,
            () if self.is_untouched(index) => State::Untouched,
            () => State::Free,
        });
    }
}

impl Inspected {
    fn mark(&self, marks: &mut [Mark]) {
        mark_each(marks, |index| match () {
            () if self.is_live(index) => State::Live,
            () if self.is_untouched(index) => State::Untouched,
            () if self.inner().stack().is_held(index) => State::Quarantined,
            () => State::Free,
        });
    }
}
