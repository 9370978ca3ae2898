//! The free blocks that one thread keeps for itself.
//!
//! ```text
//!   coming │ forbidden │ state │ 7 │ 3 │ 9 │   │   │   │ ...
//!                        │               ▲ count: take here, put here
//!                        └── spent ┆ operations ┆ count
//! ```
//!
//! The owner works on it without a lock, and another thread can still empty it, by agreement: the
//! owner says which state is coming, looks at what is forbidden, does its work, and lets the state
//! come. So it is busy while more operations are coming than there are. A thief first forbids
//! everything ("closes" it), then runs a fence on all threads ([`barrier`]), and then waits until
//! the owner is idle. From then on that finds a closed magazine, says that no state is coming, and
//! turns to its slow path, where the pool's lock is.
//!
//! What is forbidden are bits of the state that an operation would lead to, so that one look tells
//! all: below no block the count borrows, above the most it carries, into bits that are forbidden;
//! and after so many operations the highest bit is set, which always is ("spent").
//!
//! The count shares a word with the operations that led to it, so that statistics find both of the
//! same moment.
//!
//! M1. `blocks[..count]` are free blocks, each nowhere else.
//! M2. `state` and `blocks` are written by the owner while it is busy, or under the pool's
//!     lock by the owner or on a closed magazine whose owner was seen idle since.
//! M3. `forbidden`, `batch` and `earlier` are written under the pool's lock.
//! M4. `count <= ROUNDS_MAX`, which it reaches under the lock only: `forbidden` has that bit of the
//!     count, and every higher one.
//! M5. `blocks` is read and written by the owner, or under the pool's lock: who is both is alone.

use core::hint::cold_path;
use core::ops::Range;

use crate::base::ids::BlockIndex;
use crate::base::sync::{AtomicU32, AtomicUsize, Ordering, barrier, read_alone, write_alone};

/// The bytes of a magazine: whole pairs of cache lines, which some processors fetch together, so
/// that no two threads write to one.
pub(crate) const MAGAZINE_BYTES: usize = 1152;

/// The most blocks that a magazine holds: two batches, of which the fast path leaves one out.
pub(crate) const ROUNDS_MAX: usize = 2 * BATCH_MAX as usize;

/// The most blocks that are exchanged with the depot at once.
pub(crate) const BATCH_MAX: u32 = 128;

/// One operation, in `state`; what is below is the count.
const OPERATION: usize = 1 << 16;

/// The bit of a state that is set after [`OPERATIONS_MAX`] operations.
const SPENT: usize = 1 << (usize::BITS - 1);

/// The most operations between two looks at a magazine under the lock.
pub(crate) const OPERATIONS_MAX: usize = SPENT / OPERATION;

const CLOSED: usize = usize::MAX;

/// No state: that of a magazine which nobody worked at.
const NONE: usize = 0;

/// Zero bytes are a magazine that is empty, and must be closed before anybody finds it. The words
/// are public: in an explicit cache programs that inline the fast path (`pool_inline.h`) work on
/// them, as [`Magazine::take`] and [`Magazine::put`] do.
#[repr(C)]
pub(crate) struct Magazine {
    /// The state that the owner works at without the lock, or worked at last; or `NONE`.
    pub(crate) coming: AtomicUsize,
    /// Bits that no state has that the fast path leaves.
    pub(crate) forbidden: AtomicUsize,
    /// The count, and the operations of the fast path.
    pub(crate) state: AtomicUsize,
    pub(crate) blocks: [AtomicU32; ROUNDS_MAX],
    /// How many blocks are exchanged with the depot next time.
    batch: AtomicU32,
    rest: [u32; REST_WORDS],
    /// Operations that are not in `state` any more, or that are there too many.
    earlier: AtomicUsize,
}

const HEAD_BYTES: usize = size_of::<u32>() + 4 * size_of::<usize>();
const REST_WORDS: usize = (MAGAZINE_BYTES - HEAD_BYTES) / size_of::<u32>() - ROUNDS_MAX;

const _: () = assert!(size_of::<Magazine>() == MAGAZINE_BYTES);

impl Magazine {
    /// Empty and closed.
    pub(crate) fn new() -> Self {
        let zero = || AtomicU32::new(0);
        Self {
            coming: AtomicUsize::new(NONE),
            forbidden: AtomicUsize::new(CLOSED),
            state: AtomicUsize::new(0),
            blocks: [(); ROUNDS_MAX].map(|()| zero()),
            batch: zero(),
            rest: [0; REST_WORDS],
            earlier: AtomicUsize::new(0),
        }
    }

    /// Takes the newest block; `note` is told of it before a thief can look. By the owner.
    #[inline(always)]
    pub(crate) fn take(&self, note: impl FnOnce(BlockIndex)) -> Option<BlockIndex> {
        // Relaxed: the owner's own, or written under the lock that the owner has had since, or, by
        // a thief, not to be written back: then it is closed.
        let state = self.state.load(Ordering::Relaxed);
        let next = state.wrapping_add(OPERATION - 1);
        if !self.may_come(next) {
            return None;
        }
        let index = self.block(count_of(state) - 1);
        note(index);
        // Release: pairs with the Acquire in `is_idle`.
        self.state.store(next, Ordering::Release);
        Some(index)
    }

    /// Puts a free block on top; `note` is told before a thief can look. `false`: there is no room.
    /// By the owner.
    #[inline(always)]
    pub(crate) fn put(&self, index: BlockIndex, note: impl FnOnce()) -> bool {
        // Relaxed: as in `take`.
        let state = self.state.load(Ordering::Relaxed);
        let next = state.wrapping_add(OPERATION + 1);
        if !self.may_come(next) {
            return false;
        }
        self.set_block(count_of(state), index);
        note();
        // Release: as in `take`.
        self.state.store(next, Ordering::Release);
        true
    }

