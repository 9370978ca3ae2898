//! Where pools live whose memory is the system's: slots that are never unmapped.
//!
//! ```text
//!   arena  ┌── slot 0 ──┬─────── slot 1 ───────┬─────── slot 2 ───────┬─ ─ not committed ─ ─ ┐
//!          │ nobody's   │ key │ Pool           │ 0   │ (destroyed)    │
//!          └────────────┴─▲────────────────────┴──────────────────────┴─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ┘
//!                         └ handle = the slot's address + 2 x generation = key
//! ```
//!
//! Pools live in slots of an arena that is never unmapped. A handle is an address inside its slot:
//! the offset counts how often the slot was used before. The slot holds the handle of the pool
//! that lives in it now, its key (`slot.rs`). An arena is aligned to its size, a power of two, so
//! some bits of a handle say which slot to look at, whatever was passed as a handle; then one
//! comparison with the key decides. Garbage is never followed as a pointer, and the handle of an
//! earlier pool is not the key.
//!
//! **No handle is ever issued twice.** A slot that used up its generations is retired, and an OS
//! page whose slots are all retired gives its memory back. A process that creates and destroys
//! pools for ever spends two bytes of address space a pool, and no memory.
//!
//! H1. The slots that an arena's `mask` selects are readable for the life of the process.
//! H3. `generation`, `next` and the registry are touched only under the registry's lock.

use core::hint;
use core::ptr::{self, NonNull};

use crate::base::error::{Error, Refusal};
use crate::base::ids::UserPointer;
use crate::base::sync::{AtomicPtr, AtomicUsize, Lock, Ordering, RawLock, lock};
use crate::host::os;
use crate::pool::Pool;
use crate::pool::engine::Usual;
use crate::pool::explicit::Cache;
use crate::pool::slot::{HANDLE_STEP, NO_ARENA, NOBODY, SLOT_BYTES, Slot, cache_key};

/// The first arena has room for 8191 pools at a time; each further one doubles.
const FIRST_ARENA_BYTES: usize = 16 << 20;
/// The first commitment in an arena; each further one doubles it.
const FIRST_COMMIT_BYTES: usize = 64 << 10;
const _: () = assert!(FIRST_COMMIT_BYTES.is_power_of_two() && FIRST_COMMIT_BYTES > SLOT_BYTES);
const GENERATIONS: usize = SLOT_BYTES / HANDLE_STEP;
pub(super) const ARENA_COUNT: usize = 24;

/// A range of slots.
pub(super) struct Arena {
    pub(super) base: AtomicPtr<u8>,
    /// The bits of a handle that are the offset of its slot.
    pub(super) mask: AtomicUsize,
}

pub(super) static ARENAS: [Arena; ARENA_COUNT] = [const {
    Arena {
        base: AtomicPtr::new((&raw const NO_ARENA).cast_mut().cast()),
        mask: AtomicUsize::new(SLOT_BYTES),
    }
}; ARENA_COUNT];

static REGISTRY: Lock<Registry> = Lock::new(Registry {
    arena: 0,
    base: ptr::null_mut(),
    reserved: 0,
    committed: 0,
    used: 0,
    recycled: [None; ARENA_COUNT],
});

/// Where the next slot comes from.
struct Registry {
    /// The arena that is being filled, where it lies, and how many of its bytes are what.
    arena: usize,
    base: *mut u8,
    reserved: usize,
    committed: usize,
    used: usize,
    /// Slots whose pool is destroyed, by arena.
    recycled: [Option<NonNull<Slot>>; ARENA_COUNT],
}

// SAFETY: the slots that the registry points to are never unmapped (H1), and H3.
unsafe impl Send for Registry {}

impl Arena {
    /// The slot that `handle` selects, whoever lives there.
    #[inline(always)]
    fn slot(&self, handle: UserPointer) -> &'static Slot {
        // Acquire: pairs with the Release in `Registry::commit`, which stores `base` before it, so
        // that a new mask never meets an old base.
        let mask = self.mask.load(Ordering::Acquire);
        // Acquire: pairs with the Release in `Registry::commit`, which commits slots 0 and 1 and
        // writes the keys of slot 0 before it, so that an old mask may meet a new base.
        let base = self.base.load(Ordering::Acquire);
        let slot = base.wrapping_add(handle.address() & mask);
        // SAFETY: H1. Said apart, or null would be tested where a slot is an option.
        unsafe { hint::assert_unchecked(!slot.is_null()) };
        // SAFETY: H1.
        unsafe { &*slot.cast::<Slot>() }
    }

    /// The slot that a handle with this key selects, if hot paths find what lives there.
    #[inline(always)]
    fn live_slot(&self, handle: UserPointer, key: usize) -> Option<&'static Slot> {
        let slot = self.slot(handle);
        slot.has_key(key).then_some(slot)
    }
}

impl Arena {
    /// Whether `slot` is one of this arena's. Called under the registry's lock.
    fn holds(&self, slot: &Slot) -> bool {
        // Relaxed, twice: only written under the lock that is held.
        let base = self.base.load(Ordering::Relaxed).addr();
        let mask = self.mask.load(Ordering::Relaxed);
        ptr::from_ref(slot).addr().wrapping_sub(base) <= mask
    }
}

