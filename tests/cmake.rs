//! memory_pool as a CMake or pkg-config user meets it: built, installed, moved, found, linked and
//! run, by projects that are not part of ours.

#[path = "consumers/fixture.rs"]
mod fixture;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use fixture::{Consumer, clean, contents, copy_source, needed, package, soname};
use testkit::{example, library, output, root, run, scratch, tool};

const VERSION: &str = env!("CARGO_PKG_VERSION");
const SONAME: &str = concat!(
    "libmemory_pool.so.",
    env!("CARGO_PKG_VERSION_MAJOR"),
    ".",
    env!("CARGO_PKG_VERSION_MINOR")
);
const C_WORKS: &str = concat!("C works with memory_pool ", env!("CARGO_PKG_VERSION"), "\n");
const CPP_WORKS: &str = concat!("C++ works with memory_pool ", env!("CARGO_PKG_VERSION"), "\n");

fn both_work() -> String {
    [C_WORKS, CPP_WORKS].concat()
}

/// The flag by which a project is told where the package is installed.
fn installed_in(prefix: &Path) -> String {
    format!("-DCMAKE_PREFIX_PATH={}", prefix.display())
}

/// Configuring must fail, and say `reason`; CMake breaks its messages into lines where it likes.
fn assert_refused(command: &mut Command, reason: &str) {
    let output = output(command);
    let said = String::from_utf8_lossy(&output.stderr);
    let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(!output.status.success(), "{command:?} succeeded");
    assert!(words.contains(reason), "not said: {reason}\n{said}");
}

/// A program or library of the shared kind: by its soname, and found by no path of the builder's.
fn assert_links_by_soname(program: &Path) {
    let needed = needed(program);
    assert!(needed.iter().any(|name| name == SONAME), "{}: {needed:?}", program.display());
    assert!(needed.iter().all(|name| !name.contains('/')), "{}: {needed:?}", program.display());
}

fn assert_is_the_demo(printed: &str) {
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 11, "{printed}");
    for (line, value) in lines[5..10].iter().zip([4, 3, 2, 1, 0]) {
        assert!(line.starts_with(&format!("Node value = {value} at 0x")), "{printed}");
    }
    assert_eq!(lines[10], "All nodes destroyed and deallocated back to the pool.");
}

#[test]
fn ctest_runs_every_program_with_both_libraries() {
    let Some(package) = package() else { return };
    let build = package.source.join("build");
    let listed = run(clean("ctest").arg("-N").current_dir(&build));
    for folder in ["c", "cpp"] {
        let sources = contents(&package.source.join("tests").join(folder)).into_keys();
        // A header there is part of several programs.
        for file in sources.filter(|file| file.extension().is_some_and(|e| e == folder)) {
            let name = file.file_stem().expect("a file has a name").to_string_lossy();
            for linkage in ["shared", "static"] {
                let test = format!(": {folder}/{name}.{linkage}\n");
                assert!(listed.contains(&test), "no test{test}{listed}");
            }
        }
    }
    for example in example::all().iter().filter(|example| !example.is_demo()) {
        for how in [".shared", ".static", ""] {
            let test = format!(": example/{}{how}\n", example.name);
            assert!(listed.contains(&test), "no test{test}{listed}");
        }
    }
    run(clean("ctest").args(["--output-on-failure", "--no-tests=error"]).current_dir(&build));
}

#[test]
fn a_top_build_leaves_the_demo_in_build_memory_pool() {
    let Some(package) = package() else { return };
    let folder = package.source.join("build/memory_pool");
    assert_is_the_demo(&run(&mut clean(folder.join("memory_pool_demo"))));
    assert_is_the_demo(&run(&mut clean(folder.join("memory_pool_demo_c"))));
}

#[test]
fn the_output_check_of_ctest_fails_on_other_output_and_on_other_exit_codes() {
    let Some(package) = package() else { return };
    let folder = scratch("cmake-expect-output");
    fs::write(folder.join("expected"), "at ADDRESS\n").expect("scratch is writable");
    let check = |script: &str| {
        let program = folder.join("program");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("scratch is writable");
        run(Command::new("chmod").arg("+x").arg(&program));
        let mut command = clean("cmake");
        command.args(["-DPROGRAM=./program", "-DEXPECTED=expected", "-P"]);
        command.arg(package.source.join("cmake/expect_output.cmake")).current_dir(&folder);
        command
    };
    run(&mut check("echo at 0x7f00"));
    assert_refused(&mut check("echo at 0x7f00; exit 3"), "ended with 3");
    assert_refused(&mut check("echo at 0x7f00; kill -SEGV $$"), "ended with");
    assert_refused(&mut check("echo at home"), "printed at home");
    fs::write(folder.join("expected"), "p50 TIME\n").expect("scratch is writable");
    run(&mut check("echo 'p50   12.5us'"));
    assert_refused(&mut check("echo 'p50   12.5 us'"), "printed p50 12.5 us");
}

