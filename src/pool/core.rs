//! What a pool is made of, and what is done to it one call at a time.
//!
//! Nothing here speaks: what there is to say is answered as a [`Finding`], and said by
//! `pool/mod.rs` when the pool is whole again and its lock is free, because the callback that hears
//! it may call the same pool.

use core::cell::Cell;
use core::ptr::NonNull;

use crate::base::ids::{Block, UserPointer};
use crate::layout::geometry::Place;
use crate::layout::stride::Layout;
use crate::pool::engine::{Engine, each};
use crate::pool::failing::Failing;
use crate::pool::guards::Guards;
use crate::pool::overflow::Overflow;
use crate::pool::report::{Finding, Misuse};
use crate::pool::single::Supply;
use crate::pool::view::Room;
use crate::source::memory::Memory;
use crate::span::Span;

/// The state of a pool that its lock guards, where it has one.
#[repr(C)]
pub(crate) struct Core {
    /// First, so that the hot paths find their words in the slot's first cache lines.
    pub(super) engine: Engine,
    pub(super) layout: Layout,
    pub(super) span: Span,
    /// With `POOL_EXHAUSTED_HEAP`.
    pub(super) overflow: Option<Overflow>,
    /// The links of pages that wait since the last trim.
    pub(super) trimmed: Cell<Option<Memory>>,
    pub(super) failing: Failing,
    /// Of the blocks at hand.
    pub(super) room: Room,
    /// With the switch `guard`.
    pub(super) guards: Option<Guards>,
}

/// What an allocation came to.
pub(crate) struct Taken {
    /// `None`: all are live, and there is no more memory; or it fails on purpose.
    pub(crate) block: Option<Block>,
    pub(crate) finding: Option<Finding>,
}

impl Taken {
    fn new(block: Option<Block>, finding: Option<Finding>) -> Self {
        Self { block, finding }
    }
}

impl Core {
    /// A block, by every means there is, unless it fails on purpose.
    pub(crate) fn allocate(&self) -> Taken {
        let taken = self.unless_refused(|| self.allocate_by_any_means());
        Taken { block: taken.block.map(|block| self.guarded(block)), ..taken }
    }

    fn allocate_by_any_means(&self) -> Taken {
        if let Some(elsewhere) = self.elsewhere() {
            let taken = self.allocate_elsewhere(elsewhere);
            if taken.block.is_none() {
                each!(&self.engine, engine => engine.count_failure());
            }
            return taken;
        }
        if let Some(block) = each!(&self.engine, engine => engine.allocate()) {
            return Taken::new(Some(block), None);
        }
        let supply = each!(&self.engine, engine => engine.allocate_slow());
        if supply.block.is_some() {
            return Taken::new(supply.block, supply.finding);
        }
        let beyond = self.allocate_beyond();
        if beyond.block.is_none() {
            each!(&self.engine, engine => engine.count_failure());
        }
        Taken { finding: supply.finding.or(beyond.finding), ..beyond }
    }

    /// The heap, and whether it has no more blocks than the pool, where none is of the span.
    pub(super) fn elsewhere(&self) -> Option<(&Overflow, bool)> {
        let Engine::Inspected(engine) = &self.engine else { return None };
        self.overflow.as_ref().zip(engine.elsewhere())
    }

    /// A block for who waits, without growth.
    pub(super) fn take_quietly(&self) -> Supply {
        match self.elsewhere() {
            Some((overflow, true)) if overflow.blocks() >= self.capacity() => Supply::of(None),
            Some(elsewhere) => Supply::of(self.allocate_elsewhere(elsewhere).block),
            None => self.engine.take_quietly(),
        }
    }

    /// A block from the heap in the place of one of the span, of which none is ever handed out. So
    /// large as was asked for, so that a tool finds the first byte beyond.
    fn allocate_elsewhere(&self, (overflow, is_bounded): (&Overflow, bool)) -> Taken {
        let is_full = || is_bounded && overflow.blocks() >= self.capacity();
        let growth = if is_full() { self.grow_when_dry() } else { Ok(None) };
        if is_full() {
            let capacity = self.capacity();
            return Taken::new(None, growth.err().or(Some(Finding::Exhausted { capacity })));
        }
        let block = overflow.allocate(self.layout.block_size, &self.layout, 0);
        let heap = if block.is_none() { Some(Finding::HeapRefused) } else { None };
        Taken::new(block, growth.unwrap_or_else(Some).or(heap))
    }

