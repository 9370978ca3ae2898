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
//! up to a power of two of at least an OS page. A pool that one thread uses takes an OS page.
//!
//! G1. The first `bytes` after `start` are magazines, and stay until this is dropped.

use core::cell::Cell;
use core::ptr;

use crate::base::sync::{AtomicPtr, AtomicUsize, Ordering};
use crate::cache::magazine::{MAGAZINE_BYTES, Magazine};
use crate::cache::threads::{self, THREADS_MAX};
use crate::host::os;
use crate::source::memory::Memory;

/// Where the magazines of one pool are.
pub(crate) struct Magazines {
    bytes: AtomicUsize,
    start: AtomicPtr<u8>,
    /// Under the pool's lock.
    memory: Cell<Option<Memory>>,
}

impl Magazines {
    /// None yet.
    pub(crate) fn new() -> Self {
        let start = AtomicPtr::new(ptr::null_mut());
        Self { bytes: AtomicUsize::new(0), start, memory: Cell::new(None) }
    }

    /// The magazine of this thread, if it has one here.
    #[inline(always)]
    pub(crate) fn of_this_thread(&self) -> Option<&Magazine> {
        self.at(threads::word())
    }

    #[inline(always)]
    fn at(&self, offset: usize) -> Option<&Magazine> {
        // Acquire: pairs with the Release in `provide`, before which `start` was written.
        if offset >= self.bytes.load(Ordering::Acquire) {
            return None;
        }
        // Relaxed: ordered by the load above.
        let magazine = self.start.load(Ordering::Relaxed).wrapping_add(offset);
        // SAFETY: G1.
        Some(unsafe { &*magazine.cast::<Magazine>() })
    }

    /// The magazine of this thread, made if need be; `None`: the thread has no number, or there is
    /// no memory. Under the pool's lock.
    pub(crate) fn provide(&self) -> Option<&Magazine> {
        let word = threads::word();
        if word == 0 {
            return None;
        }
        // Relaxed: written under the lock that is held.
        let bytes = self.bytes.load(Ordering::Relaxed);
        if word >= bytes {
            let memory =
                self.memory.take().or_else(|| Memory::reserved(THREADS_MAX * MAGAZINE_BYTES))?;
            let wanted = (word + MAGAZINE_BYTES).next_power_of_two().max(os::page_bytes());
            let is_committed = memory.commit(bytes..wanted);
            // Relaxed: published by the Release below.
            self.start.store(memory.start().as_ptr(), Ordering::Relaxed);
            self.memory.set(Some(memory));
            if !is_committed {
                return None;
            }
            // Release: pairs with the Acquire in `at`.
            self.bytes.store(wanted, Ordering::Release);
        }
        self.at(word)
    }

    /// All of them but the one that is nobody's: every thread without a number finds that, closed,
    /// and they may stumble over each other in it. Under the pool's lock.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Magazine> {
        let offsets = (MAGAZINE_BYTES..self.bytes()).step_by(MAGAZINE_BYTES);
        offsets.filter_map(|offset| self.at(offset))
    }

    /// What they take.
    pub(crate) fn bytes(&self) -> usize {
        // Relaxed: a figure.
        self.bytes.load(Ordering::Relaxed)
    }
}