/// Major and minor.
fn cmake_version() -> (u32, u32) {
    let text = run(clean("cmake").arg("--version"));
    let mut numbers = text.trim_start_matches("cmake version ").split('.');
    let mut next = || numbers.next().and_then(|number| number.parse().ok()).expect("a number");
    (next(), next())
}

#[test]
fn the_presets_test_with_make_and_with_ninja() {
    let Some(package) = package() else { return };
    if cmake_version() < (3, 25) {
        tool::skip(
            "SKIPPED the_presets_test_with_make_and_with_ninja: cmake is older than 3.25; \
             pip install cmake",
        );
        return;
    }
    let Some(_) = tool::find("ninja", "apt-get install ninja-build") else { return };
    for preset in ["test", "test-ninja"] {
        let mut workflow = clean("cmake");
        workflow.args(["--workflow", "--preset", preset]).current_dir(&package.source);
        let said = run(&mut workflow);
        assert!(said.contains("100% tests passed"), "{said}");
    }
}

#[test]
fn a_moved_package_is_found_with_and_without_version_and_components() {
    let Some(package) = package() else { return };
    let prefix = installed_in(&package.prefix);
    let consumer = Consumer::new("find_package", "find-package");
    for (wanted, linked) in [
        ("", "memory_pool::memory_pool"),
        ("0.1", "memory_pool_lib"),
        ("0.1.0;EXACT", "memory_pool::cpp"),
        ("COMPONENTS;shared;static", "memory_pool::static"),
        ("0.1;COMPONENTS;shared", "memory_pool::shared"),
    ] {
        let flags = [&prefix, &format!("-DWANTED={wanted}"), &format!("-DLINKED={linked}")];
        let flags = flags.map(String::as_str);
        assert_eq!(consumer.build_and_run(&flags, &["app_c", "app_cpp"]), both_work(), "{wanted}");
        let is_shared = needed(&consumer.program("app_c")).iter().any(|name| name == SONAME);
        assert_eq!(is_shared, linked == "memory_pool::shared", "{linked}");
    }
    assert_links_by_soname(&consumer.program("app_c"));
    assert_links_by_soname(&consumer.program("app_cpp"));
}

#[test]
fn build_shared_libs_decides_what_memory_pool_memory_pool_is() {
    let Some(package) = package() else { return };
    let prefix = installed_in(&package.prefix);
    let consumer = Consumer::new("c_only", "c-only");
    assert_eq!(consumer.build_and_run(&[&prefix, "-DBUILD_SHARED_LIBS=ON"], &["app_c"]), C_WORKS);
    assert_links_by_soname(&consumer.program("app_c"));
    assert_eq!(consumer.build_and_run(&[&prefix, "-DBUILD_SHARED_LIBS=OFF"], &["app_c"]), C_WORKS);
    assert!(!needed(&consumer.program("app_c")).iter().any(|name| name == SONAME));
}

#[test]
fn what_the_package_cannot_give_is_refused_with_the_reason() {
    let Some(package) = package() else { return };
    let consumer = Consumer::new("find_package", "refused");
    let asking = |prefix: &Path, wanted: &str| {
        let _ = fs::remove_dir_all(consumer.folder.join("build"));
        let flags = [&installed_in(prefix), &format!("-DWANTED={wanted}"), "-DLINKED=memory_pool"];
        consumer.configure(&flags)
    };
    let version = format!("version: {VERSION}");
    for wanted in ["0.2", "0.0", "0.1.1", "1.0", "9.9"] {
        assert_refused(&mut asking(&package.prefix, wanted), &version);
    }
    let reason = "There is no component sparkling: the components are shared and static.";
    assert_refused(&mut asking(&package.prefix, "COMPONENTS;shared;sparkling"), reason);

    let shared_only = consumer.folder.join("shared_only");
    run(Command::new("cp").arg("-a").arg(&package.prefix).arg(&shared_only));
    fs::remove_file(shared_only.join("lib/libmemory_pool.a")).expect("it was installed");
    let reason = "The static library is not installed in";
    assert_refused(&mut asking(&shared_only, "COMPONENTS;static"), reason);
}

#[test]
fn five_lines_of_cmake_make_a_program() {
    let Some(package) = package() else { return };
    let consumer = Consumer::new("five_lines", "five-lines");
    let lines = fs::read_to_string(consumer.folder.join("CMakeLists.txt")).expect("it is there");
    assert_eq!(lines.lines().count(), 5, "{lines}");
    assert_eq!(consumer.build_and_run(&[&installed_in(&package.prefix)], &["app"]), CPP_WORKS);
}

