//! A slot of an arena: the keys that a handle is compared with, and what lives there.
//!
//! ```text
//!   │ safe_key │ single_key │ key │ Pool, or Cache │ generation │ next │ slow_key │
//! ```
//!
//! The key is the handle of the pool that lives in the slot. Two more are the key again if the pool
//! has the engine that they are named after, so that one comparison tells the hot paths both whose
//! slot it is and what is in it. The key of a cache is the complement of its handle: so no handle
//! of a pool, nor any other bits, leads to a cache, or the other way round.
//!
//! A pool whose allocations fail on purpose is found by slow paths alone: its keys are shut, and
//! what is left of them is `slow_key`, at the end of the slot.
//!
//! H2. A slot holds a `Pool` exactly while its `slow_key` is a handle, that is, an address within
//!     it, and a `Cache` exactly while the complement of its key is. The key of a slot with a pool
//!     is the handle too, or what that of a slot without one is.
//! H4. No bit pattern matches a key of a slot without a pool: what is there does not select that
//!     slot. 0 selects slot 0, and slot 0, which holds nobody, has keys that select slot 1. In
//!     slots that hold nobody the complement of the key is odd, and a handle of a cache is not.
//! H5. `safe_key` and `single_key` are the key while the pool in the slot has the engine
//!     `SafeStandard` or `SingleStandard` and no allocation fails on purpose, else what the keys of
//!     a slot without a pool are.

use core::cell::{Cell, UnsafeCell};
use core::mem::{ManuallyDrop, offset_of};
use core::ptr::NonNull;

use crate::base::ids::UserPointer;
use crate::base::sync::{AtomicUsize, Ordering};
use crate::pool::Pool;
use crate::pool::engine::Usual;
use crate::pool::explicit::Cache;

/// What a pool takes in its arena.
pub(super) const SLOT_BYTES: usize = 2048;
/// Handles are even, because some language runtimes use a pointer's lowest bit.
pub(super) const HANDLE_STEP: usize = 2;
/// H4: the keys of slot 0, which select slot 1.
pub(super) const NOBODY: usize = SLOT_BYTES;

/// Zero bytes are an empty slot other than slot 0.
#[repr(C, align(2048))]
pub(super) struct Slot {
    safe_key: AtomicUsize,
    single_key: AtomicUsize,
    pub(super) key: AtomicUsize,
    pub(super) occupant: UnsafeCell<Occupant>,
    /// How often the slot was used before. This and `next` are the registry's.
    pub(super) generation: Cell<usize>,
    pub(super) next: Cell<Option<NonNull<Slot>>>,
    pub(super) slow_key: AtomicUsize,
}

/// What lives in a slot, or nothing.
#[repr(C)]
pub(super) union Occupant {
    pool: ManuallyDrop<Pool>,
    cache: ManuallyDrop<Cache>,
}

const _: () = assert!(size_of::<Slot>() == SLOT_BYTES);
/// What `view.rs` counts on.
const _: () = assert!(offset_of!(Slot, key) + size_of::<usize>() == offset_of!(Slot, occupant));

/// What an arena points to before it is needed: slot 0, nobody's, and slot 1, empty.
#[repr(C, align(2048))]
pub(super) struct NoArena([AtomicUsize; 2 * SLOT_BYTES / WORD_BYTES]);

const WORD_BYTES: usize = size_of::<AtomicUsize>();

pub(super) static NO_ARENA: NoArena = {
    let mut words = [const { AtomicUsize::new(0) }; _];
    words[offset_of!(Slot, safe_key) / WORD_BYTES] = AtomicUsize::new(NOBODY);
    words[offset_of!(Slot, single_key) / WORD_BYTES] = AtomicUsize::new(NOBODY);
    words[offset_of!(Slot, key) / WORD_BYTES] = AtomicUsize::new(NOBODY);
    words[offset_of!(Slot, slow_key) / WORD_BYTES] = AtomicUsize::new(NOBODY);
    NoArena(words)
};

/// The key of a cache's slot; `None`: no cache has such a handle.
#[inline(always)]
pub(super) fn cache_key(handle: UserPointer) -> Option<usize> {
    handle.address().is_multiple_of(HANDLE_STEP).then_some(!handle.address())
}

