//! The static probes of the release build (src/host/probe_elf.rs), as gdb finds and passes them.

use std::process::Command;

use testkit::library;
use testkit::program::{LINKAGES, build_with, compiler};
use testkit::{root, scratch, tool};

/// Stops at each probe once, in the order in which the program passes them, and says its second
/// argument.
const STOPS: [&str; 4] = ["grow", "steal", "exhausted", "misuse"];

#[test]
fn a_tracer_finds_the_probes_with_their_arguments() {
    let Some(gdb) = tool::find("gdb", "apt-get install gdb") else { return };
    let source = root().join("tests/gdb/probes.c");
    let folder = scratch("probes");
    for linkage in LINKAGES {
        // Linked without what nobody uses.
        let mut compiler = compiler(&source);
        compiler.arg("-Wl,--gc-sections");
        let program = build_with(compiler, &source, library::release(), linkage, &folder);
        let mut traced = Command::new(&gdb);
        traced.args(["-nx", "-batch", "-iex=set debuginfod enabled off", "-ex=start"]);
        for stop in STOPS {
            traced.arg(format!("-ex=tbreak -probe-stap memory_pool:{stop}"));
            traced.args(["-ex=continue", "-ex=printf \"passed %d\\n\", $_probe_argc"]);
            traced.arg(format!("-ex=printf \"{stop} %d\\n\", $_probe_arg1"));
        }
        let output = testkit::output(traced.arg(&program).env_remove("MEMORY_POOL_CHECKS"));
        let said = String::from_utf8_lossy(&output.stdout);
        let number = |stop: &str| {
            let line = said.lines().find_map(|line| line.strip_prefix(stop)?.strip_prefix(' '));
            line.unwrap_or_else(|| panic!("no {stop}: {said}")).parse::<usize>().expect("a number")
        };
        assert_eq!(said.lines().filter(|&line| line == "passed 2").count(), STOPS.len(), "{said}");
        assert!((5..=300).contains(&number("grow")), "{said}");
        assert!((1..=300).contains(&number("steal")), "{said}");
        // As in tests/gdb/probes.c; 6 is POOL_ERR_FOREIGN_POINTER.
        assert_eq!((number("exhausted"), number("misuse")), (300, 6), "{linkage:?}: {said}");
    }
}
