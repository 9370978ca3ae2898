//! The free blocks that one thread keeps for itself.
//!
//! ```text
//!   changes │ count │ floor │ ceiling │ batch │ 7 │ 3 │ 9 │   │   │   │ ...
//!                                                       ▲ count: take here, put here
//! ```
//!
//! The owner works on it without a lock, and another thread can still empty it, by agreement: the
//! owner makes `changes` odd, looks at the bounds, does its work, and makes `changes` even again.
//! A thief first raises the floor and lowers the ceiling ("closes" it), then runs a fence on all
//! threads ([`barrier`]), and then waits for an even number. From then on the owner finds a closed
//! magazine, and turns to its slow path, where the pool's lock is.
//!
//! M1. `blocks[..count]` are free blocks, each nowhere else.
//! M2. `count` and `blocks` are written by the owner while `changes` is odd, or under the pool's
//!     lock by the owner or on a closed magazine whose owner was seen idle since.
//! M3. `floor`, `ceiling` and `batch` are written under the pool's lock.
//! M4. `count <= ROUNDS_MAX`, and so is every `ceiling`.

use crate::base::ids::BlockIndex;
use crate::base::sync::{AtomicU32, AtomicUsize, Ordering, barrier};

/// The bytes of a magazine: whole pairs of cache lines, which some processors fetch together, so
/// that no two threads write to one.
pub(crate) const MAGAZINE_BYTES: usize = 640;

/// The most blocks that a magazine holds: two batches.
pub(crate) const ROUNDS_MAX: usize = 2 * BATCH_MAX as usize;

/// The most blocks that are exchanged with the depot at once: as many as a cache line of the ledger
/// describes, so that threads which take fresh blocks at the same time do not write to the same
/// lines of it.
pub(crate) const BATCH_MAX: u32 = 64;

/// Zero bytes are a magazine that is empty and closed.
#[repr(C)]
pub(crate) struct Magazine {
    /// Operations of the owner's fast path, twice, and 1 while one is under way.
    changes: AtomicUsize,
    count: AtomicU32,
    floor: AtomicU32,
    ceiling: AtomicU32,
    /// How many blocks are exchanged with the depot next time.
    batch: AtomicU32,
    blocks: [AtomicU32; ROUNDS_MAX],
    rest: [u32; REST_WORDS],
}

const REST_WORDS: usize = (MAGAZINE_BYTES - 24) / size_of::<u32>() - ROUNDS_MAX;

const _: () = assert!(size_of::<Magazine>() == MAGAZINE_BYTES);

impl Magazine {
    /// Empty and closed.
    pub(crate) fn new() -> Self {
        let zero = || AtomicU32::new(0);
        Self {
            changes: AtomicUsize::new(0),
            count: zero(),
            floor: zero(),
            ceiling: zero(),
            batch: zero(),
            blocks: [(); ROUNDS_MAX].map(|()| zero()),
            rest: [0; REST_WORDS],
        }
    }

    /// Takes the newest block; `note` is told of it before a thief can look. By the owner.
    #[inline(always)]
    pub(crate) fn take(&self, note: impl FnOnce(BlockIndex)) -> Option<BlockIndex> {
        self.change(|count| {
            // Relaxed: `barrier` orders it after the odd number.
            if count <= self.floor.load(Ordering::Relaxed) {
                return None;
            }
            let index = self.block(count - 1);
            note(index);
            Some((count - 1, index))
        })
    }

    /// Puts a free block on top; `note` is told before a thief can look; `None`: there is no room.
    /// By the owner.
    #[inline(always)]
    pub(crate) fn put(&self, index: BlockIndex, note: impl FnOnce()) -> Option<()> {
        self.change(|count| {
            // Relaxed: as in `take`.
            if count >= self.ceiling.load(Ordering::Relaxed) {
                return None;
            }
            self.set_block(count, index);
            note();
            Some((count + 1, ()))
        })
    }

