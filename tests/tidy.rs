//! The house rules that a machine can check. A rule that fails here names the file and line.

use std::fs;
use std::path::{Path, PathBuf};

/// The layers, lowest first. A file may use what stands in lower lines only; folders of one line
/// are neighbours and know nothing of each other.
const LAYERS: [&[&str]; 7] = [
    &["host", "bare"],
    &["base"],
    &["layout"],
    &["source", "freelist"],
    &["span", "cache", "checks", "inspect"],
    &["pool"],
    &["capi"],
];

const LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;
const COLUMNS_MAX: usize = 100;

struct File {
    path: PathBuf,
    text: String,
}

impl File {
    fn has_extension(&self, extensions: &[&str]) -> bool {
        self.path.extension().is_some_and(|e| extensions.iter().any(|&one| e == one))
    }

    fn starts_with(&self, folder: &str) -> bool {
        self.path.starts_with(folder)
    }

    /// The lines with a complaint when `bad` says so.
    fn complain(&self, complaints: &mut Vec<String>, what: &str, bad: impl Fn(&str) -> bool) {
        for (number, line) in self.text.lines().enumerate().filter(|(_, line)| bad(line)) {
            let path = self.path.display();
            complaints.push(format!("{path}:{}: {what}: {}", number + 1, line.trim()));
        }
    }
}

/// Every file that is ours to write by hand.
fn files() -> Vec<File> {
    let mut paths = vec![];
    let tops =
        ["src", "tests", "benches", "testkit", "include", "c_examples", "cmake", "docs", "gdb"];
    for top in tops {
        walk(Path::new(top), &mut paths);
    }
    paths.extend(fs::read_dir(".").expect("the root").map(|e| e.expect("readable").path()));
    paths.retain(|path| path.is_file());
    let known = ["rs", "c", "h", "cpp", "hpp", "cmake", "txt", "md", "toml", "py", "in", "json"];
    paths
        .into_iter()
        .map(|path| path.strip_prefix("./").map_or(path.clone(), Path::to_path_buf))
        .filter(|path| path.extension().is_some_and(|e| known.iter().any(|&one| e == one)))
        .filter(|path| !path.ends_with("Cargo.lock"))
        .map(|path| File { text: fs::read_to_string(&path).expect("UTF-8"), path })
        .collect()
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("readable").path();
        if path.is_dir() { walk(&path, paths) } else { paths.push(path) }
    }
}

fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// The folder below src that a file lies in.
fn layer_folder(file: &File) -> Option<String> {
    let inside = file.path.strip_prefix("src").ok()?;
    let folder = inside.parent()?.components().next()?;
    Some(folder.as_os_str().to_string_lossy().into_owned())
}

fn step(folder: &str) -> usize {
    LAYERS
        .iter()
        .position(|layer| layer.contains(&folder))
        .unwrap_or_else(|| panic!("src/{folder} stands in no layer; add it to LAYERS"))
}

#[test]
fn imports_point_down() {
    let mut complaints = vec![];
    for file in files().iter().filter(|file| file.starts_with("src")) {
        let Some(folder) = layer_folder(file) else { continue };
        file.complain(&mut complaints, "climbs out of its folder", |line| {
            line.contains("super::super::")
        });
        file.complain(&mut complaints, "imports sideways or up", |line| {
            line.split("crate::").skip(1).any(|rest| {
                let used: String = rest.chars().take_while(char::is_ascii_lowercase).collect();
                used != folder && step(&used) >= step(&folder)
            })
        });
    }
    none(complaints);
}

#[test]
fn every_file_opens_with_its_idea() {
    let mut complaints = vec![];
    for file in files() {
        let head = file.text.lines().next().unwrap_or("");
        let is_one = match file.path.extension().and_then(|e| e.to_str()) {
            Some("rs") => head.starts_with("//! "),
            Some("hpp" | "cpp") => head.starts_with("// "),
            Some("c" | "h") => head.starts_with("/*"),
            Some("md") => head.starts_with("# "),
            Some("py") => head.starts_with("\"\"\"") || head.starts_with("#!"),
            Some("cmake") => head.starts_with("# "),
            _ => true,
        };
        if !is_one {
            complaints.push(format!("{}: says nothing of itself: {head}", file.path.display()));
        }
    }
    none(complaints);
}

#[test]
fn files_functions_and_lines_are_short() {
    let mut complaints = vec![];
    for file in files().iter().filter(|file| file.has_extension(&["rs", "hpp", "cpp", "c", "py"])) {
        let lines = file.text.lines().count();
        if lines > LINES_MAX {
            complaints.push(format!("{}: {lines} lines", file.path.display()));
        }
        file.complain(&mut complaints, "is too wide", |line| line.chars().count() > COLUMNS_MAX);
        long_functions(file, &mut complaints);
    }
    none(complaints);
}

/// In C and C++ a function begins on a line with a parenthesis that opens a brace.
fn starts_a_function(file: &File, line: &str) -> bool {
    let code = line.trim_start();
    if file.has_extension(&["rs"]) {
        return code.contains("fn ") && !code.starts_with("//");
    }
    let is_control = ["if ", "for ", "while ", "switch ", "} else"].iter();
    line.ends_with('{') && code.contains('(') && !is_control.clone().any(|w| code.starts_with(w))
}

