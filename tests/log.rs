//! What the library says, and when: the environment variables, seen from outside the process.

use std::process::{Command, Output};
use std::sync::OnceLock;

use testkit::{library, program};

/// The C demo, with a setting of the environment.
fn demo(variable: &str, value: &str) -> Output {
    static DEMO: OnceLock<std::path::PathBuf> = OnceLock::new();
    let demo = DEMO.get_or_init(|| {
        let source = testkit::root().join("c_examples/memory_pool_demo.c");
        let folder = testkit::scratch("log");
        program::build(&source, library::release(), program::LINKAGES[1], &folder)
    });
    let output = testkit::output(Command::new(demo).env(variable, value));
    assert!(output.status.success());
    output
}

fn stderr(variable: &str, value: &str) -> String {
    String::from_utf8(demo(variable, value).stderr).expect("UTF-8")
}

#[test]
fn a_sound_program_is_silent() {
    for (variable, value) in [
        ("UNRELATED", "1"),
        ("MEMORY_POOL_LOG", ""),
        ("MEMORY_POOL_LOG", "off"),
        ("MEMORY_POOL_LOG", "error"),
        ("MEMORY_POOL_LOG", "warn"),
        ("MEMORY_POOL_CHECKS", "standard"),
        ("MEMORY_POOL_CHECKS", "none"),
        ("MEMORY_POOL_CHECKS", ""),
        ("MEMORY_POOL_CHECKS", "full"),
        ("MEMORY_POOL_CHECKS", "poison,canary,sites:4,quarantine:2"),
    ] {
        assert_eq!(stderr(variable, value), "", "{variable}={value}");
    }
}

#[test]
fn debug_tells_of_creation_and_destruction() {
    for level in ["debug", "DEBUG", "trace"] {
        assert_eq!(
            stderr("MEMORY_POOL_LOG", level),
            "memory_pool: debug: pool \"pool\" created: 8 blocks, at most 8, of 16 bytes \
             (stride 16, alignment 16), checks Standard\n\
             memory_pool: debug: pool \"pool\" destroyed\n"
        );
    }
}

#[test]
fn a_setting_that_is_not_understood_is_said_so() {
    let line = stderr("MEMORY_POOL_LOG", "loud");
    assert_eq!(
        line,
        "memory_pool: warn: MEMORY_POOL_LOG is not understood and counts as warn; say off, error, \
         warn, info, debug or trace\n"
    );
    let long = "x".repeat(1000);
    for value in ["fully", "poison,canaries", "sites:99", "quarantine:-1", &long, "\u{e4}"] {
        let line = stderr("MEMORY_POOL_CHECKS", value);
        assert!(line.starts_with("memory_pool: warn: MEMORY_POOL_CHECKS: \""), "{line}");
        assert!(
            line.ends_with(
                "poison, canary, sites:N, quarantine:N, fail:P, guard:1/N, passthrough\n"
            ),
            "{line}"
        );
        assert_eq!(line.lines().count(), 1, "{line}");
    }
}

/// With the level in force seen in the log: the variable overrides what the program asked for.
#[test]
fn the_environment_overrides_the_checks_of_every_pool() {
    let source = testkit::root().join("c_examples/memory_pool_demo.c");
    let folder = testkit::scratch("log-checks");
    let demo = program::build(&source, library::release(), program::LINKAGES[1], &folder);
    let output = testkit::output(
        Command::new(demo).env("MEMORY_POOL_LOG", "debug").env("MEMORY_POOL_CHECKS", "none"),
    );
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.contains("checks None"), "{stderr}");
}

/// A closed standard error is no reason to fail.
#[test]
fn nobody_has_to_listen() {
    let demo = demo("MEMORY_POOL_LOG", "trace");
    assert!(!demo.stderr.is_empty());
    let source = testkit::root().join("c_examples/memory_pool_demo.c");
    let folder = testkit::scratch("log-closed");
    let demo = program::build(&source, library::release(), program::LINKAGES[1], &folder);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg("MEMORY_POOL_LOG=trace \"$0\" 2>&-").arg(demo);
    assert!(testkit::run(&mut shell).ends_with("back to the pool.\n"));
}
