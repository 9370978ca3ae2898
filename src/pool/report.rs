//! What the user is told when something is wrong: one line that says what happened, to which
//! block of which pool, and what to do next.

use crate::base::ids::UserPointer;
use crate::base::log::{self, Level, log};
use crate::checks::Checks;
use crate::host::process;
use crate::layout::geometry::Place;
use crate::pool::Pool;
use crate::pool::config::OnMisuse;
use crate::pool::engine::each;

/// Something that a pool found while it worked.
pub(crate) enum Finding {
    /// A pointer came back that can't be taken; `entry` is its place in a batch.
    BadPointer { pointer: UserPointer, entry: Option<usize> },
    /// The free list led outside the free blocks, and was rebuilt from the ledger.
    DamagedFreeList { free_blocks: usize },
    /// Every block is live. No misuse.
    Exhausted,
}

impl Pool {
    /// Writes `finding` to the log, and ends the program if it is a misuse and the policy says so.
    #[cold]
    pub(crate) fn report(&self, finding: Finding) {
        match finding {
            Finding::Exhausted => {
                let capacity = self.capacity();
                log!(Level::Debug, "pool \"{}\": all {capacity} blocks are live", self.name());
            }
            Finding::DamagedFreeList { free_blocks } => self.misuse(format_args!(
                "a free block was written to, which broke the free list; it is rebuilt with \
                 {free_blocks} free blocks and no block is lost. Look for a use after deallocate"
            )),
            Finding::BadPointer { pointer, entry } => self.report_pointer(pointer, entry),
        }
    }

    fn report_pointer(&self, pointer: UserPointer, entry: Option<usize>) {
        let address = pointer.address();
        let entry = Entry(entry);
        match each!(&self.engine, engine => engine.checks().place(pointer)) {
            Place::Start(index) if index.0 >= self.counts().frontier => self.misuse(format_args!(
                "{entry}block {index} at {address:#x} was never handed out; nothing was changed. \
                 Deallocate only what pool_allocate answered"
            )),
            Place::Start(index) => self.misuse(format_args!(
                "{entry}block {index} at {address:#x} is free already (double free); nothing was \
                 changed. Deallocate each block once"
            )),
            Place::Interior(index, into) => self.misuse(format_args!(
                "{entry}{address:#x} lies {into} bytes into block {index} at {:#x}; nothing was \
                 changed. Deallocate the pointer that pool_allocate answered",
                address - into
            )),
            Place::Foreign if let Some((block, into)) = self.heap_block_with(pointer) => {
                self.misuse(format_args!(
                    "{entry}{address:#x} lies {into} bytes into the heap block at {block:#x}; \
                     nothing was changed. Deallocate the pointer that pool_allocate answered"
                ));
            }
            Place::Foreign => self.misuse(format_args!(
                "{entry}{address:#x} is no block of this pool, whose blocks lie from {:#x} to \
                 {:#x}; nothing was changed. Give it back to where it came from",
                self.base().addr(),
                self.base().addr().get() + self.layout.stride * self.capacity()
            )),
        }
    }

    fn misuse(&self, what: core::fmt::Arguments<'_>) {
        let abort = self.policy.on_misuse == OnMisuse::Abort;
        // Who ends the program says why, whatever the level of the log.
        if abort || log::enabled(Level::Error) {
            log::line(Level::Error, format_args!("pool \"{}\": {what}", self.name()));
        }
        if abort {
            process::abort();
        }
    }
}

/// "entry 3: " in front of the report of a batch.
struct Entry(Option<usize>);

impl core::fmt::Display for Entry {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.map_or(Ok(()), |entry| write!(f, "entry {entry}: "))
    }
}
