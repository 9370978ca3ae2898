//! Patterns in the memory of blocks, by which a write that should not have been is found.
//!
//! ```text
//!          ├──── block_size ────┤ canary ├──── block_size ────┤ canary │
//!   live   │ CD CD  or the user's│ FD .. FD │
//!   free   │ DD DD DD DD DD .. DD│ FD .. FD │
//! ```
//!
//! The bytes are those that debuggers of other systems have made known: CD in a block that was
//! never written, DD in one that is free, FD where nobody may write. What stands before a block is
//! the canary of the one before it; before block 0 there is one of its own.
//!
//! I1. From `front` bytes before block 0 to the end of the last block the memory is the pool's, and
//!     readable and writable; only canaries and the bytes of blocks that nobody has are touched.

use core::ptr::NonNull;
use core::slice;

use crate::base::ids::{Block, BlockIndex};

pub(crate) const FRESH: u8 = 0xCD;
const FREE: u8 = 0xDD;
pub(crate) const CANARY: u8 = 0xFD;

/// The bytes after each block, at least, and before block 0.
pub(crate) const CANARY_BYTES: usize = 8;
/// What is kept before block 0.
pub(crate) const FRONT_BYTES: usize = 16;

/// A write that should not have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// Into a free block, so far from its start.
    AfterFree { offset: usize },
    /// Behind a block, so far from its start.
    PastEnd { offset: usize },
    /// Before a block, so far.
    BeforeStart { distance: usize },
}

/// Where the blocks are.
#[derive(Clone, Copy)]
pub(crate) struct Fill {
    base: NonNull<u8>,
    block_size: usize,
    stride: usize,
    /// Bytes of the canary before block 0.
    front: usize,
}

impl Fill {
    /// # Safety
    /// * I1.
    pub(crate) unsafe fn new(
        base: NonNull<u8>,
        block_size: usize,
        stride: usize,
        front: usize,
    ) -> Self {
        Self { base, block_size, stride, front }
    }

    pub(crate) fn block(&self, index: BlockIndex) -> Block {
        // SAFETY: I1.
        unsafe { self.base.add(index.0 * self.stride) }
    }

    pub(crate) fn block_size(&self) -> usize {
        self.block_size
    }

    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    /// Where the canary before block 0 begins, and how long it is.
    pub(crate) fn front(&self) -> (NonNull<u8>, usize) {
        // SAFETY: I1.
        (unsafe { self.base.sub(self.front) }, self.front)
    }

    /// Marks a block that is about to be handed out as never written.
    pub(crate) fn make_fresh(&self, index: BlockIndex) {
        self.write(index, 0, self.block_size, FRESH);
    }

    /// Marks a block that just came back.
    pub(crate) fn make_free(&self, index: BlockIndex) {
        self.write(index, 0, self.block_size, FREE);
    }

    /// Makes the canaries around a block whole.
    pub(crate) fn make_canaries(&self, index: BlockIndex) {
        self.write(index, self.block_size, self.stride - self.block_size, CANARY);
        let before = self.bytes_before(index);
        if before > 0 {
            let start = self.block(index).as_ptr().wrapping_sub(before);
            // SAFETY: I1.
            unsafe { start.write_bytes(CANARY, before) };
        }
    }

    /// What is wrong with a block that is free.
    pub(crate) fn damage_of_free(&self, index: BlockIndex) -> Option<Damage> {
        let offset = first_but(self.bytes(index, 0, self.block_size), FREE)?;
        Some(Damage::AfterFree { offset })
    }

    /// What is wrong around a block. A write that began at its end is past the end; one that
    /// reaches its start from elsewhere is before the start. What does not reach its start is past
    /// the end of the block before it; before block 0 there is none.
    pub(crate) fn damage_around(&self, index: BlockIndex) -> Option<Damage> {
        let behind = self.bytes(index, self.block_size, self.stride - self.block_size);
        if let Some(first) = first_but(behind, CANARY) {
            return Some(Damage::PastEnd { offset: self.block_size + first });
        }
        let before = self.bytes_before(index);
        let start = self.block(index).as_ptr().wrapping_sub(before);
        // SAFETY: I1.
        let bytes = unsafe { slice::from_raw_parts(start, before) };
        let first = first_but(bytes, CANARY)?;
        let is_before = index.0 == 0 || bytes.last() != Some(&CANARY);
        is_before.then_some(Damage::BeforeStart { distance: before - first })
    }

    /// How many bytes before a block are a canary.
    fn bytes_before(&self, index: BlockIndex) -> usize {
        if index.0 == 0 { self.front } else { self.stride - self.block_size }
    }

    fn bytes(&self, index: BlockIndex, offset: usize, count: usize) -> &[u8] {
        let start = self.block(index).as_ptr().wrapping_add(offset);
        // SAFETY: I1; nobody may write there, and whoever does is what is looked for.
        unsafe { slice::from_raw_parts(start, count) }
    }

    fn write(&self, index: BlockIndex, offset: usize, count: usize, byte: u8) {
        let start = self.block(index).as_ptr().wrapping_add(offset);
        // SAFETY: I1.
        unsafe { start.write_bytes(byte, count) };
    }
}

/// Where the first byte is that is another one.
pub(crate) fn first_but(bytes: &[u8], byte: u8) -> Option<usize> {
    bytes.iter().position(|&one| one != byte)
}
