//! A program that loads the shared library while it runs, and unloads it.

use std::process::Command;

use testkit::{library, program};

#[test]
fn a_thousand_loads_and_unloads_break_nothing() {
    let source = testkit::root().join("tests/unloading/unloading.c");
    let program = testkit::scratch("unloading").join("unloading");
    let mut compiler = program::compiler(&source);
    testkit::run(compiler.arg(&source).arg("-ldl").arg("-o").arg(&program));
    let said = testkit::run(Command::new(&program).arg(&library::release().shared));
    assert!(said.contains("MiB of address space"), "{said}");
}
