//! A program that nobody here wrote, on pools: Jansson, a JSON library, as Debian has it. Its own
//! tests, run and judged by its own scripts, pass as they do on the heap, whatever is checked, and
//! neither the checks nor valgrind find fault where there is none.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use testkit::program::compiler;
use testkit::{library, output, root, run, scratch, tool};

const ARCHIVE: &str = "jansson_2.14.orig.tar.gz";
const FOLDER: &str = "http://deb.debian.org/debian/pool/main/j/jansson";
const SHA256: &str = "c739578bf6b764aa0752db9a2fdadcfe921c78f1228c7ec0bb47fa804c55d17b";

/// What its configure script would find out here.
const CONFIGURATION: &str = "\
#define INITIAL_HASHTABLE_ORDER 3
#define HAVE_STDINT_H 1
#define HAVE_SYS_TIME_H 1
#define HAVE_SYS_TYPES_H 1
#define HAVE_UNISTD_H 1
#define HAVE_LOCALE_H 1
#define HAVE_GETPID 1
#define HAVE_GETTIMEOFDAY 1
#define HAVE_SCHED_YIELD 1
#define HAVE_ATOMIC_BUILTINS 1
";

/// Its suites: one of programs that call it, the others of files that it reads and writes.
const SUITES: [&str; 5] = ["api", "valid", "invalid", "invalid-unicode", "encoding-flags"];

/// The sources as they came, which Debian's own downloader fetches once; `None`: not on a Debian.
fn archive() -> Option<PathBuf> {
    let helper = Path::new("/usr/lib/apt/apt-helper");
    if !helper.is_file() {
        tool::skip("SKIPPED the tests of tests/real_program.rs: no apt here; run them on a Debian");
        return None;
    }
    let folder = root().join("target/real_program");
    fs::create_dir_all(&folder).expect("target is writable");
    let (kept, line) = (folder.join(ARCHIVE), format!("{SHA256}  {ARCHIVE}\n"));
    fs::write(folder.join("sums"), line).expect("target is writable");
    let mut sums = Command::new("sha256sum");
    sums.args(["--check", "--status", "sums"]).current_dir(&folder);
    if !output(&mut sums).status.success() {
        let url = format!("{FOLDER}/{ARCHIVE}");
        let mut download = Command::new(helper);
        download.args(["download-file", &url]).arg(&kept).arg(format!("SHA256:{SHA256}"));
        let said = output(&mut download);
        let stderr = String::from_utf8_lossy(&said.stderr);
        assert!(said.status.success(), "{url} was not downloaded; is there a network?\n{stderr}");
        run(&mut sums);
    }
    Some(kept)
}

/// Its sources, and its programs: on the heap in the folder `heap`, on pools in `pools`.
fn jansson() -> Option<&'static Path> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOLDER.get_or_init(|| archive().map(|archive| build(&archive))).as_deref()
}

fn build(archive: &Path) -> PathBuf {
    let folder = scratch("real_program");
    let mut unpack = Command::new("tar");
    run(unpack.arg("-xf").arg(archive).arg("--strip-components=1").current_dir(&folder));
    let template = fs::read_to_string(folder.join("src/jansson_config.h.in")).expect("unpacked");
    let answers = ["long_long", "localeconv", "atomic_builtins", "sync_builtins"];
    let config = answers.iter().fold(template.replace("@json_inline@", "inline"), |text, name| {
        text.replace(&format!("@json_have_{name}@"), "1")
    });
    fs::write(folder.join("src/jansson_config.h"), config).expect("writable");
    fs::write(folder.join("src/jansson_private_config.h"), CONFIGURATION).expect("writable");
    // It looks into a shared library, which is not built here.
    fs::remove_file(folder.join("test/suites/api/check-exports")).expect("unpacked");

    let mut library = foreign(&folder);
    run(library.arg("-c").args(files(&folder.join("src"), "c")).current_dir(&folder));
    let objects = files(&folder, "o");
    let ours = root().join("tests/real_program");
    let pooled = folder.join("pooled.o");
    let source = ours.join("pooled.c");
    let mut glue = compiler(&source);
    glue.arg("-I").arg(folder.join("src")).arg("-c").arg(&source).arg("-o").arg(&pooled);
    run(&mut glue);

    let mut programs = files(&folder.join("test/suites/api"), "c");
    programs.push(folder.join("test/bin/json_process.c"));
    for kind in ["heap", "pools"] {
        fs::create_dir_all(folder.join(kind).join("api")).expect("writable");
        for source in &programs {
            let name = Path::new("api").join(source.file_stem().expect("a name"));
            let mut command = foreign(&folder);
            command.arg("-o").arg(folder.join(kind).join(name));
            if kind == "pools" {
                command.arg("-include").arg(ours.join("pooled.h"));
            }
            command.arg(source).args(&objects);
            if kind == "pools" {
                let library = library::release();
                command.arg(&pooled).arg(&library.shared);
                command.arg(format!("-Wl,-rpath,{}", library.folder().display()));
            }
            run(&mut command);
        }
    }
    folder
}

/// The compiler, for the sources of others: in their dialect, and without our warnings.
fn foreign(folder: &Path) -> Command {
    let mut compiler = compiler(Path::new("jansson.c"));
    compiler.args(["-std=gnu11", "-w", "-g", "-DHAVE_CONFIG_H"]);
    compiler.arg("-I").arg(folder.join("src"));
    compiler
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("readable").path());
    let mut files: Vec<_> =
        paths.filter(|path| path.extension() == Some(OsStr::new(extension))).collect();
    files.sort();
    files
}

