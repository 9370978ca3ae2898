//! Who had a block, as lines of a report: what a watched pool knows beside what happened.
//!
//! ```text
//!   memory_pool: error: pool "nodes": block 3 at 0x7f.. is free already (double free); ...
//!   memory_pool: error:   allocated by thread 4711, operation 5, 0.002 s ago
//!   memory_pool: error:     #0 make_node at list.c:12
//!   memory_pool: error:     #1 main at list.c:40
//!   memory_pool: error:   deallocated by thread 4711, operation 6, 0.001 s ago
//!   memory_pool: error:     #0 ...
//! ```
//!
//! The first frames of a stack are the library's own. They are left out: what a program wants to
//! know is who called.

use crate::base::ids::{BlockIndex, UserPointer};
use crate::base::log::{self, Level, Say};
use crate::base::report::pool_site_t;
use crate::host::sleep;
use crate::host::symbols::{self, Frame};
use crate::inspect::berths;
use crate::inspect::fill::Damage;
use crate::inspect::sites::{Event, Site};
use crate::inspect::{Evidence, Inspector};
use crate::pool::core::Core;
use crate::pool::engine::Engine;
use crate::pool::inspected::{Damaged, When};
use crate::pool::report::Misuse;

const NANOSECONDS_A_SECOND: u64 = 1_000_000_000;
const NANOSECONDS_A_MICROSECOND: u64 = 1000;

impl Core {
    pub(super) fn inspector(&self) -> Option<&Inspector> {
        match &self.engine {
            Engine::Inspected(engine) => Some(engine.inspector()),
            _ => None,
        }
    }

    /// What is known of the block that a misuse by this pointer is about.
    pub(super) fn evidence(&self, misuse: &Misuse, pointer: UserPointer) -> Evidence {
        let inspector = self.inspector().filter(|inspector| inspector.depth() > 0);
        let guarded = self.evidence_of_guarded(pointer);
        let (found, depth) = match (guarded, inspector) {
            (Some(evidence), _) => (evidence, berths::DEPTH),
            (None, Some(inspector)) => {
                let of_block = misuse.index().map(|index| inspector.evidence(index));
                (of_block.unwrap_or(Evidence::NONE), inspector.depth())
            }
            (None, None) => return Evidence::NONE,
        };
        // Of a block that was just taken back, that is who gave it.
        let is_noted = matches!(misuse, Misuse::Damaged(Damaged { when: When::TakenBack, .. }));
        let here = (!is_noted).then(|| Site::here(depth));
        Evidence { here, ..found }
    }

    /// The same of a write that should not have been; the block's new owner is noted then.
    pub(super) fn evidence_of_damage(&self, damaged: &Damaged) -> Evidence {
        let pointer = UserPointer::new(damaged.block.as_ptr());
        let evidence = self.evidence(&Misuse::Damaged(*damaged), pointer);
        if let Some(inspector) = self.inspector().filter(|_| damaged.when == When::HandedOut) {
            inspector.note(damaged.index, Event::Taken);
        }
        evidence
    }

    /// The first block of the span that something is wrong with, and how many there are.
    pub(super) fn damaged_watched(&self) -> Option<(Damaged, usize)> {
        match &self.engine {
            Engine::Inspected(engine) => engine.damaged(),
            _ => None,
        }
    }
}

impl Misuse {
    /// The block that it is about.
    pub(super) fn index(&self) -> Option<BlockIndex> {
        match *self {
            Self::NeverHandedOut { index }
            | Self::FreeAlready { index }
            | Self::InteriorOfBlock { index, .. }
            | Self::Damaged(Damaged { index, .. }) => Some(index),
            Self::InteriorOfHeapBlock { .. } | Self::Foreign { .. } => None,
        }
    }

    /// How far into the block.
    pub(super) fn offset(&self) -> isize {
        match *self {
            Self::InteriorOfBlock { into, .. } | Self::InteriorOfHeapBlock { into, .. } => {
                into.cast_signed()
            }
            Self::Damaged(Damaged { damage, .. }) => damage.offset(),
            _ => 0,
        }
    }
}

impl Damage {
    /// From the start of the block to the first byte that was written.
    pub(super) fn offset(self) -> isize {
        match self {
            Self::AfterFree { offset } | Self::PastEnd { offset } => offset.cast_signed(),
            Self::BeforeStart { distance } => -distance.cast_signed(),
        }
    }
}

