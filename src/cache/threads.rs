//! The numbers of threads, from 1 on, the same for all pools.
//!
//! A thread gets the lowest free number when it first needs one, keeps it as its word
//! (`host/thread.rs`), and gives it back at its end. So there are as many numbers in use as threads
//! at once, however many come and go. A thread beyond the last number has none, and works with the
//! depots directly. One that calls last when it is so near its end that nobody is told of it keeps
//! its number for a while: now and then all threads are looked at, and the numbers of those that
//! are gone are fetched back.

use crate::base::sync::{Lock, RawLock, lock};
use crate::cache::magazine::MAGAZINE_BYTES;
use crate::host::thread;

/// How many threads can have magazines at a time, and the one number that is nobody's.
pub(crate) const THREADS_MAX: usize = 4096;

/// As long as the next number is lower, nobody is looked at.
const MANY: usize = 32;

static NUMBERS: Lock<Numbers> = Lock::new(Numbers::new());

struct Numbers {
    /// A bit for each number, set while a thread has it.
    bits: [u64; THREADS_MAX / 64],
    /// By number, as the system knows them.
    threads: [i32; THREADS_MAX],
    /// For a number, granted or not, since all threads were looked at.
    requests: usize,
}

impl Numbers {
    const fn new() -> Self {
        let mut bits = [0; THREADS_MAX / 64];
        // 0 is the word of a thread that has no number.
        bits[0] = 1;
        Self { bits, threads: [0; THREADS_MAX], requests: 0 }
    }

    fn lowest_free(&self) -> Option<usize> {
        let (at, bits) = self.bits.iter().enumerate().find(|(_, bits)| **bits != u64::MAX)?;
        Some(at * 64 + bits.trailing_ones() as usize)
    }

    fn take(&mut self, thread: i32, is_gone: impl Fn(i32) -> bool) -> Option<usize> {
        let end = self.lowest_free().unwrap_or(THREADS_MAX);
        self.requests = THREADS_MAX.min(self.requests + 1);
        // A look at a thread is a system call: there are at most two for each request, and at most
        // twice as many numbers before the next look.
        if end >= MANY && 2 * self.requests >= end {
            (1..end).filter(|&n| is_gone(self.threads[n])).for_each(|n| {
                self.bits[n / 64] &= !(1 << (n % 64));
            });
            self.requests = 0;
        }
        let number = self.lowest_free()?;
        self.set(number, thread);
        Some(number)
    }

    fn set(&mut self, number: usize, thread: i32) {
        self.bits[number / 64] |= 1 << (number % 64);
        self.threads[number] = thread;
    }

    fn give_back(&mut self, number: usize) {
        self.bits[number / 64] &= !(1 << (number % 64));
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
    let Some(number) = lock(&NUMBERS).take(thread::id(), thread::is_gone) else { return };
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
    let mut numbers = lock(&NUMBERS);
    *numbers = Numbers::new();
    if word() != thread::ENDED {
        numbers.set(word() / MAGAZINE_BYTES, thread::id());
    }
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;

    use super::*;

    #[test]
    fn the_lowest_free_number_is_taken() {
        let (mut numbers, mut all) = (Numbers::new(), 0..);
        let mut take = |numbers: &mut Numbers| numbers.take(all.next()?, |_| false);
        let taken: Option<usize> = (1..THREADS_MAX).map(|_| take(&mut numbers)).sum();
        assert_eq!(taken, Some((1..THREADS_MAX).sum()));
        assert_eq!(take(&mut numbers), None);
        numbers.give_back(4000);
        numbers.give_back(70);
        assert_eq!([(); 3].map(|()| take(&mut numbers)), [Some(70), Some(4000), None]);
    }

    #[test]
    fn what_threads_kept_that_are_gone_is_fetched_back() {
        let mut numbers = Numbers::new();
        (1..MANY).for_each(|n| assert_eq!(numbers.take(n as i32, |_| false), Some(n)));
        assert_eq!(numbers.take(1000, |thread| thread == 7 || thread == 9), Some(7));
        assert_eq!(numbers.take(1001, |_| false), Some(9));
        assert_eq!(numbers.take(1002, |_| false), Some(MANY));
    }

    #[test]
    fn threads_are_looked_at_seldom_also_when_there_is_no_number_left() {
        let (mut numbers, looks) = (Numbers::new(), Cell::new(0));
        let look = |_| {
            looks.set(looks.get() + 1);
            false
        };
        (1..THREADS_MAX).for_each(|n| assert_eq!(numbers.take(n as i32, look), Some(n)));
        let before = looks.get();
        assert_eq!(numbers.take(0, look), None);
        assert_eq!(looks.get(), before + THREADS_MAX - 1);
        (1..THREADS_MAX / 2).for_each(|_| assert_eq!(numbers.take(0, look), None));
        assert_eq!(looks.get(), before + THREADS_MAX - 1);
        assert_eq!(numbers.take(0, |thread| thread == 3000), Some(3000));
        assert_eq!(numbers.take(0, |_| true), None);
    }

    #[test]
    fn the_system_knows_who_is_gone() {
        let ended = std::thread::spawn(thread::id).join().expect("no panic");
        assert!(!thread::is_gone(thread::id()));
        while !thread::is_gone(ended) {
            std::thread::yield_now();
        }
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