/// The engine of the pool that lives under `handle`, for the hot paths.
#[inline(always)]
pub(super) fn find_usual<'call>(handle: UserPointer) -> Usual<'call> {
    ARENAS[0].slot(handle).usual(handle)
}

/// The pool that lives under `handle`; `None` means "not in the first arena".
#[inline(always)]
pub(super) fn find_fast<'call>(handle: UserPointer) -> Option<&'call Pool> {
    ARENAS[0].live_slot(handle, handle.address()).map(Slot::pool)
}

/// The cache that lives under `handle`, for the hot paths, as above.
#[inline(always)]
pub(super) fn find_cache_fast<'call>(handle: UserPointer) -> Option<&'call Cache> {
    ARENAS[0].live_slot(handle, cache_key(handle)?).map(Slot::cache)
}

/// The cache that lives under `handle`.
pub(super) fn find_cache<'call>(handle: UserPointer) -> Option<&'call Cache> {
    live_slot(handle, cache_key(handle)?).map(Slot::cache)
}

/// The slot of the cache that lives under `handle`, from its key on: readable for ever (H1), and
/// the key is the complement of `handle` as long as the cache lives.
pub(super) fn cache_at_key(handle: UserPointer) -> Option<NonNull<u8>> {
    live_slot(handle, cache_key(handle)?).map(Slot::at_key)
}

/// The pool that lives under `handle`.
pub(super) fn find<'call>(handle: UserPointer) -> Option<&'call Pool> {
    slot_with_pool(handle).map(Slot::pool)
}

/// The slot of the pool that lives under `handle`, whoever may find it.
fn slot_with_pool(handle: UserPointer) -> Option<&'static Slot> {
    let slots = ARENAS.iter().map(|arena| arena.slot(handle));
    { slots }.find(|slot| slot.has_pool(handle.address()))
}

fn live_slot(handle: UserPointer, key: usize) -> Option<&'static Slot> {
    ARENAS.iter().find_map(|arena| arena.live_slot(handle, key))
}

/// Gives `pool` a slot and a handle that was never issued before.
pub(super) fn insert(pool: Pool) -> Result<UserPointer, Refusal> {
    // SAFETY: `occupy` says so.
    occupy(|slot, handle| unsafe { slot.hold_pool(pool, handle) })
}

/// The same for a cache.
pub(super) fn insert_cache(cache: Cache) -> Result<UserPointer, Refusal> {
    // SAFETY: `occupy` says so.
    occupy(|slot, handle| unsafe { slot.hold_cache(cache, handle) })
}

/// Gives `hold` an empty slot and a handle that selects it.
fn occupy(hold: impl FnOnce(&'static Slot, usize)) -> Result<UserPointer, Refusal> {
    // Held until the key is there: a fork looks at keys (`for_each`).
    let mut registry = lock(&REGISTRY);
    let (slot, handle) = registry.take_slot()?;
    hold(slot, handle);
    Ok(UserPointer::new(ptr::without_provenance::<u8>(handle)))
}

/// Ends a cache, which owns nothing. `false`: it is ended already.
pub(super) fn remove_cache(handle: UserPointer) -> bool {
    let mut registry = lock(&REGISTRY);
    let Some(slot) = cache_key(handle).and_then(|key| live_slot(handle, key)) else { return false };
    slot.shut(0);
    registry.recycle(slot);
    true
}

/// Takes the pool under `handle` out of its slot. Of two threads that try, one succeeds.
pub(super) fn remove(handle: UserPointer) -> Option<Pool> {
    let mut registry = lock(&REGISTRY);
    let slot = slot_with_pool(handle)?;
    slot.shut(0);
    // SAFETY: H2, and the key was found under the lock that is held.
    let pool = unsafe { slot.take_pool() };
    registry.recycle(slot);
    Some(pool)
}

/// Does something with the pool under `handle`, after which hot paths may find it, or may not, as
/// `body` answers. One at a time. `None`: there is no such pool.
pub(super) fn settle(handle: UserPointer, body: impl FnOnce(&Pool) -> bool) -> Option<()> {
    let _registry = lock(&REGISTRY);
    let slot = slot_with_pool(handle)?;
    slot.let_hot_paths(body(slot.pool()));
    Some(())
}

/// The registry's lock, for a fork.
pub(super) fn raw_lock() -> &'static RawLock {
    REGISTRY.raw()
}

/// Does something with every pool. Called while the registry's lock is held.
pub(super) fn for_each(mut body: impl FnMut(&Pool)) {
    for arena in &ARENAS {
        // Relaxed, twice: only written under the lock that is held.
        let base = arena.base.load(Ordering::Relaxed);
        let mask = arena.mask.load(Ordering::Relaxed);
        for offset in (0..=mask).step_by(SLOT_BYTES) {
            let slot = base.wrapping_add(offset);
            // SAFETY: H1.
            let slot = unsafe { &*slot.cast::<Slot>() };
            // Relaxed: only written under the lock that is held.
            let key = slot.slow_key.load(Ordering::Relaxed);
            if key & mask == offset && key != 0 {
                body(slot.pool());
            }
        }
    }
}

