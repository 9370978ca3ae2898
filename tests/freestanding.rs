//! The library without `std`: no operating system, no C library, no heap below it.

use std::collections::BTreeSet;
use std::process::Command;

use testkit::{library, program, tool};

/// What a freestanding C compiler asks of every program.
const ASKED_OF_EVERY_PROGRAM: [&str; 4] = ["memcmp", "memcpy", "memmove", "memset"];

/// As docs/freestanding.md says to link.
const FLAGS: [&str; 6] =
    ["-ffreestanding", "-fno-builtin", "-fno-stack-protector", "-nostdlib", "-static", "-no-pie"];

#[test]
fn a_program_without_a_c_library_runs_a_pool_in_a_static_array() {
    let scratch = testkit::scratch("freestanding");
    let source = testkit::root().join("tests/freestanding/static_pool.c");
    let program = scratch.join("static_pool");
    let mut compiler = program::compiler(&source);
    compiler.args(FLAGS).arg("-Wl,--gc-sections").arg(&source);
    compiler.arg(&library::freestanding().archive);
    testkit::run(compiler.arg("-o").arg(&program));
    // Its status is the number of the line where something was not so.
    testkit::run(&mut Command::new(&program));
}

/// All of the library linked into one object, whatever the program above calls of it.
#[test]
fn nothing_but_four_functions_is_asked_of_the_program() {
    let Some(ld) = tool::find("ld", "apt-get install binutils") else { return };
    let Some(readelf) = tool::find("readelf", "apt-get install binutils") else { return };
    let object = testkit::scratch("freestanding-object").join("all.o");
    let functions = library::declared();
    let mut link = Command::new(ld);
    link.args(["-r", "--gc-sections", "-o"]).arg(&object);
    link.args(functions.iter().map(|name| format!("--undefined={name}")));
    testkit::run(link.arg("-e").arg("pool_create").arg(&library::freestanding().archive));
    // Of each global symbol: the section, or UND, and the name.
    let listing = testkit::run(Command::new(readelf).args(["--symbols", "--wide"]).arg(&object));
    let columns = listing.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let globals = columns.filter(|columns| columns.len() == 8 && columns[4] == "GLOBAL");
    let symbols: BTreeSet<(bool, String)> =
        globals.map(|columns| (columns[6] != "UND", columns[7].to_owned())).collect();
    let named = |defined: bool| -> BTreeSet<String> {
        let these = symbols.iter().filter(|symbol| symbol.0 == defined);
        these.map(|symbol| symbol.1.clone()).collect()
    };
    let undefined = named(false);
    let strange: Vec<_> =
        undefined.iter().filter(|name| !ASKED_OF_EVERY_PROGRAM.contains(&name.as_str())).collect();
    assert!(strange.is_empty(), "asked of the program: {strange:?}");
    assert!(undefined.contains("memcpy"), "nothing was linked");
    let defined = named(true);
    assert!(functions.is_subset(&defined), "not all functions are there: {defined:?}");
}
