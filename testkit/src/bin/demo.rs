//! `cargo demo`: builds the library and the demos, and runs them.

#![forbid(unsafe_code)]

use std::process::{Command, ExitCode};

use testkit::library;
use testkit::program::{self, Linkage};

fn main() -> ExitCode {
    eprintln!("building the library ...");
    let library = library::release();
    let folder = testkit::scratch("demo");
    for (name, linkage) in
        [("memory_pool_demo.cpp", Linkage::Shared), ("memory_pool_demo.c", Linkage::Static)]
    {
        let source = testkit::root().join("c_examples").join(name);
        let how = match linkage {
            Linkage::Shared => "with libmemory_pool.so",
            Linkage::Static => "with libmemory_pool.a",
        };
        eprintln!("\nc_examples/{name} {how}:");
        let demo = program::build(&source, library, linkage, &folder);
        match Command::new(&demo).status() {
            Ok(status) if status.success() => {}
            ended => {
                eprintln!("{} failed: {ended:?}", demo.display());
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
