//! What a tool that watches memory is told of the blocks: only those that are live may be touched.
//!
//! ```text
//!          ├── stride ──┤
//!   │ front│ live  │rest│ free       │ live  │rest│ untouched  │
//!   │ no   │ yes   │ no │ no         │ yes   │ no │ no         │
//! ```
//!
//! With that the patterns of `fill` are not needed, and could not be: the tool would report who
//! writes them.
//!
//! Marks take time and, under the address sanitizer, an eighth of the memory that they are for. So
//! of untouched blocks only those of the first GiB are marked, and pointers to the heap are looked
//! for there alone.

use core::ops::Range;

use crate::base::ids::BlockIndex;
use crate::base::sync::{AtomicUsize, Ordering};
use crate::host::watcher::Watcher;
use crate::inspect::fill::Fill;

const BYTES_MAX: usize = 1 << 30;

/// The tool, and the blocks that it is told of.
pub(crate) struct Marks {
    watcher: Watcher,
    fill: Fill,
    /// From the first block on, where pointers are looked for.
    bytes: usize,
    /// Whether each block is told of as one of a pool. Not in memory of the caller's: it may be a
    /// block itself, and a tool that knows blocks does not know blocks within blocks.
    names_blocks: bool,
    /// Blocks from here on were never marked.
    end: AtomicUsize,
}

impl Marks {
    /// Marks so many blocks; `max_capacity`: as many as there may come to be.
    pub(crate) fn new(
        watcher: Watcher,
        fill: Fill,
        (capacity, max_capacity): (usize, usize),
        names_blocks: bool,
    ) -> Self {
        let bytes = (max_capacity * fill.stride()).min(BYTES_MAX);
        let marks = Self { watcher, fill, bytes, names_blocks, end: AtomicUsize::new(0) };
        if names_blocks {
            watcher.open(fill.block(BlockIndex(0)), bytes);
        }
        let (front, front_bytes) = fill.front();
        watcher.forbid(front, front_bytes);
        marks.add(0..capacity);
        marks
    }

    /// Says that these blocks came to be. Before anybody may have one.
    pub(crate) fn add(&self, blocks: Range<usize>) {
        let marked = blocks.start..blocks.end.min(BYTES_MAX / self.fill.stride());
        if !marked.is_empty() {
            self.forbid(marked);
        }
    }

    fn forbid(&self, blocks: Range<usize>) {
        // Relaxed: read when nobody else calls.
        self.end.fetch_max(blocks.end, Ordering::Relaxed);
        let start = self.fill.block(BlockIndex(blocks.start));
        self.watcher.forbid(start, blocks.len() * self.fill.stride());
    }

    /// Before a block is handed out.
    pub(crate) fn hand_out(&self, index: BlockIndex) {
        let pool = self.names_blocks.then(|| self.fill.block(BlockIndex(0)));
        self.watcher.hand_out(pool, self.fill.block(index), self.fill.block_size());
    }

    /// After a block came back, and before anybody may have it.
    pub(crate) fn take_back(&self, index: BlockIndex) {
        let pool = self.names_blocks.then(|| self.fill.block(BlockIndex(0)));
        self.watcher.take_back(pool, self.fill.block(index));
        self.forbid(index.0..index.0 + 1);
    }

    /// All blocks below `end` came back. Only while nobody else calls.
    pub(crate) fn forget(&self, end: usize) {
        if self.names_blocks {
            let first = self.fill.block(BlockIndex(0));
            self.watcher.close(first, self.bytes);
            self.watcher.open(first, self.bytes);
        }
        self.forbid(0..end);
    }
}

impl Drop for Marks {
    /// Whoever has the memory next finds no marks.
    fn drop(&mut self) {
        let first = self.fill.block(BlockIndex(0));
        if self.names_blocks {
            self.watcher.close(first, self.bytes);
        }
        let (front, front_bytes) = self.fill.front();
        self.watcher.permit(front, front_bytes);
        // Relaxed: nobody else calls.
        let end = self.end.load(Ordering::Relaxed);
        self.watcher.permit(first, end * self.fill.stride());
    }
}
