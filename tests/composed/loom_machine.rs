//! Loom's threads, by the numbers that they were given, and a loom that knows new magazines.

#[path = "zeroed.rs"]
mod zeroed;

use crate::cache::magazine::Magazine;

pub(crate) use loom::sync::{Condvar, Mutex};
pub(crate) use zeroed::{memory, os};

pub(crate) mod thread {
    use crate::cache::magazine::MAGAZINE_BYTES;

    pub(crate) fn word() -> usize {
        crate::sync::number() * MAGAZINE_BYTES
    }

    pub(crate) fn pause(_attempt: u32) {
        loom::thread::yield_now();
    }
}

/// Makes the atomics that several threads ask for, before they do.
pub(crate) fn know(magazine: &Magazine) {
    magazine.close();
    assert!(magazine.is_idle() && magazine.count() == 0);
}
