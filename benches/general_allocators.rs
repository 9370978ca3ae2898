//! The pool beside allocators for every size: mimalloc, tcmalloc, jemalloc and the malloc of glibc,
//! as Debian packs them, in one process and in turn.
//!
//! Measured is what a C program pays for a block of 64 bytes: the exported functions of each shared
//! library are called through pointers, `pool_allocate(pool)` and `pool_deallocate(pool, block)`
//! here, `malloc(64)` and `free(block)` there, with no other call between for either. The floor is
//! two empty functions of another shared library.
//!
//! `cargo bench --bench general_allocators` takes a minute, `-- quick` after it a few seconds. What
//! is not installed is named and left out.

mod general;
mod native;

use std::time::{Duration, Instant};

use general::reading::Reading;
use general::scenario::{Scenario, Turn};
use general::{Contestant, peers, pools, tables};

/// How often each contestant has its turn, how long a turn takes, and for how long a scenario
/// repeats the turns that others disturb.
struct Plan {
    turns: usize,
    one_thread: Duration,
    two_threads: Duration,
    patience: Duration,
}

const FULL: Plan = Plan {
    turns: 25,
    one_thread: Duration::from_millis(20),
    two_threads: Duration::from_millis(60),
    patience: Duration::from_secs(20),
};
const QUICK: Plan = Plan {
    turns: 7,
    one_thread: Duration::from_millis(10),
    two_threads: Duration::from_millis(50),
    patience: Duration::from_secs(1),
};

/// The part of a turn for which a thread may be kept waiting by others.
const DISTURBED: f64 = 0.1;
/// Between a disturbed turn and the next attempt: others may be done by then.
const PAUSE: Duration = Duration::from_millis(20);

/// A turn, repeated while it is disturbed and there is patience left.
fn reading_of(turn: &mut Turn, long: Duration, patience: &mut Duration) -> Reading {
    let mut reading = turn(long);
    while is_disturbed(reading, long) && !patience.is_zero() {
        let start = Instant::now();
        std::thread::sleep(PAUSE);
        let again = turn(long);
        if again.waited < reading.waited {
            reading = again;
        }
        *patience = patience.saturating_sub(start.elapsed());
    }
    reading
}

fn is_disturbed(reading: Reading, long: Duration) -> bool {
    reading.waited > long.mul_f64(DISTURBED)
}

/// Measures a scenario: A B C A B C, so that a change of the machine's speed meets all alike.
/// A dot on the standard error is a turn of each.
fn measure(scenario: Scenario, contestants: &[Contestant], plan: &Plan) -> tables::Row {
    let long = if scenario.threads() == 1 { plan.one_thread } else { plan.two_threads };
    let mut columns: Vec<(&'static str, Turn, Vec<f64>)> = contestants
        .iter()
        .filter_map(|one| Some((one.name, scenario.turn_of(one)?, vec![])))
        .collect();
    let (mut disturbed, mut patience) = (0, plan.patience);
    eprint!("{:<22}", scenario.name());
    for _ in 0..plan.turns {
        for (_, turn, nanoseconds) in &mut columns {
            let reading = reading_of(turn, long, &mut patience);
            disturbed += usize::from(is_disturbed(reading, long));
            nanoseconds.push(reading.nanoseconds);
        }
        eprint!(".");
    }
    eprintln!();
    contestants.iter().for_each(Contestant::assert_not_exhausted);
    tables::Row {
        scenario: scenario.name(),
        disturbed: disturbed as f64 / (plan.turns * columns.len()) as f64,
        nanoseconds: columns.into_iter().map(|(name, _, values)| (name, values)).collect(),
    }
}

fn main() {
    let plan = if std::env::args().any(|word| word == "quick") { QUICK } else { FULL };
    let field = peers::open();
    let mut contestants = vec![Contestant::floor()];
    contestants.extend(pools::all());
    contestants.extend(field.present);
    println!(
        "Nanoseconds of one allocate and one deallocate of a 64-byte block, through the C \
         functions of shared libraries.\n\
         Medians of {} turns of {} ms (one thread) and {} ms (two threads), everyone in turn.\n\
         Disturbed are the turns in which others kept a thread waiting for more than {:.0} %.\n\
         The pools have standard checks; SAFE is what pool_create answers.",
        plan.turns,
        plan.one_thread.as_millis(),
        plan.two_threads.as_millis(),
        DISTURBED * 100.0,
    );
    field.remarks.iter().for_each(|remark| println!("{remark}"));
    let rows: Vec<_> = Scenario::all()
        .into_iter()
        .map(|scenario| measure(scenario, &contestants, &plan))
        .collect();
    tables::print(&contestants, &rows);
}
