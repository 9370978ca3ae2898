//! `MEMORY_POOL_CHECKS=guard`, around the release library as it is: each mistake of
//! tests/guarded/wrong.c is stopped at its instruction or found when the block comes back, and the
//! report says so to the letter, and names its lines.
//!
//! The program says in a comment which line a mistake is.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use testkit::program::{LINKAGES, Linkage, build_with, compiler};
use testkit::{library, root, scratch, tool};

const SEGMENTATION_FAULT: i32 = 11;
/// Safe, and single.
const THREADING: [&str; 2] = ["0", "1"];
const STOPS: &str = "; the program stops there. Mend what stands below \"found\"";

/// A mistake that stops the program, and what is said of it. Each is in block 0, but the first.
struct Stopped {
    name: &'static str,
    /// After the number and the address of the block.
    what: &'static str,
    /// The comment at the call that gave the block back.
    given: Option<&'static str>,
}

const fn stopped(name: &'static str, what: &'static str, given: Option<&'static str>) -> Stopped {
    Stopped { name, what, given }
}

const STOPPED: [Stopped; 7] = [
    stopped("write-past-end", "is used past its end, 48 bytes from its start", None),
    stopped("read-past-end", "is used past its end, 55 bytes from its start", None),
    stopped("write-before-start", "is used 4049 bytes before its start", None),
    stopped(
        "write-after-free",
        "is used after it was deallocated, 8 bytes from its start",
        Some("given"),
    ),
    stopped(
        "read-after-free",
        "is used after it was deallocated, 0 bytes from its start",
        Some("given"),
    ),
    stopped(
        "use-after-reset",
        "is used after it was deallocated, 47 bytes from its start",
        Some("reset"),
    ),
    stopped(
        "use-in-a-thread",
        "is used after it was deallocated, 4 bytes from its start",
        Some("given"),
    ),
];

/// A mistake that a call finds, what the calls answered, and what is said of it.
const FOUND: [(&str, &str, &str); 4] = [
    (
        "write-past-end-aligned",
        "9\n",
        "block 0 at ADDRESS was overwritten past its end, 20 bytes from its start; it was taken \
         back. Look for who writes beyond a block",
    ),
    (
        "write-before-start-near",
        "9\n",
        "block 0 at ADDRESS was overwritten 3 bytes before its start; it was taken back. Look for \
         who writes beyond a block",
    ),
    (
        "free-twice",
        "0\n8\n",
        "block 0 at ADDRESS is free already (double free); nothing was changed. Deallocate each \
         block once",
    ),
    (
        "free-interior",
        "7\n",
        "ADDRESS lies 24 bytes into block 0 at ADDRESS; nothing was changed. Deallocate the \
         pointer that pool_allocate answered",
    ),
];

fn source() -> PathBuf {
    root().join("tests/guarded/wrong.c")
}

/// "/wrong.c:37", the place of a comment.
fn place_of(comment: &str) -> String {
    let text = std::fs::read_to_string(source()).expect("the program is there");
    let comment = format!("/* {comment} */");
    let line = text.lines().position(|line| line.ends_with(&comment));
    format!("/wrong.c:{}", line.unwrap_or_else(|| panic!("no {comment}")) + 1)
}

fn program(linkage: Linkage, folder: &Path) -> PathBuf {
    let mut compiler = compiler(&source());
    compiler.args(["-g", "-O0"]);
    build_with(compiler, &source(), library::release(), linkage, folder)
}

fn run(program: &Path, checks: &str, mistake: &str, threading: &str) -> Output {
    let mut command = Command::new(program);
    testkit::output(command.args([mistake, threading]).env("MEMORY_POOL_CHECKS", checks))
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// The first line, with a word for every address.
fn first_line(text: &str) -> String {
    let word = |word: &str| match word.starts_with("0x") {
        true => format!("ADDRESS{}", word.trim_start_matches(|c: char| c.is_ascii_alphanumeric())),
        false => word.to_owned(),
    };
    text.lines().next().unwrap_or_default().split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// The innermost frame below the line of a report that says `what` was done.
fn innermost<'text>(report: &'text str, what: &str) -> &'text str {
    let mut lines = report.lines().skip(1);
    let _ = lines.find(|line| line.split([' ', ',']).any(|word| word == what));
    lines.next().unwrap_or_default()
}

fn assert_is_named(report: &str, what: &str, place: &str) {
    let frame = innermost(report, what);
    assert!(frame.contains("#0 ") && frame.ends_with(place), "{what} is not {place}:\n{report}");
}

/// Whether stacks have names here.
fn has_names() -> bool {
    tool::find("addr2line", "apt-get install binutils").is_some()
}

