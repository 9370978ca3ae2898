//! The examples of c_examples: each is a file, or a folder whose main file has the folder's name,
//! and prints what stands beside it in the file `.expected`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::library::Library;
use crate::program::{Linkage, build_with, compiler};
use crate::root;

/// A program to copy from.
#[derive(Debug)]
pub struct Example {
    /// Also that of its CMake target.
    pub name: String,
    /// The file with `main`.
    main: PathBuf,
    /// The other files to compile.
    others: Vec<PathBuf>,
}

/// Every example, the demos too, by name; `memory_pool_demo` is there in C and in C++.
pub fn all() -> Vec<Example> {
    let folder = root().join("c_examples");
    let mut paths = sources(&folder);
    for entry in entries(&folder).into_iter().filter(|path| path.is_dir()) {
        let name = entry.file_name().expect("a folder has a name");
        paths.push(entry.join(name).with_extension("cpp"));
    }
    paths.sort();
    paths.into_iter().map(|main| Example::new(&folder, main)).collect()
}

impl Example {
    fn new(folder: &Path, main: PathBuf) -> Self {
        let name = main.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        let own_folder = main.parent().filter(|&parent| parent != folder);
        let mut others = own_folder.map(sources).unwrap_or_default();
        others.retain(|other| *other != main);
        Self { name, main, others }
    }

    /// Whether it is one of the first programs that a user meets, which other tests run too.
    pub fn is_demo(&self) -> bool {
        self.name == "memory_pool_demo"
    }

    /// Where the file with `main` lies below c_examples. A build of that folder leaves the program
    /// in the same place, without the extension.
    pub fn path(&self) -> &Path {
        self.main.strip_prefix(root().join("c_examples")).expect("it lies there")
    }

    /// What it prints, with words where [`masked`] puts them.
    pub fn expected(&self) -> String {
        let path = self.main.with_extension("expected");
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Compiles and links it; answers the program.
    pub fn build(&self, library: &Library, linkage: Linkage, folder: &Path) -> PathBuf {
        let mut compiler = compiler(&self.main);
        compiler.args(&self.others);
        build_with(compiler, &self.main, library, linkage, folder)
    }

    /// Runs a program that was made of it. Panics if it fails or prints something else.
    pub fn assert_prints_what_it_should(&self, program: &mut Command) {
        assert_eq!(masked(&crate::run(program)), self.expected(), "{program:?}");
    }
}

/// The text with the word ADDRESS for every address and TIME for every time, such as 12.3us; the
/// blanks before a time, which put it into a column, count as one. cmake/expect_output.cmake does
/// the same.
pub fn masked(text: &str) -> String {
    let mut masked = String::new();
    for line in text.split_inclusive('\n') {
        for word in line.split_inclusive([' ', '\n']) {
            let bare = word.trim_end();
            let end = &word[bare.len()..];
            if bare.starts_with("0x") {
                masked += "ADDRESS";
            } else if is_time(bare) {
                masked.truncate(masked.trim_end_matches(' ').len());
                masked += " TIME";
            } else {
                masked += bare;
            }
            masked += end;
        }
    }
    masked
}

fn is_time(word: &str) -> bool {
    let parts = word.strip_suffix("us").and_then(|number| number.split_once('.'));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    parts.is_some_and(|(whole, fraction)| digits(whole) && digits(fraction))
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is readable");
    entries.map(|entry| entry.expect("the entry is readable").path()).collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let is_source = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == "c" || extension == "cpp")
    };
    let mut sources = entries(folder);
    sources.retain(is_source);
    sources
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn addresses_and_times_differ_and_nothing_else_does() {
        assert_eq!(masked("a 0x7f00\nb   12.3us   4.0us\n"), "a ADDRESS\nb TIME TIME\n");
        assert_eq!(masked("1.us .5us 3us a1.5us 1.5 us  2\n"), "1.us .5us 3us a1.5us 1.5 us  2\n");
    }
}
