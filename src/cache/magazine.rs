//! The free blocks that one thread keeps for itself.
//!
//! ```text
//!   busy │ floor │ ceiling │ batch │ state │ 7 │ 3 │ 9 │   │   │   │ ...
//!                                      │               ▲ count: take here, put here
//!                                      └── operations ┆ count
//! ```
//!
//! The owner works on it without a lock, and another thread can still empty it, by agreement: the
//! owner sets the busy mark, looks at the bounds, does its work, and clears the mark again. A thief
//! first raises the floor and lowers the ceiling ("closes" it), then runs a fence on all threads
//! ([`barrier`]), and then waits until the mark is gone. From then on the owner finds a closed
//! magazine, and turns to its slow path, where the pool's lock is.
//!
//! The count shares a word with the operations that led to it, so that statistics find both of the
//! same moment. The mark does not: an owner that finds the magazine closed writes nothing else.
//!
//! M1. `blocks[..count]` are free blocks, each nowhere else.
//! M2. `state` and `blocks` are written by the owner while it is busy, or under the pool's
//!     lock by the owner or on a closed magazine whose owner was seen idle since.
//! M3. `floor`, `ceiling` and `batch` are written under the pool's lock.
//! M4. `count <= ROUNDS_MAX`, and so is every `ceiling`.

use core::ops::Range;

use crate::base::ids::BlockIndex;
use crate::base::sync::{AtomicU32, AtomicUsize, Ordering, barrier};

/// The bytes of a magazine: whole pairs of cache lines, which some processors fetch together, so
/// that no two threads write to one.
pub(crate) const MAGAZINE_BYTES: usize = 1152;

/// The most blocks that a magazine holds: two batches, as far as their count fits in a byte, which
/// is an instruction less.
pub(crate) const ROUNDS_MAX: usize = 2 * BATCH_MAX as usize - 1;

/// The most blocks that are exchanged with the depot at once.
pub(crate) const BATCH_MAX: u32 = 128;

/// One operation, in `state`; what is below is the count.
const OPERATION: usize = ROUNDS_MAX + 1;

/// Zero bytes are a magazine that is empty and closed. The words are public: in an explicit cache
/// programs that inline the fast path (`pool_inline.h`) work on them, as [`Magazine::take`] and
/// [`Magazine::put`] do.
#[repr(C)]
pub(crate) struct Magazine {
    /// 1 while the owner works on it without the lock.
    pub(crate) busy: AtomicU32,
    pub(crate) floor: AtomicU32,
    pub(crate) ceiling: AtomicU32,
    /// How many blocks are exchanged with the depot next time.
    pub(crate) batch: AtomicU32,
    /// The count, and the operations of the fast path.
    pub(crate) state: AtomicUsize,
    pub(crate) blocks: [AtomicU32; ROUNDS_MAX],
    rest: [u32; REST_WORDS],
}

const HEAD_BYTES: usize = 4 * size_of::<u32>() + size_of::<usize>();
const REST_WORDS: usize = (MAGAZINE_BYTES - HEAD_BYTES) / size_of::<u32>() - ROUNDS_MAX;

const _: () = assert!(size_of::<Magazine>() == MAGAZINE_BYTES);

impl Magazine {
    /// Empty and closed.
    pub(crate) fn new() -> Self {
        let zero = || AtomicU32::new(0);
        Self {
            busy: zero(),
            floor: zero(),
            ceiling: zero(),
            batch: zero(),
            state: AtomicUsize::new(0),
            blocks: [(); ROUNDS_MAX].map(|()| zero()),
            rest: [0; REST_WORDS],
        }
    }

    /// Takes the newest block; `note` is told of it before a thief can look. By the owner.
    #[inline(always)]
    pub(crate) fn take(&self, note: impl FnOnce(BlockIndex)) -> Option<BlockIndex> {
        self.begin();
        // Relaxed: the owner's own, or written under the lock that the owner has had since.
        let state = self.state.load(Ordering::Relaxed);
        let count = count_of(state);
        // Relaxed: `barrier` orders it after the mark.
        let is_there = count > self.floor.load(Ordering::Relaxed) as usize;
        let index = is_there.then(|| {
            let index = self.block(count - 1);
            note(index);
            // Relaxed: published by the Release in `end`.
            self.state.store(state.wrapping_add(OPERATION - 1), Ordering::Relaxed);
            index
        });
        self.end();
        index
    }

    /// Puts a free block on top; `note` is told before a thief can look. `false`: there is no room.
    /// By the owner.
    #[inline(always)]
    pub(crate) fn put(&self, index: BlockIndex, note: impl FnOnce()) -> bool {
        self.begin();
        // Relaxed, both: as in `take`.
        let state = self.state.load(Ordering::Relaxed);
        let count = count_of(state);
        let has_room = count < self.ceiling.load(Ordering::Relaxed) as usize;
        if has_room {
            self.set_block(count, index);
            note();
            // Relaxed: as in `take`.
            self.state.store(state.wrapping_add(OPERATION + 1), Ordering::Relaxed);
        }
        self.end();
        has_room
    }

    /// M2: keeps thieves off, until the end.
    #[inline(always)]
    fn begin(&self) {
        // Relaxed: `barrier` orders it before the look at the bounds.
        self.busy.store(1, Ordering::Relaxed);
        barrier::light();
    }

    #[inline(always)]
    fn end(&self) {
        // Release: pairs with the Acquire in `is_idle`.
        self.busy.store(0, Ordering::Release);
    }

