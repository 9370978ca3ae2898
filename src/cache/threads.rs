//! The numbers of threads, from 1 on, the same for all pools.
//!
//! A thread gets the lowest free number when it first needs one, keeps it as its word
//! (`host/thread.rs`), and gives it back at its end. So there are as many numbers in use as threads
//! at once, however many come and go. A thread beyond the last number has none, and works with the
//! depots directly; so does a thread that is at its end.

use crate::base::sync::{Lock, RawLock, lock};
use crate::cache::magazine::MAGAZINE_BYTES;
use crate::host::thread;

/// How many threads can have magazines at a time, and the one number that is nobody's.
pub(crate) const THREADS_MAX: usize = 4096;

static NUMBERS: Lock<Numbers> = Lock::new(Numbers::new());

/// A bit for each number, set while a thread has it.
struct Numbers([u64; THREADS_MAX / 64]);

impl Numbers {
    const fn new() -> Self {
        let mut bits = [0; THREADS_MAX / 64];
        // 0 is the word of a thread that has no number.
        bits[0] = 1;
        Self(bits)
    }

    fn take(&mut self) -> Option<usize> {
        let (at, bits) = self.0.iter_mut().enumerate().find(|(_, bits)| **bits != u64::MAX)?;
        let bit = bits.trailing_ones();
        *bits |= 1 << bit;
        Some(at * 64 + bit as usize)
    }

    fn give_back(&mut self, number: usize) {
        self.0[number / 64] &= !(1 << (number % 64));
    }
}

/// Where the magazines of this thread begin, in bytes; 0: it has none.
#[inline(always)]
pub(crate) fn word() -> usize {
    thread::word()
}

/// Gives this thread a number, if there is one and it does not end. Not under a pool's lock, for
/// what is told of a thread's end may allocate, and so come here again.
pub(crate) fn enter() {
    if word() != 0 {
        return;
    }
    let Some(number) = lock(&NUMBERS).take() else { return };
    if !thread::keep_word(number * MAGAZINE_BYTES, leave) {
        lock(&NUMBERS).give_back(number);
    }
}

/// What this thread did with its magazines happens before what the next one does that has its
/// number: both had the lock.
fn leave(word: usize) {
    lock(&NUMBERS).give_back(word / MAGAZINE_BYTES);
}

/// The lock, for a fork.
pub(crate) fn raw_lock() -> &'static RawLock {
    NUMBERS.raw()
}

/// In the child of a fork, which has this thread alone.
pub(crate) fn forget_others() {
    let mut numbers = Numbers::new();
    let number = word() / MAGAZINE_BYTES;
    numbers.0[number / 64] |= 1 << (number % 64);
    *lock(&NUMBERS) = numbers;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_free_number_is_taken() {
        let mut numbers = Numbers::new();
        assert_eq!((1..THREADS_MAX).map(|_| numbers.take()).sum::<Option<usize>>(), {
            Some((1..THREADS_MAX).sum())
        });
        assert_eq!(numbers.take(), None);
        numbers.give_back(4000);
        numbers.give_back(70);
        assert_eq!((numbers.take(), numbers.take(), numbers.take()), (Some(70), Some(4000), None));
    }

    #[test]
    fn a_thread_gives_its_number_back() {
        let number = || {
            enter();
            word()
        };
        let first = std::thread::spawn(number).join().expect("no panic");
        let again = (0..100).map(|_| std::thread::spawn(number).join().expect("no panic"));
        assert!(first > 0 && again.max() < Some(first + 64 * MAGAZINE_BYTES));
    }
}
