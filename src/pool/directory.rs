//! Where the pools are that live in buffers of their callers.
//!
//! ```text
//!   handle   │ 1 │      generation      │ entry │ 0 │
//!                                           │
//!   entries  │ key, pool │ key, pool │ key, pool ─┼─► a Pool in a caller's buffer
//! ```
//!
//! The entries are static, so that they cost no system call and a look-up reads nothing of a
//! buffer before the key is found to be right: another pool's buffer may have gone, with or
//! without its pool's destruction. The top bit of a handle is 1, which no address of a slot has.
//!
//! D1. An entry points to a `Pool` exactly while its key is a handle that selects it, or, while
//!     the pool is off its hot paths, what `OFF` makes of that; this is no handle and selects
//!     another entry.
//! D2. The key of an entry that was left does not select that entry, so no bit pattern matches it.
//!     That of an entry never used is 0, which matches NULL in entry 0, and its pool is null.
//! D3. Entries change hands only under the lock.

use core::ptr::{self, NonNull};

use crate::base::error::{Error, Refusal};
use crate::base::ids::UserPointer;
use crate::base::sync::{AtomicPtr, AtomicUsize, Lock, Ordering, RawLock, lock};
use crate::host::BUFFER_POOLS_MAX;
use crate::pool::Pool;
use crate::source::buffer::Buffer;

const TOP: usize = 1 << (usize::BITS - 1);
pub(super) const ENTRY_SHIFT: u32 = 1;
const GENERATION_SHIFT: u32 = ENTRY_SHIFT + BUFFER_POOLS_MAX.trailing_zeros();
/// Makes of a handle a key that does not select its own entry, and keeps its generation.
const TURN: usize = 1 << ENTRY_SHIFT;
/// Makes of a handle the key of a pool that is off its hot paths, and back: that does not select
/// its own entry either, and its lowest bit, which is 0 in all other keys, says what it is.
const OFF: usize = TURN | IS_OFF;
const IS_OFF: usize = 1;
const _: () = assert!(BUFFER_POOLS_MAX.is_power_of_two() && BUFFER_POOLS_MAX > 1);

pub(super) struct Entry {
    /// The handle; in an entry that was left, the last one turned to another entry (`TURN`).
    pub(super) key: AtomicUsize,
    /// In an entry that was left, the number of the next free one plus 1, or null.
    pub(super) pool: AtomicPtr<Pool>,
}

pub(super) static ENTRIES: [Entry; BUFFER_POOLS_MAX] =
    [const { Entry { key: AtomicUsize::new(0), pool: AtomicPtr::new(ptr::null_mut()) } };
        BUFFER_POOLS_MAX];

static VACANCIES: Lock<Vacancies> = Lock::new(Vacancies { used: 0, free: ptr::null_mut() });

/// Which entries are nobody's: a stack of those that were left, then those never used.
struct Vacancies {
    used: usize,
    free: *mut Pool,
}

// SAFETY: `free` is a number in the clothes of a pointer; it is never followed.
unsafe impl Send for Vacancies {}

const FULL: Refusal = Refusal::new(
    Error::OutOfMemory,
    "as many pools live in buffers as this build has entries for; destroy one first",
);

const OCCUPIED: Refusal = Refusal::new(
    Error::InUse,
    "a pool lives in this buffer; destroy a pool before its buffer is used again",
);

/// The pool that lives under `handle`, for the hot paths; `None` also means "off them".
#[inline(always)]
pub(super) fn find_fast<'call>(handle: UserPointer) -> Option<&'call Pool> {
    find_by(handle, |key| key)
}

/// The pool that lives under `handle`.
pub(super) fn find<'call>(handle: UserPointer) -> Option<&'call Pool> {
    find_by(handle, handle_of)
}

#[inline(always)]
fn find_by<'call>(handle: UserPointer, of: impl FnOnce(usize) -> usize) -> Option<&'call Pool> {
    let entry = &ENTRIES[index_of(handle.address())];
    // Relaxed, both: whoever holds the handle of a live pool got it from its creator, and with it
    // everything that the creator wrote.
    let is_it = of(entry.key.load(Ordering::Relaxed)) == handle.address();
    let pool = is_it.then(|| entry.pool.load(Ordering::Relaxed))?;
    // SAFETY: D1 and D2, so null or a pool; that no thread destroys it while another calls it is
    // the callers' part, as it is theirs to keep the buffer.
    unsafe { pool.as_ref() }
}

/// The handle of the pool that a key is of; of the key of a free entry, one that selects another
/// entry.
#[inline(always)]
fn handle_of(key: usize) -> usize {
    if key & IS_OFF == 0 { key } else { key ^ OFF }
}