/// A function ends at the brace that stands as far left as its first line.
fn long_functions(file: &File, complaints: &mut Vec<String>) {
    let mut open: Option<(usize, usize, &str)> = None;
    for (number, line) in file.text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let starts = starts_a_function(file, line);
        match open {
            None if starts && !line.trim_end().ends_with(';') => {
                open = Some((number, indent, line))
            }
            Some((first, left, name)) if line.trim_end() == format!("{}}}", " ".repeat(left)) => {
                if number - first >= FUNCTION_LINES_MAX {
                    complaints.push(format!(
                        "{}:{}: {} lines: {name}",
                        file.path.display(),
                        first + 1,
                        number - first + 1
                    ));
                }
                open = None;
            }
            Some((_, left, _)) if starts && indent <= left => open = Some((number, indent, line)),
            _ => {}
        }
    }
}

#[test]
fn nothing_is_left_over() {
    // Put together at run time, so that this file does not complain of itself.
    let words = ["TODO", "FIXME", "XXX", "dbg!", "todo!", "unimplemented!", "#[ignore"];
    let mut complaints = vec![];
    for file in files().iter().filter(|file| !file.path.ends_with("tidy.rs")) {
        file.complain(&mut complaints, "is left over", |line| {
            words.iter().any(|word| line.contains(word)) || line.ends_with([' ', '\t'])
        });
    }
    none(complaints);
}

#[test]
fn atomics_come_from_one_place() {
    let mut complaints = vec![];
    for file in files().iter().filter(|file| file.starts_with("src")) {
        // What lies below sync.rs can't ask it.
        let doors = ["base/sync", "bare/lock", "bare/sleep", "host/barrier", "host/os"];
        let below = ["host/fault", "host/sleep", "host/thread", "host/tsan", "host/watcher"];
        let doors = doors.iter().chain(&below);
        if !doors.clone().any(|door| file.path.ends_with(format!("src/{door}.rs"))) {
            file.complain(&mut complaints, "take it from base/sync.rs", |line| {
                ["core::sync", "std::sync"].iter().any(|word| line.contains(word))
            });
        }
    }
    none(complaints);
}

#[test]
fn pure_layers_hold_no_unsafe_code() {
    let mut complaints = vec![];
    for file in files().iter().filter(|file| file.starts_with("src/layout")) {
        let is_list = file.path.ends_with("mod.rs");
        if !is_list && !file.text.contains("#![forbid(unsafe_code)]") {
            complaints.push(format!("{}: must forbid unsafe_code", file.path.display()));
        }
    }
    none(complaints);
}

#[test]
fn variants_are_types_and_not_conditional_code() {
    // Whether there is a system below, where a thread's word lies, how a processor is made to stop.
    let allowed = ["src/lib.rs", "src/host/mod.rs", "src/bare/process.rs"];
    let mut complaints = vec![];
    for file in files().iter().filter(|file| file.starts_with("src")) {
        if allowed.iter().any(|path| file.path.ends_with(path)) {
            continue;
        }
        file.complain(&mut complaints, "chooses by cfg", |line| {
            let code = line.trim_start();
            let words = ["cfg(", "cfg!(", "cfg_attr(", "cfg_select!"];
            let chooses = words.iter().any(|word| code.contains(word));
            chooses && !code.starts_with("//") && !code.starts_with("#[cfg(test)]")
        });
    }
    none(complaints);
}

#[test]
fn symbols_are_exported_by_capi_alone_and_say_who_may_call() {
    let mut complaints = vec![];
    for file in files().iter().filter(|file| file.starts_with("src")) {
        if layer_folder(file).as_deref() != Some("capi") {
            file.complain(&mut complaints, "exports a symbol", |line| {
                let words = ["no_mangle", "export_name", "link_section"];
                words.iter().any(|word| line.contains(word))
            });
            continue;
        }
        let pieces: Vec<&str> = file.text.split("#[unsafe(no_mangle)]").collect();
        for before in &pieces[..pieces.len() - 1] {
            let comment: Vec<_> =
                before.lines().rev().take_while(|line| line.starts_with("///")).collect();
            if !comment.iter().any(|line| line.starts_with("/// Thread-safety: ")) {
                complaints.push(format!("{}: no Thread-safety: {comment:?}", file.path.display()));
            }
        }
    }
    none(complaints);
}

#[test]
fn orderings_name_their_partner_or_say_why_there_is_none() {
    let mut complaints = vec![];
    for file in files().iter().filter(|file| file.starts_with("src")) {
        let lines: Vec<&str> = file.text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let ordering = ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"]
                .into_iter()
                .find(|name| line.contains(&format!("Ordering::{name}")));
            let Some(ordering) = ordering else { continue };
            let above = &lines[number.saturating_sub(6)..number];
            if !above.iter().any(|line| line.contains("//") && line.contains(ordering)) {
                complaints.push(format!("{}:{}: {line}", file.path.display(), number + 1));
            }
        }
    }
    none(complaints);
}
