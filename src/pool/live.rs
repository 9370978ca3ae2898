//! Which blocks are live: whether one is, and a walk over all.
//!
//! ```text
//!   span   │ live │ free │ live │ free │ untouched   ─►   heap blocks, by address
//!             next ──────►              ▲ end
//! ```
//!
//! No lock is held between two steps of a walk, so between them anything may happen. A step looks
//! for the next block that is live at that moment, so that none is met which is free by then. Where
//! a walk ends is settled when it begins: blocks that come to be meanwhile can't keep it going.

use core::ops::Range;

use crate::base::error::{Error, Refusal};
use crate::base::ids::{Block, BlockIndex, UserPointer};
use crate::checks::Checks;
use crate::host::address_set::Addresses;
use crate::layout::geometry::Place;
use crate::pool::Pool;
use crate::pool::core::Core;
use crate::pool::engine::each;
use crate::pool::lock_free::LockFree;
use crate::pool::overflow::Overflow;
use crate::pool::report::Misuse;
use crate::pool::safe::Safe;
use crate::pool::single::Single;

/// Blocks that are looked at in a row without a branch for each.
const RUN: usize = 32;
/// Blocks that are looked at in a row while the lock is held.
const BLOCKS_A_HOLD: usize = 1 << 14;

const NO_LEDGER: Refusal = Refusal::unsupported(
    "a pool of POOL_CHECKS_NONE that is not lock-free does not know which of its blocks are live",
);
const NO_ROOM: Refusal =
    Refusal::new(Error::OutOfMemory, "the heap gives no memory for the list of the heap blocks");

/// How far a walk over the live blocks has come.
pub(crate) struct Walk {
    span: Range<usize>,
    heap: Addresses,
}

impl Pool {
    /// A walk over the blocks that are live now.
    pub(crate) fn walk(&self) -> Result<Walk, Refusal> {
        self.hold(Core::walk)
    }

    /// The next live block of a walk, in address order, those of the heap at the end. A guarded one
    /// comes in the place of the block that it stands for.
    pub(crate) fn next_live(&self, walk: &mut Walk) -> Option<Block> {
        while !walk.span.is_empty() {
            let start = walk.span.start;
            let part = start..walk.span.end.min(start + BLOCKS_A_HOLD);
            let found = self.hold(|core| Some(core.block_at(core.first_live(part.clone())?)));
            walk.span.start = found.map_or(part.end, |(index, _)| index.0 + 1);
            if let Some((_, block)) = found {
                return Some(block);
            }
        }
        walk.heap.find(|&address| self.hold(|core| core.is_live_on_heap(address)))
    }

    /// What `deallocate_slow` would answer, and its report; nothing is changed.
    pub(crate) fn check(&self, pointer: UserPointer) -> Result<(), Error> {
        let checked = self.hold(|core| core.check(pointer));
        checked.map_err(|misuse| self.tell_misuse(&misuse, pointer, None))
    }

    /// The first live blocks in address order, as far as `indices` has room and the pool knows;
    /// answers how many those are, and the address of the first.
    pub(super) fn first_live(&self, indices: &mut [BlockIndex]) -> (usize, usize) {
        self.hold(|core| {
            let mut span = core.known();
            let live = core::iter::from_fn(|| {
                let index = core.first_live(span.clone())?;
                span.start = index.0 + 1;
                Some(index)
            });
            let shown = indices.iter_mut().zip(live).map(|(place, index)| *place = index).count();
            let first = indices[..shown].first();
            (shown, first.map_or(0, |&index| core.block_at(index).1.addr().get()))
        })
    }
}

impl Core {
    fn walk(&self) -> Result<Walk, Refusal> {
        if !each!(&self.engine, engine => engine.knows_live()) {
            return Err(NO_LEDGER);
        }
        let heap = self.overflow.as_ref().map_or(Some(Addresses::default()), Overflow::sorted);
        Ok(Walk { span: self.known(), heap: heap.ok_or(NO_ROOM)? })
    }