    /// A block that is not there yet: by growth, or from the heap.
    fn allocate_beyond(&self) -> Taken {
        let (growth, supply) = loop {
            let growth = self.grow_when_dry();
            // Where no lock is held, others may have added blocks meanwhile, or taken those that
            // were added here.
            let supply = each!(&self.engine, engine => engine.allocate_slow());
            if supply.block.is_some() || !matches!(growth, Ok(Some(_))) {
                break (growth, supply);
            }
        };
        if supply.block.is_some() {
            return Taken::new(supply.block, supply.finding.or(growth.unwrap_or_else(Some)));
        }
        let refused = growth.err();
        let Some(overflow) = &self.overflow else {
            let capacity = self.capacity();
            return Taken::new(None, refused.or(Some(Finding::Exhausted { capacity })));
        };
        let block = overflow.allocate(self.layout.stride, &self.layout, self.capacity());
        let heap = if block.is_none() { Some(Finding::HeapRefused) } else { None };
        Taken::new(block, refused.or(heap))
    }

    /// Takes a block back, or says why not.
    pub(crate) fn deallocate(&self, pointer: UserPointer) -> Result<(), Misuse> {
        self.deallocate_guarded(pointer).unwrap_or_else(|| self.deallocate_plain(pointer))
    }

    /// The same of a block that is not guarded.
    pub(super) fn deallocate_plain(&self, pointer: UserPointer) -> Result<(), Misuse> {
        let taken_back = match &self.engine {
            Engine::Inspected(engine) => match engine.take_back(pointer) {
                Ok(Some(damaged)) => return Err(Misuse::Damaged(damaged)),
                other => other.is_ok(),
            },
            engine => each!(engine, engine => {
                engine.deallocate(pointer) || engine.deallocate_slow(pointer).is_ok()
            }),
        };
        if taken_back {
            return Ok(());
        }
        let span_peak = || self.span_counts().peak_in_use;
        let given_to_heap =
            |overflow: &Overflow| overflow.deallocate(pointer, self.capacity(), span_peak);
        if self.overflow.as_ref().is_some_and(given_to_heap) {
            return Ok(());
        }
        Err(self.misuse_of(pointer))
    }

    /// What is wrong with a pointer that can't be taken back.
    pub(super) fn misuse_of(&self, pointer: UserPointer) -> Misuse {
        if let Some(misuse) = self.misuse_of_guarded(pointer) {
            return misuse;
        }
        match each!(&self.engine, engine => engine.place(pointer)) {
            Place::Start(index) if each!(&self.engine, engine => engine.is_untouched(index)) => {
                Misuse::NeverHandedOut { index }
            }
            Place::Start(index) => Misuse::FreeAlready { index },
            Place::Interior(index, into) => Misuse::InteriorOfBlock { index, into },
            Place::Foreign => match self.heap_block_with(pointer) {
                Some((block, into)) => Misuse::InteriorOfHeapBlock { block, into },
                None => {
                    let from = self.base().addr().get();
                    Misuse::Foreign { from, to: from + self.layout.stride * self.capacity() }
                }
            },
        }
    }

    /// Makes every block free.
    pub(crate) fn reset(&self) {
        self.end_guarded();
        if let Some(overflow) = &self.overflow {
            overflow.note_peak(self.span_counts().peak_in_use);
            overflow.clear();
        }
        each!(&self.engine, engine => engine.reset());
    }

    /// Whether `pointer` is the start of a block, free or live.
    pub(crate) fn owns(&self, pointer: UserPointer) -> bool {
        let place = each!(&self.engine, engine => engine.place(pointer));
        matches!(place, Place::Start(_))
            || self.guarded_at(pointer).is_some_and(|(.., into)| into == 0)
            || self.overflow.as_ref().is_some_and(|overflow| overflow.find(pointer).is_some())
    }

    pub(super) fn base(&self) -> NonNull<u8> {
        self.span.base()
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }
}
