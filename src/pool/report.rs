//! What the user is told when something is wrong: one line that says what happened, to which
//! block of which pool, and what to do next.
//!
//! What is told are facts, gathered before: while a line is written the pool may already be gone,
//! destroyed by the callback that an earlier line went to.

use core::ffi::c_void;
use core::fmt;
use core::ptr;

use crate::base::error::Error;
use crate::base::ids::{BlockIndex, UserPointer};
use crate::base::log::{self, Level, Line, log};
use crate::base::report::{ReportCallback, pool_report_t};
use crate::host::process;
use crate::pool::config::{OnLeak, OnMisuse, Policy};

/// Something that a pool found while it worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// The free list led outside the free blocks, and was rebuilt from the ledger.
    DamagedFreeList { free_blocks: usize },
    /// Every block is live. No misuse.
    Exhausted { capacity: usize },
    /// `pool_fail_after` asked for it. No misuse.
    FailedOnPurpose,
    /// There are more blocks now.
    Grown { capacity: usize },
    /// There could have been more blocks, but for the memory.
    GrowthRefused { from: usize, to: usize, reason: &'static str },
    /// There could have been a block from the heap, but for the memory.
    HeapRefused,
}

/// What is wrong with a pointer that came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misuse {
    NeverHandedOut { index: BlockIndex },
    FreeAlready { index: BlockIndex },
    InteriorOfBlock { index: BlockIndex, into: usize },
    InteriorOfHeapBlock { block: usize, into: usize },
    Foreign { from: usize, to: usize },
}

impl Misuse {
    pub(crate) fn error(&self) -> Error {
        match self {
            Self::NeverHandedOut { .. } | Self::FreeAlready { .. } => Error::DoubleFree,
            Self::InteriorOfBlock { .. } | Self::InteriorOfHeapBlock { .. } => {
                Error::InteriorPointer
            }
            Self::Foreign { .. } => Error::ForeignPointer,
        }
    }
}

/// Who hears what a pool has to say: the callback of the pool, then the log. A copy, because the
/// pool may be gone after the first word.
#[derive(Clone, Copy)]
pub(crate) struct Reporter {
    pub(crate) policy: Policy,
    pub(crate) callback: Option<(ReportCallback, *mut c_void)>,
}

impl Reporter {
    /// Says what was found, and ends the program if it is a misuse and the policy says so.
    #[cold]
    pub(crate) fn tell(self, finding: Finding) {
        let name = self.policy.name;
        match finding {
            Finding::Exhausted { capacity } => {
                log!(Level::Debug, "pool \"{name}\": all {capacity} blocks are live");
            }
            Finding::FailedOnPurpose => {
                log!(Level::Debug, "pool \"{name}\": an allocation failed on purpose");
            }
            Finding::Grown { capacity } => {
                log!(Level::Debug, "pool \"{name}\" grew to {capacity} blocks");
            }
            Finding::GrowthRefused { from, to, reason } => {
                log!(
                    Level::Warn,
                    "pool \"{name}\" can't grow from {from} to {to} blocks: {reason}"
                );
            }
            Finding::HeapRefused => {
                log!(Level::Warn, "pool \"{name}\": the heap gives no memory for a block");
            }
            Finding::DamagedFreeList { free_blocks } => {
                let what = format_args!(
                    "a free block was written to, which broke the free list; it is rebuilt with \
                     {free_blocks} free blocks and no block is lost. Look for a use after \
                     deallocate"
                );
                self.misuse(Error::Corrupted, 0, what);
            }
        }
    }

    /// For who waited until allocations began to fail.
    pub(crate) fn tell_failed_on_purpose(self) {
        self.tell(Finding::FailedOnPurpose);
    }

    /// The same for a pointer; `entry` is its place in a batch.
    #[cold]
    pub(crate) fn tell_misuse(self, misuse: &Misuse, pointer: UserPointer, entry: Option<usize>) {
        let address = pointer.address();
        let entry = Entry(entry);
        let say = |what: fmt::Arguments<'_>| self.misuse(misuse.error(), address, what);
        match *misuse {
            Misuse::NeverHandedOut { index } => say(format_args!(
                "{entry}block {index} at {address:#x} was never handed out; nothing was changed. \
                 Deallocate only what pool_allocate answered"
            )),
            Misuse::FreeAlready { index } => say(format_args!(
                "{entry}block {index} at {address:#x} is free already (double free); nothing was \
                 changed. Deallocate each block once"
            )),
            Misuse::InteriorOfBlock { index, into } => say(format_args!(
                "{entry}{address:#x} lies {into} bytes into block {index} at {:#x}; nothing was \
                 changed. Deallocate the pointer that pool_allocate answered",
                address - into
            )),
            Misuse::InteriorOfHeapBlock { block, into } => say(format_args!(
                "{entry}{address:#x} lies {into} bytes into the heap block at {block:#x}; \
                 nothing was changed. Deallocate the pointer that pool_allocate answered"
            )),
            Misuse::Foreign { from, to } => say(format_args!(
                "{entry}{address:#x} is no block of this pool, whose blocks lie from {from:#x} to \
                 {to:#x}; nothing was changed. Give it back to where it came from"
            )),
        }
    }

    fn misuse(self, error: Error, address: usize, what: fmt::Arguments<'_>) {
        self.call_back(error, address, what);
        let abort = self.policy.on_misuse == OnMisuse::Abort;
        self.write(abort, Level::Error, format_args!(": {what}"));
        if abort {
            process::abort();
        }
    }

    /// Blocks that are live at the end, as `what` says; `first` is the address of the first.
    pub(crate) fn tell_leak(self, first: usize, level: Level, what: fmt::Arguments<'_>) {
        self.call_back(Error::InUse, first, what);
        self.write(self.policy.on_leak == OnLeak::Abort, level, format_args!(" {what}"));
    }

    /// An invariant does not hold.
    pub(crate) fn tell_broken(self, what: fmt::Arguments<'_>) {
        self.call_back(Error::Corrupted, 0, what);
        self.write(false, Level::Error, format_args!(" {what}"));
    }

    /// A line of the log. Who ends the program says why, whatever the level of the log.
    fn write(self, always: bool, level: Level, what: fmt::Arguments<'_>) {
        if always || log::enabled(level) {
            log::line(level, format_args!("pool \"{}\"{what}", self.policy.name));
        }
    }

    /// Before the log, whose callback may end what `user_data` leads to together with the pool.
    fn call_back(self, error: Error, address: usize, what: fmt::Arguments<'_>) {
        let Some((callback, user_data)) = self.callback else { return };
        let mut message = Line::new();
        message.push(what);
        let name = self.policy.name.to_c_string();
        let report = pool_report_t {
            struct_size: size_of::<pool_report_t>(),
            status: error.status(),
            pool_name: name.as_ptr().cast(),
            block: ptr::without_provenance_mut(address),
            message: message.as_c_str().as_ptr(),
        };
        callback(user_data, &raw const report);
    }
}

/// "entry 3: " in front of the report of a batch.
struct Entry(Option<usize>);

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |entry| write!(f, "entry {entry}: "))
    }
}
