//! The programs that speak for the participants: compiled here, from benches/peers/native, when
//! something is newer than they are. What can't be compiled is missing, and how to get it is said.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use testkit::program::{Linkage, build_with, compiler};
use testkit::{library, root};

use crate::participants::{PARTICIPANTS, Participant};

/// A program or a library that it can't do without; or why there is none.
type Built = Result<PathBuf, String>;

/// All of them.
pub struct Programs {
    built: HashMap<&'static str, Built>,
}

/// What the compiler is told beside the usual.
fn flags(program: &str) -> &'static [&'static str] {
    match program {
        "foonathan" => &["-isystem", "/usr/include/foonathan_memory", "-lfoonathan_memory"],
        "tbb" => &["-ltbbmalloc"],
        "mimalloc" => &["-lmimalloc"],
        "apr" => &["-isystem", "/usr/include/apr-1.0", "-D_GNU_SOURCE", "-lapr-1"],
        "dpdk" => &[
            "-march=corei7",
            "-isystem",
            "/usr/include/dpdk",
            "-isystem",
            "/usr/include/x86_64-linux-gnu/dpdk",
            "-lrte_mempool",
            "-lrte_eal",
            "-lrte_ring",
            "-lrte_mempool_ring",
        ],
        _ => &[],
    }
}

fn folder() -> PathBuf {
    let folder = root().join("target/peers");
    std::fs::create_dir_all(&folder).expect("target is writable");
    folder
}

fn source_of(program: &str) -> PathBuf {
    root().join("benches/peers/native").join(program).with_extension("cpp")
}

impl Programs {
    /// Compiles what `participants` need, and says by `progress` what it is at.
    pub fn build(participants: &[&Participant], progress: impl Fn(&str)) -> Self {
        let mut built = HashMap::new();
        progress("libmemory_pool.so");
        let newest = newest_source().max(time_of(&library::release().shared));
        for participant in participants {
            let program = participant.program;
            if built.contains_key(program) {
                continue;
            }
            progress(program);
            built.insert(program, compile(program, newest));
            if program == "crates" {
                progress("the crates");
                built.insert("libpeer_crates.so", crates());
            }
        }
        Self { built }
    }

    /// What starts the worker of a participant, or why none can be started.
    pub fn command(&self, participant: &Participant) -> Result<Command, String> {
        let mut command = Command::new(self.built[participant.program].clone()?);
        if participant.program == "crates" {
            command.arg(self.built["libpeer_crates.so"].clone()?);
        }
        command.args(participant.words);
        Ok(command)
    }
}

/// How to get what a participant needs.
pub fn how_to_get(participant: &Participant) -> String {
    match participant.program {
        "crates" => "cargo fetch --manifest-path benches/peers/crates/Cargo.toml".into(),
        _ => format!("apt-get install {}", participant.package),
    }
}

fn time_of(path: &Path) -> SystemTime {
    let modified = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    modified.unwrap_or(SystemTime::UNIX_EPOCH)
}

fn newest_source() -> SystemTime {
    let folders = ["benches/native", "benches/peers/native", "include/memory_pool"];
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(root().join(folder)));
    let times = files.flatten().flatten().map(|entry| time_of(&entry.path()));
    times.max().expect("there are sources")
}

fn compile(program: &str, newest: SystemTime) -> Built {
    let folder = folder();
    let done = folder.join(format!("{program}-shared"));
    if time_of(&done) > newest {
        return Ok(done);
    }
    let source = source_of(program);
    let mut command = compiler(&source);
    // Libraries stand before what needs them.
    command.arg("-Wl,--no-as-needed").args(flags(program));
    if program == "library" {
        let floor = root().join("benches/native/floor.c");
        let library = folder.join("libfloor.so");
        let mut compile = compiler(&floor);
        testkit::run(compile.args(["-shared", "-fPIC"]).arg(&floor).arg("-o").arg(&library));
        command.arg(&library).arg(format!("-Wl,-rpath,{}", folder.display()));
    }
    // The usual ones must compile; a peer's headers may be missing.
    if PARTICIPANTS.iter().any(|one| one.program == program && one.package.is_empty()) {
        return Ok(build_with(command, &source, library::release(), Linkage::Shared, &folder));
    }
    command.arg(&source).arg("-o").arg(&done);
    let output = testkit::output(&mut command);
    if output.status.success() {
        return Ok(done);
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let error = text.lines().find(|line| line.contains("error:") || line.contains("cannot find"));
    let error = error.or(text.lines().next()).unwrap_or("it does not compile");
    Err(error.rsplit("error: ").next().unwrap_or(error).trim().to_owned())
}

/// The crates, from what is fetched already: nothing is downloaded without being asked for.
fn crates() -> Built {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--offline", "--locked", "--manifest-path"]);
    cargo.arg(root().join("benches/peers/crates/Cargo.toml"));
    let target = folder().join("crates");
    cargo.arg("--target-dir").arg(&target);
    let output = testkit::output(&mut cargo);
    if output.status.success() {
        return Ok(target.join("release/libpeer_crates.so"));
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let error = text.lines().find(|line| line.starts_with("error"));
    Err(error.unwrap_or("the crates do not compile").to_owned())
}
