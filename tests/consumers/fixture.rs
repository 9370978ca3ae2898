//! What the tests of the CMake side share: a copy of the sources that is built and installed once,
//! and other people's projects against it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use testkit::{root, run, scratch, tool};

/// The repository, built as a top project and installed.
pub(crate) struct Package {
    /// A copy of the repository's files; its build/ is the build.
    pub(crate) source: PathBuf,
    /// The installed files, in another place than CMake installed them to.
    pub(crate) prefix: PathBuf,
    /// What the install wrote down as its place, and must be in no file.
    pub(crate) first_prefix: PathBuf,
}

/// The package, made once. `None` where there is no CMake, after a line that says so.
pub(crate) fn package() -> Option<&'static Package> {
    static PACKAGE: OnceLock<Package> = OnceLock::new();
    tool::find("cmake", "apt-get install cmake")?;
    Some(PACKAGE.get_or_init(make_package))
}

fn make_package() -> Package {
    let folder = scratch("cmake-package");
    let source = folder.join("source");
    let (first_prefix, prefix) = (folder.join("first"), folder.join("moved"));
    copy_source(&source);
    let prefix_flag = format!("-DCMAKE_INSTALL_PREFIX={}", first_prefix.display());
    run(clean("cmake").args(["-B", "build", &prefix_flag]).current_dir(&source));
    run(clean("cmake").args(["--build", "build", "--parallel", "2"]).current_dir(&source));
    run(clean("cmake").args(["--install", "build"]).current_dir(&source));
    fs::rename(&first_prefix, &prefix).expect("both lie in one folder");
    Package { source, prefix, first_prefix }
}

/// A command without what cargo, or a user's shell, tells programs about where libraries are.
pub(crate) fn clean(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    for name in ["LD_LIBRARY_PATH", "PKG_CONFIG_PATH", "CMAKE_PREFIX_PATH", "CMAKE_GENERATOR"] {
        command.env_remove(name);
    }
    for name in ["DESTDIR", "BUILD_SHARED_LIBS", "memory_pool_DIR", "MAKEFLAGS"] {
        command.env_remove(name);
    }
    command
}

/// Copies what a clone would hold, and files that are not committed yet.
pub(crate) fn copy_source(to: &Path) {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    for name in run(git.current_dir(root())).split_terminator('\0') {
        let from = root().join(name);
        if from.is_file() {
            copy(&from, &to.join(name));
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().expect("a file lies in a folder")).expect("scratch is writable");
    fs::copy(from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
}

/// Every file below a folder with its content; of a link, where it points.
pub(crate) fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("the folder is there") {
            let path = entry.expect("the folder is readable").path();
            let name = path.strip_prefix(folder).expect("it lies below").to_path_buf();
            if path.is_symlink() {
                let target = fs::read_link(&path).expect("it is a link");
                found.insert(name, target.into_os_string().into_encoded_bytes());
            } else if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(name, fs::read(&path).expect("the file is readable"));
            }
        }
    }
    found
}

/// One of the projects of tests/consumers in a folder of its own, with the programs of all.
pub(crate) struct Consumer {
    /// Where it lies; its build/ is the build.
    pub(crate) folder: PathBuf,
}

impl Consumer {
    /// `test` names the folder.
    pub(crate) fn new(project: &str, test: &str) -> Self {
        let folder = scratch(&format!("cmake-{test}"));
        let consumers = root().join("tests/consumers");
        for name in contents(&consumers.join(project)).keys() {
            copy(&consumers.join(project).join(name), &folder.join(name));
        }
        for name in ["main.c", "main.cpp"] {
            copy(&consumers.join(name), &folder.join(name));
        }
        Self { folder }
    }

    /// The command that configures it, with flags such as -DNAME=VALUE.
    pub(crate) fn configure(&self, flags: &[&str]) -> Command {
        let mut command = clean("cmake");
        command.args(["-B", "build"]).args(flags).current_dir(&self.folder);
        command
    }

    /// Configures, builds, and runs each of `programs`; answers what they printed.
    pub(crate) fn build_and_run(&self, flags: &[&str], programs: &[&str]) -> String {
        run(&mut self.configure(flags));
        let mut build = clean("cmake");
        run(build.args(["--build", "build", "--parallel", "2"]).current_dir(&self.folder));
        programs.iter().map(|name| run(&mut clean(self.program(name)))).collect()
    }

    /// A program that it has built.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join("build").join(name)
    }
}

/// The libraries that a program or library asks the loader for.
pub(crate) fn needed(file: &Path) -> Vec<String> {
    dynamic_entries(file, "(NEEDED)")
}

/// The name that a shared library gives itself, if any.
pub(crate) fn soname(file: &Path) -> Option<String> {
    dynamic_entries(file, "(SONAME)").pop()
}

fn dynamic_entries(file: &Path, kind: &str) -> Vec<String> {
    let text = run(Command::new("readelf").arg("-d").arg(file).env("LC_ALL", "C"));
    let lines = text.lines().filter(|line| line.contains(kind));
    let value = |line: &str| Some(line.rsplit_once('[')?.1.trim_end().trim_end_matches(']').into());
    lines.filter_map(value).collect()
}