#[test]
fn a_use_of_what_is_no_live_block_stops_at_its_instruction_which_is_named() {
    let folder = scratch("guarded-stopped");
    for program in LINKAGES.map(|linkage| program(linkage, &folder)) {
        for (mistake, threading) in
            STOPPED.iter().flat_map(|one| THREADING.map(|threading| (one, threading)))
        {
            let Stopped { name, what, given } = mistake;
            let output = run(&program, "guard", name, threading);
            let report = stderr(&output);
            let index = usize::from(*name == "write-past-end");
            let line = format!(
                "memory_pool: error: pool \"watched\": block {index} at ADDRESS {what}{STOPS}"
            );
            assert_eq!(first_line(&report), line, "{name}");
            assert_eq!(output.status.signal(), Some(SEGMENTATION_FAULT), "{name}");
            if has_names() {
                assert_is_named(&report, "allocated", &place_of("taken"));
                given.iter().for_each(|by| assert_is_named(&report, "deallocated", &place_of(by)));
                assert_eq!(report.contains("deallocated by"), given.is_some(), "{report}");
                assert_is_named(&report, "found", &place_of(name));
            }
        }
    }
}

#[test]
fn a_use_is_stopped_whatever_else_is_asked_for() {
    let program = program(Linkage::Static, &scratch("guarded-combined"));
    for checks in ["full,guard", "guard:1/1", "sites:4,quarantine:9,guard", "fail:0,guard"] {
        for (name, what) in [("write-past-end", "past its end"), ("write-after-free", "after it")] {
            let output = run(&program, checks, name, "0");
            let report = stderr(&output);
            assert!(first_line(&report).contains(&format!("ADDRESS is used {what}")), "{report}");
            assert_eq!(output.status.signal(), Some(SEGMENTATION_FAULT), "{checks} {name}");
        }
    }
}

#[test]
fn what_a_call_finds_is_reported_as_of_other_blocks_and_with_who_had_it() {
    let program = program(Linkage::Shared, &scratch("guarded-found"));
    for ((name, answers, what), threading) in
        FOUND.iter().flat_map(|one| THREADING.map(|threading| (one, threading)))
    {
        let output = run(&program, "guard", name, threading);
        let report = stderr(&output);
        let line = format!("memory_pool: error: pool \"watched\": {what}");
        assert_eq!(first_line(&report), line, "{name}");
        assert_eq!((stdout(&output).as_str(), output.status.success()), (*answers, true), "{name}");
        if has_names() {
            assert_is_named(&report, "allocated", &place_of("taken"));
        }
    }
}

#[test]
fn a_leak_report_says_who_has_the_blocks() {
    let program = program(Linkage::Shared, &scratch("guarded-leak"));
    let report = stderr(&run(&program, "guard", "leak", "0"));
    assert_eq!(
        first_line(&report),
        "memory_pool: warn: pool \"watched\" destroyed with 2 live blocks (index 0, 1): their \
         memory is gone"
    );
    if has_names() {
        assert_is_named(&report, "allocated", &place_of("taken"));
    }
}

#[test]
fn faults_go_where_they_would_have_gone() {
    let folder = scratch("guarded-handlers");
    for program in LINKAGES.map(|linkage| program(linkage, &folder)) {
        for mistake in ["elsewhere", "sent"] {
            let output = run(&program, "guard", mistake, "0");
            assert_eq!((stderr(&output).as_str(), stdout(&output).as_str()), ("", ""), "{mistake}");
            assert_eq!(output.status.signal(), Some(SEGMENTATION_FAULT), "{mistake}");
        }
        let output = run(&program, "guard", "own-handler", "0");
        assert_eq!((stdout(&output).as_str(), output.status.success()), ("6\n", true));
        assert!(first_line(&stderr(&output)).contains("is used past its end"));
    }
}

#[test]
fn a_handler_that_has_little_room_names_all_lines_too() {
    let program = program(Linkage::Shared, &scratch("guarded-small-stack"));
    let output = run(&program, "guard", "small-stack", "0");
    let report = stderr(&output);
    assert_eq!(output.status.signal(), Some(SEGMENTATION_FAULT), "{report}");
    if has_names() {
        assert_is_named(&report, "found", &place_of("write-past-end"));
    }
}

#[test]
fn where_blocks_cannot_be_guarded_one_line_says_why() {
    let program = program(Linkage::Shared, &scratch("guarded-not"));
    let nothing = ": MEMORY_POOL_CHECKS=guard does nothing here\n";
    for (checks, threading, why) in [
        ("guard", "2", "is lock-free, and guarding blocks takes a lock"),
        ("guard:1/7", "2", "is lock-free, and guarding blocks takes a lock"),
        ("full,guard", "2", "is lock-free, and guarding blocks takes a lock"),
        ("passthrough,guard", "0", "has its blocks from the heap"),
    ] {
        let output = run(&program, checks, "nothing", threading);
        let line = format!("memory_pool: warn: pool \"watched\" {why}{nothing}");
        assert_eq!((stderr(&output), output.status.success()), (line, true), "{checks}");
    }
    for (checks, threading) in [("guard", "0"), ("guard:1/2", "1"), ("guard,full", "0")] {
        let output = run(&program, checks, "nothing", threading);
        assert_eq!((stderr(&output).as_str(), output.status.success()), ("", true), "{checks}");
    }
}