#[inline(always)]
fn is(key: &AtomicUsize, wanted: usize) -> bool {
    // Relaxed: whoever holds the handle of a live pool got it from its creator, and with it
    // everything that the creator wrote.
    key.load(Ordering::Relaxed) == wanted
}

impl Slot {
    #[inline(always)]
    pub(super) fn has_key(&self, key: usize) -> bool {
        is(&self.key, key)
    }

    /// Whether the pool lives here that has the handle. The key comes first because it lies beside
    /// the pool.
    pub(super) fn has_pool(&self, handle: usize) -> bool {
        is(&self.key, handle) || is(&self.slow_key, handle)
    }

    /// The engine of the pool that has the handle. That of safe pools, which are the default, comes
    /// without a taken branch (measured, with the keys: a pair takes 0.91 of the time).
    #[inline(always)]
    pub(super) fn usual<'call>(&'static self, handle: UserPointer) -> Usual<'call> {
        if is(&self.safe_key, handle.address()) {
            // SAFETY: H5.
            return Usual::Safe(unsafe { self.pool().core.engine.as_safe() });
        }
        core::hint::cold_path();
        if is(&self.single_key, handle.address()) {
            // SAFETY: H5.
            return Usual::Single(unsafe { self.pool().core.engine.as_single() });
        }
        Usual::None
    }

    /// The pool in a slot whose key was just compared. Not to be used after its destruction.
    #[inline(always)]
    pub(super) fn pool<'call>(&'static self) -> &'call Pool {
        let pool = self.occupant.get();
        // SAFETY: H2; that no thread destroys a pool while another calls it is the callers' part.
        unsafe { &*pool.cast::<Pool>() }
    }

    /// The same for a cache.
    #[inline(always)]
    pub(super) fn cache<'call>(&'static self) -> &'call Cache {
        let cache = self.occupant.get();
        // SAFETY: as above.
        unsafe { &*cache.cast::<Cache>() }
    }

    /// From the key on, for programs that inline the calls of the cache in it.
    pub(super) fn at_key(&'static self) -> NonNull<u8> {
        // SAFETY: inside the slot.
        unsafe { NonNull::from(self).cast::<u8>().add(offset_of!(Slot, key)) }
    }

    /// Under the registry's lock, as all that follow.
    ///
    /// # Safety
    /// * The slot is empty, and `handle` selects it.
    pub(super) unsafe fn hold_pool(&'static self, pool: Pool, handle: usize) {
        // SAFETY: nobody finds what is in an empty slot.
        unsafe { self.occupant.get().write(Occupant { pool: ManuallyDrop::new(pool) }) };
        // Relaxed: see `is`.
        self.slow_key.store(handle, Ordering::Relaxed);
        self.let_hot_paths(true);
    }

    /// Lets hot paths find the pool that lives here, or slow ones alone.
    pub(super) fn let_hot_paths(&'static self, find_it: bool) {
        let usual = match self.pool().core.engine.usual() {
            Usual::Safe(_) => Some(&self.safe_key),
            Usual::Single(_) => Some(&self.single_key),
            Usual::None => None,
        };
        // Relaxed, both: see `is`. A pool never lives in slot 0, where 0 would not do.
        let key = if find_it { self.slow_key.load(Ordering::Relaxed) } else { 0 };
        usual.into_iter().chain([&self.key]).for_each(|word| word.store(key, Ordering::Relaxed));
    }

    /// # Safety
    /// * As above.
    pub(super) unsafe fn hold_cache(&self, cache: Cache, handle: usize) {
        // SAFETY: as above.
        unsafe { self.occupant.get().write(Occupant { cache: ManuallyDrop::new(cache) }) };
        // Relaxed: see `is`.
        self.key.store(!handle, Ordering::Relaxed);
    }

    /// # Safety
    /// * A pool lives here, and nobody finds it any more.
    pub(super) unsafe fn take_pool(&self) -> Pool {
        // SAFETY: by this function's contract.
        unsafe { self.occupant.get().cast::<Pool>().read() }
    }

    /// Gives the slot keys that nobody has: 0, or in slot 0 `NOBODY`.
    pub(super) fn shut(&self, nobody: usize) {
        // Relaxed: the lock orders this with another thread that destroys the same pool.
        let shut = |key: &AtomicUsize| key.store(nobody, Ordering::Relaxed);
        [&self.safe_key, &self.single_key, &self.key, &self.slow_key].into_iter().for_each(shut);
    }
}
