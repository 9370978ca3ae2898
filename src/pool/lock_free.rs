//! The lock-free engine: one compare-and-swap to take a block, one to bring it back, from any
//! thread and from signal handlers.
//!
//! ```text
//!   stack of free blocks (freelist/tagged.rs)   first; then
//!   span   │ live │ free │ live │ free │ untouched   untouched   untouched │
//!                                      ▲ frontier                          ▲ capacity
//! ```
//!
//! The frontier and the capacity only rise. So `None` is exact: it is answered when the frontier is
//! at the capacity and then the stack is empty, and at that moment every block is in use.
//!
//! Growing needs no lock either: committing memory twice does no harm, and the capacity becomes the
//! largest that anybody committed.

use crate::base::error::Error;
use crate::base::ids::{Block, BlockIndex, UserPointer};
use crate::base::sync::{AtomicUsize, Ordering};
use crate::freelist::tagged::TaggedStack;
use crate::host::tsan;
use crate::layout::geometry::{Geometry, Place};
use crate::pool::single::{Counts, Supply};
use crate::pool::sleepers::Sleepers;
use core::ptr::NonNull;

/// The state of a lock-free pool. `CHECKED`: a block that is not live is not taken back.
#[repr(C)]
pub(crate) struct LockFree<const CHECKED: bool> {
    pub(super) stack: TaggedStack,
    base: NonNull<u8>,
    pub(super) geometry: Geometry,
    pub(super) frontier: AtomicUsize,
    sleepers: Sleepers,
    failures: AtomicUsize,
    /// Blocks handed out from the frontier, and live ones that a reset took back, before it.
    fresh_before_reset: AtomicUsize,
    taken_by_reset: AtomicUsize,
    /// Blocks that were popped and pushed, and that nobody had: by a trim, or put back.
    held: AtomicUsize,
    peak_before_reset: AtomicUsize,
}

impl<const CHECKED: bool> LockFree<CHECKED> {
    /// For the blocks of `geometry`, none of which was handed out yet.
    pub(crate) fn new(stack: TaggedStack, base: NonNull<u8>, geometry: Geometry) -> Self {
        let zero = || AtomicUsize::new(0);
        Self {
            stack,
            base,
            geometry,
            frontier: zero(),
            sleepers: Sleepers::new(),
            failures: zero(),
            fresh_before_reset: zero(),
            taken_by_reset: zero(),
            held: zero(),
            peak_before_reset: zero(),
        }
    }

    #[inline(always)]
    pub(crate) fn allocate(&self) -> Option<Block> {
        self.stack.pop_for(|index| self.hand_out(index))
    }

    #[inline(always)]
    fn hand_out(&self, index: BlockIndex) -> Block {
        // SAFETY: P1, the blocks lie in the span up to the capacity.
        let block = unsafe { self.base.add(self.geometry.offset_of(index)) };
        tsan::handed_out(block);
        block
    }

    #[inline(always)]
    pub(crate) fn deallocate(&self, pointer: UserPointer) -> bool {
        let offset = pointer.address().wrapping_sub(self.base.addr().get());
        let Some(index) = self.geometry.index_of(offset) else { return false };
        let is_sound = !CHECKED || self.stack.claim(index);
        if is_sound {
            self.take_back(pointer, index);
        }
        is_sound
    }

    #[inline(always)]
    fn take_back(&self, pointer: UserPointer, index: BlockIndex) {
        // SAFETY: the geometry says that a block starts there.
        tsan::taken_back(unsafe { pointer.vouched() });
        self.stack.push(index);
    }

    pub(crate) fn allocate_slow(&self) -> Supply {
        Supply::of(self.take().map(|(index, _)| self.hand_out(index)))
    }

    /// A block that is live from now on, and whether it came back before.
    pub(super) fn take(&self) -> Option<(BlockIndex, bool)> {
        let from_stack = || Some((self.stack.pop()?, true));
        from_stack().or_else(|| Some((self.take_fresh()?, false))).or_else(from_stack)
    }

    /// The block at the frontier.
    fn take_fresh(&self) -> Option<BlockIndex> {
        let capacity = self.capacity();
        // Relaxed, both: the number is the block; nothing else is handed over with it, for fresh
        // memory was written by nobody.
        let next = |frontier| (frontier < capacity).then_some(frontier + 1);
        let index = self.frontier.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()?;
        self.stack.set_live(BlockIndex(index));
        Some(BlockIndex(index))
    }

    pub(crate) fn deallocate_slow(&self, pointer: UserPointer) -> Result<(), Error> {
        match self.place(pointer) {
            _ if pointer.is_null() => Ok(()),
            Place::Foreign => Err(Error::ForeignPointer),
            Place::Interior(..) => Err(Error::InteriorPointer),
            Place::Start(index) if CHECKED && !self.stack.claim(index) => Err(Error::DoubleFree),
            Place::Start(index) => {
                self.take_back(pointer, index);
                Ok(())
            }
        }
    }

