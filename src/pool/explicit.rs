//! Explicit caches: a magazine that a thread owns by its own will, and finds by a handle instead of
//! looking it up. Everything else is as with the magazines of threads: blocks can be stolen from
//! it, and what is in it when its pool ends, ends with it.
//!
//! A cache lives in a slot of the arena, like a pool, so that a handle of one that is gone is an
//! error and not a crash.

use core::cell::Cell;
use core::mem::offset_of;
use core::ptr::NonNull;

use crate::base::error::{Error, Refusal};
use crate::base::ids::{Block, UserPointer};
use crate::base::log::{Level, log};
use crate::base::sync::{AtomicUsize, lock};
use crate::cache::magazines::Explicit;
use crate::cache::threads;
use crate::host::{HAS_SYSTEM, thread};
use crate::pool::config::Threading;
use crate::pool::core::Core;
use crate::pool::engine::Engine;
use crate::pool::handles::NO_SYSTEM;
use crate::pool::safe::Safe;
use crate::pool::{Pool, arena};

const NOT_SAFE: Refusal = Refusal::unsupported(
    "only a pool of POOL_THREADS_SAFE that does not lie in a buffer has caches",
);

#[repr(C)]
pub(crate) struct Cache {
    /// First, for `end_caches`.
    explicit: Explicit,
    pub(super) blocks: Blocks,
    pool: *const Pool,
    handle: Cell<UserPointer>,
    /// The thread that called first; 0: nobody did.
    owner: Cell<usize>,
}

/// Where the blocks of the pool are, for programs that inline the calls (`view.rs`). All but what
/// `capacity` points to stays as it is while the pool lives.
#[repr(C)]
pub(super) struct Blocks {
    pub(super) base: NonNull<u8>,
    pub(super) stride: usize,
    pub(super) inverse: usize,
    pub(super) shift: usize,
    /// Of a pool without checks it is theirs alone: the library marks nothing there, and takes back
    /// what they find to be free.
    pub(super) ledger: NonNull<u8>,
    /// How many blocks there are now.
    pub(super) capacity: *const AtomicUsize,
}

impl Blocks {
    fn of<const CHECKED: bool>(engine: &Safe<CHECKED>) -> Self {
        let geometry = &engine.geometry;
        Self {
            base: engine.base,
            stride: geometry.stride,
            inverse: geometry.reciprocal.inverse,
            shift: geometry.reciprocal.shift as usize,
            ledger: engine.ledger().end(),
            capacity: &geometry.capacity,
        }
    }
}

/// What inlined calls find in a cache of a watched pool: no block.
static NOTHING: AtomicUsize = AtomicUsize::new(0);

impl Blocks {
    fn none(base: NonNull<u8>) -> Self {
        let capacity = &raw const NOTHING;
        Self { base, stride: 1, inverse: 1, shift: 0, ledger: base, capacity }
    }
}

/// Does the same with the safe engine of the pool, checked or not.
macro_rules! each_safe {
    ($pool:expr, $name:ident => $body:expr, $otherwise:expr) => {
        match &$pool.core.engine {
            Engine::SafeStandard($name) => $body,
            Engine::SafeUnchecked($name) => $body,
            _ => $otherwise,
        }
    };
}

/// Gives a pool a cache and answers its handle.
pub(crate) fn create(pool: &Pool) -> Result<UserPointer, Refusal> {
    let blocks = match &pool.core.engine {
        Engine::Inspected(engine) if engine.threading() == Threading::Safe => {
            Blocks::none(pool.core.base())
        }
        _ => each_safe!(pool, engine => Blocks::of(engine), return Err(NOT_SAFE)),
    };
    if !HAS_SYSTEM {
        return Err(NO_SYSTEM);
    }
    let handle = arena::insert_cache(Cache {
        explicit: Explicit::new(),
        blocks,
        pool,
        handle: Cell::new(UserPointer::new::<u8>(core::ptr::null())),
        owner: Cell::new(0),
    })?;
    let _held = lock(&pool.lock);
    if let Some(cache) = arena::find_cache(handle) {
        cache.handle.set(handle);
        // SAFETY: slots do not move, and what lives in this one is removed before it is freed.
        unsafe { pool.core.engine.add_explicit(&cache.explicit) };
    }
    Ok(handle)
}

/// Ends a cache; its blocks go back to its pool.
pub(crate) fn destroy(handle: UserPointer) -> Result<(), Error> {
    let cache = find(handle).ok_or(Error::StaleHandle)?;
    let pool = cache.pool();
    pool.hold(|core| core.engine.remove_explicit(&cache.explicit));
    if arena::remove_cache(handle) { Ok(()) } else { Err(Error::StaleHandle) }
}

