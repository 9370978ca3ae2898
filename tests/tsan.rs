//! Programs of many threads under the thread sanitizers of gcc and clang: around the library as it
//! is, where they see its locks and what is done with its blocks, and around one in which they see
//! every access. A report is a failure; none is suppressed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use testkit::program::{LINKAGES, Linkage, SYSTEM_LIBRARIES, build_with, compiler_at};
use testkit::{library, tool};

const PROGRAMS: [&str; 12] = [
    "cache_races",
    "cache_threads",
    "exact_capacity",
    "fail_after_threads",
    "late_threads",
    "short_threads",
    "stress",
    "thread_exit",
    "threads",
    "threads_calls",
    "threads_pools",
    "wait_races",
];

const CPP_PROGRAMS: [&str; 3] = ["concurrent_memory_pool", "object_pool_threads", "thread_exit"];

/// The compilers that have a thread sanitizer which works on this machine.
fn compilers() -> Vec<PathBuf> {
    compilers_of("c", [("gcc", "apt-get install gcc"), ("clang", "apt-get install clang")])
}

/// The same for the language of an extension.
fn compilers_of(extension: &str, names: [(&str, &str); 2]) -> Vec<PathBuf> {
    let found = names.iter().filter_map(|(name, how)| tool::find(name, how));
    found.filter(|path| has_a_sanitizer(path, extension)).collect()
}

fn has_a_sanitizer(path: &Path, extension: &str) -> bool {
    let name = path.file_name().expect("a compiler has a name").to_string_lossy();
    let test = std::thread::current().name().unwrap_or("?").to_owned();
    let folder = testkit::scratch(&format!("tsan-{name}-{test}"));
    let source = folder.join("nothing").with_extension(extension);
    let program = folder.join("nothing");
    fs::write(&source, "int main() { return 0; }\n").expect("target is writable");
    let built = testkit::output(sanitizing(path, &source).arg(&source).arg("-o").arg(&program));
    let works = built.status.success() && testkit::output(&mut run(&program)).status.success();
    if !works {
        tool::skip(&format!(
            "SKIPPED {test}: {name} has no thread sanitizer that works here; \
             apt-get install libclang-rt-dev gcc, sysctl vm.mmap_rnd_bits=28"
        ));
    }
    works
}

fn sanitizing(path: &Path, source: &Path) -> Command {
    let mut compiler = compiler_at(path, source);
    compiler.args(["-g", "-fsanitize=thread", "-DTHREADS_FEWER=20"]);
    compiler
}

fn run(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("TSAN_OPTIONS", "halt_on_error=1");
    command
}

fn source(name: &str) -> PathBuf {
    testkit::root().join("tests").join(name).with_extension("c")
}

/// A program with a library given by its archive, and more to link with.
fn build_around(archive: &Path, mut compiler: Command, source: &Path, program: &Path) {
    compiler.arg(source).arg(self::source("tsan/newer_names")).arg(archive);
    testkit::run(compiler.args(SYSTEM_LIBRARIES).arg("-o").arg(program));
}

/// Hides the sanitizer from the library, which then tells it nothing. Only gcc's stays whole: it is
/// a shared library, and keeps its own dlsym.
fn hide(compiler: &Path, command: &mut Command) -> bool {
    let can_hide = compiler.ends_with("gcc");
    if can_hide {
        command.arg("-Wl,--wrap=dlsym").arg(source("tsan/without_annotations"));
    }
    can_hide
}

/// A program around the library that is watched inside. What it tells the sanitizer would stand in
/// for an order that is missing, so that is hidden where it can be.
fn build_around_watched(compiler: &Path, mut command: Command, source: &Path, program: &Path) {
    hide(compiler, &mut command);
    build_around(library::thread_sanitized(), command, source, program);
}

#[test]
fn programs_of_threads_are_clean_around_the_plain_library() {
    let scratch = testkit::scratch("tsan-plain");
    for compiler in compilers() {
        for source in PROGRAMS.map(|name| source(&format!("c/{name}"))) {
            for linkage in LINKAGES {
                let command = sanitizing(&compiler, &source);
                let program = build_with(command, &source, library::release(), linkage, &scratch);
                testkit::run(&mut run(&program));
            }
        }
    }
}

#[test]
fn cpp_programs_of_threads_are_clean_around_the_plain_library() {
    let scratch = testkit::scratch("tsan-cpp");
    let names = [("g++", "apt-get install g++"), ("clang++", "apt-get install clang")];
    for compiler in compilers_of("cpp", names) {
        for name in CPP_PROGRAMS {
            let source = testkit::root().join("tests/cpp").join(name).with_extension("cpp");
            let command = sanitizing(&compiler, &source);
            let library = library::release();
            let program = build_with(command, &source, library, Linkage::Static, &scratch);
            testkit::run(&mut run(&program));
        }
    }
}

#[test]
fn programs_of_threads_are_clean_around_a_library_that_is_watched_inside() {
    let program = testkit::scratch("tsan-inside").join("program");
    for compiler in compilers() {
        for source in PROGRAMS.map(|name| source(&format!("c/{name}"))) {
            let command = sanitizing(&compiler, &source);
            build_around_watched(&compiler, command, &source, &program);
            testkit::run(&mut run(&program));
        }
    }
}

/// A million pairs for each of the four threads; MEMORY_POOL_CROSSING_PAIRS says otherwise.
#[test]
fn millions_of_blocks_cross_threads_without_a_report() {
    let program = testkit::scratch("tsan-crossing").join("crossing");
    let source = source("tsan/crossing");
    let Some(compiler) = compilers().into_iter().next() else { return };
    let pairs = std::env::var("MEMORY_POOL_CROSSING_PAIRS").unwrap_or("1000000".to_owned());
    let mut command = sanitizing(&compiler, &source);
    command.arg(format!("-DPAIRS={pairs}"));
    build_around_watched(&compiler, command, &source, &program);
    testkit::run(&mut run(&program));
}

/// Around the plain library, whose own order the sanitizer can't see, there is something to report
/// when it is told nothing.
#[test]
fn a_library_that_tells_the_sanitizer_nothing_is_reported() {
    let program = testkit::scratch("tsan-without-annotations").join("program");
    for compiler in compilers() {
        let source = source("c/threads");
        let mut command = sanitizing(&compiler, &source);
        if !hide(&compiler, &mut command) {
            continue;
        }
        build_around(&library::release().archive, command, &source, &program);
        let Output { status, stderr, .. } = testkit::output(&mut run(&program));
        let stderr = String::from_utf8_lossy(&stderr);
        assert!(!status.success() && stderr.contains("data race"), "{stderr}");
    }
}
