//! The results, for people and for programs: on the terminal, as JSON, as tables and as charts.

mod bars;
mod charts;
mod dots;
mod json;
mod markdown;
mod svg;

use std::fs;
use std::path::Path;

use crate::latency::Latency;
use crate::measure::{Row, Table};
use crate::participants::Participant;
use crate::scenario::Form;
use crate::statistics::Spread;
use crate::targets::Verdict;
use crate::wins;

/// All that was found.
pub struct Report {
    pub form: Form,
    pub machine: Vec<(&'static str, String)>,
    pub participants: Vec<&'static Participant>,
    pub tables: Vec<Table>,
    pub latencies: Vec<Latency>,
    pub verdicts: Vec<Verdict>,
    /// Who and what was not measured, and why.
    pub left_out: Vec<String>,
    /// Who failed, and how.
    pub failures: Vec<String>,
}

impl Report {
    /// Writes every file.
    pub fn write(&self, folder: &Path) {
        fs::create_dir_all(folder).expect("the folder can be made");
        let write = |name: &str, text: String| {
            fs::write(folder.join(name), text).expect("the folder is writable");
        };
        write("results.json", json::text(self));
        let charts = charts::all(self);
        write("README.md", markdown::text(self, &charts));
        charts.into_iter().for_each(|chart| write(chart.file, chart.svg));
    }

    /// The figures without their spread.
    pub fn print(&self) {
        for table in &self.tables {
            let disturbed = table.disturbed * 100.0;
            println!(
                "\n{} [{}]; {disturbed:.0} % disturbed",
                table.scenario.title(),
                table.scenario.id()
            );
            for row in sorted(table) {
                let Spread { low, median, high } = row.spread();
                let range = format!("{} to {}", figure(low), figure(high));
                let unit = table.scenario.unit();
                println!(
                    "  {:<34}{:>9}   {range:<20} {unit}",
                    row.participant.name,
                    figure(median)
                );
            }
        }
        for one in &self.latencies {
            let name = one.participant.name;
            let figures: String = one.calls.iter().map(|ns| format!("{ns:>10.1}")).collect();
            println!("latency  {name:<34}{figures}");
        }
        println!("\ntargets");
        for one in self.verdicts.iter().filter(|one| one.reached.is_some()) {
            let reached = one.reached.map_or(0.0, |spread| spread.median);
            println!("  {:<7}{reached:>6.2} <= {:<5}{}", one.word(), one.at_most, one.wish);
        }
        println!("\nwhere peers win");
        wins::lines(&self.tables).iter().for_each(|line| println!("  {}", line.replace("**", "")));
        self.failures.iter().for_each(|line| println!("FAILED: {line}"));
    }
}

/// The rows of a table, the best first.
fn sorted(table: &Table) -> Vec<&Row> {
    let mut rows: Vec<_> = table.rows.iter().filter(|row| !row.turns.is_empty()).collect();
    rows.sort_by(|one, other| one.median().total_cmp(&other.median()));
    rows
}

/// Three digits, or as many as stand before the point.
fn figure(value: f64) -> String {
    let digits = if value < 9.995 {
        2
    } else if value < 99.95 {
        1
    } else {
        0
    };
    format!("{value:.digits$}")
}

/// As the beginning of a sentence; names of code stay as they are.
pub fn capital(text: &str) -> String {
    let mut text = text.to_owned();
    if !text.starts_with("std::") {
        text[..1].make_ascii_uppercase();
    }
    text
}
