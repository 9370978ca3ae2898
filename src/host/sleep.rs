//! Sleep until another thread changes a word, or until a moment of the monotonic clock.
//!
//! Source: U. Drepper, "Futexes Are Tricky", 2011; futex(2).

use core::ptr;
use core::sync::atomic::AtomicU32;

const NANOSECONDS_A_SECOND: u64 = 1_000_000_000;

/// Whether threads can sleep here at all.
pub(crate) const CAN_SLEEP: bool = true;

/// A moment of the monotonic clock, in nanoseconds; `None`: never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadline(Option<u64>);

impl Deadline {
    /// So many nanoseconds from now; `u64::MAX`: never.
    pub(crate) fn after(nanoseconds: u64) -> Self {
        if nanoseconds == u64::MAX {
            return Self(None);
        }
        Self(now().checked_add(nanoseconds))
    }

    pub(crate) fn is_past(self) -> bool {
        self.0.is_some_and(|moment| now() >= moment)
    }

    /// This one, or so many nanoseconds from now if that is earlier.
    pub(crate) fn at_most(self, nanoseconds: u64) -> Self {
        let sooner = now().saturating_add(nanoseconds);
        Self(Some(self.0.map_or(sooner, |moment| moment.min(sooner))))
    }

    fn as_timespec(self) -> Option<libc::timespec> {
        let moment = self.0?;
        Some(libc::timespec {
            tv_sec: (moment / NANOSECONDS_A_SECOND).try_into().unwrap_or(libc::time_t::MAX),
            tv_nsec: (moment % NANOSECONDS_A_SECOND) as libc::c_long,
        })
    }
}

/// Nanoseconds of the monotonic clock.
pub(crate) fn now() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a place for the answer; this clock is always there.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    now.tv_sec as u64 * NANOSECONDS_A_SECOND + now.tv_nsec as u64
}

/// Sleeps while `word` holds `value`, until the deadline or a call of [`wake`]; may return early.
pub(crate) fn sleep(word: &AtomicU32, value: u32, deadline: Deadline) {
    let timeout = deadline.as_timespec();
    let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
    // This one of the waits takes a moment and not a duration.
    let operation = libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG;
    let any = libc::FUTEX_BITSET_MATCH_ANY;
    // SAFETY: the kernel reads the word and the moment, which both live through the call.
    unsafe {
        libc::syscall(libc::SYS_futex, word.as_ptr(), operation, value, timeout, 0_usize, any)
    };
}

/// Wakes one thread that sleeps on `word`. From a signal handler too. The word may be gone.
pub(crate) fn wake(word: *const AtomicU32) {
    let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the kernel takes the address as a name.
    unsafe { libc::syscall(libc::SYS_futex, word, operation, 1) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_passes_and_never_does_not() {
        assert!(Deadline::after(0).is_past());
        assert!(!Deadline::after(u64::MAX).is_past());
        assert!(!Deadline::after(u64::MAX - 1).is_past());
        let soon = Deadline::after(u64::MAX).at_most(1_000_000);
        let word = AtomicU32::new(7);
        while !soon.is_past() {
            sleep(&word, 7, soon);
        }
        sleep(&word, 8, Deadline::after(u64::MAX));
        wake(&raw const word);
    }
}
