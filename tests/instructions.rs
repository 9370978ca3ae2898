//! How many instructions the hot calls take, to the instruction: what a noisy machine can't hide.
//!
//! Valgrind counts what a program executes inside of one function. Two runs of different length,
//! whose difference is divided by the calls between them, leave out how a pool warms up. The counts
//! are of one compiler; another is said, and skipped. After a change that is meant:
//! `UPDATE_INSTRUCTIONS=1 cargo test --test instructions`, and commit the table.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use memory_pool::{
    POOL_CHECKS_NONE, POOL_CHECKS_STANDARD, POOL_THREADS_LOCK_FREE, POOL_THREADS_SAFE,
    POOL_THREADS_SINGLE,
};
use testkit::program::{self, Linkage, build};
use testkit::{library, root, scratch, tool};

const TABLE: &str = "tests/instructions/expected.txt";

/// What is counted: its name, `threading`, by which calls, and how their names begin.
const KINDS: [(&str, u32, &str, &str); 8] = [
    ("one owner", POOL_THREADS_SINGLE, "pool", "pool"),
    ("the same, large", POOL_THREADS_SINGLE, "large", "pool"),
    // The longest way of an allocation that finds a block, and neither grows nor repairs the pool.
    ("the same, fresh", POOL_THREADS_SINGLE, "fresh", "pool"),
    ("one owner, inlined", POOL_THREADS_SINGLE, "inlined", "inlined"),
    ("safe", POOL_THREADS_SAFE, "pool", "pool"),
    ("safe, by a cache", POOL_THREADS_SAFE, "cache", "pool_cache"),
    ("the same, inlined", POOL_THREADS_SAFE, "inlined_cache", "inlined_cache"),
    ("lock-free", POOL_THREADS_LOCK_FREE, "pool", "pool"),
];

const LEVELS: [(&str, u32); 2] = [("standard", POOL_CHECKS_STANDARD), ("none", POOL_CHECKS_NONE)];

const FEWER: u64 = 20;
/// Of a lock-free pool that makes 240 changes, and the 256th does more.
const MORE: u64 = 120;

/// Instructions inside of `function` while the program makes so many pairs of calls.
fn count(valgrind: &Path, program: &Path, function: &str, words: &[String], pairs: u64) -> u64 {
    let mut command = Command::new(valgrind);
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    command.arg(format!("--toggle-collect={function}"));
    let output = testkit::output(command.arg(program).args(words).arg(pairs.to_string()));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let (_, collected) = said.rsplit_once("Collected : ").expect("callgrind says what it counted");
    collected.split_whitespace().next().and_then(|n| n.parse().ok()).expect("a number")
}

/// Instructions of one call.
fn instructions(valgrind: &Path, program: &Path, function: &str, words: &[String]) -> u64 {
    let [fewer, more] = [FEWER, MORE].map(|pairs| count(valgrind, program, function, words, pairs));
    assert!(fewer > 0, "{function} was not counted");
    let calls = MORE - FEWER;
    assert!((more - fewer).is_multiple_of(calls), "{function} takes different ways");
    (more - fewer) / calls
}

fn compiler() -> String {
    let said = testkit::run(Command::new("rustc").arg("-vV"));
    let value = |key: &str| said.lines().find_map(|line| line.strip_prefix(key)).unwrap_or("?");
    let c = program::compiler(Path::new("calls.c")).arg("--version").output();
    let c = c.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let c = c.expect("there is a C compiler");
    let c = c.lines().next().unwrap_or("?").replace(';', ",");
    format!("rustc {} for {}, {c}", value("release: "), value("host: "))
}

/// Of pools whose allocations were made to fail so many times before.
fn table_of(valgrind: &Path, compiler: &str, failed: u32) -> String {
    let scratch = scratch(&format!("instructions-{failed}"));
    let source = root().join("tests/instructions/calls.c");
    let program = build(&source, library::release(), Linkage::Shared, &scratch);
    let mut table = format!("{compiler}; instructions of one call\n\n");
    table += "pool                checks    allocate  deallocate\n";
    for (name, threading, word, prefix) in KINDS {
        for (level, checks) in LEVELS {
            let words = [threading.to_string(), checks.to_string(), word.to_string()];
            let words = [&words[..], &[failed.to_string()]].concat();
            // The level is a constant where calls are inlined, so each has functions of its own.
            let suffix = if word == "inlined" { format!("_{checks}") } else { String::new() };
            let [allocate, deallocate] = ["allocate", "deallocate"].map(|call| {
                instructions(valgrind, &program, &format!("{prefix}_{call}{suffix}"), &words)
            });
            writeln!(table, "{name:<20}{level:<10}{allocate:>8}{deallocate:>12}")
                .expect("a string takes what is written");
        }
    }
    table
}

fn take_as_many_as_is_known(failed: u32) {
    let Some(valgrind) = tool::find("valgrind", "apt-get install valgrind") else { return };
    let (path, compiler) = (root().join(TABLE), compiler());
    let updates = std::env::var_os("UPDATE_INSTRUCTIONS").is_some();
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    if !updates && !known.starts_with(&compiler) {
        let of = known.split(';').next().unwrap_or_default();
        return tool::skip(&format!("SKIPPED {TABLE} is of {of}, this is {compiler}"));
    }
    let counted = table_of(&valgrind, &compiler, failed);
    if updates {
        std::fs::write(&path, &counted).expect("tests/instructions is writable");
    }
    let known = std::fs::read_to_string(&path).expect("the table is committed");
    assert!(
        counted == known,
        "counted:\n{counted}\nknown:\n{known}\nlook at the disassembly; if that is meant, run \
         UPDATE_INSTRUCTIONS=1 cargo test --test instructions and commit {TABLE}"
    );
}

#[test]
fn every_hot_call_takes_as_many_instructions_as_it_is_known_to() {
    take_as_many_as_is_known(0);
}

/// Turned off, it is off completely.
#[test]
fn a_pool_that_failed_on_purpose_before_takes_no_more() {
    if std::env::var_os("UPDATE_INSTRUCTIONS").is_none() {
        take_as_many_as_is_known(2);
    }
}
