//! Small programs with a bug, as their authors would build and run them: tests/bugs has a program
//! for each, and marks the lines that a report must name.
//!
//! | mark    | the line                                                       |
//! |---------|----------------------------------------------------------------|
//! | `TAKEN` | took the block: the innermost frame below "allocated"          |
//! | `GIVEN` | gave it back: the innermost frame below "deallocated"          |
//! | `FOUND` | called when the bug was found: the innermost frame below "found" |
//! | `STOPPED` | is the bug: the innermost frame below "found" with guarded blocks |

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use testkit::program::{LINKAGES, Linkage, build_with, compiler};
use testkit::{library, root, scratch, tool};

struct Bug {
    source: &'static str,
    /// The first line that the full checks write, and the standard ones; "": they find nothing.
    full: &'static str,
    standard: &'static str,
}

const fn found_always(source: &'static str, line: &'static str) -> Bug {
    Bug { source, full: line, standard: line }
}

const fn found_in_full(source: &'static str, line: &'static str) -> Bug {
    Bug { source, full: line, standard: "" }
}

const FREE_ALREADY: &str = "memory_pool: error: pool \"pool\": block 0 at ADDRESS is free already \
    (double free); nothing was changed. Deallocate each block once";
const FOREIGN: &str = "memory_pool: error: pool \"pool\": ADDRESS is no block of this pool, whose \
    blocks lie from ADDRESS to ADDRESS; nothing was changed. Give it back to where it came from";
const PAST_END: &str = "memory_pool: error: pool \"pool\": block 0 at ADDRESS was overwritten past \
    its end, 16 bytes from its start; it was taken back. Look for who writes beyond a block";

const BUGS: [Bug; 9] = [
    found_in_full("overflow_by_one.c", PAST_END),
    found_in_full("derived.cpp", PAST_END),
    found_in_full(
        "used_after_free.c",
        "memory_pool: error: pool \"pool\": block 0 at ADDRESS was overwritten while it was free, \
         0 bytes from its start; it is handed out all the same. Look for a use after deallocate",
    ),
    found_always("freed_after_join.c", FREE_ALREADY),
    found_always("wrong_pool.c", FOREIGN),
    found_always("malloced.c", FOREIGN),
    found_always(
        "base_pointer.cpp",
        "memory_pool: error: pool \"pool\": ADDRESS lies 24 bytes into block 0 at ADDRESS; nothing \
         was changed. Deallocate the pointer that pool_allocate answered",
    ),
    // With full checks the block of the first request waits.
    Bug {
        source: "thrown_past.cpp",
        full: "memory_pool: warn: pool \"pool\" destroyed with 1 live block (index 1): their \
               memory is gone",
        standard: "memory_pool: warn: pool \"pool\" destroyed with 1 live block (index 0): their \
                   memory is gone",
    },
    // Found with standard checks too, but for those two calls that meet at one instruction.
    Bug { source: "freed_at_once.c", full: FREE_ALREADY, standard: "?" },
];

const SEGMENTATION_FAULT: i32 = 11;

/// Those that end by themselves or say nothing have tests of their own.
const APART: [&str; 2] = ["destroyed_too_early.c", "never_written.c"];

fn build(source: &str, linkage: Linkage, folder: &Path) -> PathBuf {
    let path = root().join("tests/bugs").join(source);
    let mut compiler = compiler(&path);
    compiler.args(["-g", "-O0"]);
    build_with(compiler, &path, library::release(), linkage, folder)
}

