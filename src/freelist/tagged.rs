//! The free list of the lock-free pool: a stack of block numbers, linked through a table beside the
//! blocks.
//!
//! ```text
//!   head  │ tag │ 3 │          one word: the tag changes with every push and every pop
//!                 │
//!   links   . │ LIVE │ 0,1 │ 1,2 │ LIVE │      one word a block, downwards from `end`:
//!             4      3 ─►  2     1      0      next block and depth, or LIVE, or 0 (untouched)
//! ```
//!
//! Nobody reads a word inside a block: its user may be writing there. The table is the ledger as
//! well: a block that is not LIVE can't be pushed. The depth says how many blocks are on the stack
//! from this one on, so that they need not be counted.
//!
//! Why the tag: a thread that read head = 3 and the link of 3 may sleep while others pop 3, pop 2
//! and push 3 again. Without a tag its compare-and-swap would succeed, and make 2 the head, which
//! somebody uses. With it, the word has changed.
//!
//! Source: R. K. Treiber, "Systems Programming: Coping with Parallelism", IBM RJ 5118, 1986; the
//! tag is that of the IBM System/370 Principles of Operation.
//!
//! T1. `end` is aligned to a word, and the words before it, one for each block, belong to this
//!     table alone.
//! T2. Every index comes from the geometry of the same pool or from this table.

use core::ptr::NonNull;

use crate::base::ids::BlockIndex;
use crate::base::sync::{AtomicUsize, Ordering, fence};

/// What the table takes beside each block.
pub(crate) const LINK_BYTES: usize = size_of::<usize>();

const HALF: u32 = usize::BITS / 2;
const LOW_HALF: usize = (1 << HALF) - 1;

/// The most blocks that half a word can number, where 0 is nobody and LIVE is taken.
pub(crate) const BLOCKS_MAX: usize = LOW_HALF - 1;

/// A block that is handed out. No link looks like this, or like HELD: a depth is less.
pub(crate) const LIVE: usize = usize::MAX;

/// A block that is on its way to the stack.
pub(crate) const HELD: usize = usize::MAX - 1;

/// A stack of free blocks.
pub(crate) struct TaggedStack {
    head: AtomicUsize,
    pub(crate) end: NonNull<AtomicUsize>,
    /// How often the head was changed, as far as it was seen: the tag counts in half a word.
    changes: AtomicUsize,
}

/// A block and its tag, or a depth: two numbers in one word.
fn pack(high: usize, low: usize) -> usize {
    high << HALF | low
}

impl TaggedStack {
    /// # Safety
    /// * T1 for as many blocks as the pool may have, and those words are zero.
    pub(crate) unsafe fn new(end: NonNull<AtomicUsize>) -> Self {
        Self { head: AtomicUsize::new(0), end, changes: AtomicUsize::new(0) }
    }

    #[inline(always)]
    fn link(&self, index: usize) -> &AtomicUsize {
        // SAFETY: T1 and T2.
        unsafe { &*self.end.as_ptr().wrapping_sub(index + 1) }
    }

    /// Takes the block on top, which is live from now on.
    #[inline(always)]
    pub(crate) fn pop(&self) -> Option<BlockIndex> {
        // Acquire: pairs with the Release in `push`, so that the link of the block is there.
        let mut head = self.head.load(Ordering::Acquire);
        loop {
            let index = (head & LOW_HALF).checked_sub(1)?;
            // Relaxed: written before the push that was just acquired; if the block was popped
            // meanwhile, the tag has changed and nothing comes of what is read here.
            let next = self.link(index).load(Ordering::Relaxed) & LOW_HALF;
            let popped = pack((head >> HALF).wrapping_add(1), next);
            // Relaxed: no other write leaves the same word, so this one was acquired above, and
            // with it what the block's last user wrote. Acquire on failure: as for the load.
            match self.head.compare_exchange_weak(
                head,
                popped,
                Ordering::Relaxed,
                Ordering::Acquire,
            ) {
                Ok(_) => {
                    self.set_live(BlockIndex(index));
                    self.count_at_times(popped);
                    return Some(BlockIndex(index));
                }
                Err(now) => head = now,
            }
        }
    }

    /// Puts a live block on top.
    #[inline(always)]
    pub(crate) fn push(&self, index: BlockIndex) {
        // Acquire: pairs with the Release of the last push, whose depth is read below.
        let mut head = self.head.load(Ordering::Acquire);
        loop {
            let first = head & LOW_HALF;
            let pushed = pack((head >> HALF).wrapping_add(1), index.0 + 1);
            let link = pack(self.depth_from(first).wrapping_add(1), first);
            // Release: pairs with the fence in `depth_and_changes`.
            self.link(index.0).store(link, Ordering::Release);
            // Release: pairs with the Acquire in `pop` and in `push`. Acquire on failure: as for
            // the load above.
            match self.head.compare_exchange_weak(
                head,
                pushed,
                Ordering::Release,
                Ordering::Acquire,
            ) {
                Ok(_) => return self.count_at_times(pushed),
                Err(now) => head = now,
            }
        }
    }