    /// Only while nobody else calls.
    pub(crate) fn reset(&self) {
        let counts = self.counts();
        // Relaxed, all: nobody else calls.
        self.peak_before_reset.store(counts.peak_in_use, Ordering::Relaxed);
        self.fresh_before_reset.fetch_add(counts.frontier, Ordering::Relaxed);
        self.taken_by_reset.fetch_add(counts.in_use, Ordering::Relaxed);
        self.stack.forget(counts.frontier);
        self.frontier.store(0, Ordering::Relaxed);
    }

    /// Exact when nobody calls meanwhile, else of a moment. The peak is the frontier, which is
    /// never lower.
    pub(crate) fn counts(&self) -> Counts {
        let (free, changes) = self.stack.depth_and_changes();
        // Relaxed, all: figures of the moment.
        let frontier = self.frontier.load(Ordering::Relaxed);
        let taken_by_reset = self.taken_by_reset.load(Ordering::Relaxed);
        let fresh = self.fresh_before_reset.load(Ordering::Relaxed) + frontier;
        let in_use = frontier - free.min(frontier);
        // changes = pops + pushes, and fresh + pops - pushes - taken_by_reset = in_use.
        let pushes = (changes + fresh).saturating_sub(taken_by_reset + in_use) / 2;
        // Relaxed, all: figures of the moment.
        let held = self.held.load(Ordering::Relaxed);
        let deallocations = (pushes + taken_by_reset).saturating_sub(held) as u64;
        let failures = self.failures.load(Ordering::Relaxed) as u64;
        let peak_before_reset = self.peak_before_reset.load(Ordering::Relaxed);
        Counts {
            in_use,
            peak_in_use: peak_before_reset.max(frontier),
            allocations: deallocations + in_use as u64,
            deallocations,
            failures,
            frontier,
        }
    }

    /// There are none.
    pub(crate) fn magazine_bytes(&self, _explicit_bytes: usize) -> usize {
        0
    }

    pub(crate) fn capacity(&self) -> usize {
        self.geometry.capacity()
    }

    /// Says that there are `to` blocks now, which the span has committed; `false`: there are not
    /// `from` blocks any more, for another thread was first.
    pub(crate) fn extend(&self, from: usize, to: usize) -> bool {
        self.geometry.extend(from, to)
    }

    pub(crate) fn count_failure(&self) {
        // Relaxed: a figure.
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn place(&self, pointer: UserPointer) -> Place {
        self.geometry.place(pointer.address().wrapping_sub(self.base.addr().get()))
    }

    pub(crate) fn is_untouched(&self, index: BlockIndex) -> bool {
        self.stack.is_untouched(index)
    }

    pub(crate) fn is_live(&self, index: BlockIndex) -> bool {
        self.stack.is_live(index)
    }

    /// Takes every free block off the stack, to be given back by `release`.
    pub(crate) fn hold_free(&self, mut each: impl FnMut(BlockIndex)) {
        while let Some(index) = self.stack.pop() {
            self.stack.set_held(index);
            each(index);
        }
    }

    /// Gives blocks back that were held.
    pub(crate) fn release(&self, held: impl Iterator<Item = BlockIndex>) {
        let count = held.map(|index| self.stack.push(index)).count();
        // Relaxed: a figure.
        self.held.fetch_add(count, Ordering::Relaxed);
    }

    /// Takes a block back as if it had not been handed out.
    pub(crate) fn put_back(&self, block: Block) {
        let place = self.place(UserPointer::new(block.as_ptr()));
        if let Place::Start(index) = place {
            tsan::taken_back(block);
            self.release(core::iter::once(index));
        }
    }

    pub(crate) fn frontier(&self) -> usize {
        // Relaxed: a figure of the moment; it only rises.
        self.frontier.load(Ordering::Relaxed)
    }

    #[inline(always)]
    pub(crate) fn sleepers(&self) -> &Sleepers {
        &self.sleepers
    }

    pub(crate) fn stack(&self) -> &TaggedStack {
        &self.stack
    }

    pub(crate) fn allocate_run(&self, count: usize, mut put: impl FnMut(Block)) -> usize {
        let blocks = core::iter::from_fn(|| self.allocate());
        blocks.take(count).map(&mut put).count()
    }

    pub(crate) fn deallocate_run(
        &self,
        mut next: impl Iterator<Item = UserPointer>,
    ) -> Option<UserPointer> {
        next.find(|&pointer| !self.deallocate(pointer))
    }
}
