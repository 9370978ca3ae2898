//! The magazines of a pool: one for each thread that has called it.
//!
//! ```text
//!   start ─► │ nobody's │ of thread 1 │ of thread 2 │ of thread 3 │ not committed yet ...
//!            0          the word of thread 1 is where its magazine begins
//! ```
//!
//! The numbers of threads are the same for all pools (`threads.rs`), so that a thread finds its
//! magazine of any pool by one addition. A thread that ends leaves its blocks where they are, and
//! the next one that gets its number finds them; others can steal them.
//!
//! Memory: `MAGAZINE_BYTES` x (1 + the highest number of a thread that took the slow path), rounded
//! up to a power of two of at least an OS page. A pool that five threads use takes an OS page.
//!
//! G1. The first `bytes` after `start` are whole magazines, and stay until this is dropped.

use core::cell::Cell;
use core::hint;
use core::ptr::{self, NonNull};

use crate::base::sync::{AtomicUsize, Ordering};
use crate::cache::magazine::{MAGAZINE_BYTES, Magazine};
use crate::cache::threads::{self, THREADS_MAX};
use crate::host::os;
use crate::source::memory::Memory;

/// For as many threads as there are numbers; whole OS pages.
const ALL_BYTES: usize = THREADS_MAX * MAGAZINE_BYTES;

/// Where a thread has its magazine.
pub(crate) trait Own {
    /// If there is one.
    fn magazine(&self) -> Option<&Magazine>;

    /// Made if need be; `None`: there can't be one. Under the pool's lock.
    fn provide(&self) -> Option<&Magazine>;
}

impl Own for Magazine {
    fn magazine(&self) -> Option<&Magazine> {
        Some(self)
    }

    fn provide(&self) -> Option<&Magazine> {
        Some(self)
    }
}

/// A magazine that a thread owns by its own will, and finds without being looked up.
#[repr(C)]
pub(crate) struct Explicit {
    pub(crate) magazine: Magazine,
    next: Cell<Option<NonNull<Explicit>>>,
}

impl Explicit {
    pub(crate) fn new() -> Self {
        Self { magazine: Magazine::new(), next: Cell::new(None) }
    }
}

/// The explicit ones of a pool. Under its lock, all of it.
pub(crate) struct Explicits {
    first: Cell<Option<NonNull<Explicit>>>,
}

impl Explicits {
    pub(crate) fn new() -> Self {
        Self { first: Cell::new(None) }
    }

    /// # Safety
    /// * The cache stays where it is until it is removed.
    pub(crate) unsafe fn add(&self, explicit: &Explicit) {
        explicit.next.set(self.first.replace(Some(NonNull::from(explicit))));
    }

    pub(crate) fn remove(&self, explicit: &Explicit) {
        let to_it = |link: &&Cell<_>| link.get() == Some(NonNull::from(explicit));
        if let Some(link) = self.links().find(to_it) {
            link.set(explicit.next.get());
        }
    }

    fn links(&self) -> impl Iterator<Item = &Cell<Option<NonNull<Explicit>>>> {
        core::iter::successors(Some(&self.first), |link| {
            // SAFETY: what is on the list stays where it is (`add`).
            Some(unsafe { &link.get()?.as_ref().next })
        })
    }

    /// Takes one from the list.
    pub(crate) fn pop(&self) -> Option<NonNull<Explicit>> {
        let explicit = self.first.get()?;
        // SAFETY: as in `links`.
        self.first.set(unsafe { explicit.as_ref() }.next.get());
        Some(explicit)
    }

    fn all(&self) -> impl Iterator<Item = &Magazine> {
        self.links().filter_map(Cell::get).map(|explicit| {
            // SAFETY: as in `links`.
            &unsafe { explicit.as_ref() }.magazine
        })
    }

    pub(crate) fn count(&self) -> usize {
        self.all().count()
    }
}

