//! Programs under tools that watch memory, around the release library as it is: each mistake of
//! tests/watched/wrong.c is reported with its line, and of what is sound nothing is said.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use testkit::library;
use testkit::program::{LINKAGES, Linkage, build_with, compiler, compiler_at};
use testkit::tool;

/// `threading` and `checks`: each threading, each level.
const KINDS: [[&str; 2]; 5] = [["0", "0"], ["1", "1"], ["2", "0"], ["1", "2"], ["2", "2"]];

/// What a tool finds with its marks alone.
const MISUSES: [&str; 5] = [
    "read-after-free",
    "write-after-free",
    "write-past-end",
    "write-before-start",
    USE_AFTER_RESET,
];
const USE_AFTER_RESET: &str = "use-after-reset";
/// Only pools of `POOL_THREADS_SAFE` have caches.
const USE_AFTER_CACHE: &str = "use-after-cache";

fn source(name: &str) -> PathBuf {
    testkit::root().join("tests/watched").join(name).with_extension("c")
}

/// "wrong.c:37", the place of a mistake.
fn place_of(mistake: &str) -> String {
    let text = fs::read_to_string(source("wrong")).expect("the program is there");
    let comment = format!("/* {mistake} */");
    let line = text.lines().position(|line| line.ends_with(&comment));
    format!("wrong.c:{}", line.unwrap_or_else(|| panic!("no {comment}")) + 1)
}

/// Runs a program; answers whether it ended well, and what was said.
fn said(command: &mut Command) -> (bool, String) {
    let Output { status, stderr, .. } = testkit::output(command);
    (status.success(), String::from_utf8_lossy(&stderr).into_owned())
}

fn assert_is_reported(command: &mut Command, mistake: &str, kind: [&str; 2], words: &[&str]) {
    let (is_sound, said) = said(command.arg(mistake).args(kind));
    let place = place_of(mistake);
    assert!(!is_sound && said.contains(&place), "{mistake} at {place}, {kind:?}:\n{said}");
    assert!(words.iter().all(|word| said.contains(word)), "{mistake}: not {words:?}:\n{said}");
}

fn assert_is_silent(command: &mut Command) {
    let (is_sound, said) = said(command);
    assert!(is_sound && said.is_empty(), "{command:?}:\n{said}");
}

/// The compilers whose address sanitizer works here.
fn compilers() -> Vec<PathBuf> {
    let names =
        [("gcc", "apt-get install gcc"), ("clang", "apt-get install clang libclang-rt-dev")];
    names.iter().filter_map(|(name, how)| tool::find(name, how)).collect()
}

fn sanitized(compiler: &Path, name: &str, linkage: Linkage, folder: &Path) -> PathBuf {
    let source = source(name);
    let mut command = compiler_at(compiler, &source);
    command.args(["-g", "-O1", "-fno-omit-frame-pointer", "-fsanitize=address"]);
    build_with(command, &source, library::release(), linkage, folder)
}

#[test]
fn the_address_sanitizer_reports_each_misuse_of_a_block_with_its_line() {
    let folder = testkit::scratch("watched-asan-wrong");
    for (compiler, linkage) in compilers().iter().flat_map(|one| LINKAGES.map(|way| (one, way))) {
        let program = sanitized(compiler, "wrong", linkage, &folder);
        let words = ["AddressSanitizer: use-after-poison"];
        for (mistake, kind) in MISUSES.iter().flat_map(|one| KINDS.map(|kind| (one, kind))) {
            assert_is_reported(&mut Command::new(&program), mistake, kind, &words);
        }
        assert_is_reported(&mut Command::new(&program), USE_AFTER_CACHE, KINDS[0], &words);
        let words = ["AddressSanitizer: SEGV"];
        assert_is_reported(&mut Command::new(&program), "use-after-destroy", KINDS[0], &words);
    }
}

