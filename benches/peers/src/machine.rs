//! What the figures were taken on.

use std::fs;
use std::process::Command;

use crate::participants::Participant;

/// Bytes that can be had.
pub fn memory_available() -> usize {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("MemAvailable:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    kibibytes.unwrap_or(4 << 20) * 1024
}

/// Names and values, for people.
pub fn describe() -> Vec<(&'static str, String)> {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = cpu.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split(": ").nth(1)).unwrap_or("unknown").to_owned()
    };
    let virtual_machine = if cpu.contains(" hypervisor ") { ", a virtual machine" } else { "" };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let governor = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor";
    let huge = fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled");
    vec![
        (
            "processor",
            format!(
                "{} (family {}, model {})",
                field("model name"),
                field("cpu family"),
                field("model\t")
            ),
        ),
        ("cores", format!("{cores}{virtual_machine}")),
        ("memory", format!("{:.0} GiB available", memory_available() as f64 / f64::from(1 << 30))),
        ("kernel", first_line(Command::new("uname").arg("-sr"))),
        (
            "frequency governor",
            fs::read_to_string(governor).map_or("not known".into(), |name| name.trim().into()),
        ),
        ("transparent huge pages", huge.map_or("none".into(), |words| chosen(&words))),
        ("C++ compiler, -O2", first_line(Command::new("c++").arg("--version"))),
        ("Rust compiler", first_line(Command::new("rustc").arg("--version"))),
        ("commit", first_line(Command::new("git").args(["describe", "--always", "--dirty"]))),
        ("date", first_line(Command::new("date").arg("+%Y-%m-%d"))),
    ]
}

fn chosen(words: &str) -> String {
    words.split(['[', ']']).nth(1).unwrap_or("not known").to_owned()
}

fn first_line(command: &mut Command) -> String {
    let output = command.current_dir(testkit::root()).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.ok().and_then(|text| text.lines().next().map(str::to_owned)).unwrap_or("unknown".into())
}

/// The version of what a participant comes from.
pub fn version(participant: &Participant) -> String {
    if participant.package.is_empty() {
        return "this tree".into();
    }
    if participant.program == "crates" {
        return version_in_lock_file(participant.package);
    }
    let mut dpkg = Command::new("dpkg-query");
    first_line(dpkg.args(["-W", "-f", "${Version}\n", participant.package]))
}

fn version_in_lock_file(name: &str) -> String {
    let path = testkit::root().join("benches/peers/crates/Cargo.lock");
    let text = fs::read_to_string(path).unwrap_or_default();
    let entry = text.split(&format!("name = \"{name}\"\nversion = \"")).nth(1);
    entry.and_then(|rest| rest.split('"').next()).unwrap_or("unknown").to_owned()
}
