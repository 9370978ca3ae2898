//! Memory of the caller's: a pool lives in it with everything it has.
//!
//! ```text
//!   buffer ─►│ to 16 │ header: the Pool │ ledger │ block 0 │ block 1 │     │ what is left │
//!                    ▲ place            ▲ start
//! ```
//!
//! There is nothing to reserve, commit or give back; what is in the buffer may be anything.

#![forbid(unsafe_code)]

use core::ptr::NonNull;

use crate::layout::inside::{HEADER_ALIGNMENT, HEADER_BYTES};

/// A caller's buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Buffer {
    buffer: NonNull<u8>,
    bytes: usize,
}

impl Buffer {
    pub(crate) fn new(buffer: NonNull<u8>, bytes: usize) -> Self {
        Self { buffer, bytes }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Where the pool itself lies, in a buffer that has room for it.
    pub(crate) fn place(&self) -> NonNull<u8> {
        self.buffer.map_addr(|address| {
            // The buffer is an object of the caller's, so its end does not wrap around.
            address.saturating_add(address.get().wrapping_neg() % HEADER_ALIGNMENT)
        })
    }

    /// The bytes from there to the end of the buffer.
    pub(crate) fn bytes_from_place(&self) -> usize {
        self.bytes.saturating_sub(self.place().addr().get() - self.buffer.addr().get())
    }

    /// What is left for the span, if that is `bytes`.
    pub(super) fn reserve(&self, bytes: usize) -> Option<NonNull<u8>> {
        let end = self.buffer.addr().get().checked_add(self.bytes)?;
        let start = self.place().map_addr(|address| address.saturating_add(HEADER_BYTES));
        (start.addr().get().checked_add(bytes)? <= end).then_some(start)
    }
}
