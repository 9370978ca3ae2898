//! Which allocations are sampled: one in N, and no more than the time that they may take.
//!
//! ```text
//!   left:   n ─► n - weight ─► ... ─► 0 or less: due, and drawn anew, from 1 to 2 N - 1
//!   budget: │ a sample │◄──── 99 times as long without one ────►│ the next may be
//! ```
//!
//! The distance is drawn, so that no period of the program keeps a block from ever being sampled.
//!
//! A sample takes a thousand times as long as an allocation. So one that is due is left out while
//! less than a hundred times what the last ones took has passed: all that is done for samples, in
//! all pools of the process together, takes about one hundredth of the time of one thread, however
//! often the program allocates. With N = 1 each is sampled, and nothing is left out.

#![forbid(unsafe_code)]

use core::cell::Cell;

use crate::base::random;
use crate::base::sync::{AtomicUsize, Ordering};
use crate::host::sleep;

/// What is done for samples takes one in so many parts of the time.
const PARTS: u64 = 100;
const NANOSECONDS_A_MICROSECOND: u64 = 1000;

/// When the next sample may be.
pub(crate) struct Budget {
    /// In microseconds of the monotonic clock. In a word of 32 bits they begin anew after an hour.
    resume: AtomicUsize,
}

/// That of the process.
pub(crate) static BUDGET: Budget = Budget::new();

fn microseconds(nanoseconds: u64) -> usize {
    (nanoseconds / NANOSECONDS_A_MICROSECOND) as usize
}

impl Budget {
    const fn new() -> Self {
        Self { resume: AtomicUsize::new(0) }
    }

    fn allows(&self, now: u64) -> bool {
        // Relaxed: a moment; two threads that both find it past are two samples.
        let resume = self.resume.load(Ordering::Relaxed);
        microseconds(now).wrapping_sub(resume).cast_signed() >= 0
    }

    /// Waits for what was done from one moment to another.
    fn charge(&self, from: u64, to: u64) {
        let wait = microseconds(to.saturating_sub(from).saturating_mul(PARTS));
        let now = microseconds(to);
        let next = |resume: usize| {
            let is_ahead = resume.wrapping_sub(now).cast_signed() > 0;
            Some(if is_ahead { resume } else { now }.wrapping_add(wait))
        };
        // Relaxed, both: as above.
        let _ = self.resume.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
    }
}

/// The samples of one pool. One thread at a time.
pub(crate) struct Sampling {
    one_in: usize,
    /// Allocations until the next is due.
    left: Cell<usize>,
    seed: u64,
    draws: Cell<u64>,
}

impl Sampling {
    /// One in so many, 1 at least.
    pub(crate) fn new(one_in: u32, seed: u64) -> Self {
        let sampling =
            Self { one_in: one_in as usize, left: Cell::new(0), seed, draws: Cell::new(0) };
        sampling.left.set(sampling.distance());
        sampling
    }

    /// From 1 to 2 N - 1, each as likely as another, so that it is N on the average.
    fn distance(&self) -> usize {
        let place = self.draws.get() + 1;
        self.draws.set(place);
        1 + (random::draw(self.seed, place) % (2 * self.one_in as u64 - 1)) as usize
    }

    /// Counts allocations; whether the last of them is to be sampled.
    pub(crate) fn is_due(&self, weight: usize) -> bool {
        if self.one_in == 1 {
            return true;
        }
        let left = self.left.get().saturating_sub(weight);
        self.left.set(left);
        if left > 0 {
            return false;
        }
        self.left.set(self.distance());
        BUDGET.allows(sleep::now())
    }

    /// Does something for a sample.
    pub(crate) fn spend<T>(&self, body: impl FnOnce() -> T) -> T {
        if self.one_in == 1 {
            return body();
        }
        let from = sleep::now();
        let answer = body();
        BUDGET.charge(from, sleep::now());
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distances(one_in: u32, seed: u64) -> Vec<usize> {
        let sampling = Sampling::new(one_in, seed);
        (0..10_000).map(|_| sampling.distance()).collect()
    }

    #[test]
    fn distances_are_n_on_the_average_and_never_beyond_twice_that() {
        let drawn = distances(50, 7);
        let (least, most) = (drawn.iter().min(), drawn.iter().max());
        assert_eq!((least, most), (Some(&1), Some(&99)));
        let average = drawn.iter().sum::<usize>() as f64 / drawn.len() as f64;
        assert!((49.0..=51.0).contains(&average), "{average}");
        assert_ne!(drawn, distances(50, 8));
    }

    #[test]
    fn one_in_one_is_each() {
        let sampling = Sampling::new(1, 0);
        assert!((0..100).all(|_| sampling.is_due(1)));
    }

    #[test]
    fn a_visit_that_stands_for_many_allocations_brings_the_next_sample_nearer() {
        let (one, many) = (Sampling::new(1000, 3), Sampling::new(1000, 3));
        let first = one.left.get();
        many.is_due(first - 1);
        assert_eq!(many.left.get(), 1);
        (1..first).for_each(|_| assert!(!one.is_due(1)));
        assert_eq!(one.left.get(), 1);
    }

    #[test]
    fn what_samples_take_is_a_hundredth_of_the_time() {
        const MILLISECOND: u64 = 1_000_000;
        let budget = Budget::new();
        let start = 500 * MILLISECOND;
        assert!(budget.allows(start));
        budget.charge(start, start + MILLISECOND);
        assert!(!budget.allows(start + 100 * MILLISECOND));
        assert!(budget.allows(start + 101 * MILLISECOND));
        // What is done while none may be is waited for as well.
        budget.charge(start + 50 * MILLISECOND, start + 51 * MILLISECOND);
        assert!(!budget.allows(start + 200 * MILLISECOND));
        assert!(budget.allows(start + 201 * MILLISECOND));
    }
}
