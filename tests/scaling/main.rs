//! A model of machines with 64 to 1024 cores, which we do not have: where a design stops scaling.
//!
//! docs/adr/0011-scaling.md says what follows from it. Its tables and its picture are made here,
//! and compared; `UPDATE_SCALING=1 cargo test --test scaling` writes them anew.

mod engines;
mod machine;
mod picture;

use std::fmt::Write;
use std::fs;

use engines::{Depots, Outcome, Safe, Wait, lock_free};
use machine::{LARGE, NANOSECOND, OURS};
use testkit::root;

const CORES: [usize; 10] = [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];
const PAGE: &str = "docs/adr/0011-scaling.md";
const PICTURE: &str = "docs/adr/0011-scaling.svg";

const ONE: Safe = Safe { depots: Depots::One, one_lock: true, wait: Wait::Trying, batch: 64 };
const PATIENT: Safe = Safe { wait: Wait::BackingOff, ..ONE };
const EIGHT: Safe = Safe { depots: Depots::Eight, ..PATIENT };
const NEAR: Safe = Safe { depots: Depots::Near, one_lock: false, ..PATIENT };

/// A design and what became of it with each number of cores.
pub struct Curve {
    name: &'static str,
    outcomes: Vec<Outcome>,
}

fn curve(name: &'static str, run: impl Fn(usize) -> Outcome) -> Curve {
    Curve { name, outcomes: CORES.iter().map(|&cores| run(cores)).collect() }
}

fn curves() -> Vec<Curve> {
    let safe = |name, design: Safe| curve(name, |cores| design.run(&LARGE, cores));
    vec![
        safe("a depot and a lock for each cache", NEAR),
        safe("eight depots, a lock each", Safe { one_lock: false, ..EIGHT }),
        safe("eight depots, one lock", EIGHT),
        safe("one depot, waiters back off", PATIENT),
        safe("one depot, waiters try", ONE),
        curve("lock-free: one word", |cores| lock_free(&LARGE, cores)),
    ]
}

/// Of thousands: three digits, or whole.
fn thousands(number: u64) -> String {
    match number {
        0..1_000 => format!("{}.{:02}", number / 1000, number % 1000 / 10),
        1_000..100_000 => format!("{}.{}", number / 1000, number % 1000 / 100),
        _ => (number / 1000).to_string(),
    }
}

/// A row of a table in Markdown.
fn row(table: &mut String, name: &str, cells: impl Iterator<Item = String>) {
    let cells: Vec<String> = cells.collect();
    writeln!(table, "| {name} | {} |", cells.join(" | ")).expect("a string takes what is written");
}

fn table(title: &str, rows: &[(&str, Vec<String>)]) -> String {
    let mut table = String::new();
    row(&mut table, title, CORES.iter().map(usize::to_string));
    writeln!(table, "|---|{}", "---:|".repeat(CORES.len())).expect("as above");
    rows.iter().for_each(|(name, cells)| row(&mut table, name, cells.iter().cloned()));
    table
}

fn throughput(curves: &[Curve]) -> String {
    let cells = |curve: &Curve| curve.outcomes.iter().map(|o| thousands(o.operations)).collect();
    let rows: Vec<_> = curves.iter().map(|curve| (curve.name, cells(curve))).collect();
    table("million operations a second", &rows)
}

fn lines(curves: &[Curve]) -> String {
    let cells = |curve: &Curve| curve.outcomes.iter().map(|o| thousands(o.lines)).collect();
    let rows: Vec<_> = curves.iter().map(|curve| (curve.name, cells(curve))).collect();
    table("cache lines an operation", &rows)
}

fn batches() -> String {
    let cells = |design: Safe, batch| {
        let run = |cores: &usize| Safe { batch, ..design }.run(&LARGE, *cores).operations;
        CORES.iter().map(run).map(thousands).collect()
    };
    table(
        "million operations a second",
        &[
            ("one depot, batches of 16", cells(PATIENT, 16)),
            ("one depot, batches of 256", cells(PATIENT, 256)),
            ("a depot for each cache, batches of 16", cells(NEAR, 16)),
            ("a depot for each cache, batches of 256", cells(NEAR, 256)),
        ],
    )
}

fn thefts() -> String {
    let microseconds = |time| thousands(time / NANOSECOND);
    let cells = |of: &dyn Fn(usize) -> u64| CORES.iter().map(|&n| microseconds(of(n))).collect();
    table(
        "microseconds",
        &[
            ("the fence", cells(&|cores| LARGE.theft(cores).0)),
            ("the walk over the magazines", cells(&|cores| LARGE.theft(cores).1)),
        ],
    )
}

/// What the model says of the machine that its constants were measured on.
fn ours() -> String {
    let nanoseconds = |outcome: Outcome| thousands(2 * 1_000_000_000 / outcome.operations);
    format!(
        "Two of our own cores: {} ns an operation, {} with the lock-free engine.\n",
        nanoseconds(ONE.run(&OURS, 2)),
        nanoseconds(lock_free(&OURS, 2)),
    )
}

/// The text between two marks of the page.
fn between<'a>(page: &'a str, name: &str) -> &'a str {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let (_, rest) = page.split_once(&begin).expect("the mark is there");
    rest.split_once(&end).expect("the end is marked").0
}

#[test]
fn what_the_model_says_is_what_stands_in_the_documentation() {
    let curves = curves();
    let made = [
        ("throughput", throughput(&curves)),
        ("lines", lines(&curves)),
        ("batches", batches()),
        ("thefts", thefts()),
        ("ours", ours()),
    ];
    let (path, picture) = (root().join(PAGE), picture::of(&CORES, &curves));
    let mut page = fs::read_to_string(&path).expect("the page is committed");
    if std::env::var_os("UPDATE_SCALING").is_some() {
        for (name, text) in &made {
            let mark = |text: &str| format!("<!-- {name} -->\n{text}<!-- end of {name} -->");
            page = page.replace(&mark(between(&page, name)), &mark(text));
        }
        fs::write(&path, &page).expect("docs is writable");
        fs::write(root().join(PICTURE), &picture).expect("docs is writable");
    }
    for (name, text) in &made {
        assert_eq!(between(&page, name), text, "UPDATE_SCALING=1 cargo test --test scaling");
    }
    let committed = fs::read_to_string(root().join(PICTURE)).expect("the picture is committed");
    assert!(committed == picture, "UPDATE_SCALING=1 cargo test --test scaling");
}

/// The present design must not be drawn better than a lock allows: it is held for some time.
#[test]
fn a_lock_bounds_what_any_number_of_cores_can_do() {
    let most = PATIENT.batch * 1_000_000 * NANOSECOND / machine::exchange(PATIENT.batch);
    for cores in CORES {
        assert!(PATIENT.run(&LARGE, cores).operations <= most, "{cores} cores");
    }
}

#[test]
fn cores_that_share_nothing_scale() {
    let [eight, many] = [8, 1024].map(|cores| NEAR.run(&LARGE, cores).operations);
    assert!(many > 40 * eight, "{eight}, {many}");
}
