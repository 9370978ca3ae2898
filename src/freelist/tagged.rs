//! The free list of the lock-free pool: a stack of block numbers, linked through a table beside the
//! blocks. A block's number is its index + 1, and 0 is nobody.
//!
//! ```text
//!   head    │ 4 │ tag │               one word: the tag changes with every push and every pop
//!             │
//!   number    4 ──► 3 ──► 1    2    5
//!   link     !3    !1    !0  LIVE   0      half a word: the next one, every bit turned over, or
//!                                          LIVE, or HELD, or 0 (untouched)
//!   depth     3     2     1    .    .      16 bits: how many there are from this one on
//!
//!   table   │ link 4 │ depth 4 │ depth 3 │ link 3 │ link 2 │ depth 2 │ depth 1 │ link 1 │ end
//! ```
//!
//! Nobody reads a word inside a block: its user may be writing there. The table is the ledger as
//! well: a block that is not LIVE can't be pushed. It grows downwards from `end`, and two blocks
//! share a part of it, so that what is known of one lies together and no byte between is lost.
//!
//! Why the tag: a thread that read head = 4 and the link of 4 may sleep while others pop 4, pop 3
//! and push 4 again. Without a tag its compare-and-swap would succeed, and make 3 the head, which
//! somebody uses. With it, the word has changed.
//!
//! The depth says how many blocks are on the stack, so that they need not be counted. Of a deep
//! stack it has the low 16 bits, and the rest follows from a note of the whole depth and its tag:
//! each change since is one block more or less, so of the depths that end in these 16 bits only one
//! is near enough. Who looks leaves a note, and so does one change in `NOTED`, as its tag says. A
//! note that comes after that of a later tag is dropped.
//!
//! Source: R. K. Treiber, "Systems Programming: Coping with Parallelism", IBM RJ 5118, 1986; the
//! tag is that of the IBM System/370 Principles of Operation.
//!
//! T1. `end` is aligned to a word, and the bytes before it, [`BYTES`] for each block, belong to
//!     this table alone.
//! T2. Every index comes from the geometry of the same pool or from this table.
//! T3. There are fewer than 2^15 changes from one note to the next, and from the last one to now: a
//!     thread may be put to sleep between its change and its note, but not all of the 127 that had
//!     one to make in a row.

use core::ptr::NonNull;

use crate::base::ids::BlockIndex;
use crate::base::sync::{AtomicHalf, AtomicU16, AtomicUsize, Ordering, fence};

pub(crate) const LINK_BYTES: usize = size_of::<AtomicHalf>();
pub(crate) const DEPTH_BYTES: usize = size_of::<AtomicU16>();

/// What the table takes beside each block.
pub(crate) const BYTES: usize = LINK_BYTES + DEPTH_BYTES;

const HALF: u32 = usize::BITS / 2;
const LOW_HALF: usize = (1 << HALF) - 1;

/// The most blocks that half a word can number, where the complements of three are taken.
pub(crate) const BLOCKS_MAX: usize = LOW_HALF - 3;

pub(crate) const UNTOUCHED: usize = 0;

/// A block that is handed out.
pub(crate) const LIVE: usize = 1;

/// A block that is on its way to the stack.
pub(crate) const HELD: usize = 2;

/// A stack of free blocks. One change in `NOTED`, a power of two, notes how deep it is.
pub(crate) struct TaggedStack<const NOTED: usize = 256> {
    head: AtomicUsize,
    pub(crate) end: NonNull<u8>,
    /// The last note: the depth, and the tag that the head had.
    noted: AtomicUsize,
    /// How often the head was changed, as far as it was noted: the tag counts in half a word.
    changes: AtomicUsize,
}

/// A block's number, or a depth, and a tag: two numbers in one word.
fn pack(high: usize, tag: usize) -> usize {
    high << HALF | tag & LOW_HALF
}

/// By how much the tag of one word is later than that of the other; below 0: earlier.
fn ahead(one: usize, other: usize) -> isize {
    (one.wrapping_sub(other) << HALF).cast_signed() >> HALF
}

/// The same for a head and what was noted; `None`: that is as late, or the head is of so long ago
/// that its tag comes round again.
fn since_note(head: usize, noted: usize) -> Option<isize> {
    Some(ahead(head, noted)).filter(|since| (1..1 << 16).contains(since))
}

impl<const NOTED: usize> TaggedStack<NOTED> {
    /// # Safety
    /// * T1 for as many blocks as the pool may have, and those bytes are zero.
    pub(crate) unsafe fn new(end: NonNull<u8>) -> Self {
        let zero = || AtomicUsize::new(0);
        Self { head: zero(), end, noted: zero(), changes: zero() }
    }

