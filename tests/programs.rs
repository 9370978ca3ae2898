//! Runs every C program of tests/c, every C++ program of tests/cpp and every example with the
//! shared and with the static library.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use testkit::library::{self, Library};
use testkit::program::{
    LINKAGES, Linkage, SYSTEM_LIBRARIES, build, build_with, compile, compiler, compiler_at,
};
use testkit::{example, tool};

fn sources(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(testkit::root().join(folder)).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("a readable folder").path());
    let mut sources: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|e| e == extension)).collect();
    sources.sort();
    sources
}

/// A program before it is linked, which takes most of the time, and is the same for every library.
struct Program {
    source: PathBuf,
    object: PathBuf,
}

impl Program {
    fn new(source: PathBuf, folder: &Path) -> Self {
        let object = compile(compiler(&source), &source, folder);
        Self { source, object }
    }

    /// Answers what it prints.
    fn run_with(&self, library: &Library, linkage: Linkage, folder: &Path) -> String {
        let compiler = compiler(&self.source);
        let program = build_with(compiler, &self.object, library, linkage, folder);
        testkit::run(&mut Command::new(program))
    }
}

fn programs(folder: &str, extension: &str) -> Vec<Program> {
    let scratch = testkit::scratch(&format!("{}-objects", folder.replace('/', "-")));
    let sources = sources(folder, extension);
    assert!(!sources.is_empty(), "no program in {folder}");
    sources.into_iter().map(|source| Program::new(source, &scratch)).collect()
}

/// Those of tests/c, for two tests.
fn c_programs() -> &'static [Program] {
    static PROGRAMS: OnceLock<Vec<Program>> = OnceLock::new();
    PROGRAMS.get_or_init(|| programs("tests/c", "c"))
}

/// Programs that can't run under a tool, which lives in the same process.
const NOT_WATCHED: [&str; 11] = [
    "arenas",          // limits its memory, which is the tool's as well
    "buffer_alone",    // forbids what a tool needs
    "failing",         // makes calls of the heap fail, which are the tool's own
    "fork",            // forks while other threads hold locks, which may be the tool's
    "fork_busy",       // as above
    "fork_first",      // as above
    "fork_waiting",    // as above
    "guarded",         // guards blocks, which a tool's own marks do, and forks
    "inline",          // clears MEMORY_POOL_CHECKS, and damages free blocks, which is reported
    "limits",          // limits its memory
    "no_system_calls", // forbids what a tool needs
];
/// Locks memory, and the address sanitizer makes mlock do nothing.
const LOCKS_MEMORY: &str = "residency";
/// Limits its memory, as above.
const CPP_NOT_WATCHED: [&str; 1] = ["memory_resource_limits"];

/// Leaves pools as they are, so that the tool sees what they do elsewhere as well; the marks of
/// blocks are tests/watched.rs's matter.
const UNWATCHED: (&str, &str) = ("MEMORY_POOL_CHECKS", "unwatched");

/// The programs that a tool can watch.
fn watched(folder: &str, extension: &str, these: &[&str]) -> Vec<PathBuf> {
    let mut programs = sources(folder, extension);
    let count = programs.len();
    programs.retain(|source| these.iter().all(|name| source.file_stem() != Some(name.as_ref())));
    assert_eq!(programs.len(), count - these.len(), "{these:?} are not all there");
    programs
}

fn pass_with_both_libraries(programs: &[Program], scratch: &str) {
    let scratch = testkit::scratch(scratch);
    for program in programs {
        for linkage in LINKAGES {
            program.run_with(library::release(), linkage, &scratch);
        }
    }
}

#[test]
fn every_c_program_passes() {
    pass_with_both_libraries(c_programs(), "tests-c");
}

#[test]
fn every_cpp_program_passes() {
    pass_with_both_libraries(&programs("tests/cpp", "cpp"), "tests-cpp");
}

/// The demos are run by tests/readme.rs.
#[test]
fn every_example_prints_what_it_should() {
    let scratch = testkit::scratch("examples");
    for example in example::all().iter().filter(|example| !example.is_demo()) {
        for linkage in LINKAGES {
            let program = example.build(library::release(), linkage, &scratch);
            example.assert_prints_what_it_should(&mut Command::new(program));
        }
    }
}

