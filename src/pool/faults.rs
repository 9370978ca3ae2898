//! The report of a fault at a guarded block: what was done to which block, who had it, and where
//! the program is.
//!
//! ```text
//!   memory_pool: error: pool "names": block 0 at 0x7f.. is used past its end, 16 bytes from ...
//!   memory_pool: error:   allocated by thread 4711, operation 1, 0.002 s ago
//!   memory_pool: error:     #0 copy_of at overflow_by_one.c:8
//!   memory_pool: error:   found in thread 4711
//!   memory_pool: error:     #0 ...
//! ```
//!
//! It is written by a signal handler, in the middle of whatever the program does. So no function of
//! the program is called, and the lines go straight to standard error. The first one is written
//! before the stacks are, whose names take memory of the heap.
//!
//! X1. What is in `AREAS` is a `Guarded` that is not dropped yet. A thread that faults there while
//!     another destroys the pool is beyond help.

use core::fmt;
use core::ptr::{self, NonNull};

use crate::base::log::{self, Level};
use crate::base::sync::{AtomicPtr, Ordering};
use crate::host::fault;
use crate::inspect::Evidence;
use crate::inspect::berths::{Berthed, DEPTH};
use crate::inspect::sites::Site;
use crate::pool::guards::Guarded;

/// Faults in more pools at a time have no report.
const AREAS_MAX: usize = 4096;

static AREAS: [AtomicPtr<Guarded>; AREAS_MAX] =
    [const { AtomicPtr::new(ptr::null_mut()) }; AREAS_MAX];

/// Tells of faults there from now on.
pub(super) fn watch(guarded: NonNull<Guarded>) {
    fault::catch(is_ours, tell);
    let _ = AREAS.iter().find(|area| {
        let (none, some) = (ptr::null_mut(), guarded.as_ptr());
        // Release: pairs with the Acquire in `find`. Relaxed: nothing was read.
        area.compare_exchange(none, some, Ordering::Release, Ordering::Relaxed).is_ok()
    });
}

/// No longer.
pub(super) fn forget(guarded: NonNull<Guarded>) {
    for area in &AREAS {
        let (none, some) = (ptr::null_mut(), guarded.as_ptr());
        // Relaxed, both: X1.
        let _ = area.compare_exchange(some, none, Ordering::Relaxed, Ordering::Relaxed);
    }
}

fn find(address: usize) -> Option<&'static Guarded> {
    AREAS.iter().find_map(|area| {
        // Acquire: pairs with the Release in `watch`.
        let guarded = NonNull::new(area.load(Ordering::Acquire))?;
        // SAFETY: X1.
        let guarded = unsafe { guarded.as_ref() };
        guarded.berths.has(address).then_some(guarded)
    })
}

fn is_ours(address: usize) -> bool {
    find(address).is_some()
}

/// Writes the report. In a signal handler, on a stack that may be small.
#[cold]
fn tell(address: usize) {
    write_what(address);
    let here = Site::interrupted(DEPTH);
    fault::with_room(&|| write_stacks(address, &here));
}

#[inline(never)]
fn write_what(address: usize) {
    let Some(guarded) = find(address) else { return };
    let (name, block_size) = (guarded.name, guarded.berths.block_size());
    let what = match guarded.berths.nearest(address) {
        Some((berthed, into)) => What::Block { berthed, into, block_size },
        None => What::Nothing { address },
    };
    log::line_to_stderr(Level::Error, format_args!("pool \"{name}\": {what}"));
}

#[inline(never)]
fn write_stacks(address: usize, here: &Site) {
    let known = find(address).and_then(|guarded| {
        let (berthed, _) = guarded.berths.nearest(address)?;
        Some(guarded.berths.evidence(&berthed))
    });
    let evidence = Evidence { here: Some(*here), ..known.unwrap_or(Evidence::NONE) };
    evidence.write_by(log::line_to_stderr, Level::Error);
}

/// What a fault has to do with.
enum What {
    Block { berthed: Berthed, into: isize, block_size: usize },
    Nothing { address: usize },
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Nothing { address } => {
                write!(f, "{address:#x} is between its guarded blocks")?;
            }
            Self::Block { berthed: Berthed { index, block, is_live, .. }, into, block_size } => {
                write!(f, "block {index} at {:#x} is used ", block.addr())?;
                match usize::try_from(into) {
                    Err(_) => write!(f, "{} bytes before its start", -into)?,
                    Ok(into) if into >= block_size => {
                        write!(f, "past its end, {into} bytes from its start")?;
                    }
                    Ok(into) => {
                        write!(f, "after it was deallocated, {into} bytes from its start")?;
                    }
                }
                f.write_str(if is_live || into_block(into, block_size) {
                    ""
                } else {
                    ", and after it was deallocated"
                })?;
            }
        }
        f.write_str("; the program stops there. Mend what stands below \"found\"")
    }
}

fn into_block(into: isize, block_size: usize) -> bool {
    usize::try_from(into).is_ok_and(|into| into < block_size)
}
