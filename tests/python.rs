//! The shared library in the hands of another language.

use std::process::Command;

use testkit::{library, tool};

#[test]
fn python_can_use_the_shared_library_through_ctypes() {
    let Some(python) = tool::find("python3", "apt-get install python3") else { return };
    let script = testkit::root().join("tests/python/smoke.py");
    let version = env!("CARGO_PKG_VERSION");
    let mut command = Command::new(python);
    command.arg(script).arg(&library::release().shared).arg(version);
    assert_eq!(testkit::run(&mut command), format!("Python works with memory_pool {version}\n"));
}