    /// The blocks that may be live; none where the pool does not know.
    pub(super) fn known(&self) -> Range<usize> {
        each!(&self.engine, engine => 0..if engine.knows_live() { engine.end() } else { 0 })
    }

    /// The first live block in `range`. Looks at runs, because a ledger may be long and sparse.
    pub(super) fn first_live(&self, range: Range<usize>) -> Option<BlockIndex> {
        each!(&self.engine, engine => first(range, |index| engine.is_live(BlockIndex(index))))
    }

    fn is_live_on_heap(&self, address: Block) -> bool {
        self.heap_block_at(UserPointer::new(address.as_ptr())).is_some()
    }

    fn heap_block_at(&self, pointer: UserPointer) -> Option<Block> {
        self.overflow.as_ref()?.find(pointer)
    }

    fn check(&self, pointer: UserPointer) -> Result<(), Misuse> {
        let is_sound = pointer.is_null()
            || each!(&self.engine, engine => engine.would_take_back(pointer))
            || self.is_live_guarded(pointer)
            || self.heap_block_at(pointer).is_some();
        if is_sound { Ok(()) } else { Err(self.misuse_of(pointer)) }
    }
}

/// The first number in `range` that `is_it` is true of.
fn first(range: Range<usize>, is_it: impl Fn(usize) -> bool) -> Option<BlockIndex> {
    // In a walk over a full pool it is the next one.
    if !range.is_empty() && is_it(range.start) {
        return Some(BlockIndex(range.start));
    }
    let mut start = range.start;
    while start < range.end {
        let run = start..range.end.min(start + RUN);
        let found = run.clone().fold(false, |found, index| found | is_it(index));
        // Looked for once more: where no lock is held, it may have changed meanwhile.
        if found && let Some(index) = run.clone().find(|&index| is_it(index)) {
            return Some(BlockIndex(index));
        }
        start = run.end;
    }
    None
}

impl<C: Checks> Single<C> {
    fn knows_live(&self) -> bool {
        self.checks().ledger().is_some()
    }

    fn end(&self) -> usize {
        self.frontier.get()
    }

    /// Whether a live block starts at `pointer`; `false`: the slow path must look.
    #[inline(always)]
    pub(crate) fn has_live(&self, pointer: UserPointer) -> bool {
        let offset = pointer.address().wrapping_sub(self.checks.base().addr().get());
        let index = self.checks.geometry().index_of(offset);
        index.is_some_and(|index| self.is_live(index))
    }

    fn would_take_back(&self, pointer: UserPointer) -> bool {
        let is_live = |index| self.is_live(index);
        !self.knows_live() || self.checks().index_of(pointer).is_some_and(is_live)
    }
}

impl<const CHECKED: bool> Safe<CHECKED> {
    fn knows_live(&self) -> bool {
        CHECKED
    }

    fn end(&self) -> usize {
        self.depot.frontier()
    }

    /// Whether a live block starts at `pointer`; `false`: the slow path must look.
    #[inline(always)]
    pub(crate) fn has_live(&self, pointer: UserPointer) -> bool {
        let index = self.geometry.index_of(self.offset(pointer));
        index.is_some_and(|index| self.is_live(index))
    }

    fn would_take_back(&self, pointer: UserPointer) -> bool {
        matches!(self.place(pointer), Place::Start(index) if !CHECKED || self.is_live(index))
    }
}

impl<const CHECKED: bool> LockFree<CHECKED> {
    /// The links say which blocks are live, whether anybody checks that or not.
    fn knows_live(&self) -> bool {
        true
    }

    fn end(&self) -> usize {
        self.frontier()
    }

    fn would_take_back(&self, pointer: UserPointer) -> bool {
        matches!(self.place(pointer), Place::Start(index) if !CHECKED || self.is_live(index))
    }
}