#[test]
fn the_examples_build_alone_with_the_installed_package() {
    let Some(package) = package() else { return };
    let examples = Consumer { folder: scratch("cmake-examples") };
    run(Command::new("cp").arg("-a").arg(root().join("c_examples/.")).arg(&examples.folder));
    let flags = [installed_in(&package.prefix)];
    let flags = flags.each_ref().map(String::as_str);
    assert_is_the_demo(&examples.build_and_run(&flags, &["memory_pool_demo"]));
    assert_is_the_demo(&examples.build_and_run(&flags, &["memory_pool_demo_c"]));
    for example in example::all() {
        let program = examples.folder.join("build").join(example.path().with_extension(""));
        example.assert_prints_what_it_should(&mut clean(program));
    }
}

#[test]
fn a_super_project_gets_the_demo_and_leaves_the_sources_alone() {
    let Some(_) = package() else { return };
    let consumer = Consumer::new("super_project", "super-project");
    let source = consumer.folder.join("memory_pool");
    copy_source(&source);
    let before = contents(&source);

    assert_eq!(consumer.build_and_run(&[], &["app_c", "app_cpp"]), both_work());
    assert_links_by_soname(&consumer.program("app_c"));
    assert_is_the_demo(&run(&mut clean(consumer.program("memory_pool/memory_pool_demo"))));
    assert!(contents(&source) == before, "the build wrote into its sources");
}

#[test]
fn fetch_content_from_a_folder_works_beside_a_target_called_common() {
    let Some(package) = package() else { return };
    let consumer = Consumer::new("fetch_content", "fetch-content");
    let source = format!("-DMEMORY_POOL_SOURCE={}", package.source.display());
    let flags = [source.as_str(), "-DBUILD_SHARED_LIBS=ON"];
    assert_eq!(consumer.build_and_run(&flags, &["app_c", "app_cpp"]), both_work());
    assert_links_by_soname(&consumer.program("app_c"));
    assert_links_by_soname(&consumer.program("app_cpp"));
}

/// The words that pkg-config answers about the package below `prefix`.
fn pkg_config(libdir: &Path, flags: &[&str]) -> Vec<String> {
    let mut command = clean("pkg-config");
    command.env("PKG_CONFIG_PATH", libdir.join("pkgconfig")).args(flags).arg("memory_pool");
    run(&mut command).split_whitespace().map(str::to_owned).collect()
}

/// Compiles main.c with plain `cc` and what pkg-config says; answers the program.
fn compile_with(folder: &Path, name: &str, flags: &[String]) -> PathBuf {
    let program = folder.join(name);
    let mut cc = Command::new("cc");
    cc.arg(root().join("tests/consumers/main.c")).args(flags).arg("-o").arg(&program);
    run(&mut cc);
    program
}

#[test]
fn pkg_config_serves_shared_and_static_programs() {
    let Some(package) = package() else { return };
    let Some(_) = tool::find("pkg-config", "apt-get install pkgconf") else { return };
    let folder = scratch("cmake-pkg-config");
    let libdir = package.prefix.join("lib");
    assert_eq!(pkg_config(&libdir, &["--modversion"]), [VERSION]);

    let flags = pkg_config(&libdir, &["--cflags", "--libs"]);
    let shared = compile_with(&folder, "shared", &flags);
    assert_links_by_soname(&shared);
    assert_eq!(run(clean(&shared).env("LD_LIBRARY_PATH", &libdir)), C_WORKS);

    let by_name = "--define-variable=library=:libmemory_pool.a";
    let flags = pkg_config(&libdir, &[by_name, "--static", "--cflags", "--libs"]);
    let archive = compile_with(&folder, "archive", &flags);
    assert!(!needed(&archive).iter().any(|name| name == SONAME));
    assert_eq!(run(&mut clean(&archive)), C_WORKS);

    let mut flags = pkg_config(&libdir, &["--static", "--cflags", "--libs"]);
    flags.push("-static".to_owned());
    let all_static = compile_with(&folder, "all_static", &flags);
    assert!(needed(&all_static).is_empty());
    assert_eq!(run(&mut clean(&all_static)), C_WORKS);
}

#[test]
fn pkg_config_and_cmake_name_the_same_system_libraries() {
    let text = fs::read_to_string(root().join("cmake/memory_pool.pc.in")).expect("it is there");
    let private = text.lines().find_map(|line| line.strip_prefix("Libs.private: "));
    let listed = private.expect("the .pc file has Libs.private").replace(' ', ";");
    let targets = root().join("cmake/memory_pool-targets.cmake");
    let targets = fs::read_to_string(targets).expect("it is there");
    assert!(targets.contains(&format!("INTERFACE_LINK_LIBRARIES \"{listed}\"")), "{listed}");
}