/// Where the magazines of one pool are. The words of the hot paths come first.
#[repr(C)]
pub(crate) struct Magazines {
    bytes: AtomicUsize,
    start: *mut u8,
    /// `None`: the system gives no memory.
    memory: Option<Memory>,
    /// Under the pool's lock, as what follows.
    committed: Cell<usize>,
    is_refused: Cell<bool>,
    pub(crate) explicits: Explicits,
}

impl Own for Magazines {
    fn magazine(&self) -> Option<&Magazine> {
        self.of_this_thread()
    }

    fn provide(&self) -> Option<&Magazine> {
        let word = threads::word();
        // Relaxed: written under the lock that is held.
        let is_there = word < self.bytes.load(Ordering::Relaxed);
        // Beyond the last number: a thread that is at its end.
        if word > 0 && word < ALL_BYTES && (is_there || self.extend(word)) {
            self.at(word)
        } else {
            None
        }
    }
}

impl Magazines {
    /// None yet, but room for them.
    pub(crate) fn new() -> Self {
        Self::within(Memory::reserved(ALL_BYTES))
    }

    /// None but explicit ones, ever.
    pub(crate) fn none() -> Self {
        Self::within(None)
    }

    fn within(memory: Option<Memory>) -> Self {
        Self {
            bytes: AtomicUsize::new(0),
            start: memory.as_ref().map_or(ptr::null_mut(), |memory| memory.start().as_ptr()),
            is_refused: Cell::new(memory.is_none()),
            memory,
            committed: Cell::new(0),
            explicits: Explicits::new(),
        }
    }

    /// The magazine of this thread, if it has one here.
    #[inline(always)]
    pub(crate) fn of_this_thread(&self) -> Option<&Magazine> {
        self.at(threads::word())
    }

    #[inline(always)]
    fn at(&self, offset: usize) -> Option<&Magazine> {
        // Acquire: pairs with the Release in `extend`, before which the magazine was closed.
        if offset >= self.bytes.load(Ordering::Acquire) {
            return None;
        }
        let magazine = self.start.wrapping_add(offset);
        // SAFETY: G1. Said apart, or null would be tested, to tell it from `None`.
        unsafe { hint::assert_unchecked(!magazine.is_null()) };
        // SAFETY: G1.
        Some(unsafe { &*magazine.cast::<Magazine>() })
    }

    /// Makes room for the magazine at `word`. `false`: there is no memory. Under the pool's lock.
    fn extend(&self, word: usize) -> bool {
        // Asking again with each call would cost more than the magazine saves.
        let Some(memory) = self.memory.as_ref().filter(|_| !self.is_refused.get()) else {
            return false;
        };
        let wanted = (word + MAGAZINE_BYTES).next_power_of_two().max(os::page_bytes());
        let wanted = wanted.min(ALL_BYTES);
        if !memory.commit(self.committed.get()..wanted) {
            self.is_refused.set(true);
            return false;
        }
        self.committed.set(wanted);
        let end = wanted / MAGAZINE_BYTES * MAGAZINE_BYTES;
        // Relaxed: written under the lock that is held.
        for offset in (self.bytes.load(Ordering::Relaxed)..end).step_by(MAGAZINE_BYTES) {
            // SAFETY: G1, but that nobody finds it yet.
            unsafe { &*self.start.wrapping_add(offset).cast::<Magazine>() }.close();
        }
        // Release: pairs with the Acquire in `at`.
        self.bytes.store(end, Ordering::Release);
        true
    }

    /// All of them but the one that is nobody's: every thread without a number finds that, closed,
    /// and they may stumble over each other in it. Under the pool's lock.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Magazine> {
        // Relaxed: written under the lock that is held.
        let end = self.bytes.load(Ordering::Relaxed);
        let offsets = (MAGAZINE_BYTES..end).step_by(MAGAZINE_BYTES);
        offsets.filter_map(|offset| self.at(offset)).chain(self.explicits.all())
    }

    /// What they take, an explicit one `explicit_bytes`.
    pub(crate) fn bytes(&self, explicit_bytes: usize) -> usize {
        self.committed.get() + self.explicits.count() * explicit_bytes
    }
}
