//! The engines, event by event: cores that work by themselves, and meet at locks or at a word.
//!
//! Each core does as a benchmark does that spares nobody: every operation moves a block that any
//! core of the same depot had last, and every `batch` operations there is an exchange. Programs do
//! something with their blocks as well, and most of them meet less often.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use crate::machine::{
    LOCK_FREE_OPERATION, Machine, NANOSECOND, OPERATION, OVERLAP, Time, exchange, lines_of_numbers,
    near_depot,
};

/// Which cores take their blocks from one depot.
#[derive(Clone, Copy)]
pub enum Depots {
    /// All.
    One,
    /// Every eighth, as the numbers of threads fall.
    Eight,
    /// Those with one cache.
    Near,
}

/// What a core does that finds a lock taken.
#[derive(Clone, Copy, PartialEq)]
pub enum Wait {
    /// Tries again at once, which takes the line of the lock from whoever has it.
    Trying,
    /// Tries seldom.
    BackingOff,
}

#[derive(Clone, Copy)]
pub struct Safe {
    pub depots: Depots,
    pub one_lock: bool,
    pub wait: Wait,
    pub batch: u64,
}

/// What a run shows.
pub struct Outcome {
    /// Thousands a second.
    pub operations: u64,
    /// Cache lines that went from core to core, for a thousand operations.
    pub lines: u64,
}

impl Depots {
    fn of(self, core: usize) -> usize {
        match self {
            Self::One => 0,
            Self::Eight => core % 8,
            Self::Near => near_depot(core),
        }
    }
}

/// A lock, or a depot, and who had it last.
#[derive(Clone, Default)]
struct Meeting {
    last: Option<usize>,
    is_taken: bool,
    waiting: VecDeque<usize>,
}

impl Meeting {
    /// How far it is to a core, which has it from now on.
    fn hand_to(&mut self, core: usize, machine: &Machine) -> Time {
        self.last.replace(core).map_or(0, |from| machine.distance(from, core))
    }
}

/// What happens next, and when; of two things at one moment, that of the lower core.
struct Events<T: Ord>(BinaryHeap<Reverse<(Time, usize, T)>>);

impl<T: Ord> Events<T> {
    fn add(&mut self, when: Time, core: usize, what: T) {
        self.0.push(Reverse((when, core, what)));
    }

    fn next(&mut self) -> (Time, usize, T) {
        self.0.pop().expect("every core always has something to do").0
    }
}

/// A linear congruential generator: cores that work for the same time each would never meet.
struct Jitter(u64);

impl Jitter {
    /// `time`, or up to an eighth more or less.
    fn around(&mut self, time: Time) -> Time {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        time - time / 8 + (self.0 >> 33) % (time / 4)
    }
}

/// Counts from the middle of a run on, when it has found its pace.
struct Count {
    done: u64,
    half: u64,
    start: Time,
    lines: u64,
}

impl Count {
    fn new(half: u64) -> Self {
        Self { done: 0, half, start: 0, lines: 0 }
    }

    /// Whether the run is over.
    fn one_more(&mut self, now: Time) -> bool {
        self.done += 1;
        if self.done == self.half {
            (self.start, self.lines) = (now, 0);
        }
        self.done == 2 * self.half
    }

    fn outcome(&self, now: Time, operations_each: u64) -> Outcome {
        let operations = self.half * operations_each;
        Outcome {
            operations: operations * 1_000_000 * NANOSECOND / (now - self.start),
            lines: 1000 * self.lines / operations,
        }
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Arrives,
    Leaves,
}

/// What a core does between two exchanges: for how long, and with how many lines of others.
struct Work {
    time: Time,
    lines: u64,
}

impl Safe {
    pub fn run(self, machine: &Machine, cores: usize) -> Outcome {
        let work: Vec<Work> = (0..cores).map(|core| self.work_of(core, machine, cores)).collect();
        let [locks, depots] = [(); 2].map(|()| vec![Meeting::default(); cores.max(8)]);
        let mean = machine.means(cores);
        let mut run = Run { design: self, machine, mean, locks, depots, lines: 0 };
        let mut events = Events(BinaryHeap::new());
        let (mut jitter, mut count) = (Jitter(1), Count::new(500 + 8 * cores as u64));
        for (core, work) in work.iter().enumerate() {
            events.add(jitter.around(work.time), core, Step::Arrives);
        }
        loop {
            let (now, core, step) = events.next();
            let enters = match step {
                Step::Arrives => run.arrive(core),
                Step::Leaves => {
                    count.lines += work[core].lines + std::mem::take(&mut run.lines);
                    if count.one_more(now) {
                        return count.outcome(now, self.batch);
                    }
                    events.add(now + jitter.around(work[core].time), core, Step::Arrives);
                    run.leave(core)
                }
            };
            if let Some(core) = enters {
                events.add(now + run.exchange(core), core, Step::Leaves);
            }
        }
    }

