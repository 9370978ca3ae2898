//! Every command and every program of README.md works as it stands there.

use std::fs;
use std::process::Command;

use testkit::{example, library, program, root};

/// The text between ```language and ```, for every block of that language.
fn blocks(language: &str) -> Vec<String> {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md is there");
    let fence = format!("```{language}\n");
    let pieces = readme.split(&fence).skip(1);
    pieces.map(|piece| piece.split("```").next().unwrap_or("").to_owned()).collect()
}

/// Compiles each program of a language and runs it; it must end with 0.
fn programs_run(language: &str) {
    let folder = testkit::scratch(&format!("readme-{language}"));
    let programs = blocks(language);
    assert!(!programs.is_empty(), "README.md shows no program in {language}");
    for (number, text) in programs.iter().enumerate() {
        let source = folder.join(format!("readme{number}.{language}"));
        fs::write(&source, text).expect("scratch is writable");
        for linkage in program::LINKAGES {
            let program = program::build(&source, library::release(), linkage, &folder);
            testkit::run(&mut Command::new(program));
        }
    }
}

#[test]
fn the_c_programs_run() {
    programs_run("c");
}

#[test]
fn the_cpp_programs_run() {
    programs_run("cpp");
}

/// tests/cmake.rs builds and runs the project whose five lines these are.
#[test]
fn the_cmake_project_is_the_one_that_is_tested() {
    let tested = root().join("tests/consumers/five_lines/CMakeLists.txt");
    let tested = fs::read_to_string(tested).expect("the project is there");
    assert_eq!(blocks("cmake"), [tested]);
}

#[test]
fn the_list_of_examples_names_each() {
    let list = fs::read_to_string(root().join("docs/examples.md")).expect("the list is there");
    for example in example::all() {
        let link = format!("(../c_examples/{})", example.path().display());
        assert!(list.contains(&link), "docs/examples.md has no line for {link}");
    }
}

#[test]
fn the_lines_of_the_log_are_real() {
    let tested = fs::read_to_string(root().join("tests/death.rs")).expect("the test is there");
    let joined: String = tested.split("\\\n").map(str::trim_start).collect();
    for line in blocks("text").iter().flat_map(|block| block.lines()) {
        let mut words = line.split(' ').map(|word| {
            if word.starts_with("0x") { "ADDRESS".to_owned() } else { word.replace('"', "\\\"") }
        });
        let first = words.next().unwrap_or_default();
        let expected = words.fold(first, |line, word| line + " " + &word);
        assert!(joined.contains(&expected), "tests/death.rs knows no line {expected}");
    }
}

/// Where each command of README.md and CONTRIBUTING.md is run.
const COMMANDS: [(&str, &str); 22] = [
    ("cargo demo", "below"),
    ("cargo test", "this is it"),
    ("cargo bench", ".ci/run builds it; its figures need a quiet machine"),
    ("cargo bench --bench checks", "as above"),
    ("cargo bench --bench cold", "as above"),
    ("cargo bench --bench machine", "as above"),
    ("cargo bench --bench memory_resource -- quick", "as above"),
    ("cargo bench --bench hot_functions", ".ci/run, each function once"),
    ("cargo bench --bench inlined -- quick", "as above"),
    ("cargo peers", "tests/peers.rs, for seconds"),
    ("cargo peers quick", "as above"),
    ("cargo clippy --workspace --all-targets -- -D warnings", ".ci/run"),
    ("cargo fmt --all --check", ".ci/run"),
    ("RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --document-private-items", ".ci/run"),
    ("UPDATE_HEADER=1 cargo test --test header", "tests/header.rs without the update"),
    ("MEMORY_POOL_REQUIRE_TOOLS=1 cargo test", ".ci/run"),
    ("MEMORY_POOL_CROSSING_PAIRS=5000000 cargo test --test tsan", ".ci/run"),
    ("cmake -S . -B build", "tests/cmake.rs"),
    ("cmake --build build", "tests/cmake.rs"),
    ("cmake --install build --prefix /usr/local", "tests/cmake.rs, with other prefixes"),
    ("cmake --workflow --preset test", "tests/cmake.rs"),
    ("python3 tests/mutants/orderings.py", ".ci/run"),
];

#[test]
fn every_command_is_run_somewhere() {
    let contributing = fs::read_to_string(root().join("CONTRIBUTING.md")).expect("it is there");
    let in_readme = blocks("sh").join("\n");
    let in_contributing: Vec<&str> = contributing.split("```sh\n").skip(1).collect();
    let in_contributing =
        in_contributing.iter().flat_map(|piece| piece.split("```").next().unwrap_or("").lines());
    for line in in_readme.lines().chain(in_contributing) {
        let command = line.split(" #").next().unwrap_or("").trim();
        let known = COMMANDS.iter().any(|(known, _)| *known == command);
        assert!(
            command.is_empty() || known,
            "nothing runs {command}; add it to COMMANDS and run it"
        );
    }
}

#[test]
fn cargo_demo_prints_the_demo_twice() {
    let mut demo = Command::new(env!("CARGO"));
    // A folder of its own: the one in use may be locked by the cargo that runs this test.
    demo.arg("demo").env("CARGO_TARGET_DIR", root().join("target/demo")).current_dir(root());
    let printed = testkit::run(&mut demo);
    let demos = example::all().into_iter().filter(example::Example::is_demo);
    let expected: String = demos.map(|demo| demo.expected()).collect();
    assert_eq!(example::masked(&printed), expected);
}
