//! Guarded blocks: each lies alone, at the end of OS pages of its own, and nobody may touch the OS
//! page behind it, nor the block itself once it was given back. So the very instruction that does
//! is stopped by the processor.
//!
//! ```text
//!   │ no │ .. FD │ block │ FD │ no │  no │  no │ .. FD │ block │ FD │ no │ ...
//!   before └──── berth 0, live ────┘ 1, free   └──── berth 2, live ────┘
//! ```
//!
//! A guarded block stands for a block of the span, which is live for as long and is used by nobody.
//! What alignment leaves of its OS pages behind it, and a few bytes before it, hold a pattern that
//! is looked at when the block comes back.
//!
//! Berths are used again in the order in which they became free, so that a block stays inaccessible
//! as long as can be. A free berth takes no memory, and is one mapping with its neighbours.
//!
//! Who changes berths has the lock of the pool, or is its owner. Who reports misuse, or a fault in
//! the middle of a program, only reads, at any time and in a signal handler too: so what is read
//! then is atomic, and a report is no worse for parts that do not belong together.
//!
//! U1. `count` berths, zero at first, stand at the start of `table`, and lie one `step` after the
//!     other in `area` from `first` on.
//! U2. The OS pages of a live berth are readable and writable. Those of all others are nobody's.

use core::cell::Cell;
use core::ops::Range;
use core::ptr::NonNull;
use core::slice;

use crate::base::ids::{Block, BlockIndex};
use crate::base::sync::{AtomicU32, AtomicUsize, Ordering};
use crate::host::os;
use crate::inspect::Evidence;
use crate::inspect::fill::{CANARY, Damage, first_but};
use crate::inspect::sites::{Event, Sites};
use crate::source::memory::Memory;

/// The frames that are kept of each stack.
pub(crate) const DEPTH: usize = 16;
/// The most berths that a pool has.
const BERTHS_MAX: usize = 1 << 15;
/// Of the blocks of a pool these first ones can be guarded.
const KNOWN_MAX: usize = 1 << 28;
/// What is looked at before a block.
const FRONT_BYTES: usize = 16;
/// The most guarded blocks that are live in a process: each takes two of the mappings that a system
/// counts, of which Linux allows 65530, also for everything else.
const LIVE_MAX: usize = 1 << 14;

static LIVE: AtomicUsize = AtomicUsize::new(0);

const UNUSED: u32 = 0;
const IS_LIVE: u32 = 1;
const IS_FREE: u32 = 2;

/// The place of a guarded block.
struct Berth {
    state: AtomicU32,
    /// The next in the line of free ones, plus 1; 0: there is none.
    next: AtomicU32,
    /// The block of the span that the last one here stood for.
    index: AtomicUsize,
}

/// Where things lie.
#[derive(Clone, Copy)]
struct Plan {
    /// The address of berth 0.
    first: usize,
    /// From a berth to the next.
    step: usize,
    /// Bytes of the OS pages of a berth; what is behind them is nobody's.
    pages: usize,
    /// From the start of a berth to that of its block.
    block_at: usize,
    block_size: usize,
}

/// The guarded blocks of a pool.
pub(crate) struct Berths {
    area: Memory,
    table: Memory,
    /// For each block of the pool the berth of the one that stands for it, plus 1.
    standing: Memory,
    sites: Sites,
    plan: Plan,
    count: usize,
    known_max: usize,
    /// Berths from here on were never used.
    used: Cell<usize>,
    /// The line of free berths, each plus 1; 0: there is none.
    oldest: Cell<u32>,
    newest: Cell<u32>,
    live: Cell<usize>,
    /// Blocks that there is room for in `standing`.
    known: Cell<usize>,
}

/// A block that is or was guarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Berthed {
    pub(crate) number: usize,
    /// Of the block that it stands for.
    pub(crate) index: BlockIndex,
    pub(crate) block: Block,
    pub(crate) is_live: bool,
}

