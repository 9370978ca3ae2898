//! Memory for bookkeeping, beside that of the blocks.

use core::ptr::NonNull;

use crate::host::os;

/// Zeroed memory from the system, given back when dropped.
pub(crate) struct Memory {
    start: NonNull<u8>,
    bytes: usize,
}

impl Memory {
    /// `None`: the system refuses.
    pub(crate) fn new(bytes: usize) -> Option<Self> {
        let start = os::reserve(bytes, 1)?;
        let memory = Self { start, bytes };
        // SAFETY: just reserved; it starts on an OS page.
        unsafe { os::commit(start, bytes) }.then_some(memory)
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