impl core::fmt::Display for Damaged {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { index, block, damage, when } = *self;
        let address = block.addr().get();
        write!(f, "block {index} at {address:#x} was overwritten ")?;
        match damage {
            Damage::AfterFree { offset } => {
                write!(f, "while it was free, {offset} bytes from its start")?;
            }
            Damage::PastEnd { offset } => {
                write!(f, "past its end, {offset} bytes from its start")?;
            }
            Damage::BeforeStart { distance } => write!(f, "{distance} bytes before its start")?,
        }
        f.write_str(match (damage, when) {
            (Damage::AfterFree { .. }, When::HandedOut) => {
                "; it is handed out all the same. Look for a use after deallocate"
            }
            (Damage::AfterFree { .. }, _) => ". Look for a use after deallocate",
            (_, When::TakenBack) => "; it was taken back. Look for who writes beyond a block",
            (..) => ". Look for who writes beyond a block",
        })
    }
}

/// A site as C sees it.
pub(super) fn shown(site: &Site) -> pool_site_t {
    let frames = site.frames();
    pool_site_t {
        frames: frames.as_ptr().cast(),
        frame_count: frames.len(),
        thread: i64::from(site.thread),
        sequence: site.sequence,
        nanoseconds: site.nanoseconds,
    }
}

impl Evidence {
    /// The lines that follow what happened.
    #[cold]
    pub(super) fn write(&self, level: Level) {
        self.write_by(log::line, level);
    }

    pub(super) fn write_by(&self, say: Say, level: Level) {
        let now = sleep::now();
        for (done, site) in [("allocated", &self.taken), ("deallocated", &self.given)] {
            let Some(Site { thread, sequence, nanoseconds, .. }) = site else { continue };
            let past = now.saturating_sub(*nanoseconds);
            let (seconds, rest) = (past / NANOSECONDS_A_SECOND, past % NANOSECONDS_A_SECOND);
            let rest = rest / NANOSECONDS_A_MICROSECOND;
            say(
                level,
                format_args!(
                    "  {done} by thread {thread}, operation {sequence}, {seconds}.{rest:06} s ago"
                ),
            );
            site.iter().for_each(|site| write_frames(say, level, site.frames()));
        }
        if let Some(here) = &self.here {
            say(level, format_args!("  found in thread {}", here.thread));
            write_frames(say, level, here.frames());
        }
    }
}

/// A frame of the program.
pub(super) struct ProgramFrame<'frame, 'name> {
    pub(super) number: usize,
    pub(super) frame: &'frame Frame<'name>,
}

impl core::fmt::Display for ProgramFrame<'_, '_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Frame { module, offset, function, line, .. } = *self.frame;
        write!(f, "#{} ", self.number)?;
        match (function, line) {
            ("", "") => write!(f, "{module}+{offset:#x}"),
            (_, "") => write!(f, "{function} in {module}+{offset:#x}"),
            _ => write!(f, "{function} at {line}"),
        }
    }
}

/// Tells of each frame that is not the library's own, up to the function main; answers how many.
pub(super) fn program_frames(
    frames: &[usize],
    mut each: impl FnMut(&ProgramFrame<'_, '_>),
) -> usize {
    let mut number = 0;
    let (mut is_inside, mut is_done) = (true, false);
    symbols::describe(frames, |frame| {
        is_inside = is_inside && is_own(frame);
        if is_inside || is_done {
            return;
        }
        each(&ProgramFrame { number, frame });
        number += 1;
        is_done = frame.function == "main";
    });
    number
}

/// A line for each frame that is not the library's own, up to the function main.
pub(super) fn write_frames(say: Say, level: Level, frames: &[usize]) {
    let number = program_frames(frames, |frame| say(level, format_args!("    {frame}")));
    if number == 0 && !frames.is_empty() {
        say(level, format_args!("    {} frames, all of this library", frames.len()));
    }
}

/// The library's own calls by which a block goes out or comes back, or is looked at, where it is a
/// part of the program's own file. A program may have functions whose names begin like these.
const OWN_CALLS: [&str; 14] = [
    "pool_allocate",
    "pool_allocate_many",
    "pool_allocate_wait",
    "pool_allocate_zeroed",
    "pool_cache_allocate",
    "pool_cache_deallocate",
    "pool_cache_destroy",
    "pool_check_block",
    "pool_deallocate",
    "pool_deallocate_many",
    "pool_destroy",
    "pool_grow",
    "pool_reset",
    "pool_validate",
];

/// What the names of its other functions begin with: of its headers, of Rust's library.
const OWN_NAMES: [&str; 7] =
    ["pool_inline_", "core::", "std::", "<core::", "<std::", "__rust", "_Unwind_"];

/// Whether a frame at the inner end of a stack is of this library.
fn is_own(frame: &Frame<'_>) -> bool {
    let name = frame.function;
    frame.is_own
        || name.contains("memory_pool::")
        || OWN_CALLS.contains(&name)
        || OWN_NAMES.iter().any(|&own| name.starts_with(own))
}
