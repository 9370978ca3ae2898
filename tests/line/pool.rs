//! What pool/mod.rs and capi/allocate.rs do with a pool that threads wait for.

#[path = "../../src/pool/lock_free.rs"]
mod lock_free;
#[path = "../../src/pool/sleepers.rs"]
mod sleepers;
#[path = "../../src/pool/wait.rs"]
mod wait;
#[path = "../../src/pool/waiters.rs"]
mod waiters;

use std::cell::RefCell;
use std::ptr::NonNull;

use crate::base::error::Error;
use crate::base::ids::{Block, BlockIndex, UserPointer};
use crate::base::sync::{Lock, lock};
use crate::freelist::tagged::TaggedStack;
use crate::host::sleep::Deadline;
use crate::layout::geometry::Geometry;
use crate::layout::stride::Layout;
use crate::line::table::Table;
use engine::{Engine, List};
use lock_free::LockFree;
use waiters::Waiters;

const STRIDE: usize = 8;

pub(crate) struct Pool {
    core: Core,
    lock: Lock<()>,
    waiters: Waiters,
    base: NonNull<u64>,
    _blocks: Vec<u64>,
    _table: Table,
}

struct Core {
    engine: Engine,
}

// SAFETY: these pools are for any thread; that is what is tried here.
unsafe impl Send for Pool {}
// SAFETY: as above.
unsafe impl Sync for Pool {}

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Safe,
    LockFree,
}

impl Pool {
    /// All blocks are free.
    pub(crate) fn new(kind: Kind, capacity: usize) -> Self {
        let mut blocks = vec![0; capacity];
        let table = Table::new(capacity);
        let base = NonNull::from(&mut *blocks).cast::<u64>();
        let layout = Layout { stride: STRIDE, capacity, max_capacity: capacity };
        // SAFETY: a table for so many blocks, as long as the pool lives.
        let stack = unsafe { TaggedStack::new(table.end()) };
        let block_at =
            |index| base.cast::<u8>().map_addr(|base| base.saturating_add(STRIDE * index));
        let engine = match kind {
            Kind::LockFree => {
                Engine::LockFreeStandard(LockFree::new(stack, base.cast(), Geometry::new(&layout)))
            }
            Kind::Safe => {
                Engine::SafeStandard(List(RefCell::new((0..capacity).map(block_at).collect())))
            }
        };
        let (lock, waiters) = (Lock::new(()), Waiters::new());
        Self { core: Core { engine }, lock, waiters, base, _blocks: blocks, _table: table }
    }

    fn hold<T>(&self, body: impl FnOnce(&Core) -> T) -> T {
        let _held = lock(&self.lock);
        let answer = body(&self.core);
        if !self.waiters.is_empty() {
            self.serve();
        }
        answer
    }

    pub(crate) fn index(&self, block: Block) -> BlockIndex {
        BlockIndex((block.addr().get() - self.base.addr().get()) / STRIDE)
    }

    fn pointer(&self, index: BlockIndex) -> UserPointer {
        UserPointer::new(self.base.as_ptr().wrapping_add(index.0))
    }

    pub(crate) fn allocate(&self) -> Option<BlockIndex> {
        let block = match &self.core.engine {
            Engine::LockFreeStandard(engine) => engine.allocate_slow().block,
            engine => self.hold(|_| engine::each!(engine, engine => engine.allocate_slow()).block),
        };
        block.map(|block| self.index(block))
    }

    pub(crate) fn deallocate(&self, index: BlockIndex) {
        let pointer = self.pointer(index);
        match &self.core.engine {
            Engine::LockFreeStandard(engine) => assert!(engine.deallocate(pointer)),
            Engine::SafeStandard(list) => self.hold(|_| list.push(pointer)),
            _ => unreachable!("no test has such a pool"),
        }
        if self.has_sleepers() {
            self.wake_sleepers();
        }
    }

    pub(crate) fn wait_watched(
        &self,
        engine: &engine::Inspected,
        _deadline: Deadline,
    ) -> Result<Block, Error> {
        match *engine {}
    }

    fn let_magazines_open(&self) {
        self.core.engine.let_magazines_open();
    }

    /// Nothing fails on purpose here.
    fn refuses_who_waits(&self) -> bool {
        false
    }

    fn take_quietly(&self) -> Option<Block> {
        self.core.engine.take_quietly().block
    }

    pub(crate) fn has_a_line(&self) -> bool {
        self.is_waited_for()
    }
}

pub(crate) mod engine {
    //! Those that wait.rs knows.

    use std::cell::RefCell;
    use std::ptr::NonNull;

    use super::lock_free::LockFree;
    use super::single::Supply;
    use crate::base::ids::{Block, UserPointer};

    pub(crate) enum Engine {
        SafeStandard(List),
        LockFreeStandard(LockFree<true>),
        SafeUnchecked(List),
        LockFreeUnchecked(LockFree<false>),
        SingleStandard(List),
        SingleUnchecked(List),
        Inspected(Inspected),
    }

    /// None of the tests has one.
    pub(crate) enum Inspected {}

    impl Inspected {
        pub(super) fn allocate_slow(&self) -> Supply {
            match *self {}
        }

        pub(crate) fn inner(&self) -> &LockFree<true> {
            match *self {}
        }

        pub(crate) fn settle(&self) {
            match *self {}
        }

        pub(crate) fn is_of_one_owner(&self) -> bool {
            match *self {}
        }
    }

    /// The free blocks, under the pool's lock.
    pub(crate) struct List(pub(super) RefCell<Vec<Block>>);

    impl List {
        pub(super) fn allocate_slow(&self) -> Supply {
            Supply::of(self.0.borrow_mut().pop())
        }

        pub(super) fn push(&self, pointer: UserPointer) {
            let block = NonNull::new(std::ptr::without_provenance_mut(pointer.address()));
            self.0.borrow_mut().extend(block);
        }

        pub(super) fn keep_closed(&self) -> bool {
            true
        }

        pub(super) fn let_open(&self) {}

        pub(super) fn settle(&self) {}
    }

    macro_rules! each {
        ($engine:expr, $each:ident => $what:expr) => {
            match $engine {
                Engine::SafeStandard($each) => $what,
                Engine::LockFreeStandard($each) => $what,
                Engine::SafeUnchecked($each) => $what,
                Engine::LockFreeUnchecked($each) => $what,
                Engine::SingleStandard($each) => $what,
                Engine::SingleUnchecked($each) => $what,
                Engine::Inspected($each) => $what,
            }
        };
    }

    pub(crate) use each;
}

pub(crate) mod single {
    //! What an engine answers; of src/pool/single.rs, whose engine is not needed.
    use core::convert::Infallible;

    use crate::base::ids::Block;

    pub(crate) struct Supply {
        pub(crate) block: Option<Block>,
        pub(crate) finding: Option<Infallible>,
    }

    impl Supply {
        pub(crate) fn of(block: Option<Block>) -> Self {
            Self { block, finding: None }
        }
    }

    pub(crate) struct Counts {
        pub(crate) in_use: usize,
        pub(crate) peak_in_use: usize,
        pub(crate) allocations: u64,
        pub(crate) deallocations: u64,
        pub(crate) failures: u64,
        pub(crate) frontier: usize,
    }
}