impl Plan {
    /// For blocks of that kind, in an area that begins there.
    fn new(start: usize, block_size: usize, alignment: usize) -> Option<Self> {
        let page = os::page_bytes();
        let pages = block_size.checked_next_multiple_of(page)?;
        let step = pages.checked_add(page)?.checked_next_multiple_of(page.max(alignment))?;
        // Before the first there is an OS page that is nobody's, too.
        let first = start.checked_add(page)?.checked_next_multiple_of(page.max(alignment))?;
        let block_at = (pages - block_size) / alignment * alignment;
        Some(Self { first, step, pages, block_at, block_size })
    }

    /// What so many berths take, wherever the area begins.
    fn bytes(&self, alignment: usize, count: usize) -> Option<usize> {
        self.step.checked_mul(count)?.checked_add(os::page_bytes())?.checked_add(alignment)
    }

    fn block(&self, number: usize) -> usize {
        self.first + number * self.step + self.block_at
    }
}

impl Berths {
    /// For as many blocks of that kind, or fewer where the system refuses the address space.
    /// `max_capacity`: how many the pool may come to have. `None`: the system gives no memory.
    pub(crate) fn new(
        (block_size, alignment): (usize, usize),
        count: usize,
        max_capacity: usize,
    ) -> Option<Self> {
        let plan = Plan::new(0, block_size, alignment)?;
        let mut count = count.min(BERTHS_MAX);
        let area = loop {
            let bytes = plan.bytes(alignment, count).filter(|&bytes| bytes <= isize::MAX as usize);
            match bytes.and_then(Memory::reserved) {
                Some(area) => break area,
                None => count /= 2,
            }
            if count == 0 {
                return None;
            }
        };
        let plan = Plan::new(area.start().addr().get(), block_size, alignment)?;
        let known_max = max_capacity.min(KNOWN_MAX);
        Some(Self {
            area,
            table: Memory::new(count * size_of::<Berth>())?,
            standing: Memory::reserved(known_max * size_of::<AtomicU32>())?,
            sites: Sites::new(DEPTH, count, count)?,
            plan,
            count,
            known_max,
            used: Cell::new(0),
            oldest: Cell::new(0),
            newest: Cell::new(0),
            live: Cell::new(0),
            known: Cell::new(0),
        })
    }

    fn berth(&self, number: usize) -> &Berth {
        debug_assert!(number < self.count);
        let berths: NonNull<Berth> = self.table.start().cast();
        // SAFETY: U1.
        unsafe { &*berths.as_ptr().wrapping_add(number) }
    }

    fn block(&self, number: usize) -> Block {
        let start = self.area.start();
        // SAFETY: U1, so inside the area.
        unsafe { start.add(self.plan.block(number) - start.addr().get()) }
    }

    /// The OS pages of a berth, from the start of the area.
    fn pages(&self, number: usize) -> Range<usize> {
        let start = self.plan.first + number * self.plan.step - self.area.start().addr().get();
        start..start + self.plan.pages
    }

    /// The berth of the block that stands for that of the span, plus 1; `None`: there is no room.
    fn standing(&self, index: BlockIndex) -> Option<&AtomicU32> {
        let words: NonNull<AtomicU32> = self.standing.start().cast();
        // SAFETY: committed for as many blocks, and zero at first.
        (index.0 < self.known.get()).then(|| unsafe { &*words.as_ptr().wrapping_add(index.0) })
    }

    /// Makes room in `standing`. `false`: there is no memory.
    fn know(&self, index: BlockIndex) -> bool {
        if index.0 < self.known.get() {
            return true;
        }
        let known = (index.0 + 1).next_power_of_two().min(self.known_max);
        let done = index.0 < known && self.standing.commit(0..known * size_of::<AtomicU32>());
        if done {
            self.known.set(known);
        }
        done
    }

