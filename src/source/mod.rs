//! Layer 3: where the memory of a span comes from, chosen once when a pool is created.
//!
//! | source    | reserve, commit                   | give back     | the pool itself lies in |
//! |-----------|-----------------------------------|---------------|-------------------------|
//! | system    | the OS, in pages of a chosen kind | whole pages   | a slot of the handles   |
//! | callbacks | the caller's functions            | their pages   | a slot of the handles   |
//! | buffer    | is there already                  | never         | the buffer              |
//!
//! Memory of the system is zero; in that of the caller anything may stand.

pub(crate) mod buffer;
pub(crate) mod callbacks;
pub(crate) mod memory;
pub(crate) mod system;

use core::ptr::NonNull;

use crate::base::error::{Error, Refusal};
use crate::base::log::{Level, log};
use crate::host::os;
use crate::layout::inside::HEADER_ALIGNMENT;
use buffer::Buffer;
use callbacks::Callbacks;
use system::System;

const NO_MEMORY: Refusal =
    Refusal::new(Error::OutOfMemory, "there is no memory for the span; the system refuses it");

/// A source of memory.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    System(System),
    Callbacks(Callbacks),
    Buffer(Buffer),
}

impl Source {
    /// What memory is committed in.
    pub(crate) fn commit_bytes(&self) -> usize {
        match self {
            Self::System(system) => system.commit_bytes(),
            Self::Callbacks(callbacks) => callbacks.page_bytes,
            // Not a byte of it is wasted on rounding: `layout/inside.rs` has no room for that.
            Self::Buffer(_) => 1,
        }
    }

    /// What a reservation starts at a multiple of.
    pub(crate) fn start_alignment(&self) -> usize {
        match self {
            Self::System(_) | Self::Callbacks(_) => self.commit_bytes(),
            Self::Buffer(_) => HEADER_ALIGNMENT,
        }
    }

    /// What memory can be given back in; `None`: it can't.
    pub(crate) fn page_bytes(&self) -> Option<usize> {
        match self {
            Self::System(system) => system.page_bytes(),
            Self::Callbacks(callbacks) => callbacks.decommit.map(|_| callbacks.page_bytes),
            Self::Buffer(_) => None,
        }
    }

    /// Inaccessible bytes on either side of the blocks.
    pub(crate) fn guard_bytes(&self) -> usize {
        match self {
            Self::System(system) => system.guard_bytes(),
            Self::Callbacks(_) | Self::Buffer(_) => 0,
        }
    }

    /// Whether committed memory is zero.
    pub(crate) fn is_zero(&self) -> bool {
        matches!(self, Self::System(_))
    }

    /// Room for `bytes`, at a multiple of [`start_alignment`](Self::start_alignment).
    pub(crate) fn reserve(&self, bytes: usize) -> Result<NonNull<u8>, Refusal> {
        let start = match self {
            Self::System(system) => system.reserve(bytes),
            Self::Callbacks(callbacks) => callbacks.reserve(bytes)?,
            Self::Buffer(buffer) => buffer.reserve(bytes),
        };
        start.ok_or(NO_MEMORY)
    }

    /// Whether it is worth asking again after a refusal, for memory that is easier to have.
    pub(crate) fn settle_for_less(&mut self) -> bool {
        match self {
            Self::System(system) => system.settle_for_less(),
            Self::Callbacks(_) | Self::Buffer(_) => false,
        }
    }

    /// Makes memory readable and writable. After a refusal the range is as it was, or usable.
    ///
    /// # Safety
    /// * `start .. start + bytes` was reserved here, is not released, and is whole pages of
    ///   [`commit_bytes`](Self::commit_bytes).
    pub(crate) unsafe fn commit(&self, start: NonNull<u8>, bytes: usize) -> Result<(), Refusal> {
        match self {
            // SAFETY: by this function's contract.
            Self::System(system) => unsafe { system.commit(start, bytes) },
            Self::Callbacks(callbacks) => {
                callbacks.commit(start, bytes).then_some(()).ok_or(NO_MEMORY)
            }
            Self::Buffer(_) => Ok(()),
        }
    }

    /// Gives memory back; it stays readable and writable, with anything in it. `false`: the source
    /// keeps it as it is.
    ///
    /// # Safety
    /// * `start .. start + bytes` was committed here, is whole pages of
    ///   [`page_bytes`](Self::page_bytes), and nothing refers into it.
    pub(crate) unsafe fn discard(&self, start: NonNull<u8>, bytes: usize) -> bool {
        match self {
            // SAFETY: by this function's contract.
            Self::System(_) => unsafe { os::discard(start, bytes) },
            Self::Callbacks(callbacks) => callbacks.discard(start, bytes),
            Self::Buffer(_) => false,
        }
    }

    /// Ends a reservation.
    ///
    /// # Safety
    /// * `start` and `bytes` are those of one `reserve`, not yet released.
    /// * Nothing refers into the range any more.
    pub(crate) unsafe fn release(&self, start: NonNull<u8>, bytes: usize) {
        match self {
            Self::System(_) => {
                // SAFETY: by this function's contract.
                if !unsafe { os::release(start, bytes) } {
                    log_kept_addresses(bytes);
                }
            }
            Self::Callbacks(callbacks) => callbacks.release(start, bytes),
            Self::Buffer(_) => {}
        }
    }

    /// How many bytes of the range are in memory, as the kernel counts; `None`: it does not say.
    ///
    /// # Safety
    /// * `start .. start + bytes` was committed here, whole pages of
    ///   [`commit_bytes`](Self::commit_bytes).
    pub(crate) unsafe fn resident_bytes(&self, start: NonNull<u8>, bytes: usize) -> Option<usize> {
        match self {
            // SAFETY: by this function's contract.
            Self::System(_) => unsafe { os::resident_bytes(start, bytes) },
            Self::Callbacks(callbacks) if callbacks.page_bytes.is_multiple_of(os::page_bytes()) => {
                // SAFETY: by this function's contract, and whole OS pages.
                unsafe { os::resident_bytes(start, bytes) }
            }
            // Less than OS pages: all of it, as far as can be known.
            Self::Callbacks(_) | Self::Buffer(_) => Some(bytes),
        }
    }
}

/// One line for a release that the system refused.
fn log_kept_addresses(bytes: usize) {
    log!(
        Level::Warn,
        "the system keeps {bytes} bytes of address space that were released, as it counts too \
         many mappings; their memory went back. Raise vm.max_map_count"
    );
}