    /// M2: changes the count while a thief keeps off, or leaves all as it was.
    #[inline(always)]
    fn change<T>(&self, body: impl FnOnce(u32) -> Option<(u32, T)>) -> Option<T> {
        // Relaxed, all: the owner's own, or written under the lock that the owner has had since.
        let changes = self.changes.load(Ordering::Relaxed);
        self.changes.store(changes | 1, Ordering::Relaxed);
        barrier::light();
        // Relaxed, both: as above.
        let changed = body(self.count.load(Ordering::Relaxed));
        let Some((count, answer)) = changed else {
            // Release: pairs with the Acquire in `is_idle`.
            self.changes.store(changes, Ordering::Release);
            return None;
        };
        // Relaxed: published by the Release below.
        self.count.store(count, Ordering::Relaxed);
        // Release: pairs with the Acquire in `is_idle`.
        self.changes.store(changes.wrapping_add(2), Ordering::Release);
        Some(answer)
    }

    #[inline(always)]
    fn place(&self, place: u32) -> &AtomicU32 {
        debug_assert!((place as usize) < ROUNDS_MAX);
        // SAFETY: M4.
        unsafe { self.blocks.get_unchecked(place as usize) }
    }

    #[inline(always)]
    fn block(&self, place: u32) -> BlockIndex {
        // Relaxed: M2.
        BlockIndex(self.place(place).load(Ordering::Relaxed) as usize)
    }

    #[inline(always)]
    fn set_block(&self, place: u32, index: BlockIndex) {
        // Relaxed: M2.
        self.place(place).store(index.0 as u32, Ordering::Relaxed);
    }

    /// How many blocks are here: exact for the owner, and for whoever closed it and saw it idle.
    pub(crate) fn count(&self) -> u32 {
        // Relaxed: M2; for others a figure of the moment.
        self.count.load(Ordering::Relaxed)
    }

    /// How often blocks were taken or put by the fast path.
    pub(crate) fn operations(&self) -> usize {
        // Relaxed: a figure of the moment.
        self.changes.load(Ordering::Relaxed) / 2
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
        // Relaxed, both: this thread is the only one.
        let changes = self.changes.load(Ordering::Relaxed);
        self.changes.store(changes & !1, Ordering::Relaxed);
    }

    /// Whether the owner is not in the middle of a change.
    pub(crate) fn is_idle(&self) -> bool {
        // Acquire: pairs with the Release in `change`, so that its count and blocks are there.
        self.changes.load(Ordering::Acquire).is_multiple_of(2)
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
    pub(crate) fn next_batch(&self, limit: u32) -> u32 {
        // Relaxed, all: M3.
        let batch = self.batch.load(Ordering::Relaxed).clamp(1, (limit / 2).max(1));
        self.batch.store((2 * batch).min(BATCH_MAX), Ordering::Relaxed);
        batch
    }

    /// Says that the batches begin small again.
    pub(crate) fn forget_batch(&self) {
        // Relaxed: M3.
        self.batch.store(1, Ordering::Relaxed);
    }

    /// Puts `count` free blocks into an empty magazine, `block(0)` being the last to be taken. By
    /// the owner.
    pub(crate) fn fill(&self, count: u32, block: impl Fn(u32) -> BlockIndex) {
        debug_assert_eq!(self.count(), 0);
        (0..count).for_each(|place| self.set_block(place, block(place)));
        // Relaxed: M2.
        self.count.store(count, Ordering::Relaxed);
    }

    /// Takes the newest `count` blocks out, oldest first; there are as many. By the owner.
    pub(crate) fn pour(&self, count: u32, mut each: impl FnMut(u32, BlockIndex)) {
        let rest = self.count() - count;
        (0..count).for_each(|place| each(place, self.block(rest + place)));
        // Relaxed: M2.
        self.count.store(rest, Ordering::Relaxed);
    }

    /// Takes all blocks out, oldest first. By the owner, or a thief (M2).
    pub(crate) fn empty(&self, each: impl FnMut(BlockIndex)) {
        self.blocks().for_each(each);
        // Relaxed: M2.
        self.count.store(0, Ordering::Relaxed);
    }

    /// The blocks, oldest first (M2; for others, blocks of the moment).
    pub(crate) fn blocks(&self) -> impl Iterator<Item = BlockIndex> {
        (0..self.count()).map(|place| self.block(place))
    }
}