    /// Sees the changes once in each half round of the tag, so that none is missed.
    #[inline(always)]
    fn count_at_times(&self, head: usize) {
        if (head >> HALF) & (LOW_HALF >> 1) == 0 {
            self.see_changes(head >> HALF);
        }
    }

    /// All changes up to the one that left this tag, or a later one that was seen already.
    #[cold]
    fn see_changes(&self, tag: usize) -> usize {
        let later = |seen: usize| {
            let since = tag.wrapping_sub(seen) & LOW_HALF;
            // More than half a round ahead is behind: another thread saw a later tag.
            seen.wrapping_add(if since > LOW_HALF / 2 + 1 { 0 } else { since })
        };
        // Relaxed, both: a figure.
        let seen = |seen| Some(later(seen));
        let before = self.changes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, seen);
        later(before.unwrap_or(0))
    }

    /// How many blocks there are from `first`, a head or a link, on. Of a block that is popped
    /// meanwhile anything may be read; then the head has changed.
    fn depth_from(&self, first: usize) -> usize {
        match first.checked_sub(1) {
            // Relaxed: written before the push that was acquired with `first`.
            Some(index) => self.link(index).load(Ordering::Relaxed) >> HALF,
            None => 0,
        }
    }

    /// Marks a block live.
    pub(crate) fn set_live(&self, index: BlockIndex) {
        // Release: pairs with the fence in `depth_and_changes`. Whoever may ask whether the block
        // is live got it from the thread that writes this.
        self.link(index.0).store(LIVE, Ordering::Release);
    }

    /// Takes a live block from its user, to be pushed; `false`: it is not live. Of two threads that
    /// try, one succeeds.
    #[inline(always)]
    pub(crate) fn claim(&self, index: BlockIndex) -> bool {
        // Relaxed: goes on with the release sequence of `set_live`. Relaxed on failure: nothing is
        // done then.
        let word = self.link(index.0);
        word.compare_exchange(LIVE, HELD, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Says that a block is not handed out, though it is not on the stack.
    pub(crate) fn set_held(&self, index: BlockIndex) {
        // Release: as in `set_live`.
        self.link(index.0).store(HELD, Ordering::Release);
    }

    #[inline(always)]
    pub(crate) fn is_live(&self, index: BlockIndex) -> bool {
        // Relaxed: as in `set_live`.
        self.link(index.0).load(Ordering::Relaxed) == LIVE
    }

    /// Whether a block is neither handed out nor on the stack.
    pub(crate) fn is_held(&self, index: BlockIndex) -> bool {
        // Relaxed: as in `set_live`.
        self.link(index.0).load(Ordering::Relaxed) == HELD
    }

    pub(crate) fn is_untouched(&self, index: BlockIndex) -> bool {
        // Relaxed: as in `set_live`.
        self.link(index.0).load(Ordering::Relaxed) == 0
    }

    /// How many blocks are on the stack, and how often it was changed: both of one moment, unless
    /// others change the stack so fast that none is found.
    pub(crate) fn depth_and_changes(&self) -> (usize, usize) {
        const ATTEMPTS: usize = 100;
        let mut found = (0, 0);
        for _ in 0..ATTEMPTS {
            // Acquire: as in `push`.
            let head = self.head.load(Ordering::Acquire);
            found = (self.depth_from(head & LOW_HALF), head >> HALF);
            // Acquire: pairs with the Release of the word that was just read: if somebody popped
            // that block first, the load below finds another head.
            fence(Ordering::Acquire);
            // Relaxed: behind the fence.
            if self.head.load(Ordering::Relaxed) == head {
                break;
            }
        }
        (found.0, self.see_changes(found.1))
    }

    /// The blocks on the stack, from the top. Only while nobody changes it; a walk that does not
    /// end after `limit` blocks ends there.
    pub(crate) fn blocks(&self, limit: usize) -> impl Iterator<Item = BlockIndex> {
        // Relaxed: who walks has made sure that nobody changes it.
        let mut next = self.head.load(Ordering::Relaxed) & LOW_HALF;
        core::iter::from_fn(move || {
            let index = next.checked_sub(1)?;
            // Relaxed: as in `depth_from`.
            next = self.link(index).load(Ordering::Relaxed) & LOW_HALF;
            Some(BlockIndex(index))
        })
        .take(limit)
    }

    /// Leaves the stack empty; what was on it is the caller's to find. Only while nobody uses it.
    pub(crate) fn drop_all(&self) {
        // Relaxed, both: nobody uses the stack. The tag goes on, so that it counts every change.
        let head = self.head.load(Ordering::Relaxed);
        self.head.store(head & !LOW_HALF, Ordering::Relaxed);
    }

    /// Forgets the blocks below `end`. Only while nobody uses the stack.
    pub(crate) fn forget(&self, end: usize) {
        self.drop_all();
        // Relaxed: as above.
        (0..end).for_each(|index| self.link(index).store(0, Ordering::Relaxed));
    }
}
