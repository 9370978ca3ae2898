//! What the C++ types refuse. Each program of tests/cpp_refused is wrong in one line: it must not
//! compile, with one error, in that file, that says what the program's head says it should. With
//! RIGHT defined it does compile, so that nothing but that line is wrong.

use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::tool;

fn snippets() -> Vec<PathBuf> {
    let folder = testkit::root().join("tests/cpp_refused");
    let entries = std::fs::read_dir(folder).expect("the programs are there");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    paths
}

/// A compiler that is about to say whether `snippet` is C++, in plain ASCII.
fn compiler(path: &Path, snippet: &Path) -> Command {
    let mut command = Command::new(path);
    command.args(["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]);
    command.arg("-I").arg(testkit::root().join("include")).arg(snippet).env("LC_ALL", "C");
    command
}

/// What the head of a program says that a compiler should say.
fn expected<'text>(text: &'text str, name: &str) -> &'text str {
    let start = format!("// {name} says: ");
    let line = text.lines().find_map(|line| line.strip_prefix(&start));
    line.unwrap_or_else(|| panic!("no line {start:?} in\n{text}"))
}

fn every_wrong_line_is_refused_for_its_reason(name: &str, how_to_get: &str) {
    let Some(path) = tool::find(name, how_to_get) else { return };
    let snippets = snippets();
    assert!(snippets.len() >= 29, "{snippets:?}");
    for snippet in snippets {
        testkit::run(compiler(&path, &snippet).arg("-DRIGHT"));
        let refused = testkit::output(&mut compiler(&path, &snippet));
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success(), "{} compiles", snippet.display());
        let errors: Vec<&str> = said.lines().filter(|line| line.contains(" error: ")).collect();
        let text = std::fs::read_to_string(&snippet).expect("it was compiled");
        let reason = expected(&text, name);
        let file = snippet.to_string_lossy();
        let is_it = |error: &&str| error.starts_with(file.as_ref()) && error.contains(reason);
        assert!(errors.len() == 1 && errors.iter().all(is_it), "not {reason:?}, but\n{said}");
    }
}

#[test]
fn every_wrong_line_is_refused_for_its_reason_by_gcc() {
    every_wrong_line_is_refused_for_its_reason("g++", "apt-get install g++");
}

#[test]
fn every_wrong_line_is_refused_for_its_reason_by_clang() {
    every_wrong_line_is_refused_for_its_reason("clang++", "apt-get install clang");
}
