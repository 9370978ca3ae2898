//! Containers of the standard library on `Allocator`, beside the default allocator and
//! `std::pmr::unsynchronized_pool_resource`: a C++ program, compiled with `-O2` as a user's is,
//! with the shared library.
//!
//! `list` pushes and pops with 1000 elements, nanoseconds a pair; `map` and `unordered_map` insert
//! or erase one of 1 000 000 keys at random, nanoseconds an operation. Everyone in turn, so that a
//! change of the machine's speed meets all alike.
//!
//! `cargo bench --bench containers`; `-- quick` for fewer turns.

use std::process::Command;

use testkit::program::{Linkage, build};
use testkit::{library, root, scratch};

/// The times of an allocator in a scenario, turn by turn.
struct Column {
    scenario: String,
    allocator: String,
    nanoseconds: Vec<f64>,
}

/// `Allocator` shall take at most so much of the time of another.
const TARGETS: [(&str, &str, f64); 4] = [
    ("list", "std", 0.6),
    ("list", "pmr", 0.35),
    ("map", "std", 0.95),
    ("unordered_map", "std", 0.85),
];

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

fn median(values: &[f64]) -> f64 {
    sorted(values)[values.len() / 2]
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

fn turns_of<'a>(columns: &'a [Column], scenario: &str, allocator: &str) -> &'a [f64] {
    let found = columns.iter().find(|c| c.scenario == scenario && c.allocator == allocator);
    &found.expect("it was measured").nanoseconds
}

fn main() {
    let turns = if std::env::args().any(|word| word == "quick") { "9" } else { "25" };
    let source = root().join("benches/native/containers.cpp");
    let program = build(&source, library::release(), Linkage::Shared, &scratch("bench-containers"));
    let columns = columns_of(&testkit::run(Command::new(program).arg(turns)));
    println!("Nanoseconds, {turns} turns each: fastest quarter, median, slowest quarter; and");
    println!("the median of the ratios to std, turn by turn.\n");
    for column in &columns {
        let times = sorted(&column.nanoseconds);
        let [low, middle, high] = [1, 2, 3].map(|quarter| times[times.len() * quarter / 4]);
        let ratio = ratio(&columns, &column.scenario, &column.allocator, "std");
        println!(
            "{:<15}{:<12}{low:>9.1}{middle:>9.1}{high:>9.1}{ratio:>8.2}",
            column.scenario, column.allocator
        );
    }
    println!();
    for (scenario, other, at_most) in TARGETS {
        let ratio = ratio(&columns, scenario, "Allocator", other);
        let word = if ratio <= at_most { "met" } else { "MISSED" };
        println!("{scenario:<15}Allocator / {other:<6}{ratio:.2}   target {at_most:.2}   {word}");
    }
}

fn ratio(columns: &[Column], scenario: &str, one: &str, other: &str) -> f64 {
    let [turns, others] = [one, other].map(|allocator| turns_of(columns, scenario, allocator));
    median(&turns.iter().zip(others).map(|(one, other)| one / other).collect::<Vec<_>>())
}
