//! `cargo peers`: the pools of this project beside every other pool and allocator at hand, in the
//! same scenarios, everyone in turn.
//!
//! `cargo peers` takes half an hour and writes docs/benchmarks; `cargo peers quick` three minutes,
//! `cargo peers smoke` seconds, and words of scenarios (`cargo peers churn memory`) what they take:
//! these write target/peers/results. Nothing is installed; what is missing is named, and how to get
//! it.

mod latency;
mod machine;
mod measure;
mod participants;
mod programs;
mod report;
mod scenario;
mod statistics;
mod targets;
mod wins;
mod worker;

use std::path::PathBuf;
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};

use measure::Bench;
use participants::{PARTICIPANTS, Participant};
use programs::Programs;
use report::Report;
use scenario::{Form, Scenario};

/// What the words of the command ask for.
struct Wish {
    form: Form,
    /// Words of scenarios; none: all.
    only: Vec<String>,
}

impl Wish {
    fn of(words: impl Iterator<Item = String>) -> Self {
        let mut wish = Self { form: Form::Whole, only: vec![] };
        for word in words {
            match word.as_str() {
                "quick" => wish.form = Form::Quick,
                "smoke" => wish.form = Form::Smoke,
                _ => wish.only.push(word),
            }
        }
        wish
    }

    /// Whether a scenario of this name is asked for.
    fn includes(&self, id: &str) -> bool {
        let is_of = |word: &String| id == word || id.starts_with(&format!("{word}-"));
        self.only.is_empty() || self.only.iter().any(is_of)
    }

    /// Millions of calls of each participant whose latency is measured, and of some.
    fn millions(&self) -> (f64, f64) {
        match self.form {
            Form::Whole => (50.0, 1000.0),
            Form::Quick => (2.0, 10.0),
            Form::Smoke => (0.01, 0.01),
        }
    }

    /// In how many rounds latency is measured.
    fn rounds(&self) -> usize {
        if self.form == Form::Smoke { 1 } else { 10 }
    }

    /// The folder that the results are written to.
    fn folder(&self) -> PathBuf {
        let whole = self.form == Form::Whole && self.only.is_empty();
        testkit::root().join(if whole { "docs/benchmarks" } else { "target/peers/results" })
    }
}

/// Those whose programs start, and a line for each of the others.
fn at_hand(
    asked: &[&'static Participant],
    programs: &Programs,
) -> (Vec<&'static Participant>, Vec<String>) {
    let mut missing = vec![];
    let present = asked.iter().copied().filter(|one| {
        let asked = programs
            .command(one)
            .and_then(worker::Worker::start)
            .and_then(|mut worker| worker.ask(&Scenario::hello()));
        let Err(why) = asked else { return true };
        missing.push(format!("{}: {why}; {}", one.name, programs::how_to_get(one)));
        false
    });
    (present.collect(), missing)
}

fn bar(length: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{elapsed:>4} {wide_bar} {percent:>3} %  {msg}");
    ProgressBar::new(length as u64).with_style(style.expect("a valid template"))
}

fn main() -> ExitCode {
    let wish = Wish::of(std::env::args().skip(1));
    let (scenarios, mut left_out) = Scenario::all(wish.form, machine::memory_available());
    let scenarios: Vec<_> = scenarios.into_iter().filter(|one| wish.includes(&one.id())).collect();
    let wants_latency = wish.includes("latency");
    if scenarios.is_empty() && !wants_latency {
        eprintln!("no such scenario; there are:");
        let (all, _) = Scenario::all(wish.form, usize::MAX);
        all.iter().for_each(|one| eprintln!("  {:<22}{}", one.id(), one.title()));
        eprintln!("  {:<22}how long each single call takes", "latency");
        return ExitCode::FAILURE;
    }
    let asked = |one: &&'static Participant| wish.form != Form::Smoke || one.is_always_at_hand();
    let asked: Vec<_> = PARTICIPANTS.iter().filter(asked).collect();
    let programs = Programs::build(&asked, |what| eprintln!("building {what} ..."));
    let (present, missing) = at_hand(&asked, &programs);
    missing.iter().for_each(|line| eprintln!("LEFT OUT: {line}"));
    let turns: usize = scenarios.iter().map(|one| one.turns).sum();
    let bar = bar(turns + if wants_latency { wish.rounds() } else { 0 });
    let bench = Bench { programs: &programs, bar: &bar, patient: wish.form != Form::Smoke };
    let tables: Vec<_> =
        scenarios.into_iter().map(|scenario| bench.measure(scenario, &present)).collect();
    let (millions, longest) = wish.millions();
    let (latencies, failures) = if wants_latency {
        bench.latencies(&present, wish.rounds(), millions, longest)
    } else {
        (vec![], vec![])
    };
    bar.finish_and_clear();
    let failures: Vec<_> =
        tables.iter().flat_map(|table| table.failures.clone()).chain(failures).collect();
    left_out.extend(missing);
    let report = Report {
        form: wish.form,
        machine: machine::describe(),
        participants: present,
        verdicts: targets::verdicts(&tables, &latencies),
        tables,
        latencies,
        left_out,
        failures,
    };
    report.print();
    let folder = wish.folder();
    report.write(&folder);
    println!("\nwritten to {}", folder.display());
    if report.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