    #[inline(always)]
    fn place(&self, place: usize) -> &AtomicU32 {
        debug_assert!(place < ROUNDS_MAX);
        // SAFETY: M4.
        unsafe { self.blocks.get_unchecked(place) }
    }

    #[inline(always)]
    fn block(&self, place: usize) -> BlockIndex {
        // Relaxed: M2.
        BlockIndex(self.place(place).load(Ordering::Relaxed) as usize)
    }

    #[inline(always)]
    fn set_block(&self, place: usize, index: BlockIndex) {
        // Relaxed: M2.
        self.place(place).store(index.0 as u32, Ordering::Relaxed);
    }

    /// How many blocks are here: exact for the owner, and for whoever closed it and saw it idle.
    pub(crate) fn count(&self) -> usize {
        self.figures().0
    }

    /// How many blocks are here, and how often the fast path took or put one until it was so many.
    pub(crate) fn figures(&self) -> (usize, usize) {
        // Relaxed: M2; for others figures of a moment, and of the same one.
        let state = self.state.load(Ordering::Relaxed);
        (count_of(state), state / OPERATION)
    }

    /// M2.
    fn set_count(&self, count: usize) {
        // Relaxed, both: M2.
        let state = self.state.load(Ordering::Relaxed);
        self.state.store(state - count_of(state) + count, Ordering::Relaxed);
    }

    /// Sends the owner to its slow path from now on: after a heavy fence, and when it is idle.
    /// Under the pool's lock, as all that follow.
    pub(crate) fn close(&self) {
        if !self.is_open() {
            return;
        }
        // Relaxed, both: ordered by the fence that the thief runs next.
        self.floor.store(u32::MAX, Ordering::Relaxed);
        self.ceiling.store(0, Ordering::Relaxed);
    }

    /// Whether the owner's fast path works.
    pub(crate) fn is_open(&self) -> bool {
        // Relaxed: M3.
        self.ceiling.load(Ordering::Relaxed) > 0
    }

    /// In the child of a fork, where the owner is no more, or is this thread.
    pub(crate) fn settle(&self) {
        // Relaxed: this thread is the only one.
        self.busy.store(0, Ordering::Relaxed);
    }

    /// Whether the owner is not in the middle of an operation.
    pub(crate) fn is_idle(&self) -> bool {
        // Acquire: pairs with the Release in `end`, so that its count and blocks are there.
        self.busy.load(Ordering::Acquire) == 0
    }

    /// Lets the owner's fast path work, on at most `limit` blocks. By the owner.
    pub(crate) fn open(&self, limit: u32) {
        // Relaxed, all: M3, and the fast path is this thread's.
        let batch = self.batch.load(Ordering::Relaxed).max(1);
        self.batch.store(batch, Ordering::Relaxed);
        self.floor.store(0, Ordering::Relaxed);
        self.ceiling.store(limit.min(2 * batch), Ordering::Relaxed);
    }

    /// How many blocks to exchange with the depot now; the next time twice as many, so that
    /// threads that need few blocks keep few. By the owner.
    pub(crate) fn next_batch(&self, limit: u32) -> usize {
        // Relaxed, all: M3.
        let batch = self.batch.load(Ordering::Relaxed).clamp(1, limit.div_ceil(2).max(1));
        self.batch.store((2 * batch).min(BATCH_MAX), Ordering::Relaxed);
        batch as usize
    }

    /// Says that the batches begin small again.
    pub(crate) fn forget_batch(&self) {
        // Relaxed: M3.
        self.batch.store(1, Ordering::Relaxed);
    }

    /// Puts `count` free blocks on top, of which the last is the first to be taken. By the owner.
    pub(crate) fn fill(&self, count: usize, blocks: impl Iterator<Item = BlockIndex>) {
        let start = self.count();
        blocks.enumerate().for_each(|(nth, block)| self.set_block(start + nth, block));
        self.set_count(start + count);
    }

    /// As [`Self::fill`], but the first is the first to be taken.
    pub(crate) fn fill_backwards(&self, count: usize, blocks: impl Iterator<Item = BlockIndex>) {
        let end = self.count() + count;
        blocks.enumerate().for_each(|(nth, block)| self.set_block(end - 1 - nth, block));
        self.set_count(end);
    }

    /// The blocks at some places, oldest first; there are as many. By the owner.
    pub(crate) fn blocks_at(
        &self,
        places: Range<usize>,
    ) -> impl DoubleEndedIterator<Item = BlockIndex> {
        places.map(|place| self.block(place))
    }

    /// The blocks, newest first. By the owner.
    pub(crate) fn newest(&self) -> impl Iterator<Item = BlockIndex> {
        self.blocks_at(0..self.count()).rev()
    }

    /// Leaves the blocks at some places to whoever took them. By the owner.
    pub(crate) fn remove(&self, places: Range<usize>) {
        let rest = places.end..self.count();
        let left = places.start + rest.len();
        (places.start..).zip(rest).for_each(|(to, from)| self.set_block(to, self.block(from)));
        self.set_count(left);
    }

    /// Takes all blocks out, oldest first. By the owner, or a thief (M2).
    pub(crate) fn empty(&self, each: impl FnMut(BlockIndex)) {
        self.blocks().for_each(each);
        self.set_count(0);
    }

    /// The blocks, oldest first (M2; for others, blocks of the moment).
    pub(crate) fn blocks(&self) -> impl Iterator<Item = BlockIndex> {
        (0..self.count()).map(|place| self.block(place))
    }
}

#[inline(always)]
fn count_of(state: usize) -> usize {
    state % OPERATION
}