/// The cache under a handle.
pub(crate) fn find<'call>(handle: UserPointer) -> Option<&'call Cache> {
    if HAS_SYSTEM { arena::find_cache(handle) } else { None }
}

/// Where a program finds the cache that inlines its calls (`view.rs`).
pub(crate) fn view(handle: UserPointer) -> Option<NonNull<u8>> {
    if HAS_SYSTEM { arena::cache_at_key(handle) } else { None }
}

/// The same for the hot paths: `None` means "not in the first arena".
#[inline(always)]
pub(crate) fn find_fast<'call>(handle: UserPointer) -> Option<&'call Cache> {
    if HAS_SYSTEM { arena::find_cache_fast(handle) } else { None }
}

impl Pool {
    /// Ends the caches of a pool that nobody can find any more.
    pub(super) fn end_caches(&self) {
        while let Some(explicit) = self.core.engine.pop_explicit() {
            // SAFETY: it was on the list, so it lives; a cache begins with what was on the list.
            let cache = unsafe { explicit.cast::<Cache>().as_ref() };
            arena::remove_cache(cache.handle.get());
        }
    }
}

impl Engine {
    /// # Safety
    /// * The cache stays where it is until it is removed.
    unsafe fn add_explicit(&self, explicit: &Explicit) {
        match self {
            // SAFETY: by this function's contract.
            Self::SafeStandard(engine) => unsafe { engine.add(explicit) },
            // SAFETY: as above.
            Self::SafeUnchecked(engine) => unsafe { engine.add(explicit) },
            // SAFETY: as above.
            Self::Inspected(engine) => unsafe { engine.explicits.add(explicit) },
            _ => {}
        }
    }

    fn remove_explicit(&self, explicit: &Explicit) {
        match self {
            Self::SafeStandard(engine) => engine.remove(explicit),
            Self::SafeUnchecked(engine) => engine.remove(explicit),
            Self::Inspected(engine) => engine.explicits.remove(explicit),
            _ => {}
        }
    }

    fn pop_explicit(&self) -> Option<NonNull<Explicit>> {
        match self {
            Self::SafeStandard(engine) => engine.pop_explicit(),
            Self::SafeUnchecked(engine) => engine.pop_explicit(),
            Self::Inspected(engine) => engine.explicits.pop(),
            _ => None,
        }
    }
}

impl Cache {
    /// Where its magazine lies in it.
    pub(super) const MAGAZINE_AT: usize =
        offset_of!(Cache, explicit) + offset_of!(Explicit, magazine);

    fn pool(&self) -> &Pool {
        // SAFETY: a pool ends its caches before it ends (`end_caches`).
        unsafe { &*self.pool }
    }

    #[inline(always)]
    pub(crate) fn allocate(&self) -> Option<Block> {
        let magazine = &self.explicit.magazine;
        each_safe!(self.pool(), engine => engine.allocate_from(magazine), None)
    }

    #[inline(always)]
    #[must_use]
    pub(crate) fn deallocate(&self, pointer: UserPointer) -> bool {
        let magazine = &self.explicit.magazine;
        each_safe!(self.pool(), engine => engine.deallocate_to(magazine, pointer), false)
    }

    /// A block, by every means there is.
    pub(crate) fn allocate_slow(&self, call: &str) -> Option<Block> {
        self.check_owner(call).ok()?;
        threads::enter();
        let (pool, magazine) = (self.pool(), &self.explicit.magazine);
        let take = |core: &Core| {
            // The slow path of the pool counts.
            if core.failing.is_armed() {
                return None;
            }
            let block = each_safe!(pool, engine => engine.allocate_slow_from(magazine), None);
            block.map(|block| core.guarded(block))
        };
        pool.hold(take).or_else(|| pool.allocate_slow())
    }

    /// Takes a block back or says, and reports, why not.
    pub(crate) fn deallocate_slow(&self, call: &str, pointer: UserPointer) -> Result<(), Error> {
        self.check_owner(call)?;
        threads::enter();
        let (pool, magazine) = (self.pool(), &self.explicit.magazine);
        let put =
            |_: &_| each_safe!(pool, engine => engine.deallocate_slow_to(magazine, pointer), false);
        if pool.hold(put) { Ok(()) } else { pool.deallocate_slow(pointer, None) }
    }

    /// The thread that calls first is the owner. Asked on slow paths only: another thread is found
    /// when the magazine is empty or full.
    fn check_owner(&self, call: &str) -> Result<(), Error> {
        let caller = thread::identity();
        if self.owner.get() == 0 {
            self.owner.set(caller);
        }
        if self.owner.get() == caller {
            return Ok(());
        }
        let name = self.pool().name();
        log!(
            Level::Error,
            "{call}: the cache of pool \"{name}\" belongs to another thread; make one for each, \
             or use pool_allocate and pool_deallocate"
        );
        Err(Error::InvalidArgument)
    }
}