#[test]
fn the_leak_sanitizer_looks_for_pointers_in_live_blocks_and_in_no_others() {
    let folder = testkit::scratch("watched-lsan");
    for (compiler, linkage) in compilers().iter().flat_map(|one| LINKAGES.map(|way| (one, way))) {
        let program = sanitized(compiler, "wrong", linkage, &folder);
        for kind in KINDS {
            let words = ["LeakSanitizer: detected memory leaks", "1000 byte(s)"];
            assert_is_reported(&mut Command::new(&program), "leak-heap", kind, &words);
        }
    }
}

#[test]
fn the_address_sanitizer_says_nothing_of_a_sound_program() {
    let folder = testkit::scratch("watched-asan-sound");
    for (compiler, linkage) in compilers().iter().flat_map(|one| LINKAGES.map(|way| (one, way))) {
        assert_is_silent(&mut Command::new(sanitized(compiler, "sound", linkage, &folder)));
    }
}

/// A variable of the environment leaves pools to themselves, and then nothing is found.
#[test]
fn pools_that_shall_not_be_watched_are_not() {
    let folder = testkit::scratch("watched-not");
    for (compiler, level) in
        compilers().iter().flat_map(|one| ["unwatched", "standard", "none"].map(|l| (one, l)))
    {
        let program = sanitized(compiler, "wrong", Linkage::Static, &folder);
        let mut command = Command::new(program);
        command.env("MEMORY_POOL_CHECKS", level).args([MISUSES[0], "0", "0"]);
        assert_is_silent(&mut command);
    }
}

/// A program under memcheck, whose exit status says whether something was found.
fn memcheck(name: &str, mistake: &str, linkage: Linkage) -> Option<Command> {
    let valgrind = tool::find("valgrind", "apt-get install valgrind")?;
    let folder = testkit::scratch(&format!("watched-memcheck-{name}{mistake}-{linkage:?}"));
    let source = source(name);
    let mut compiler = compiler(&source);
    compiler.args(["-g", "-O1", "-DOPERATIONS=5000"]);
    let program = build_with(compiler, &source, library::release(), linkage, &folder);
    let mut command = Command::new(valgrind);
    command.args(["--quiet", "--error-exitcode=9", "--leak-check=full"]);
    command.arg(program);
    Some(command)
}

fn assert_memcheck_reports(mistake: &str, words: &[&str], kinds: &[[&str; 2]]) {
    for linkage in LINKAGES {
        for &kind in kinds {
            let Some(mut command) = memcheck("wrong", mistake, linkage) else { return };
            assert_is_reported(&mut command, mistake, kind, words);
        }
    }
}

#[test]
fn memcheck_reports_a_use_after_free_and_who_took_and_gave_the_block() {
    let words = ["Invalid read of size 1", "free'd", "deallocate", "Block was alloc'd at"];
    assert_memcheck_reports("read-after-free", &words, &KINDS);
}

#[test]
fn memcheck_reports_writes_where_nobody_may_write() {
    let kinds = [KINDS[1], KINDS[4]];
    for mistake in ["write-past-end", "write-before-start", USE_AFTER_RESET, "use-after-destroy"] {
        assert_memcheck_reports(mistake, &["Invalid write of size 1"], &kinds);
    }
    assert_memcheck_reports(USE_AFTER_CACHE, &["Invalid write of size 1"], &KINDS[..1]);
}

#[test]
fn memcheck_reports_what_depends_on_a_fresh_block() {
    let words = ["Conditional jump or move depends on uninitialised value"];
    assert_memcheck_reports("read-fresh", &words, &KINDS);
}

#[test]
fn memcheck_reports_a_lost_block_with_the_stack_that_took_it() {
    assert_memcheck_reports("leak", &["24 bytes in 1 blocks are definitely lost"], &KINDS);
}

#[test]
fn memcheck_says_nothing_of_a_sound_program() {
    let Some(mut command) = memcheck("sound", "", Linkage::Shared) else { return };
    assert_is_silent(&mut command);
}