    #[inline(always)]
    fn link(&self, number: usize) -> &AtomicHalf {
        // Its own, those before it, and two depths for every two links.
        let links = number + (number >> 1) * (2 * DEPTH_BYTES / LINK_BYTES);
        // SAFETY: T1 and T2.
        unsafe { &*self.end.as_ptr().cast::<AtomicHalf>().wrapping_sub(links) }
    }

    #[inline(always)]
    fn depth(&self, number: usize) -> &AtomicU16 {
        // Its own, those before it, one link, and two more links for every two depths before it.
        let depths = number + ((number - 1) | 1) * (LINK_BYTES / DEPTH_BYTES);
        // SAFETY: T1 and T2.
        unsafe { &*self.end.as_ptr().cast::<AtomicU16>().wrapping_sub(depths) }
    }

    #[inline(always)]
    fn link_of(&self, index: BlockIndex) -> &AtomicHalf {
        self.link(index.0 + 1)
    }

    /// Takes the block on top, which is live from now on.
    #[inline(always)]
    pub(crate) fn pop(&self) -> Option<BlockIndex> {
        self.pop_for(|index| index)
    }

    /// The same, and answers what is made of it: last, so that a note before that costs the calls
    /// without one no register.
    #[inline(always)]
    pub(crate) fn pop_for<T>(&self, made_of: impl Fn(BlockIndex) -> T) -> Option<T> {
        // Acquire: pairs with the Release in `push`, so that the link of the block is there.
        let mut head = self.head.load(Ordering::Acquire);
        loop {
            let number = head >> HALF;
            let index = BlockIndex(number.checked_sub(1)?);
            // Relaxed: written before the push that was just acquired; if the block was popped
            // meanwhile, the tag has changed and nothing comes of what is read here.
            let link = self.link(number);
            let next = !link.load(Ordering::Relaxed) as usize;
            let popped = pack(next, head.wrapping_add(1));
            // Relaxed: no other write leaves the same word, so this one was acquired above, and
            // with it what the block's last user wrote. Acquire on failure: as for the load.
            match self.head.compare_exchange_weak(
                head,
                popped,
                Ordering::Relaxed,
                Ordering::Acquire,
            ) {
                Ok(_) => {
                    // Relaxed: as in `set_live`.
                    link.store(LIVE as _, Ordering::Relaxed);
                    return Some(match popped.is_multiple_of(NOTED) {
                        true => Self::note_popped(index, self, popped, made_of),
                        false => made_of(index),
                    });
                }
                Err(now) => head = now,
            }
        }
    }

