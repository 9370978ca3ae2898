//! What pool/mod.rs, explicit.rs and wait.rs do with a safe engine: the fast path, else the slow
//! one under the lock, and whoever waits is served before the lock is left.

use std::collections::VecDeque;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::base::ids::{Block, BlockIndex, UserPointer};
use crate::cache::depot::Depot;
use crate::cache::free_set::FreeSet;
use crate::cache::magazines::Explicit;
use crate::checks::ledger::SharedLedger;
use crate::composed::safe::Safe;
use crate::layout::geometry::Geometry;
use crate::layout::stride::Layout;
use crate::machine::{Condvar, Mutex};
use crate::sync::barrier::HEAVY;

const STRIDE: usize = 8;

/// Who waits for a block, and who has been handed one.
#[derive(Default)]
struct Line {
    comers: usize,
    waiting: VecDeque<usize>,
    served: Vec<(usize, Block)>,
}

/// A pool whose memory nobody but the test uses.
pub(crate) struct Pool<const CHECKED: bool> {
    safe: Safe<CHECKED>,
    line: Mutex<Line>,
    is_served: Condvar,
    thefts: AtomicUsize,
    base: NonNull<u64>,
    _blocks: Vec<u64>,
    _states: Vec<u8>,
    _bits: Vec<u64>,
}

// SAFETY: a safe pool is for any thread; that is what is tried here.
unsafe impl<const CHECKED: bool> Send for Pool<CHECKED> {}
// SAFETY: as above.
unsafe impl<const CHECKED: bool> Sync for Pool<CHECKED> {}

impl<const CHECKED: bool> Pool<CHECKED> {
    pub(crate) fn new(capacity: usize) -> Self {
        let (mut blocks, mut states) = (vec![0; capacity], vec![0; capacity]);
        let mut bits = vec![0; FreeSet::bytes(capacity) / size_of::<u64>()];
        let base = NonNull::from(&mut *blocks).cast::<u64>();
        let layout = Layout { stride: STRIDE, capacity, max_capacity: capacity };
        // SAFETY: the end of the slice.
        let end = unsafe { NonNull::from(&mut *states).cast::<u8>().add(capacity) };
        // SAFETY: `capacity` zero bytes before `end`, as long as the pool lives.
        let ledger = unsafe { SharedLedger::new(end) };
        // SAFETY: the end of the slice.
        let end = unsafe { NonNull::from(&mut *bits).cast::<u64>().add(bits.len()) };
        // SAFETY: room for so many blocks before `end`, as long as the pool lives.
        let depot = unsafe { Depot::new(end, capacity, true) };
        let pool = Self {
            safe: Safe::new(depot, ledger, base.cast(), Geometry::new(&layout)),
            line: Mutex::new(Line::default()),
            is_served: Condvar::new(),
            thefts: AtomicUsize::new(0),
            base,
            _blocks: blocks,
            _states: states,
            _bits: bits,
        };
        // A look at everything, so that a checker knows it before there are threads.
        assert_eq!(pool.in_use(), 0);
        pool
    }

    fn hold<T>(&self, body: impl FnOnce(&Safe<CHECKED>) -> T) -> T {
        let mut line = self.line.lock().expect("no panic");
        let answer = body(&self.safe);
        if !line.waiting.is_empty() {
            self.serve(&mut line);
        }
        answer
    }

    fn serve(&self, line: &mut Line) {
        while !line.waiting.is_empty()
            && let Some(block) = self.allocate_slow()
        {
            let first = line.waiting.pop_front().expect("not empty");
            line.served.push((first, block));
            self.is_served.notify_all();
        }
        if line.waiting.is_empty() {
            self.safe.let_open();
        }
    }

    fn index(&self, block: Block) -> BlockIndex {
        BlockIndex((block.addr().get() - self.base.addr().get()) / STRIDE)
    }

    fn pointer(&self, index: BlockIndex) -> UserPointer {
        UserPointer::new(self.base.as_ptr().wrapping_add(index.0))
    }

    pub(crate) fn allocate(&self) -> Option<BlockIndex> {
        let block = self.safe.allocate().or_else(|| self.allocate_under_lock());
        block.map(|block| self.index(block))
    }