#[test]
fn a_staged_install_is_complete_and_tells_no_path() {
    let Some(package) = package() else { return };
    let stage = scratch("cmake-destdir");
    let mut install = clean("cmake");
    install.args(["--install", "build", "--prefix", "/usr"]).env("DESTDIR", &stage);
    run(install.current_dir(&package.source));

    let files = contents(&stage.join("usr"));
    let link = |name: &str| files.get(Path::new(name)).map(|to| String::from_utf8_lossy(to));
    let real_name = format!("libmemory_pool.so.{VERSION}");
    assert_eq!(link("lib/libmemory_pool.so").as_deref(), Some(SONAME));
    assert_eq!(link(&format!("lib/{SONAME}")).as_deref(), Some(real_name.as_str()));
    let library = stage.join("usr/lib").join(&real_name);
    assert!(library.is_file() && !library.is_symlink());
    assert_eq!(soname(&library).as_deref(), Some(SONAME));
    let script = format!("share/gdb/auto-load/usr/lib/{real_name}-gdb.py");
    let headers = ["include/memory_pool/pool.h", "include/common/logging.hpp"];
    for name in ["lib/libmemory_pool.a", &script].into_iter().chain(headers) {
        assert!(files.contains_key(Path::new(name)), "no {name} in {:?}", files.keys());
    }
    // The files that say where things are; a library may name its sources.
    for (name, text) in files.iter().filter(|(name, _)| {
        name.extension().is_some_and(|extension| extension == "cmake" || extension == "pc")
    }) {
        let text = String::from_utf8_lossy(text);
        for path in [root(), &package.first_prefix, &stage] {
            let path = path.to_string_lossy();
            assert!(!text.contains(path.as_ref()), "{} names {path}", name.display());
        }
    }
}

/// A folder with links to the tools that a CMake build needs, as the only PATH: without cargo.
fn path_without_cargo(folder: &Path) -> PathBuf {
    let bin = folder.join("bin");
    fs::create_dir_all(&bin).expect("scratch is writable");
    for name in ["cmake", "make", "cc", "c++", "as", "ld", "ar", "ranlib", "sh", "uname"] {
        let tool = tool::find(name, "apt-get install build-essential cmake").expect("looked up");
        std::os::unix::fs::symlink(tool, bin.join(name)).expect("scratch is writable");
    }
    bin
}

#[test]
fn without_cargo_a_prebuilt_library_does_and_nothing_else_is_said_clearly() {
    let Some(package) = package() else { return };
    let folder = scratch("cmake-without-cargo");
    let bin = path_without_cargo(&folder);
    let cmake = |arguments: &[&str]| {
        let mut command = clean("cmake");
        command.env("PATH", &bin).env("HOME", &folder).env_remove("CARGO_HOME");
        command.args(arguments).current_dir(&folder);
        command
    };
    let source = package.source.to_str().expect("a plain path");
    let mut configure = cmake(&["-S", source, "-B", "build"]);
    assert_refused(&mut configure, "memory_pool: no cargo here, and the library is written in");
    // What cargo alone makes has no soname.
    let by_cargo = library::release().folder();
    let wrong = format!("-DMEMORY_POOL_PREBUILT_DIR={}", by_cargo.display());
    let reason = format!("but there is no libmemory_pool.so.{VERSION} in it");
    assert_refused(configure.arg(wrong), &reason);

    let prebuilt = format!("-DMEMORY_POOL_PREBUILT_DIR={}/lib", package.prefix.display());
    let deep = "-DCMAKE_INSTALL_LIBDIR=lib/x86_64-linux-gnu";
    run(configure.args([&prebuilt, "-DMEMORY_POOL_BUILD_TESTS=OFF", deep]));
    run(&mut cmake(&["--build", "build"]));
    run(&mut cmake(&["--install", "build", "--prefix", "deep"]));
    assert_is_the_demo(&run(&mut clean(folder.join("build/memory_pool/memory_pool_demo"))));

    // The deeper library folder is no obstacle to either way of finding the package.
    let consumer = Consumer::new("c_only", "without-cargo-consumer");
    let prefix = installed_in(&folder.join("deep"));
    assert_eq!(consumer.build_and_run(&[&prefix, "-DBUILD_SHARED_LIBS=ON"], &["app_c"]), C_WORKS);
    let Some(_) = tool::find("pkg-config", "apt-get install pkgconf") else { return };
    let libdir = folder.join("deep/lib/x86_64-linux-gnu");
    let program = compile_with(&folder, "app", &pkg_config(&libdir, &["--cflags", "--libs"]));
    assert_eq!(run(clean(program).env("LD_LIBRARY_PATH", &libdir)), C_WORKS);
}

#[test]
fn only_cmake_gives_the_library_a_versioned_soname() {
    assert_eq!(soname(&library::release().shared), None);
    let Some(package) = package() else { return };
    assert_eq!(soname(&package.prefix.join("lib/libmemory_pool.so")).as_deref(), Some(SONAME));
}
