//! Memory resources beside the pool resources of the standard library and beside new and delete,
//! in containers of the standard: std::pmr::list, map and unordered_map, by a C++ program with the
//! shared library.
//!
//! `cargo bench --bench memory_resource` takes two minutes, `-- quick` after it half of one.

use std::process::Command;

use testkit::library;
use testkit::program::{Linkage, build};

fn main() {
    let is_quick = std::env::args().any(|word| word == "quick");
    let source = testkit::root().join("benches/memory_resource/containers.cpp");
    let folder = testkit::scratch("bench-memory_resource");
    let program = build(&source, library::release(), Linkage::Shared, &folder);
    let turns = if is_quick { "9" } else { "25" };
    let status = Command::new(program).arg(turns).status().expect("it was built");
    assert!(status.success(), "{source:?} ended with {status}");
}
