//! Tools that a fresh machine may not have.

use std::io::Write;
use std::path::PathBuf;

/// The path of `name`. When it is missing, prints one line that says what is skipped and how to
/// get the tool, and answers `None`; with MEMORY_POOL_REQUIRE_TOOLS=1 it panics instead.
pub fn find(name: &str, how_to_get: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|f| f.is_file());
    if found.is_none() {
        skip(&format!("SKIPPED {}: no {name} here; {how_to_get}", current_test()));
    }
    found
}

/// Prints a line that begins with SKIPPED; with MEMORY_POOL_REQUIRE_TOOLS=1 it panics instead.
pub fn skip(line: &str) {
    assert!(std::env::var_os("MEMORY_POOL_REQUIRE_TOOLS").is_none_or(|v| v != "1"), "{line}");
    tell(line);
}

/// Prints a line that is seen even while all tests pass.
pub fn tell(line: &str) {
    // Not eprintln!, whose output the test harness hides while a test passes.
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn current_test() -> String {
    std::thread::current().name().unwrap_or("?").to_owned()
}
