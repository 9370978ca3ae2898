//! The threads that wait for a block, first come, first served.
//!
//! ```text
//!   first ─► │ word │ block │ next ─► │ word │ block │ next ─► null      on the waiters' stacks
//! ```
//!
//! W1. A waiter on the list lives, and its `word` is not SERVED; who takes it off the list does so
//!     under the pool's lock, and then no one but the waiter touches it any more.
//! W2. The list and `block` are read and written under the pool's lock, and `block` by the waiter
//!     once it is SERVED.

use core::cell::Cell;
use core::ptr::NonNull;

use crate::base::error::Error;
use crate::base::ids::Block;
use crate::base::sync::{AtomicU32, Ordering};
use crate::host::sleep::{self, Deadline};

const WAITING: u32 = 0;
const SERVED: u32 = 1;
/// First in the line, where a waiter fetches its block itself.
const FRONT: u32 = 2;

/// One of them.
pub(super) struct Waiter {
    word: AtomicU32,
    block: Cell<Option<Block>>,
    next: Cell<Option<NonNull<Waiter>>>,
}

impl Waiter {
    pub(super) fn new() -> Self {
        Self { word: AtomicU32::new(WAITING), block: Cell::new(None), next: Cell::new(None) }
    }

    /// Sleeps until something happens to this waiter, or the deadline.
    pub(super) fn sleep(&self, deadline: Deadline) {
        sleep::sleep(&self.word, WAITING, deadline);
    }

    /// The block that another thread handed over, or that there will be none.
    pub(super) fn served(&self) -> Option<Result<Block, Error>> {
        // Acquire: pairs with the Release in `Waiters::serve`.
        let is_served = self.word.load(Ordering::Acquire) == SERVED;
        is_served.then(|| self.block.get().ok_or(Error::Exhausted))
    }

    pub(super) fn is_front(&self) -> bool {
        // Relaxed: nothing is handed over with it.
        self.word.load(Ordering::Relaxed) == FRONT
    }
}

/// The line.
pub(super) struct Waiters {
    first: Cell<Option<NonNull<Waiter>>>,
}

impl Waiters {
    pub(super) fn new() -> Self {
        Self { first: Cell::new(None) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.get().is_none()
    }

    fn links(&self) -> impl Iterator<Item = &Cell<Option<NonNull<Waiter>>>> {
        core::iter::successors(Some(&self.first), |link| {
            let waiter = link.get()?;
            // SAFETY: W1.
            Some(unsafe { &waiter.as_ref().next })
        })
    }

    /// Adds a waiter at the end.
    ///
    /// # Safety
    /// * It stays where it is until it is off the list (W1).
    pub(super) unsafe fn push(&self, waiter: &Waiter) {
        if let Some(end) = self.links().last() {
            end.set(Some(NonNull::from(waiter)));
        }
    }

    /// Takes a waiter off the list, wherever it stands.
    pub(super) fn remove(&self, waiter: &Waiter) {
        let to_it = |link: &&Cell<Option<NonNull<Waiter>>>| link.get() == Some(waiter.into());
        if let Some(link) = self.links().find(to_it) {
            link.set(waiter.next.get());
        }
    }

    /// Takes the first waiter off the list and hands it a block; `None`: it waits in vain.
    pub(super) fn serve(&self, block: Option<Block>) {
        let Some(first) = self.first.get() else { return };
        // SAFETY: W1.
        let waiter = unsafe { first.as_ref() };
        self.first.set(waiter.next.get());
        waiter.block.set(block);
        Self::tell(waiter, SERVED);
    }

    /// Tells the first waiter that it is.
    pub(super) fn tell_front(&self) {
        if let Some(first) = self.first.get() {
            // SAFETY: W1.
            Self::tell(unsafe { first.as_ref() }, FRONT);
        }
    }

    fn tell(waiter: &Waiter, what: u32) {
        let word = &raw const waiter.word;
        // Release: pairs with the Acquire in `Waiter::served`. After it the waiter may be gone.
        waiter.word.store(what, Ordering::Release);
        sleep::wake(word);
    }

    /// Forgets all of them: in the child of a fork, which does not have their threads.
    pub(super) fn clear(&self) {
        self.first.set(None);
    }
}
