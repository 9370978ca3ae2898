//! Policies that end the program: by SIGABRT, with one line that says why.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use testkit::{library, program};

fn death_program() -> PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let source = testkit::root().join("tests/death/death.c");
        let folder = testkit::scratch("death");
        program::build(&source, library::release(), program::LINKAGES[1], &folder)
    };
    PROGRAM.get_or_init(build).clone()
}

/// Runs a scenario that must abort, and answers its last line on standard error.
fn aborts(scenario: &str) -> String {
    let output = testkit::output(Command::new(death_program()).arg(scenario));
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.signal(), Some(6), "{scenario}: {:?} {stderr}", output.status);
    assert!(output.stdout.is_empty(), "{scenario}: it went on");
    assert_eq!(stderr.lines().count(), 1, "{scenario}: {stderr}");
    stderr
}

/// The line with every address replaced, so that it can be compared whole.
fn without_addresses(line: &str) -> String {
    let mut words: Vec<String> = vec![];
    for word in line.trim_end().split(' ') {
        let is_address = word.starts_with("0x");
        let tail: String = word.chars().skip_while(|c| c.is_ascii_alphanumeric()).collect();
        words.push(if is_address { format!("ADDRESS{tail}") } else { word.to_owned() });
    }
    words.join(" ")
}

#[test]
fn each_misuse_aborts_with_its_own_line() {
    for (scenario, line) in [
        (
            "double-free",
            "memory_pool: error: pool \"packets\": block 0 at ADDRESS is free already (double \
             free); nothing was changed. Deallocate each block once",
        ),
        (
            "interior",
            "memory_pool: error: pool \"packets\": ADDRESS lies 5 bytes into block 0 at ADDRESS; \
             nothing was changed. Deallocate the pointer that pool_allocate answered",
        ),
        (
            "foreign",
            "memory_pool: error: pool \"packets\": ADDRESS is no block of this pool, whose blocks \
             lie from ADDRESS to ADDRESS; nothing was changed. Give it back to where it came from",
        ),
        (
            "never-handed-out",
            "memory_pool: error: pool \"packets\": block 1 at ADDRESS was never handed out; \
             nothing was changed. Deallocate only what pool_allocate answered",
        ),
        (
            "write-after-free",
            "memory_pool: error: pool \"packets\": a free block was written to, which broke the \
             free list; it is rebuilt with 0 free blocks and no block is lost. Look for a use \
             after deallocate",
        ),
        (
            "leak",
            "memory_pool: error: pool \"packets\" destroyed with 1 live block (index 0): aborting",
        ),
        (
            "quiet-log",
            "memory_pool: error: pool \"packets\": ADDRESS lies 1 bytes into block 0 at ADDRESS; \
             nothing was changed. Deallocate the pointer that pool_allocate answered",
        ),
        (
            "reported",
            "reported 7. memory_pool: error: pool \"packets\": ADDRESS lies 1 bytes into block 0 \
             at ADDRESS; nothing was changed. Deallocate the pointer that pool_allocate answered",
        ),
    ] {
        assert_eq!(without_addresses(&aborts(scenario)), line);
    }
}

#[test]
fn a_program_without_misuse_survives() {
    let stdout = testkit::run(&mut Command::new(death_program()));
    assert_eq!(stdout, "survived\n");
}