    /// A block that stands for that of the span, where the system and the berths have one to give.
    /// `fresh`: what its bytes shall be.
    pub(crate) fn take(&self, index: BlockIndex, fresh: Option<u8>) -> Option<Block> {
        // Relaxed, both: a count.
        let may_be = LIVE.fetch_add(1, Ordering::Relaxed) < LIVE_MAX;
        let taken = if may_be { self.open(index, fresh) } else { None };
        if taken.is_none() {
            LIVE.fetch_sub(1, Ordering::Relaxed);
        }
        taken
    }

    fn open(&self, index: BlockIndex, fresh: Option<u8>) -> Option<Block> {
        let is_unused = self.used.get() < self.count;
        let unused = is_unused.then_some(self.used.get());
        let number = unused.or_else(|| Some(self.oldest.get().checked_sub(1)? as usize))?;
        if !self.know(index) || !self.area.commit(self.pages(number)) {
            return None;
        }
        let berth = self.berth(number);
        if is_unused {
            self.used.set(number + 1);
        } else {
            // Relaxed: the line is for one thread at a time.
            self.oldest.set(berth.next.load(Ordering::Relaxed));
        }
        self.live.set(self.live.get() + 1);
        let block = self.block(number);
        if let Some(byte) = fresh {
            // SAFETY: U2, and nobody has the block yet.
            unsafe { block.write_bytes(byte, self.plan.block_size) };
        }
        for (start, count) in self.around(block) {
            // SAFETY: as above.
            unsafe { start.write_bytes(CANARY, count) };
        }
        // Relaxed, all: see the head of this file.
        berth.index.store(index.0, Ordering::Relaxed);
        let standing = self.standing(index);
        standing.inspect(|berth| berth.store(number as u32 + 1, Ordering::Relaxed));
        self.sites.write(BlockIndex(number), Event::Taken);
        berth.state.store(IS_LIVE, Ordering::Relaxed);
        Some(block)
    }

    /// The bytes before a block and behind it that nobody may write, up to the end of its OS pages.
    fn around(&self, block: Block) -> [(*mut u8, usize); 2] {
        let Plan { pages, block_at, block_size, .. } = self.plan;
        let front = block_at.min(FRONT_BYTES);
        let (before, behind) = (block.as_ptr().wrapping_sub(front), pages - block_at - block_size);
        [(before, front), (block.as_ptr().wrapping_add(block_size), behind)]
    }

    /// What is wrong around a live block.
    pub(crate) fn damage(&self, berthed: &Berthed) -> Option<Damage> {
        // SAFETY: U2; nobody may write there, and whoever does is what is looked for.
        let bytes = |(start, count): (*mut u8, _)| unsafe { slice::from_raw_parts(start, count) };
        let [before, behind] = self.around(berthed.block).map(bytes);
        if let Some(first) = first_but(behind, CANARY) {
            return Some(Damage::PastEnd { offset: self.plan.block_size + first });
        }
        let first = first_but(before, CANARY)?;
        Some(Damage::BeforeStart { distance: before.len() - first })
    }

    /// Takes a live block back: nobody may touch it from now on. Should the system refuse that, a
    /// use is not stopped.
    pub(crate) fn give(&self, berthed: &Berthed) {
        let (number, berth) = (berthed.number, self.berth(berthed.number));
        self.sites.write(BlockIndex(number), Event::Given);
        // Relaxed, all: see the head of this file; the line is for one thread at a time.
        berth.state.store(IS_FREE, Ordering::Relaxed);
        let standing = self.standing(berthed.index);
        standing.inspect(|berth| berth.store(0, Ordering::Relaxed));
        let _ = self.area.uncommit(self.pages(number));
        berth.next.store(0, Ordering::Relaxed);
        match self.newest.replace(number as u32 + 1).checked_sub(1) {
            Some(before) if self.oldest.get() != 0 => {
                let next = &self.berth(before as usize).next;
                // Relaxed: as above.
                next.store(number as u32 + 1, Ordering::Relaxed);
            }
            _ => self.oldest.set(number as u32 + 1),
        }
        self.live.set(self.live.get() - 1);
        // Relaxed: a count.
        LIVE.fetch_sub(1, Ordering::Relaxed);
    }