/// What a caller can see of the sizes is no matter of how the library was built.
#[test]
fn debug_and_release_agree_on_every_size() {
    let scratch = testkit::scratch("sizes");
    let source = testkit::root().join("tests/agree/sizes.c");
    let [debug, release] = [library::debug(), library::release()].map(|library| {
        testkit::run(&mut Command::new(build(&source, library, LINKAGES[1], &scratch)))
    });
    assert!(release.lines().count() > 500, "{release}");
    assert_eq!(debug, release);
}

/// The words that inlined calls work on are part of the ABI: whoever was compiled with the headers
/// of an earlier release finds them, or is told that there are none.
#[test]
fn programs_of_earlier_headers_run_with_this_library() {
    let scratch = testkit::scratch("earlier-headers");
    let folder = testkit::root().join("tests/abi");
    let releases = std::fs::read_dir(folder).expect("the folder is there");
    let mut count = 0;
    for release in releases.map(|entry| entry.expect("readable").path()) {
        let source = release.join("program.c");
        for library in [library::release(), library::debug()] {
            testkit::run(&mut Command::new(build(&source, library, Linkage::Shared, &scratch)));
        }
        count += 1;
    }
    assert!(count > 0, "no headers were kept");
}

/// The programs again on a debug build, whose assertions are on.
#[test]
fn every_c_program_passes_with_the_debug_library() {
    let scratch = testkit::scratch("tests-c-debug");
    for program in c_programs() {
        program.run_with(library::debug(), Linkage::Static, &scratch);
    }
}

/// The stress of tests/c at full length, which is twenty times what the other tests do, once.
#[test]
fn twenty_million_operations_at_random_lose_no_block() {
    let scratch = testkit::scratch("tests-c-stress");
    let source = testkit::root().join("tests/c/stress.c");
    let mut compiler = compiler(&source);
    compiler.arg("-DOPERATIONS=20000000");
    let program = build_with(compiler, &source, library::release(), Linkage::Static, &scratch);
    testkit::run(&mut Command::new(program));
}

/// The programs, instrumented, around the plain library: what they read and write is sound.
#[test]
fn every_c_program_passes_under_the_sanitizers_of_the_compiler() {
    let scratch = testkit::scratch("tests-c-sanitized");
    for source in watched("tests/c", "c", &[&NOT_WATCHED[..], &[LOCKS_MEMORY]].concat()) {
        passes_sanitized(compiler(&source), &source, &scratch);
    }
}

fn passes_sanitized(mut compiler: Command, source: &Path, folder: &Path) {
    let program = folder.join(source.file_stem().expect("a source file has a name"));
    compiler.args(["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
    compiler.arg(source).arg(&library::release().archive).args(SYSTEM_LIBRARIES);
    testkit::run(compiler.arg("-o").arg(&program));
    testkit::run(Command::new(program).env(UNWATCHED.0, UNWATCHED.1));
}

/// The same for C++, with either compiler: what the headers do is compiled into the program.
fn every_cpp_program_passes_under_the_sanitizers_of(name: &str, how_to_get: &str) {
    let Some(path) = tool::find(name, how_to_get) else { return };
    let scratch = testkit::scratch(&format!("tests-cpp-sanitized-{name}"));
    for source in watched("tests/cpp", "cpp", &CPP_NOT_WATCHED) {
        passes_sanitized(compiler_at(&path, &source), &source, &scratch);
    }
}

#[test]
fn every_cpp_program_passes_under_the_sanitizers_of_gcc() {
    every_cpp_program_passes_under_the_sanitizers_of("g++", "apt-get install g++");
}

#[test]
fn every_cpp_program_passes_under_the_sanitizers_of_clang() {
    let how_to_get = "apt-get install clang libclang-rt-dev";
    every_cpp_program_passes_under_the_sanitizers_of("clang++", how_to_get);
}

/// Valgrind sees what the library itself reads and writes. It runs one thread at a time and each
/// slowly, so programs of many threads do less.
#[test]
fn every_c_program_passes_under_valgrind() {
    let Some(valgrind) = tool::find("valgrind", "apt-get install valgrind") else { return };
    let scratch = testkit::scratch("tests-c-valgrind");
    for source in watched("tests/c", "c", &NOT_WATCHED) {
        let mut compiler = compiler(&source);
        compiler.arg("-DTHREADS_FEWER=10");
        let program = build_with(compiler, &source, library::release(), Linkage::Shared, &scratch);
        let mut command = Command::new(&valgrind);
        command.args(["--quiet", "--error-exitcode=9", "--leak-check=full"]);
        testkit::run(command.arg(program).env(UNWATCHED.0, UNWATCHED.1));
    }
}
