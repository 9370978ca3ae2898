//! What the shared library exports is what the header declares, and the system libraries that a
//! static link needs are those that we tell people.

use std::collections::BTreeSet;
use std::process::Command;

use testkit::{library, program, tool};

fn exported(library: &library::Library) -> BTreeSet<String> {
    let Some(nm) = tool::find("nm", "apt-get install binutils") else { return library::declared() };
    let symbols =
        testkit::run(Command::new(nm).args(["-D", "--defined-only"]).arg(&library.shared));
    symbols.lines().filter_map(|line| line.split(' ').next_back().map(str::to_owned)).collect()
}

#[test]
fn the_shared_library_exports_what_the_header_declares_and_nothing_else() {
    assert!(library::declared().len() >= 30, "{:?}", library::declared());
    assert_eq!(exported(library::release()), library::declared());
    assert_eq!(exported(library::debug()), library::declared());
}

/// Those that a program calls seldom are named there as well, in a list of their own.
#[test]
fn the_benchmark_of_the_hot_functions_names_each_function() {
    let bench = testkit::root().join("benches/hot_functions.rs");
    let bench = std::fs::read_to_string(bench).expect("the benchmark is there");
    let words = bench.split('"').skip(1).step_by(2).map(str::to_owned);
    let named: BTreeSet<String> = words.filter(|word| word.starts_with("pool_")).collect();
    assert_eq!(named, library::declared());
}

#[test]
fn the_system_libraries_of_a_static_link_are_rustcs_own() {
    let mut rustc = Command::new(env!("CARGO"));
    rustc.args(["rustc", "--lib", "--crate-type=staticlib", "--locked", "--target-dir"]);
    rustc.arg(testkit::root().join("target/native-libs")).current_dir(testkit::root());
    let output = testkit::output(rustc.args(["--", "--print=native-static-libs"]));
    let messages = String::from_utf8_lossy(&output.stderr);
    let line = messages.lines().find_map(|line| line.split("native-static-libs: ").nth(1));
    // The compiler adds libgcc_s and libc itself; libutil and librt are empty in any glibc.
    let implied = ["-lgcc_s", "-lc", "-lutil", "-lrt"];
    let rustcs: BTreeSet<&str> =
        line.expect("rustc names them").split(' ').filter(|name| !implied.contains(name)).collect();
    assert_eq!(rustcs, BTreeSet::from(program::SYSTEM_LIBRARIES));
    let pkg_config = testkit::root().join("cmake/memory_pool.pc.in");
    let pkg_config = std::fs::read_to_string(pkg_config).expect("the file is committed");
    let private = format!("Libs.private: {}\n", program::SYSTEM_LIBRARIES.join(" "));
    assert!(pkg_config.contains(&private), "memory_pool.pc.in lacks {private}");
}
