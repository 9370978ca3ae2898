//! Pools whose calls are inlined, beside `boost::pool`, which is inlined too and checks nothing,
//! and mimalloc: C++ programs, compiled with `-O2` by g++ and by clang++ as a user's are, with the
//! shared library. 64-byte blocks; nanoseconds a pair of allocation and deallocation.
//!
//! One thread: `unchecked` is `UncheckedFixedBlockMemoryPool`, `checked` is `FixedBlockMemoryPool`,
//! each a local variable of the function that uses it. Two threads: `cache` is a `PoolCache` of a
//! `ConcurrentMemoryPool`; `churn` replaces one of 1000 blocks of the thread's own at random,
//! `handover` allocates in one thread and gives back in the other. Everyone in turn, so that a
//! change of the machine's speed meets all alike.
//!
//! `cargo bench --bench inlined`; `-- quick` for fewer turns.

use std::path::Path;
use std::process::Command;

use testkit::program::{Linkage, build_with, compiler_at};
use testkit::{library, root, scratch, tool};

/// The times of an allocator in a scenario, turn by turn.
struct Column {
    scenario: String,
    allocator: String,
    nanoseconds: Vec<f64>,
}

/// One shall take at most so much of the time of another.
struct Target {
    scenario: &'static str,
    one: &'static str,
    other: &'static str,
    at_most: f64,
}

const COMPILERS: [(&str, &str); 2] =
    [("g++", "apt-get install g++"), ("clang++", "apt-get install clang")];
const PROGRAMS: [&str; 2] = ["inlined", "inlined_threads"];

fn targets() -> Vec<Target> {
    let patterns = ["pair", "1000 LIFO", "1000 FIFO", "100 000 LIFO", "20 000 random"];
    let of = |one, other, usual, random| {
        patterns.map(|scenario| {
            let at_most = if scenario == "20 000 random" { random } else { usual };
            Target { scenario, one, other, at_most }
        })
    };
    let by_cache = ["churn", "handover"];
    let by_cache =
        by_cache.map(|scenario| Target { scenario, one: "cache", other: "mimalloc", at_most: 0.5 });
    let single = [of("unchecked", "boost", 1.0, 0.95), of("checked", "mimalloc", 1.0, 0.5)];
    single.into_iter().flatten().chain(by_cache).collect()
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The fastest quarter, the median, the slowest quarter.
fn quarters(values: &[f64]) -> [f64; 3] {
    let sorted = sorted(values);
    [1, 2, 3].map(|quarter| sorted[sorted.len() * quarter / 4])
}

fn columns_of(printed: &str) -> Vec<Column> {
    let mut columns: Vec<Column> = vec![];
    for line in printed.lines() {
        let words: Vec<&str> = line.split('\t').collect();
        let [scenario, allocator, time] = words[..] else { panic!("not a line of it: {line}") };
        let time: f64 = time.parse().expect("nanoseconds");
        match columns.iter_mut().find(|c| c.scenario == scenario && c.allocator == allocator) {
            Some(column) => column.nanoseconds.push(time),
            None => columns.push(Column {
                scenario: scenario.to_owned(),
                allocator: allocator.to_owned(),
                nanoseconds: vec![time],
            }),
        }
    }
    columns
}

fn turns_of<'a>(columns: &'a [Column], scenario: &str, allocator: &str) -> Option<&'a [f64]> {
    let found = columns.iter().find(|c| c.scenario == scenario && c.allocator == allocator);
    found.map(|column| &column.nanoseconds[..])
}

/// The ratios turn by turn; `None`: one of both is not there.
fn ratios(columns: &[Column], scenario: &str, one: &str, other: &str) -> Option<[f64; 3]> {
    let [turns, others] = [one, other].map(|allocator| turns_of(columns, scenario, allocator));
    let ratios: Vec<f64> = turns?.iter().zip(others?).map(|(one, other)| one / other).collect();
    Some(quarters(&ratios))
}

fn measure(name: &str, compiler: &Path, turns: &str) {
    let scratch = scratch(&format!("bench-inlined-{name}"));
    let printed: String = PROGRAMS
        .iter()
        .map(|program| {
            let source = root().join(format!("benches/native/{program}.cpp"));
            let mut command = compiler_at(compiler, &source);
            command.arg("-ldl");
            let program =
                build_with(command, &source, library::release(), Linkage::Shared, &scratch);
            testkit::run(Command::new(program).arg(turns))
        })
        .collect();
    let columns = columns_of(&printed);
    println!("\n{name} -O2, {turns} turns: fastest quarter, median, slowest quarter\n");
    for column in &columns {
        let [low, middle, high] = quarters(&column.nanoseconds);
        let (scenario, allocator) = (&column.scenario, &column.allocator);
        println!("{scenario:<15}{allocator:<12}{low:>8.2}{middle:>8.2}{high:>8.2}");
    }
    println!("\nratios, turn by turn\n");
    for Target { scenario, one, other, at_most } in targets() {
        let what = format!("{scenario:<15}{one} / {other}");
        let Some([low, middle, high]) = ratios(&columns, scenario, one, other) else {
            println!("{what:<36}SKIPPED: {other} is not there");
            continue;
        };
        let word = if middle <= at_most { "MET" } else { "MISSED" };
        println!("{what:<36}{low:>6.2}{middle:>6.2}{high:>6.2}   target {at_most:.2}   {word}");
    }
}

fn main() {
    let turns = if std::env::args().any(|word| word == "quick") { "9" } else { "25" };
    println!("For all of it: apt-get install g++ clang libboost-dev libmimalloc2.0");
    for (name, how_to_get) in COMPILERS {
        if let Some(compiler) = tool::find(name, how_to_get) {
            measure(name, &compiler, turns);
        }
    }
}