fn run(program: &Path, checks: &str) -> Output {
    testkit::output(Command::new(program).env("MEMORY_POOL_CHECKS", checks))
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// The first line, with a word for every address.
fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let words = line.split(' ').map(|word| {
        let tail = word.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
        if word.starts_with("0x") { format!("ADDRESS{tail}") } else { word.to_owned() }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The place of a mark, as reports name it: "file.c:12".
fn place_of(mark: &str, source: &str) -> Option<String> {
    let text =
        std::fs::read_to_string(root().join("tests/bugs").join(source)).expect("it is there");
    let number = text.lines().position(|line| line.contains(mark))?;
    Some(format!("{source}:{}", number + 1))
}

/// The innermost frame below the line of a report that says `what` was done.
fn innermost<'text>(report: &'text str, what: &str) -> Option<&'text str> {
    let mut lines = report.lines().skip(1);
    lines.find(|line| line.split([' ', ',']).any(|word| word == what))?;
    lines.next().filter(|line| line.contains("    #0 "))
}

fn names_its_lines(bug: &Bug, report: &str) {
    let parts = [("TAKEN", "allocated"), ("GIVEN", "deallocated"), ("FOUND", "found")];
    let places = parts.map(|(mark, what)| (what, place_of(mark, bug.source)));
    assert!(places.iter().any(|(_, place)| place.is_some()), "{} marks nothing", bug.source);
    for (what, place) in places {
        let Some(place) = place else { continue };
        let frame = innermost(report, what).unwrap_or_default();
        assert!(frame.ends_with(&format!("/{place}")), "{what} is not {place}:\n{report}");
    }
}

#[test]
fn full_checks_find_every_bug_and_name_its_lines() {
    if tool::find("addr2line", "apt-get install binutils").is_none() {
        return;
    }
    let folder = scratch("bugs-full");
    for (bug, linkage) in BUGS.iter().flat_map(|bug| LINKAGES.map(|linkage| (bug, linkage))) {
        let output = run(&build(bug.source, linkage, &folder), "full");
        let report = stderr(&output);
        assert_eq!(first_line(&report), bug.full, "{} {linkage:?}", bug.source);
        names_its_lines(bug, &report);
        assert!(output.status.success(), "{}: {}", bug.source, output.status);
    }
}

/// The program ends there, by the fault.
#[test]
fn guarded_blocks_stop_each_use_that_is_wrong_and_name_its_line() {
    if tool::find("addr2line", "apt-get install binutils").is_none() {
        return;
    }
    let folder = scratch("bugs-guard");
    let mut stopped = vec![];
    for bug in &BUGS {
        let Some(place) = place_of("STOPPED", bug.source) else { continue };
        for linkage in LINKAGES {
            let output = run(&build(bug.source, linkage, &folder), "guard");
            let report = stderr(&output);
            assert_eq!(output.status.signal(), Some(SEGMENTATION_FAULT), "{report}");
            assert!(first_line(&report).contains(" is used "), "{report}");
            // What the C library does for the program comes first.
            let found = report.lines().skip_while(|line| !line.contains("  found in "));
            let own = format!("/{}:", bug.source);
            let line = found.skip(1).find(|line| line.contains(&own)).unwrap_or_default();
            assert!(line.ends_with(&format!("/{place}")), "not {place}:\n{report}");
        }
        stopped.push(bug.source);
    }
    assert_eq!(stopped, ["overflow_by_one.c", "derived.cpp", "used_after_free.c"]);
}

#[test]
fn standard_checks_find_what_they_promise_and_say_nothing_of_the_rest() {
    let folder = scratch("bugs-standard");
    for bug in BUGS.iter().filter(|bug| bug.standard != "?") {
        let output = run(&build(bug.source, Linkage::Shared, &folder), "standard");
        let report = stderr(&output);
        assert_eq!(first_line(&report), bug.standard, "{}", bug.source);
        assert_eq!(report.lines().count(), usize::from(!bug.standard.is_empty()), "{report}");
        assert!(output.status.success(), "{}: {}", bug.source, output.status);
    }
}

#[test]
fn a_pool_that_is_gone_is_an_error_and_its_memory_a_fault() {
    let program = build("destroyed_too_early.c", Linkage::Static, &scratch("bugs-destroyed"));
    for checks in ["full", "standard"] {
        let output = run(&program, checks);
        assert_eq!(
            first_line(&stderr(&output)),
            "memory_pool: error: pool_allocate: ADDRESS is no live pool; it was destroyed, or \
             never was a pool"
        );
        assert_eq!(output.status.signal(), Some(SEGMENTATION_FAULT), "{checks}");
    }
}

/// No report: a read leaves no trace. What is read is no accident, though.
#[test]
fn full_checks_show_memory_that_was_never_written_by_its_pattern() {
    let program = build("never_written.c", Linkage::Static, &scratch("bugs-never-written"));
    for (checks, printed) in [("full", "cdcdcdcd\n"), ("standard", "00000000\n")] {
        let output = run(&program, checks);
        assert_eq!((stderr(&output).as_str(), output.status.success()), ("", true));
        assert_eq!(String::from_utf8_lossy(&output.stdout), printed);
    }
}

/// A report without what differs from run to run: addresses, threads, times and folders.
fn without_chance(report: &str) -> String {
    let mut before = "";
    let mut words = vec![];
    for word in report.trim_end().split([' ', '\n']) {
        let is_number = before == "thread" || word.starts_with("0x") || word.starts_with("0.0");
        words.push(if is_number { "?" } else { word.rsplit('/').next().unwrap_or_default() });
        before = word;
    }
    words.join(" ")
}

#[test]
fn the_reports_in_the_documents_are_real() {
    let folder = scratch("bugs-documents");
    let mut shown = vec![];
    for document in ["README.md", "docs/debugging.md"] {
        let text = std::fs::read_to_string(root().join(document)).expect("it is there");
        for (start, checks) in [("```report ", "full"), ("```guard ", "guard")] {
            for block in text.split(start).skip(1) {
                let (source, rest) = block.split_once('\n').expect("a report of lines");
                let report = rest.split("```").next().unwrap_or_default();
                let real = stderr(&run(&build(source, Linkage::Shared, &folder), checks));
                assert_eq!(without_chance(report), without_chance(&real), "{document}");
                shown.push(format!("{checks} {source}"));
            }
        }
    }
    let expected = ["full overflow_by_one.c", "full used_after_free.c", "full thrown_past.cpp"];
    assert_eq!(shown, [&expected[..], &["guard used_after_free.c"]].concat());
}

#[test]
fn every_program_is_tested() {
    let folder = std::fs::read_dir(root().join("tests/bugs")).expect("the programs are there");
    let mut there: Vec<String> = folder
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .collect();
    let mut tested: Vec<_> = BUGS.iter().map(|bug| bug.source).chain(APART).collect();
    there.sort();
    tested.sort_unstable();
    assert_eq!(there, tested);
}
