//! What each level of checks costs, and each switch of `MEMORY_POOL_CHECKS` by itself: the table of
//! docs/debugging.md. 64-byte blocks, one thread. `pair` takes a block and gives it back, `churn`
//! replaces one of 1000 live blocks at random; every level in turn, so that a change of the
//! machine's speed meets all alike.
//!
//! `cargo bench --bench checks` takes a minute, `-- quick` a few seconds.

#[expect(dead_code, reason = "the empty calls are those of another benchmark")]
mod native;
#[path = "native/pools.rs"]
mod pools;

use std::hint::black_box;
use std::time::Duration;

use memory_pool::{POOL_THREADS_SAFE, POOL_THREADS_SINGLE};
use native::{Allocator, Pattern, Workload, median, nanoseconds_a_pair};
use pools::Library;

/// What the variable says. `fail:0` finds what standard does, by the way that all switches take.
const LEVELS: [&str; 11] = [
    "standard",
    "none",
    "fail:0",
    "poison",
    "canary",
    "sites:4",
    "sites:16",
    "quarantine:1000",
    "full",
    "guard",
    "guard:1/5000",
];
const THREADING: [(&str, u32); 2] =
    [("one owner", POOL_THREADS_SINGLE), ("any thread", POOL_THREADS_SAFE)];
const PATTERNS: [(&str, Pattern); 2] = [("pair", Pattern::Pair), ("churn", Pattern::Random(1000))];

const BLOCK_SIZE: usize = 64;
/// More than are ever live or in quarantine.
const CAPACITY: usize = 4096;
/// The calls that a program is usually in the middle of; more than are ever kept of a stack.
const CALLS: usize = 32;
const TURN: Duration = Duration::from_millis(2);

/// A pool that checks as `level` says.
fn pool(library: &Library, threading: u32, level: &str) -> Allocator {
    // SAFETY: the only thread of this process.
    unsafe { std::env::set_var("MEMORY_POOL_CHECKS", level) };
    library.pool(threading, BLOCK_SIZE, CAPACITY, 0)
}

/// Calls `work` from so many functions deep.
#[inline(never)]
fn below(calls: usize, work: &mut dyn FnMut() -> f64) -> f64 {
    // Without black_box there would be no frame to come back to.
    if calls == 0 { work() } else { black_box(below(calls - 1, work)) }
}

/// For each level, the nanoseconds a pair and the ratio to the first level, medians of all rounds.
fn column(library: &Library, threading: u32, pattern: Pattern, rounds: usize) -> Vec<[f64; 2]> {
    let pools = LEVELS.map(|level| pool(library, threading, level));
    let mut workloads = pools.map(|pool| Workload::new(pattern, pool));
    for workload in &mut workloads {
        workload.run();
    }
    let mut turns =
        || workloads.each_mut().map(|work| below(CALLS, &mut || nanoseconds_a_pair(work, TURN)));
    let times: Vec<_> = (0..rounds).map(|_| turns()).collect();
    drop(workloads);
    pools.into_iter().for_each(|pool| library.end(pool));
    let of =
        |value: &dyn Fn(&[f64; LEVELS.len()]) -> f64| median(times.iter().map(value).collect());
    let medians = |level| [of(&|round| round[level]), of(&|round| round[level] / round[0])];
    (0..LEVELS.len()).map(medians).collect()
}

fn main() {
    let is_quick = std::env::args().any(|word| word == "quick");
    let rounds = if is_quick { 15 } else { 301 };
    let library = Library::open();
    let kinds = THREADING.iter().flat_map(|kind| PATTERNS.iter().map(move |way| (kind, way)));
    let columns: Vec<(String, Vec<[f64; 2]>)> = kinds
        .map(|((kind, threading), (way, pattern))| {
            (format!("{kind}, {way}"), column(&library, *threading, *pattern, rounds))
        })
        .collect();
    println!("\nNanoseconds a pair, and how many times those of standard; {rounds} rounds.\n");
    let titles: String = columns.iter().map(|(title, _)| format!(" {title:>18} |")).collect();
    println!("| {:<15} |{titles}", "checks");
    println!("|{:-<17}|{}", "", format!("{:->19}:|", "").repeat(columns.len()));
    for (place, level) in LEVELS.iter().enumerate() {
        let cells = columns.iter().map(|(_, cells)| {
            let [time, ratio] = cells[place];
            format!(" {:>18} |", format!("{time:.1} ({ratio:.2})"))
        });
        println!("| {level:<15} |{}", cells.collect::<String>());
    }
}