const NO_ROOM: Refusal =
    Refusal::new(Error::OutOfMemory, "the system gave no memory for one more handle");

impl Registry {
    /// An empty slot and the handle that its next pool has. The first arena comes first, because
    /// the hot paths know it alone.
    fn take_slot(&mut self) -> Result<(&'static Slot, usize), Refusal> {
        let slot = match self.recycled.iter_mut().find(|list| list.is_some()) {
            Some(list) => Self::pop(list),
            None => Some(self.fresh_slot()?),
        };
        // SAFETY: H1.
        let slot = unsafe { slot.ok_or(NO_ROOM)?.as_ref() };
        Ok((slot, ptr::from_ref(slot).addr() + slot.generation.get() * HANDLE_STEP))
    }

    fn pop(list: &mut Option<NonNull<Slot>>) -> Option<NonNull<Slot>> {
        let slot = list.take()?;
        // SAFETY: H1 and H3.
        *list = unsafe { slot.as_ref() }.next.take();
        Some(slot)
    }

    fn fresh_slot(&mut self) -> Result<NonNull<Slot>, Refusal> {
        if self.used == self.committed {
            self.commit()?;
        }
        let slot = NonNull::new(self.base.wrapping_add(self.used).cast()).ok_or(NO_ROOM)?;
        self.used += SLOT_BYTES;
        Ok(slot)
    }

    /// Makes more slots of the arena usable, or the first of a new one. Only then are they shown
    /// to callers (H1): first where they are, then how many.
    fn commit(&mut self) -> Result<(), Refusal> {
        if self.committed == self.reserved {
            self.reserve()?;
        }
        let bytes = FIRST_COMMIT_BYTES.max(2 * self.committed);
        let next = NonNull::new(self.base.wrapping_add(self.committed)).ok_or(NO_ROOM)?;
        // SAFETY: inside the reservation, for both are powers of two; it begins on an OS page.
        if !unsafe { os::commit(next, bytes - self.committed) } {
            return Err(NO_ROOM);
        }
        let arena = &ARENAS[self.arena];
        if self.committed == 0 {
            // SAFETY: slot 0 was just committed, and zero bytes are a slot.
            unsafe { &*self.base.cast::<Slot>() }.shut(NOBODY);
            self.used = SLOT_BYTES;
            // Release: pairs with the Acquire of `base` in `Arena::slot`.
            arena.base.store(self.base, Ordering::Release);
        }
        self.committed = bytes;
        // Release: pairs with the Acquire of `mask` in `Arena::slot`.
        arena.mask.store(bytes - SLOT_BYTES, Ordering::Release);
        Ok(())
    }

    /// Reserves the next arena: as large as it should be, or as the system allows.
    fn reserve(&mut self) -> Result<(), Refusal> {
        let next = if self.reserved == 0 { 0 } else { self.arena + 1 };
        if next == ARENA_COUNT {
            return Err(NO_ROOM);
        }
        let mut bytes = FIRST_ARENA_BYTES << next;
        self.base = loop {
            match os::reserve(bytes, bytes) {
                Some(base) => break base.as_ptr(),
                None if bytes > FIRST_COMMIT_BYTES => bytes /= 2,
                None => return Err(NO_ROOM),
            }
        };
        (self.arena, self.reserved, self.committed, self.used) = (next, bytes, 0, 0);
        Ok(())
    }

    fn recycle(&mut self, slot: &'static Slot) {
        slot.generation.set(slot.generation.get() + 1);
        if slot.generation.get() == GENERATIONS {
            return discard_if_retired(slot);
        }
        let arena = ARENAS.iter().position(|arena| arena.holds(slot)).unwrap_or(self.arena);
        slot.next.set(self.recycled[arena]);
        self.recycled[arena] = Some(NonNull::from(slot));
    }
}

/// Gives back the OS page around `slot` when every slot on it is retired. It reads as zero from
/// then on, which is H4 for all but slot 0; that one never retires, and so neither does its page.
fn discard_if_retired(slot: &'static Slot) {
    let page_bytes = os::page_bytes().max(SLOT_BYTES);
    let into_page = ptr::from_ref(slot).addr() % page_bytes;
    // SAFETY: arenas are whole OS pages, so the page around a slot is part of its arena; H1.
    let page = unsafe { NonNull::from(slot).byte_sub(into_page) };
    let retired = |index| {
        let slot = page.as_ptr().wrapping_add(index);
        // SAFETY: a slot of the same page; H1 and H3.
        unsafe { &*slot }.generation.get() == GENERATIONS
    };
    if (0..page_bytes / SLOT_BYTES).all(retired) {
        // SAFETY: whole committed OS pages, and no pool lives on them (H2) or ever will.
        // If the system keeps them, their keys stay 0, which is as good.
        let _ = unsafe { os::discard(page.cast(), page_bytes) };
    }
}