    /// Under the lock, so that it is this thread who runs the fence, if one is run.
    fn allocate_slow(&self) -> Option<Block> {
        let before = HEAVY.load(Ordering::Relaxed);
        let block = self.safe.allocate_slow().block;
        if block.is_some() && HEAVY.load(Ordering::Relaxed) > before {
            self.thefts.fetch_add(1, Ordering::Relaxed);
        }
        block
    }

    /// How many blocks came out of the magazines of others.
    pub(crate) fn thefts(&self) -> usize {
        self.thefts.load(Ordering::Relaxed)
    }

    /// As `Core::allocate`, which asks again when the pool has grown, or could not.
    fn allocate_under_lock(&self) -> Option<Block> {
        self.hold(|safe| {
            let block = safe.allocate().or_else(|| self.allocate_slow());
            // Whoever gives one back now waits for the lock.
            assert!(block.is_some() || self.allocate_slow().is_none(), "none, and then one");
            block
        })
    }

    pub(crate) fn deallocate(&self, index: BlockIndex) {
        let pointer = self.pointer(index);
        let is_done = self.safe.deallocate(pointer) || self.deallocate_under_lock(pointer);
        assert!(is_done, "a block that is live is not taken back");
    }

    fn deallocate_under_lock(&self, pointer: UserPointer) -> bool {
        self.hold(|safe| safe.deallocate(pointer) || safe.deallocate_slow(pointer).is_ok())
    }

    /// A cache of this thread's own.
    pub(crate) fn new_cache(&self) -> Box<Explicit> {
        let cache = Box::new(Explicit::new());
        crate::machine::know(&cache.magazine);
        // SAFETY: it stays in its box until `end_cache`.
        self.hold(|safe| unsafe { safe.add(&cache) });
        cache
    }

    pub(crate) fn end_cache(&self, cache: Box<Explicit>) {
        self.hold(|safe| safe.remove(&cache));
    }

    pub(crate) fn allocate_from(&self, cache: &Explicit) -> Option<BlockIndex> {
        let magazine = &cache.magazine;
        let block = self
            .safe
            .allocate_from(magazine)
            .or_else(|| self.hold(|safe| safe.allocate_slow_from(magazine)))
            .or_else(|| self.allocate_under_lock());
        block.map(|block| self.index(block))
    }

    pub(crate) fn deallocate_to(&self, cache: &Explicit, index: BlockIndex) {
        let (magazine, pointer) = (&cache.magazine, self.pointer(index));
        let is_done = self.safe.deallocate_to(magazine, pointer)
            || self.hold(|safe| safe.deallocate_slow_to(magazine, pointer))
            || self.deallocate_under_lock(pointer);
        assert!(is_done, "a block that is live is not taken back");
    }

    /// A block, for which it waits however long.
    pub(crate) fn wait(&self) -> BlockIndex {
        let mut line = self.line.lock().expect("no panic");
        assert!(self.safe.keep_closed());
        line.comers += 1;
        let me = line.comers;
        line.waiting.push_back(me);
        self.serve(&mut line);
        loop {
            if let Some(place) = line.served.iter().position(|(who, _)| *who == me) {
                return self.index(line.served.swap_remove(place).1);
            }
            line = self.is_served.wait(line).expect("no panic");
        }
    }

    /// As `Safe::validate`, which looks at everything.
    pub(crate) fn look(&self) {
        self.hold(|safe| {
            assert!(safe.gather());
            let counts = safe.counts();
            let is_live = |&index: &usize| safe.is_live(BlockIndex(index));
            let live = (0..counts.frontier).filter(is_live).count();
            assert!(!CHECKED || live == counts.in_use, "{live} of {} are live", counts.in_use);
        });
    }

    /// Exact while nobody else calls.
    pub(crate) fn in_use(&self) -> usize {
        self.hold(Safe::counts).in_use
    }

    /// Each block can be had, once, and none is in use before. While nobody else calls.
    pub(crate) fn census(&self) {
        assert_eq!(self.in_use(), 0);
        let mut all: Vec<_> = std::iter::from_fn(|| self.allocate()).map(|i| i.0).collect();
        assert_eq!(self.in_use(), all.len());
        all.sort_unstable();
        assert!(all.into_iter().eq(0..self.hold(Safe::capacity)), "a block is lost or there twice");
    }
}
