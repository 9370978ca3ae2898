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
use crate::base::report::{ReportCallback, pool_report_t, pool_site_t};
use crate::host::process;
use crate::inspect::Evidence;
use crate::pool::config::{OnLeak, OnMisuse, Policy};
use crate::pool::evidence::shown;
use crate::pool::inspected::Damaged;
use crate::pool::leaks::Groups;

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
    /// Somebody wrote where nobody may.
    Damaged(Damaged),
}

/// What is wrong with a pointer that came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misuse {
    NeverHandedOut {
        index: BlockIndex,
    },
    FreeAlready {
        index: BlockIndex,
    },
    InteriorOfBlock {
        index: BlockIndex,
        into: usize,
    },
    InteriorOfHeapBlock {
        block: usize,
        into: usize,
    },
    Foreign {
        from: usize,
        to: usize,
    },
    /// Somebody wrote around the block; it was taken back.
    Damaged(Damaged),
}

impl Misuse {
    pub(crate) fn error(&self) -> Error {
        match self {
            Self::NeverHandedOut { .. } | Self::FreeAlready { .. } => Error::DoubleFree,
            Self::InteriorOfBlock { .. } | Self::InteriorOfHeapBlock { .. } => {
                Error::InteriorPointer
            }
            Self::Foreign { .. } => Error::ForeignPointer,
            Self::Damaged(_) => Error::Corrupted,
        }
    }
}

/// What a report is about.
struct Subject {
    error: Error,
    address: usize,
    index: Option<BlockIndex>,
    /// From the start of the block.
    offset: isize,
}

impl Subject {
    fn of(error: Error) -> Self {
        Self { error, address: 0, index: None, offset: 0 }
    }
}

/// " (and 3 more blocks are damaged)".
struct More(usize);

impl fmt::Display for More {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            1 => f.write_str(" (1 more block is damaged)"),
            more => write!(f, " ({more} more blocks are damaged)"),
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
    pub(crate) fn tell(self, finding: Finding, evidence: &Evidence) {
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
                self.misuse(&Subject::of(Error::Corrupted), &Evidence::NONE, what);
            }
            Finding::Damaged(damaged) => self.tell_damaged(&damaged, 1, evidence),
        }
    }

    /// The same for a write where nobody may, of which there are `count`.
    #[cold]
    pub(crate) fn tell_damaged(self, damaged: &Damaged, count: usize, evidence: &Evidence) {
        let Damaged { index, block, damage, .. } = *damaged;
        let subject = Subject {
            error: Error::Corrupted,
            address: block.addr().get(),
            index: Some(index),
            offset: damage.offset(),
        };
        self.misuse(&subject, evidence, format_args!("{damaged}{}", More(count - 1)));
    }

    /// For who waited until allocations began to fail.
    pub(crate) fn tell_failed_on_purpose(self) {
        self.tell(Finding::FailedOnPurpose, &Evidence::NONE);
    }

    /// The same for a pointer; `entry` is its place in a batch.
    #[cold]
    pub(crate) fn tell_misuse(
        self,
        misuse: &Misuse,
        pointer: UserPointer,
        entry: Option<usize>,
        evidence: &Evidence,
    ) {
        let address = pointer.address();
        let entry = Entry(entry);
        let (index, offset) = (misuse.index(), misuse.offset());
        let subject = Subject { error: misuse.error(), address, index, offset };
        let say = |what: fmt::Arguments<'_>| self.misuse(&subject, evidence, what);
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
            Misuse::Damaged(damaged) => say(format_args!("{entry}{damaged}")),
        }
    }

    fn misuse(self, subject: &Subject, evidence: &Evidence, what: fmt::Arguments<'_>) {
        self.call_back(subject, evidence, what);
        let abort = self.policy.on_misuse == OnMisuse::Abort;
        self.write(abort, Level::Error, format_args!(": {what}"));
        if abort || log::enabled(Level::Error) {
            evidence.write(Level::Error);
        }
        if abort {
            process::abort();
        }
    }

    /// Blocks that are live at the end, as `what` says; `first` is the address of the first.
    pub(crate) fn tell_leak(
        self,
        first: usize,
        level: Level,
        what: fmt::Arguments<'_>,
        groups: &Groups,
    ) {
        let subject = Subject { address: first, ..Subject::of(Error::InUse) };
        self.call_back(&subject, &Evidence::NONE, what);
        let abort = self.policy.on_leak == OnLeak::Abort;
        self.write(abort, level, format_args!(" {what}"));
        if abort || log::enabled(level) {
            groups.write(level);
        }
    }

    /// An invariant does not hold.
    pub(crate) fn tell_broken(self, what: fmt::Arguments<'_>) {
        self.call_back(&Subject::of(Error::Corrupted), &Evidence::NONE, what);
        self.write(false, Level::Error, format_args!(" {what}"));
    }

    /// A line of the log. Who ends the program says why, whatever the level of the log.
    fn write(self, always: bool, level: Level, what: fmt::Arguments<'_>) {
        if always || log::enabled(level) {
            log::line(level, format_args!("pool \"{}\"{what}", self.policy.name));
        }
    }

    /// Before the log, whose callback may end what `user_data` leads to together with the pool.
    fn call_back(self, subject: &Subject, evidence: &Evidence, what: fmt::Arguments<'_>) {
        let Some((callback, user_data)) = self.callback else { return };
        let mut message = Line::new();
        message.push(what);
        let name = self.policy.name.to_c_string();
        let [taken, given, here] = [evidence.taken, evidence.given, evidence.here];
        let [taken, given, here] = [&taken, &given, &here].map(|site| site.as_ref().map(shown));
        let pointer = |site: &Option<pool_site_t>| site.as_ref().map_or(ptr::null(), ptr::from_ref);
        let report = pool_report_t {
            struct_size: size_of::<pool_report_t>(),
            status: subject.error.status(),
            pool_name: name.as_ptr().cast(),
            block: ptr::without_provenance_mut(subject.address),
            message: message.as_c_str().as_ptr(),
            index: subject.index.map_or(usize::MAX, |index| index.0),
            offset: subject.offset,
            allocated: pointer(&taken),
            deallocated: pointer(&given),
            here: pointer(&here),
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
