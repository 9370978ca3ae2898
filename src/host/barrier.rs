//! A fence on all threads at once, so that those on hot paths need none of their own.
//!
//! ```text
//!   owner, often                       thief, seldom
//!   write "I am busy"                  write "closed"
//!   light(): the compiler's order      heavy(): a full fence in every running thread
//!   read whether it is closed          read whether the owner is busy
//! ```
//!
//! One of the two sees what the other wrote: when the heavy fence reaches the owner, it has either
//! written before, or has yet to read.
//!
//! Source: the membarrier system call of Linux 4.14, and M. Desnoyers et al., "User-Level
//! Implementations of Read-Copy Update", IEEE TPDS 23(2), 2012.

use core::sync::atomic::{AtomicBool, Ordering, compiler_fence};

const REGISTER: i32 = libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED;
const BARRIER: i32 = libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED;

/// Orders this thread's accesses for threads that call [`heavy`].
#[inline(always)]
pub(crate) fn light() {
    // SeqCst: pairs with `heavy`, which makes a fence of it when it matters.
    compiler_fence(Ordering::SeqCst);
}

/// Whether there is a heavy fence. To be asked before the first is run.
pub(crate) fn prepare() -> bool {
    static IS_REGISTERED: AtomicBool = AtomicBool::new(false);
    // Relaxed, both: whoever comes second may ask the system as well.
    if !IS_REGISTERED.load(Ordering::Relaxed) {
        IS_REGISTERED.store(command(REGISTER), Ordering::Relaxed);
    }
    IS_REGISTERED.load(Ordering::Relaxed)
}

/// A full fence in every thread of this process. `false`: the system refuses.
pub(crate) fn heavy() -> bool {
    command(BARRIER)
}

fn command(command: i32) -> bool {
    // SAFETY: a fence touches no memory of ours.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}
