//! Shuttle's threads. Numbers are used again when a thread has ended, and there may be too few.

#[path = "zeroed.rs"]
mod zeroed;

use std::cell::Cell;

use crate::cache::magazine::Magazine;

pub(crate) use shuttle::sync::{Condvar, Mutex};
pub(crate) use zeroed::{memory, os};

thread_local! {
    // Shuttle runs all threads of a schedule on one.
    static THREADS: Cell<usize> = const { Cell::new(1) };
    static NUMBERS: Cell<usize> = const { Cell::new(0) };
}

/// From now on `threads` run at once, and `numbers` of them have a number.
pub(crate) fn start(threads: usize, numbers: usize) {
    THREADS.set(threads);
    NUMBERS.set(numbers);
}

pub(crate) mod thread {
    use crate::cache::magazine::MAGAZINE_BYTES;

    pub(crate) fn word() -> usize {
        let id = usize::from(shuttle::thread::current().id());
        // The first thread of all only starts the others.
        let Some(id) = id.checked_sub(1) else { return 0 };
        let number = 1 + id % super::THREADS.get();
        if number <= super::NUMBERS.get() { number * MAGAZINE_BYTES } else { 0 }
    }

    pub(crate) fn pause(_attempt: u32) {
        shuttle::thread::yield_now();
    }
}

pub(crate) fn know(_magazine: &Magazine) {}
