//! C and C++ programs that link the library as a user's program does.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::library::Library;
use crate::root;

/// How a program takes the library in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linkage {
    /// libmemory_pool.so, found through a run-time search path.
    Shared,
    /// libmemory_pool.a
    Static,
}

/// Both ways, for tests that try each.
pub const LINKAGES: [Linkage; 2] = [Linkage::Shared, Linkage::Static];

/// What the static library needs beside itself; the same words as `Libs.private` in
/// cmake/memory_pool.pc.in, compared with rustc's own list in tests/symbols.rs.
pub const SYSTEM_LIBRARIES: [&str; 3] = ["-lpthread", "-ldl", "-lm"];

/// The compiler that the cc crate chooses: $CC or cc for C, $CXX or c++ for C++. C is compiled as
/// C11, C++ as C++20, with every warning an error.
pub fn compiler(source: &Path) -> Command {
    configured(&mut cc::Build::new(), source)
}

/// The same with a compiler that the caller chooses.
pub fn compiler_at(path: &Path, source: &Path) -> Command {
    configured(cc::Build::new().compiler(path), source)
}

fn configured(build: &mut cc::Build, source: &Path) -> Command {
    let cpp = source.extension().is_some_and(|extension| extension == "cpp");
    build.cpp(cpp).std(if cpp { "c++20" } else { "c11" });
    let target = env!("TESTKIT_TARGET");
    build.target(target).host(target).opt_level(2).out_dir(root().join("target"));
    build.cargo_metadata(false);
    let mut command = build.get_compiler().to_command();
    command.args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-pthread"]);
    command.arg("-I").arg(root().join("include"));
    command
}

/// Compiles and links one source file; answers the program.
pub fn build(source: &Path, library: &Library, linkage: Linkage, folder: &Path) -> PathBuf {
    build_with(compiler(source), source, library, linkage, folder)
}

/// Compiles one source file for more than one library; answers the object, which [`build_with`]
/// links as it does a source.
pub fn compile(mut command: Command, source: &Path, folder: &Path) -> PathBuf {
    let name = source.file_name().expect("a source file has a name");
    let object = folder.join(name).with_extension("o");
    crate::run(command.arg("-c").arg(source).arg("-o").arg(&object));
    object
}

/// As [`build`], with a compiler and flags of the caller's.
pub fn build_with(
    mut command: Command,
    source: &Path,
    library: &Library,
    linkage: Linkage,
    folder: &Path,
) -> PathBuf {
    let name = source.file_stem().expect("a source file has a name");
    let program = folder.join(format!("{}-{linkage:?}", name.to_string_lossy()).to_lowercase());
    command.arg(source).arg("-o").arg(&program);
    match linkage {
        Linkage::Shared => {
            command.arg(&library.shared);
            command.arg(format!("-Wl,-rpath,{}", library.folder().display()));
        }
        Linkage::Static => {
            command.arg(&library.archive).args(SYSTEM_LIBRARIES);
        }
    }
    crate::run(&mut command);
    program
}