    /// The blocks that are live, in no order.
    pub(crate) fn all_live(&self) -> impl Iterator<Item = Berthed> {
        let used = if self.live.get() == 0 { 0 } else { self.used.get() };
        (0..used).filter_map(|number| self.berthed(number)).filter(|berthed| berthed.is_live)
    }

    /// The live block that stands for that of the span.
    pub(crate) fn standing_for(&self, index: BlockIndex) -> Option<Berthed> {
        // Relaxed: who asks has the lock of the pool, as who wrote it had.
        let number = self.standing(index)?.load(Ordering::Relaxed).checked_sub(1)?;
        self.berthed(number as usize)
    }

    fn berthed(&self, number: usize) -> Option<Berthed> {
        let berth = (number < self.count).then(|| self.berth(number))?;
        // Relaxed, both: see the head of this file.
        let state = berth.state.load(Ordering::Relaxed);
        let index = BlockIndex(berth.index.load(Ordering::Relaxed));
        let block = self.block(number);
        (state != UNUSED).then_some(Berthed { number, index, block, is_live: state == IS_LIVE })
    }

    /// Whether an address is of the area.
    pub(crate) fn has(&self, address: usize) -> bool {
        address.wrapping_sub(self.area.start().addr().get()) < self.area.bytes()
    }

    /// The block on whose OS pages an address lies, and how far from its start.
    pub(crate) fn find(&self, address: usize) -> Option<(Berthed, isize)> {
        let Plan { first, step, pages, .. } = self.plan;
        let offset = address.checked_sub(first).filter(|offset| offset % step < pages)?;
        self.at(offset / step, address)
    }

    fn at(&self, number: usize, address: usize) -> Option<(Berthed, isize)> {
        let berthed = self.berthed(number)?;
        Some((berthed, address.wrapping_sub(berthed.block.addr().get()).cast_signed()))
    }

    /// The block that a fault at an address has to do with, and how far that is from its start.
    /// Between two blocks it is the one that is live, or else the nearer.
    pub(crate) fn nearest(&self, address: usize) -> Option<(Berthed, isize)> {
        if let Some(found) = self.find(address) {
            return Some(found);
        }
        let after = address.wrapping_sub(self.plan.first).wrapping_add(self.plan.step);
        let next = after / self.plan.step;
        let before = |count| next.checked_sub(count).and_then(|number| self.at(number, address));
        let candidates = before(1).into_iter().chain(self.at(next, address));
        let end = self.plan.block_size.cast_signed();
        let nearest = candidates.min_by_key(|(berthed, into)| {
            let distance = if *into < 0 { -into } else { into - end };
            (!berthed.is_live, distance)
        });
        nearest.or_else(|| before(2))
    }

    /// Who took the block, and who gave it back since.
    pub(crate) fn evidence(&self, berthed: &Berthed) -> Evidence {
        let read = |event| self.sites.read(BlockIndex(berthed.number), event);
        let taken = read(Event::Taken);
        // What lay here before is another block.
        let since = taken.map_or(0, |site| site.sequence);
        let given = read(Event::Given).filter(|site| site.sequence > since);
        Evidence { taken, given, here: None }
    }

    pub(crate) fn sites(&self) -> &Sites {
        &self.sites
    }

    pub(crate) fn block_size(&self) -> usize {
        self.plan.block_size
    }

    /// Bytes of memory beside the pool's own.
    pub(crate) fn bytes(&self) -> usize {
        self.table.bytes()
            + self.known.get() * size_of::<AtomicU32>()
            + self.sites.bytes(self.count)
            + self.live.get() * self.plan.pages
    }
}

impl Drop for Berths {
    fn drop(&mut self) {
        // Relaxed: a count.
        LIVE.fetch_sub(self.live.get(), Ordering::Relaxed);
    }
}
