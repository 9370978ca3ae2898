//! The native library, built as a package would build it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::{root, run};

/// The files that a C program links with.
#[derive(Debug)]
pub struct Library {
    /// libmemory_pool.so
    pub shared: PathBuf,
    /// libmemory_pool.a
    pub archive: PathBuf,
}

/// The library in release form, built once a process.
pub fn release() -> &'static Library {
    static RELEASE: OnceLock<Library> = OnceLock::new();
    RELEASE.get_or_init(|| build(&["--release"]))
}

/// The library in debug form, built once a process. Optimised a little, which keeps its assertions
/// and makes programs of many threads five times as quick.
pub fn debug() -> &'static Library {
    static DEBUG: OnceLock<Library> = OnceLock::new();
    DEBUG.get_or_init(|| build(&["--config=profile.dev.opt-level=1"]))
}

/// The library without an operating system below, built once a process.
pub fn freestanding() -> &'static Library {
    static FREESTANDING: OnceLock<Library> = OnceLock::new();
    FREESTANDING.get_or_init(|| build(&["--profile=freestanding", "--no-default-features"]))
}

/// The archive of a release build in which a thread sanitizer watches every access, built once a
/// process. The stable compiler can do it when it is told to listen to options of the nightly one.
pub fn thread_sanitized() -> &'static Path {
    static SANITIZED: OnceLock<PathBuf> = OnceLock::new();
    SANITIZED.get_or_init(|| {
        let flags = "-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer";
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["rustc", "--lib", "--crate-type=staticlib", "--release", "--locked"]);
        // A target, though it is the usual one, keeps the flags away from build scripts.
        cargo.args(["--package=memory_pool", "--target", env!("TESTKIT_TARGET")]);
        cargo.args(["--message-format=json", "--target-dir"]).arg(root().join("target/tsan"));
        cargo.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", flags).current_dir(root());
        let files: Vec<PathBuf> = run(&mut cargo).lines().flat_map(files_of_message).collect();
        with_extension(&files, "a")
    })
}

/// The functions that pool.h declares: what stands before a parenthesis outside comments.
pub fn declared() -> BTreeSet<String> {
    let path = root().join("include/memory_pool/pool.h");
    let header = std::fs::read_to_string(path).expect("the header is committed");
    let code: String = header
        .lines()
        .filter(|line| !line.trim_start().starts_with(['*', '/', '#']))
        .flat_map(|line| [line, "\n"])
        .collect();
    let before_parentheses = code.split('(').map(|piece| {
        let name = piece.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next();
        name.unwrap_or("").to_owned()
    });
    before_parentheses.filter(|name| name.starts_with("pool_")).collect()
}

/// Asks cargo where it put the files, because their place is cargo's own affair. The target
/// folder is one of our own: the one in use may be locked by the cargo that runs us.
fn build(flags: &[&str]) -> Library {
    let messages = run(Command::new(env!("CARGO"))
        .args(["build", "--lib", "--package=memory_pool", "--locked", "--message-format=json"])
        .args(flags)
        .arg("--target-dir")
        .arg(root().join("target/native"))
        .current_dir(root()));
    let files: Vec<PathBuf> = messages.lines().flat_map(files_of_message).collect();
    Library { shared: with_extension(&files, "so"), archive: with_extension(&files, "a") }
}

fn files_of_message(line: &str) -> Vec<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(line).expect("cargo speaks JSON");
    let ours = message["target"]["name"] == "memory_pool";
    let files = message["filenames"].as_array().filter(|_| ours);
    files.into_iter().flatten().filter_map(|file| file.as_str().map(PathBuf::from)).collect()
}

fn with_extension(files: &[PathBuf], extension: &str) -> PathBuf {
    let found = files.iter().find(|file| file.extension().is_some_and(|e| e == extension));
    found.unwrap_or_else(|| panic!("cargo made no .{extension} among {files:?}")).clone()
}

impl Library {
    /// The folder for a run-time search path.
    pub fn folder(&self) -> &Path {
        self.shared.parent().expect("a file lies in a folder")
    }
}