/// One way to run the tests.
struct Lane<'a> {
    /// A folder of its own.
    name: &'a str,
    /// `heap` or `pools`.
    programs: &'a str,
    threading: &'a str,
    checks: Option<&'a str>,
    valgrind: bool,
}

const HEAP: Lane =
    Lane { name: "heap", programs: "heap", threading: "safe", checks: None, valgrind: false };

impl Lane<'_> {
    /// Runs a suite by its own script. Answers how many of its tests passed, which are all; and
    /// what the pools reported.
    fn run(&self, jansson: &Path, suite: &str) -> (usize, String) {
        let folder = scratch(&format!("real_program-{}-{suite}", self.name));
        let (suites, report) = (jansson.join("test/suites"), folder.join("report"));
        fs::write(&report, "").expect("writable");
        let mut script = Command::new("sh");
        script.arg(suites.join(suite).join("run")).arg(suite).current_dir(&folder);
        script.env("bindir", jansson.join(self.programs).join("api")).env("logdir", &folder);
        script.env("suites_builddir", jansson.join(self.programs));
        script.env("scriptdir", jansson.join("test/scripts")).env("top_srcdir", jansson);
        script.env("suites_srcdir", &suites).env("VERBOSE", "1");
        script.env("VALGRIND", if self.valgrind { "1" } else { "0" });
        script.env("POOLED_REPORT", &report).env("POOLED_THREADING", self.threading);
        script.env_remove("MEMORY_POOL_CHECKS").env_remove("MEMORY_POOL_LOG");
        script.envs(self.checks.map(|checks| ("MEMORY_POOL_CHECKS", checks)));
        let said = run(&mut script);
        let passed = said.lines().filter(|line| line.ends_with("... ok")).count();
        assert_eq!(passed, said.lines().count(), "{}, {suite}: {said}", self.name);
        (passed, fs::read_to_string(report).expect("written above"))
    }

    /// Runs suites on pools: they pass, each block comes back, and nothing is logged. Answers how
    /// many blocks were taken.
    fn passes(&self, jansson: &Path, suites: &[&str]) -> u64 {
        let reports = suites.iter().map(|suite| self.run(jansson, suite).1);
        reports.map(|report| self.taken(&report)).sum()
    }

    fn taken(&self, report: &str) -> u64 {
        let figures = |line: &str| {
            let line = line.strip_prefix("figures: ")?.strip_suffix(" given")?;
            let (taken, given) = line.split_once(" taken, ")?;
            assert_eq!(taken, given, "{}: a block did not come back", self.name);
            taken.parse::<u64>().ok()
        };
        let lines = report.lines().map(|line| {
            figures(line).unwrap_or_else(|| panic!("{}: the log has lines\n{report}", self.name))
        });
        lines.sum()
    }
}

/// What the pools are compared with.
#[test]
fn jansson_passes_its_tests_on_the_heap() {
    let Some(jansson) = jansson() else { return };
    let passed = SUITES.map(|suite| HEAP.run(jansson, suite).0);
    println!("{SUITES:?}: {passed:?}");
    assert_eq!(passed[0], files(&jansson.join("test/suites/api"), "c").len());
    assert!(passed.iter().sum::<usize>() > 100, "{passed:?}");
}

fn passes_with(name: &str, threading: &str, checks: Option<&str>) {
    let Some(jansson) = jansson() else { return };
    let lane = Lane { name, programs: "pools", threading, checks, ..HEAP };
    let taken = lane.passes(jansson, &SUITES);
    println!("{name}: {taken} blocks were taken and given");
    assert!(taken > 10_000, "{taken} blocks are not all that Jansson asks for");
}

#[test]
fn jansson_passes_its_tests_on_pools_for_one_owner() {
    passes_with("single", "single", None);
}

#[test]
fn jansson_passes_its_tests_on_pools_for_any_thread() {
    passes_with("safe", "safe", None);
}

#[test]
fn full_checks_find_no_fault_in_jansson_with_one_owner() {
    passes_with("single-full", "single", Some("full"));
}

#[test]
fn full_checks_find_no_fault_in_jansson_for_any_thread() {
    passes_with("safe-full", "safe", Some("full"));
}

/// Or the tests above would pass whatever is logged.
#[test]
fn a_line_in_the_log_is_seen() {
    let Some(jansson) = jansson() else { return };
    let lane = Lane { name: "guess", programs: "pools", checks: Some("guess"), ..HEAP };
    let (_, report) = lane.run(jansson, "encoding-flags");
    let logged = report.lines().find(|line| !line.starts_with("figures: "));
    assert!(logged.is_some_and(|line| line.contains("is not understood")), "{report}");
}

/// The programs that call Jansson; a process for each file would take minutes. Its script counts
/// every line of valgrind's as a failure, blocks that are still reachable too.
#[test]
fn valgrind_finds_no_fault_in_jansson_on_pools() {
    if tool::find("valgrind", "apt-get install valgrind").is_none() {
        return;
    }
    let Some(jansson) = jansson() else { return };
    for threading in ["single", "safe"] {
        let name = &format!("valgrind-{threading}");
        let lane = Lane { name, programs: "pools", threading, valgrind: true, ..HEAP };
        let taken = lane.passes(jansson, &["api"]);
        println!("{name}: {taken} blocks were taken and given");
        assert!(taken > 5_000, "{taken} blocks are not all that Jansson asks for");
    }
}
