//! Memory from the operating system, in pages of the kind that is asked for.
//!
//! Huge pages are asked for in steps, each of which is logged:
//!
//! | step        | what                                    | committed in | given back in |
//! |-------------|-----------------------------------------|--------------|---------------|
//! | explicit    | what the administrator set aside        | 2 MiB        | never         |
//! | transparent | the kernel's choice, where they fit     | 2 MiB        | OS pages      |
//! | plain       | OS pages                                | OS pages     | OS pages      |
//!
//! Explicit ones are taken when they are reserved, so they are only for a pool that can't grow.

use core::ptr::NonNull;

use crate::base::error::{Error, Refusal};
use crate::base::log::{Level, log};
use crate::host::os;

/// Which pages lie under a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PageKind {
    Plain,
    Transparent,
    Explicit,
}

/// How memory is taken from the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct System {
    /// Take it when it is committed, not when it is first touched.
    pub(crate) prefault: bool,
    /// Keep it out of swap, or refuse.
    pub(crate) lock: bool,
    /// Inaccessible pages before and after the blocks.
    pub(crate) guard: bool,
    pub(crate) pages: PageKind,
}

const NOT_LOCKED: Refusal = Refusal::new(
    Error::OutOfMemory,
    "the system does not lock the memory (POOL_LOCK_MEMORY); raise RLIMIT_MEMLOCK",
);

impl System {
    pub(crate) const PLAIN: Self =
        Self { prefault: false, lock: false, guard: false, pages: PageKind::Plain };

    /// What memory is committed in.
    pub(super) fn commit_bytes(&self) -> usize {
        match self.pages {
            PageKind::Plain => os::page_bytes(),
            PageKind::Transparent | PageKind::Explicit => os::HUGE_PAGE_BYTES,
        }
    }

    /// What memory can be given back in; `None`: it can't. Explicit huge pages that were given back
    /// can be taken by others, on some kernels also while they are set aside for this pool, which
    /// then would fault where it has no page to come.
    pub(super) fn page_bytes(&self) -> Option<usize> {
        match self.pages {
            PageKind::Plain | PageKind::Transparent => Some(os::page_bytes()),
            PageKind::Explicit => None,
        }
    }

    /// Inaccessible bytes on either side of the blocks.
    pub(super) fn guard_bytes(&self) -> usize {
        if self.guard { self.commit_bytes() } else { 0 }
    }

    pub(super) fn reserve(&self, bytes: usize) -> Option<NonNull<u8>> {
        match self.pages {
            PageKind::Plain => os::reserve(bytes, 1),
            PageKind::Transparent => Self::reserve_transparent(bytes),
            PageKind::Explicit => os::reserve_huge(bytes),
        }
    }

    fn reserve_transparent(bytes: usize) -> Option<NonNull<u8>> {
        let start = os::reserve(bytes, os::HUGE_PAGE_BYTES)?;
        // SAFETY: just reserved.
        let advised = unsafe { os::advise_huge(start, bytes) };
        if !advised {
            // SAFETY: just reserved, and seen by nobody.
            unsafe { os::release(start, bytes) };
        }
        advised.then_some(start)
    }

    /// Takes the next step down from huge pages, after a reservation was refused.
    pub(super) fn settle_for_less(&mut self) -> bool {
        let (pages, what) = match self.pages {
            PageKind::Explicit => (PageKind::Transparent, "no explicit huge pages; transparent"),
            PageKind::Transparent => (PageKind::Plain, "no transparent huge pages; plain OS pages"),
            PageKind::Plain => return false,
        };
        log!(Level::Info, "POOL_HUGE_PAGES: the system gives {what} are taken");
        self.pages = pages;
        true
    }

    /// # Safety
    /// * `start .. start + bytes` was reserved here, is not released, and is whole pages of
    ///   [`commit_bytes`](Self::commit_bytes).
    pub(super) unsafe fn commit(&self, start: NonNull<u8>, bytes: usize) -> Result<(), Refusal> {
        // SAFETY: by this function's contract.
        if !unsafe { os::commit(start, bytes) } {
            return Err(super::NO_MEMORY);
        }
        // SAFETY: just committed, whole OS pages.
        if self.lock && !unsafe { os::keep_in_memory(start, bytes) } {
            return Err(NOT_LOCKED);
        }
        // SAFETY: just committed, whole OS pages.
        if self.prefault && !unsafe { os::prefault(start, bytes) } {
            return Err(super::NO_MEMORY);
        }
        Ok(())
    }
}
