//! What a thread has of its own: one word, and an end that somebody can be told of.
//!
//! The word is zero in a new thread. Where it lies is chosen in `host/mod.rs`.

use std::cell::Cell;
use std::time::Duration;

pub(crate) use super::thread_word::{identity, set_word, word};

/// Tells somebody of the thread's end, once.
struct Farewell(Cell<Option<fn(usize)>>);

impl Drop for Farewell {
    fn drop(&mut self) {
        if let Some(tell) = self.0.take() {
            let last = word();
            set_word(0);
            tell(last);
        }
    }
}

thread_local! {
    static FAREWELL: Farewell = const { Farewell(Cell::new(None)) };
}

/// Gives this thread a word, and at its end makes that 0 and calls `tell` with it. `false`: the
/// thread is at its end already, and its word stays 0.
pub(crate) fn keep_word(value: usize, tell: fn(usize)) -> bool {
    // First, because what follows may allocate, and so come here again.
    set_word(value);
    let kept = FAREWELL.try_with(|farewell| farewell.0.set(Some(tell))).is_ok();
    if !kept {
        set_word(0);
    }
    kept
}

/// The number by which the system knows this thread.
pub(crate) fn id() -> i32 {
    // SAFETY: asks for a number.
    unsafe { libc::gettid() }
}

/// Whether there is no such thread in this process any more.
pub(crate) fn is_gone(id: i32) -> bool {
    // SAFETY: asks for a number.
    let process = unsafe { libc::getpid() };
    // SAFETY: signal 0 is not sent.
    let answer = unsafe { libc::syscall(libc::SYS_tgkill, process, id, 0) };
    answer != 0 && std::io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH)
}

/// Lets other threads run, for longer from attempt to attempt: at last it sleeps, so that a thread
/// of low priority gets its turn too.
pub(crate) fn pause(attempt: u32) {
    match attempt {
        0..100 => core::hint::spin_loop(),
        100..120 => std::thread::yield_now(),
        _ => std::thread::sleep(Duration::from_micros(50)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread::spawn;

    #[test]
    fn a_thread_has_a_word_of_its_own_and_its_end_is_told() {
        thread_local! {
            static TOLD: Cell<usize> = const { Cell::new(0) };
        }
        let body = || {
            assert_eq!(word(), 0);
            assert!(keep_word(3, |last| TOLD.set(last)));
            assert_eq!(word(), 3);
            FAREWELL.with(|farewell| drop(Farewell(Cell::new(farewell.0.take()))));
            (word(), TOLD.get())
        };
        assert_eq!(spawn(body).join().expect("no panic"), (0, 3));
        assert_eq!(word(), 0);
    }
}
