//! What the tests, the demo and the benchmarks share: the native library as users get it, C and
//! C++ programs against it, and other people's tools.

#![forbid(unsafe_code)]

pub mod example;
pub mod library;
pub mod program;
pub mod tool;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The folder of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("testkit lies in the repository")
}

/// An empty folder for one test; `name` must be its own.
pub fn scratch(name: &str) -> PathBuf {
    let folder = root().join("target/scratch").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("target is writable");
    folder
}

/// Runs a command to its end. Panics with all that it printed if it can't be started.
pub fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"))
}

/// Runs a command that must succeed, and answers its standard output. Panics with all that it
/// printed if it fails.
pub fn run(command: &mut Command) -> String {
    let output = output(command);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{command:?} ended with {}\n--- stdout\n{stdout}\n--- stderr\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        if line.starts_with("SKIPPED") {
            tool::skip(line);
        }
    }
    stdout.into_owned()
}
