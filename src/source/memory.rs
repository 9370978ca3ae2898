//! Memory for bookkeeping, beside that of the blocks.

use core::ops::Range;
use core::ptr::NonNull;

use crate::host::os;
use crate::source::system::System;

/// Zeroed memory from the system, given back when dropped.
pub(crate) struct Memory {
    start: NonNull<u8>,
    bytes: usize,
}

impl Memory {
    /// `None`: the system refuses.
    pub(crate) fn new(bytes: usize) -> Option<Self> {
        Self::reserved(bytes).filter(|memory| memory.commit(0..bytes))
    }

    /// Address space that is committed later. `None`: the system refuses.
    pub(crate) fn reserved(bytes: usize) -> Option<Self> {
        Some(Self { start: os::reserve(bytes, 1)?, bytes })
    }

    /// Makes a part usable that begins on an OS page. `false`: the system refuses.
    pub(crate) fn commit(&self, range: Range<usize>) -> bool {
        debug_assert!(range.end <= self.bytes);
        // SAFETY: inside the reservation.
        let start = unsafe { self.start.add(range.start) };
        // SAFETY: reserved, not released before `drop`, and an OS page begins there.
        unsafe { os::commit(start, range.len()) }
    }

    /// As `commit`, in memory that is taken and kept as `system` says.
    pub(crate) fn commit_as(&self, system: &System, range: Range<usize>) -> bool {
        debug_assert!(range.end <= self.bytes);
        // SAFETY: inside the reservation.
        let start = unsafe { self.start.add(range.start) };
        // SAFETY: reserved, not released before `drop`, and whole OS pages.
        unsafe { system.commit(start, range.len()) }.is_ok()
    }

    /// Gives whole OS pages back that were committed; nothing may stand there.
    pub(crate) fn discard(&self, range: Range<usize>) {
        debug_assert!(range.end <= self.bytes);
        // SAFETY: inside the reservation.
        let start = unsafe { self.start.add(range.start) };
        // SAFETY: committed, and who uses it knows that anything may stand there now.
        let _ = unsafe { os::discard(start, range.len()) };
    }

    /// Takes access to whole OS pages away that were committed, and their memory, until they are
    /// committed again. `false`: the system refuses.
    pub(crate) fn uncommit(&self, range: Range<usize>) -> bool {
        debug_assert!(range.end <= self.bytes);
        // SAFETY: inside the reservation.
        let start = unsafe { self.start.add(range.start) };
        // SAFETY: committed, and who uses it knows that nobody may from now on.
        unsafe { os::uncommit(start, range.len()) }
    }

    /// How many bytes of whole OS pages are in memory; `None`: the system does not say.
    pub(crate) fn resident_bytes(&self, range: Range<usize>) -> Option<usize> {
        debug_assert!(range.end <= self.bytes);
        // SAFETY: inside the reservation.
        let start = unsafe { self.start.add(range.start) };
        // SAFETY: reserved, and whole OS pages.
        unsafe { os::resident_bytes(start, range.len()) }
    }

    /// Bytes that were reserved.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The first byte, on an OS page.
    pub(crate) fn start(&self) -> NonNull<u8> {
        self.start
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: reserved in `new`; who uses `start` keeps the `Memory`.
        if !unsafe { os::release(self.start, self.bytes) } {
            super::log_kept_addresses(self.bytes);
        }
    }
}
