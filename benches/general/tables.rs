//! The figures as tables: first nanoseconds, then ratios beside the targets of this project.

use super::{Contestant, Kind};
use crate::native::median;

/// A scenario with the nanoseconds a pair of each turn of each contestant.
pub struct Row {
    /// What was done.
    pub scenario: &'static str,
    /// Who did it, and the turns in their order.
    pub nanoseconds: Vec<(&'static str, Vec<f64>)>,
    /// The part of the turns that others disturbed.
    pub disturbed: f64,
}

/// What a kind of pool shall reach.
struct Target {
    scenario: &'static str,
    pool: &'static str,
    to: &'static str,
    at_most: f64,
}

const fn target(
    scenario: &'static str,
    pool: &'static str,
    to: &'static str,
    at_most: f64,
) -> Target {
    Target { scenario, pool, to, at_most }
}

const TARGETS: [Target; 9] = [
    target("pair", "SAFE", "mimalloc", 1.1),
    target("1000 LIFO", "SAFE", "mimalloc", 1.4),
    target("1000 FIFO", "SAFE", "mimalloc", 1.4),
    target("100 000 LIFO", "SAFE", "mimalloc", 1.4),
    target("20 000 random", "SAFE", "mimalloc", 0.85),
    target("churn", "SAFE", "mimalloc", 1.0),
    target("producer->consumer", "SAFE", "mimalloc", 0.5),
    target("producer->consumer", "SAFE", "tcmalloc", 0.3),
    target("pair", "LOCK_FREE", "floor", 4.5),
];

impl Row {
    fn turns(&self, who: &str) -> Option<&[f64]> {
        let found = self.nanoseconds.iter().find(|(name, _)| *name == who);
        found.map(|(_, turns)| turns.as_slice())
    }

    /// The median of the ratios turn by turn.
    fn ratio(&self, who: &str, to: &str) -> Option<f64> {
        let (turns, others) = (self.turns(who)?, self.turns(to)?);
        Some(median(turns.iter().zip(others).map(|(one, other)| one / other).collect()))
    }

    /// The ratio of the fastest turns: what a machine shares with others can only slow one down.
    fn ratio_of_fastest(&self, who: &str, to: &str) -> Option<f64> {
        let fastest = |turns: &[f64]| turns.iter().copied().fold(f64::MAX, f64::min);
        Some(fastest(self.turns(who)?) / fastest(self.turns(to)?))
    }
}

/// Prints both tables.
pub fn print(contestants: &[Contestant], rows: &[Row]) {
    print!("\n{:<22}", "nanoseconds a pair");
    contestants.iter().for_each(|one| print!("{:>11}", one.name));
    println!("{:>13}", "disturbed");
    for row in rows {
        print!("{:<22}", row.scenario);
        for one in contestants {
            print_value(row.turns(one.name).map(|turns| median(turns.to_vec())));
        }
        println!("{:>11.0} %", row.disturbed * 100.0);
    }
    print_ratios(contestants, rows);
}

fn print_value(value: Option<f64>) {
    match value {
        Some(value) => print!("{value:>11.2}"),
        None => print!("{:>11}", "-"),
    }
}

fn print_ratios(contestants: &[Contestant], rows: &[Row]) {
    let is_pool = |one: &&Contestant| matches!(one.kind, Kind::Shared(_) | Kind::Owned(_));
    let pools: Vec<_> = contestants.iter().filter(is_pool).map(|one| one.name).collect();
    print!("\n{:<22}{:<11}", "ratio", "to");
    pools.iter().for_each(|name| print!("{name:>11}"));
    println!("   {:<18}{:<8}of fastest turns", "target", "");
    for to in ["mimalloc", "tcmalloc", "floor"] {
        for row in rows {
            print!("{:<22}{to:<11}", row.scenario);
            pools.iter().for_each(|pool| print_value(row.ratio(pool, to)));
            println!("{}", verdict(row, to));
        }
    }
}

/// Whether the target of a row, if it has one, is met.
fn verdict(row: &Row, to: &str) -> String {
    let found = TARGETS.iter().find(|target| target.scenario == row.scenario && target.to == to);
    let Some(&Target { pool, at_most, .. }) = found else { return String::new() };
    let wanted = format!("{pool} <= {at_most}");
    let (Some(ratio), Some(fastest)) = (row.ratio(pool, to), row.ratio_of_fastest(pool, to)) else {
        return format!("   {wanted:<18}not measured");
    };
    let word = if ratio <= at_most { "met" } else { "MISSED" };
    format!("   {wanted:<18}{word:<8}{fastest:.2}")
}