    /// Each block's line of the ledger was written by some core of the same depot.
    fn work_of(self, core: usize, machine: &Machine, cores: usize) -> Work {
        let is_with = |&other: &usize| self.depots.of(other) == self.depots.of(core);
        let with: Vec<usize> = (0..cores).filter(is_with).collect();
        let others = with.len() as u64 - 1;
        Work {
            time: self.batch * (OPERATION + machine.mean_distance(&with, core) / OVERLAP),
            lines: self.batch * others / (others + 1),
        }
    }
}

struct Run<'a> {
    design: Safe,
    machine: &'a Machine,
    /// From a core to any other.
    mean: Vec<Time>,
    locks: Vec<Meeting>,
    depots: Vec<Meeting>,
    lines: u64,
}

impl Run<'_> {
    fn lock_of(&mut self, core: usize) -> &mut Meeting {
        let depot = self.design.depots.of(core);
        &mut self.locks[if self.design.one_lock { 0 } else { depot }]
    }

    /// Who enters now.
    fn arrive(&mut self, core: usize) -> Option<usize> {
        let lock = self.lock_of(core);
        if lock.is_taken {
            lock.waiting.push_back(core);
            return None;
        }
        Some(core)
    }

    /// As above.
    fn leave(&mut self, core: usize) -> Option<usize> {
        let lock = self.lock_of(core);
        lock.is_taken = false;
        lock.waiting.pop_front()
    }

    /// How long a core has the lock: the lines of the lock and of the head of the depot, and those
    /// of the numbers, which do not wait for each other.
    fn exchange(&mut self, core: usize) -> Time {
        let (design, machine) = (self.design, self.machine);
        let lock = self.lock_of(core);
        lock.is_taken = true;
        let (of_lock, waiting) = (lock.hand_to(core, machine), lock.waiting.len() as u64);
        let of_depot = self.depots[design.depots.of(core)].hand_to(core, machine);
        // Whoever tries has asked for the line before its owner wants it back, to let it go.
        let tries = if design.wait == Wait::Trying { waiting } else { waiting.min(1) };
        let numbers = lines_of_numbers(design.batch);
        self.lines += tries + 2 * u64::from(of_lock > 0) + numbers * u64::from(of_depot > 0);
        exchange(design.batch)
            + 2 * of_lock
            + numbers * of_depot / OVERLAP
            + tries * self.mean[core]
    }
}

/// A core's next step with the one word of the lock-free engine.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Look {
    /// Reads the word, or finds that it is not what it was at so many changes.
    At(u64),
    /// Whoever waited longest gets the word; the core does not matter.
    Handed,
}

/// The lock-free engine: an operation reads the word and the link of the block on top, and swaps
/// the word if nobody did meanwhile. A swap that fails has read the word again.
///
/// A core that has the word keeps it until the next core's request arrives, which takes half the
/// way between them; until then it works on alone, and finds the links that it wrote itself.
pub fn lock_free(machine: &Machine, cores: usize) -> Outcome {
    let mean = machine.means(cores);
    let (mut events, mut waiting) = (Events(BinaryHeap::new()), VecDeque::new());
    let (mut jitter, mut count) = (Jitter(1), Count::new(2_000));
    let mut word = Meeting { last: Some(0), ..Meeting::default() };
    let (mut until, mut changes, mut changed_by) = (0, 0, 0);
    for core in 0..cores {
        events.add(jitter.around(LOCK_FREE_OPERATION), core, Look::At(u64::MAX));
    }
    loop {
        let (mut now, mut core, look) = events.next();
        let mut expected = match look {
            Look::At(expected) => expected,
            Look::Handed => {
                word.is_taken = false;
                let (next, expected) = waiting.pop_front().expect("somebody waits");
                core = next;
                let travel = word.hand_to(core, machine);
                count.lines += u64::from(travel > 0);
                now += travel;
                until = now + travel / 2;
                expected
            }
        };
        if word.last.is_some_and(|owner| owner != core) {
            waiting.push_back((core, expected));
        } else if expected == changes {
            (changes, changed_by, expected) = (changes + 1, core, u64::MAX);
            if count.one_more(now) {
                return count.outcome(now, 1);
            }
            events.add(now + jitter.around(LOCK_FREE_OPERATION), core, Look::At(expected));
        } else {
            // The link of the block on top is a line of whoever put it there.
            let link = if changed_by == core { 0 } else { mean[core] };
            count.lines += u64::from(link > 0);
            events.add(now + link, core, Look::At(changes));
        }
        if !word.is_taken && !waiting.is_empty() {
            word.is_taken = true;
            events.add(now.max(until), 0, Look::Handed);
        }
    }
}