    /// Puts a free block on top of those that there is no room beside, for a moment: M4. By the
    /// owner, under the pool's lock.
    pub(crate) fn put_over(&self, index: BlockIndex, note: impl FnOnce()) {
        // Relaxed: M2.
        let state = self.state.load(Ordering::Relaxed);
        self.set_block(count_of(state), index);
        note();
        // Relaxed: M2. It leaves operations to be had: there were 2 or more.
        self.state.store(state + OPERATION + 1, Ordering::Relaxed);
    }

    /// M2: keeps thieves off until the state comes, if it may.
    #[inline(always)]
    fn may_come(&self, next: usize) -> bool {
        // Relaxed: `barrier` orders it before the look at what is forbidden.
        self.coming.store(next, Ordering::Relaxed);
        barrier::light();
        // Relaxed: `barrier` orders it after the store.
        if next & self.forbidden.load(Ordering::Relaxed) == 0 {
            return true;
        }
        cold_path();
        // Release: pairs with the Acquire in `is_idle`.
        self.coming.store(NONE, Ordering::Release);
        false
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
    /// Under the pool's lock, or by the owner.
    pub(crate) fn figures(&self) -> (usize, usize) {
        // Relaxed: M2; for others figures of a moment, and of the same one.
        let state = self.state.load(Ordering::Relaxed);
        // Relaxed: M3.
        let earlier = self.earlier.load(Ordering::Relaxed);
        (count_of(state), (state / OPERATION).wrapping_add(earlier))
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
        // Relaxed: ordered by the fence that the thief runs next.
        self.forbidden.store(CLOSED, Ordering::Relaxed);
    }

    /// Whether the owner's fast path works.
    pub(crate) fn is_open(&self) -> bool {
        // Relaxed: M3.
        self.forbidden.load(Ordering::Relaxed) != CLOSED
    }

    /// In the child of a fork, where the owner is no more, or is this thread.
    pub(crate) fn settle(&self) {
        // Relaxed: this thread is the only one.
        self.coming.store(NONE, Ordering::Relaxed);
    }

    /// Whether the owner is not in the middle of an operation.
    pub(crate) fn is_idle(&self) -> bool {
        // Acquire, both: pair with the Release in `take`, `put` and `may_come`, so that its count
        // and blocks are there.
        let coming = self.coming.load(Ordering::Acquire);
        // What was taken out meanwhile changed the count alone.
        coming == NONE || coming / OPERATION == self.state.load(Ordering::Acquire) / OPERATION
    }

    /// Lets the owner's fast path work, on what is here, and as far as that is less on at most
    /// `limit` blocks: on a power of two less one. By the owner.
    pub(crate) fn open(&self, limit: u32) {
        // Relaxed, both: M3, and the fast path is this thread's.
        let batch = self.batch.load(Ordering::Relaxed).max(1);
        self.batch.store(batch, Ordering::Relaxed);
        let for_count = self.count().next_power_of_two().ilog2();
        let bits = (limit + 1).min(2 * batch + 2).ilog2().max(for_count);
        let beyond = OPERATION - (1 << bits);
        // Relaxed: as above.
        self.forbidden.store(SPENT | beyond, Ordering::Relaxed);
    }

    /// Whether the fast path had all the operations that it was given. By the owner.
    pub(crate) fn is_spent(&self) -> bool {
        // Relaxed: the owner's own.
        self.state.load(Ordering::Relaxed).wrapping_add(OPERATION) & SPENT != 0
    }

    /// Gives the fast path so many operations, of which the last turns to the slow path: 2 to
    /// [`OPERATIONS_MAX`]. By the owner.
    pub(crate) fn give_operations(&self, operations: usize) {
        debug_assert!((2..=OPERATIONS_MAX).contains(&operations));
        let (count, so_far) = self.figures();
        let state = SPENT - operations * OPERATION;
        // Relaxed, all: M2 and M3, and the owner does not work on it without the lock just now.
        self.coming.store(NONE, Ordering::Relaxed);
        self.state.store(state + count, Ordering::Relaxed);
        self.earlier.store(so_far.wrapping_sub(state / OPERATION), Ordering::Relaxed);
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
        blocks.enumerate().for_each(|(nth, block)| self.set_block_alone(start + nth, block));
        self.set_count(start + count);
    }

    /// As [`Self::fill`], but the first is the first to be taken.
    pub(crate) fn fill_backwards(&self, count: usize, blocks: impl Iterator<Item = BlockIndex>) {
        let end = self.count() + count;
        blocks.enumerate().for_each(|(nth, block)| self.set_block_alone(end - 1 - nth, block));
        self.set_count(end);
    }

    fn set_block_alone(&self, place: usize, index: BlockIndex) {
        // SAFETY: M5.
        unsafe { write_alone(self.place(place), index.0 as u32) };
    }

    /// Whether the blocks at some places are `first ^ 0`, `first ^ 1` and so on: a whole group, if
    /// they are as many, in the order of burst after burst. By the owner.
    pub(crate) fn is_run(&self, places: Range<usize>) -> bool {
        // SAFETY: M5.
        let block = |place| unsafe { read_alone(self.place(place)) };
        let first = block(places.start);
        let wrong = |wrong, (place, nth): (_, u32)| wrong | (block(place) ^ first ^ nth);
        places.zip(0..).fold(0, wrong) == 0
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