/// The entry that a handle selects.
#[inline(always)]
fn index_of(handle: usize) -> usize {
    (handle >> ENTRY_SHIFT) % BUFFER_POOLS_MAX
}

/// Refuses a buffer that a pool lives in.
pub(super) fn refuse_occupied(buffer: &Buffer) -> Result<(), Refusal> {
    let used = lock(&VACANCIES).used;
    let start = buffer.place().addr().get();
    let occupied = ENTRIES[..used].iter().enumerate().any(|(index, entry)| {
        // Relaxed, twice: a pool that another thread puts into the same buffer just now is that
        // thread's and this one's mistake; all others were written before the lock was held.
        let pool = entry.pool.load(Ordering::Relaxed).addr();
        let is_live = index_of(handle_of(entry.key.load(Ordering::Relaxed))) == index;
        is_live && pool.wrapping_sub(start) < buffer.bytes_from_place()
    });
    if occupied { Err(OCCUPIED) } else { Ok(()) }
}

/// Writes `pool` to `place` and gives it a handle.
///
/// # Safety
/// * `place` has room for a `Pool`, is aligned for one, and is nobody else's until the pool is
///   removed.
pub(super) unsafe fn insert(pool: Pool, place: NonNull<Pool>) -> Result<UserPointer, Refusal> {
    // Held until the key is there: a fork looks at keys (`for_each`).
    let mut vacancies = lock(&VACANCIES);
    let index = vacancies.take().ok_or(FULL)?;
    let entry = &ENTRIES[index];
    // Relaxed: written under the lock that is held (D3).
    let generation = (entry.key.load(Ordering::Relaxed) >> GENERATION_SHIFT) + 1;
    let handle = TOP | generation << GENERATION_SHIFT | index << ENTRY_SHIFT;
    // SAFETY: by this function's contract.
    unsafe { place.write(pool) };
    // Relaxed, twice: see `find_by`.
    entry.pool.store(place.as_ptr(), Ordering::Relaxed);
    entry.key.store(handle, Ordering::Relaxed);
    Ok(UserPointer::new(ptr::without_provenance::<u8>(handle)))
}

/// Takes the pool under `handle` out of its buffer. Of two threads that try, one succeeds.
pub(super) fn remove(handle: UserPointer) -> Option<Pool> {
    let mut vacancies = lock(&VACANCIES);
    let pool: *const Pool = find(handle)?;
    let index = index_of(handle.address());
    // Relaxed: the lock orders this with another thread that destroys the same pool.
    ENTRIES[index].key.store(handle.address() ^ TURN, Ordering::Relaxed);
    // SAFETY: D1, and the key was found under the lock that is held.
    let pool = unsafe { pool.read() };
    vacancies.leave(index);
    Some(pool)
}

/// As for pools in arenas (`arena.rs`).
pub(super) fn settle(handle: UserPointer, body: impl FnOnce(&Pool) -> bool) -> Option<()> {
    let _vacancies = lock(&VACANCIES);
    let pool = find(handle)?;
    let key = if body(pool) { handle.address() } else { handle.address() ^ OFF };
    // Relaxed: see `find_by`.
    ENTRIES[index_of(handle.address())].key.store(key, Ordering::Relaxed);
    Some(())
}

/// The lock of the entries, for a fork.
pub(super) fn raw_lock() -> &'static RawLock {
    VACANCIES.raw()
}

/// Does something with every pool. Called while the lock of the entries is held.
pub(super) fn for_each(mut body: impl FnMut(&Pool)) {
    for (index, entry) in ENTRIES.iter().enumerate() {
        // Relaxed: only written under the lock that is held.
        let handle = handle_of(entry.key.load(Ordering::Relaxed));
        if handle != 0
            && index_of(handle) == index
            && let Some(pool) = find(UserPointer::new(ptr::without_provenance::<u8>(handle)))
        {
            body(pool);
        }
    }
}

impl Vacancies {
    fn take(&mut self) -> Option<usize> {
        if let Some(index) = self.free.addr().checked_sub(1) {
            // Relaxed: written under the lock that is held (D3).
            self.free = ENTRIES[index].pool.load(Ordering::Relaxed);
            return Some(index);
        }
        let index = self.used;
        (index < BUFFER_POOLS_MAX).then(|| self.used += 1).map(|()| index)
    }

    fn leave(&mut self, index: usize) {
        // Relaxed: read under the lock that is held (D3).
        ENTRIES[index].pool.store(self.free, Ordering::Relaxed);
        self.free = ptr::without_provenance_mut(index + 1);
    }
}