    /// Puts a live block on top.
    #[inline(always)]
    pub(crate) fn push(&self, index: BlockIndex) {
        let number = index.0 + 1;
        let (link, own_depth) = (self.link(number), self.depth(number));
        // Acquire: pairs with the Release of the last push, whose depth is read below.
        let mut head = self.head.load(Ordering::Acquire);
        loop {
            let first = head >> HALF;
            let pushed = pack(number, head.wrapping_add(1));
            let depth = self.depth_from(first).wrapping_add(1);
            // Relaxed: it is handed over with the head.
            link.store(!first as _, Ordering::Relaxed);
            // Release: pairs with the fence in `depth_and_changes`.
            own_depth.store(depth, Ordering::Release);
            // Release: pairs with the Acquire in `pop` and in `push`. Acquire on failure: as for
            // the load above.
            match self.head.compare_exchange_weak(
                head,
                pushed,
                Ordering::Release,
                Ordering::Acquire,
            ) {
                Ok(_) if pushed.is_multiple_of(NOTED) => return self.note(pushed, depth),
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// The last bits of how many blocks there are from this one on. If it is popped meanwhile,
    /// anything may be read; then the head has changed.
    #[inline(always)]
    fn depth_from(&self, number: usize) -> u16 {
        match number {
            0 => 0,
            // Relaxed: written before the push that was acquired with the number.
            _ => self.depth(number).load(Ordering::Relaxed),
        }
    }

    /// Notes what the depth ended in when the head was so, unless a later head was noted already.
    #[cold]
    #[inline(never)]
    pub(super) fn note(&self, head: usize, depth: u16) {
        let later = |noted: usize| {
            since_note(head, noted)?;
            let near = noted >> HALF;
            // T3: no other depth that ends so is as near.
            let risen = depth.wrapping_sub(near as u16).cast_signed();
            Some(pack(near.wrapping_add_signed(risen.into()), head))
        };
        let all = |seen: usize| Some(seen.wrapping_add_signed(since_note(head, seen)?));
        // Relaxed, all: figures, of which the later one stays.
        let _ = self.noted.fetch_update(Ordering::Relaxed, Ordering::Relaxed, later);
        let _ = self.changes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, all);
    }

    /// The same for a block that was popped, whose depth stays as it is until it is pushed again.
    /// The stack is second, as it is for who calls: hot paths move no register for this call.
    #[cold]
    #[inline(never)]
    fn note_popped<T>(
        index: BlockIndex,
        stack: &Self,
        head: usize,
        made_of: impl Fn(BlockIndex) -> T,
    ) -> T {
        stack.note(head, stack.depth_from(index.0 + 1).wrapping_sub(1));
        made_of(index)
    }

    /// Marks a block live.
    pub(crate) fn set_live(&self, index: BlockIndex) {
        // Relaxed: whoever may ask whether the block is live got it from the thread that writes
        // this.
        self.link_of(index).store(LIVE as _, Ordering::Relaxed);
    }

    /// Takes a live block from its user, to be pushed; `false`: it is not live. Of two threads that
    /// try, one succeeds.
    #[inline(always)]
    pub(crate) fn claim(&self, index: BlockIndex) -> bool {
        let (link, live, held) = (self.link_of(index), LIVE as _, HELD as _);
        // Relaxed: as in `set_live`. Relaxed on failure: nothing is done then.
        link.compare_exchange(live, held, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Says that a block is not handed out, though it is not on the stack.
    pub(crate) fn set_held(&self, index: BlockIndex) {
        // Relaxed: as in `set_live`.
        self.link_of(index).store(HELD as _, Ordering::Relaxed);
    }

    #[inline(always)]
    pub(crate) fn is_live(&self, index: BlockIndex) -> bool {
        self.is(LIVE, index)
    }

    /// Whether a block is neither handed out nor on the stack.
    pub(crate) fn is_held(&self, index: BlockIndex) -> bool {
        self.is(HELD, index)
    }

    pub(crate) fn is_untouched(&self, index: BlockIndex) -> bool {
        self.is(UNTOUCHED, index)
    }

    #[inline(always)]
    fn is(&self, state: usize, index: BlockIndex) -> bool {
        // Relaxed: as in `set_live`.
        self.link_of(index).load(Ordering::Relaxed) as usize == state
    }

    /// How many blocks are on the stack, and how often it was changed: both of one moment. That is
    /// now, unless others change the stack so fast that it can't be seen.
    pub(crate) fn depth_and_changes(&self) -> (usize, usize) {
        const ATTEMPTS: usize = 100;
        for _ in 0..ATTEMPTS {
            // Acquire: as in `push`.
            let head = self.head.load(Ordering::Acquire);
            let depth = self.depth_from(head >> HALF);
            // Acquire: pairs with the Release of the depth that was just read: if somebody popped
            // that block and pushed it again, the load below finds another head.
            fence(Ordering::Acquire);
            // Relaxed: behind the fence.
            if self.head.load(Ordering::Relaxed) == head {
                self.note(head, depth);
                break;
            }
        }
        // Relaxed, both: as in `note`.
        let noted = self.noted.load(Ordering::Relaxed);
        let changes = self.changes.load(Ordering::Relaxed);
        (noted >> HALF, changes.wrapping_add_signed(ahead(noted, changes)))
    }

    /// The blocks on the stack, from the top. Only while nobody changes it; a walk that does not
    /// end after `limit` blocks ends there.
    pub(crate) fn blocks(&self, limit: usize) -> impl Iterator<Item = BlockIndex> {
        // Relaxed: who walks has made sure that nobody changes it.
        let mut next = self.head.load(Ordering::Relaxed) >> HALF;
        core::iter::from_fn(move || {
            let index = next.checked_sub(1)?;
            // Relaxed: as above.
            next = !self.link(next).load(Ordering::Relaxed) as usize;
            Some(BlockIndex(index))
        })
        .take(limit)
    }

    /// Leaves the stack empty; what was on it is the caller's to find. Only while nobody uses it.
    pub(crate) fn drop_all(&self) {
        // Relaxed, all: nobody uses the stack. The tag goes on, so that it counts every change.
        let tag = self.head.load(Ordering::Relaxed) & LOW_HALF;
        self.noted.store(tag, Ordering::Relaxed);
        self.head.store(tag, Ordering::Relaxed);
    }

    /// Forgets the blocks below `end`. Only while nobody uses the stack.
    pub(crate) fn forget(&self, end: usize) {
        self.drop_all();
        // Relaxed: as above.
        (1..=end).for_each(|number| self.link(number).store(UNTOUCHED as _, Ordering::Relaxed));
    }
}
