//! What stands at an address of code: the function, the file and the line.
//!
//! ```text
//!   address ─► dladdr: which file is loaded there, and how far into it
//!           ─► addr2line -e FILE: the function and the line, if there is debug information
//! ```
//!
//! The second step starts a program, as the sanitizers do. It is taken when a report is written and
//! never before; where there is no such program, or the process has more rights than its user, the
//! file and the distance are the answer, which the program tells apart later.

use core::ffi::{CStr, c_void};
use std::process::{Command, Stdio};
use std::string::String;
use std::vec::Vec;

/// What is known of an address.
pub(crate) struct Frame<'name> {
    /// The file of the program or library; empty: not known.
    pub(crate) module: &'name str,
    /// How far into it.
    pub(crate) offset: usize,
    /// The function; empty: not known.
    pub(crate) function: &'name str,
    /// File and line; empty: not known.
    pub(crate) line: &'name str,
    /// Whether it is this library's own file, and that is not the program itself.
    pub(crate) is_own: bool,
}

/// Tells of return addresses, of functions that were inlined too, the innermost first.
pub(crate) fn describe(frames: &[usize], mut each: impl FnMut(&Frame<'_>)) {
    for symbol in of(frames) {
        let Symbol { module, offset, function, line, is_own } = &symbol;
        each(&Frame { module, offset: *offset, function, line, is_own: *is_own });
    }
}

#[derive(Clone, Debug, Default)]
struct Symbol {
    module: String,
    offset: usize,
    function: String,
    line: String,
    is_own: bool,
}

fn of(frames: &[usize]) -> Vec<Symbol> {
    let places: Vec<_> = frames.iter().map(|&frame| place(frame)).collect();
    let mut symbols = Vec::new();
    let mut rest = &places[..];
    while let Some(first) = rest.first() {
        // One run of the program for all that follow each other in a file.
        let same = rest.iter().take_while(|one| one.module == first.module).count();
        symbols.extend(lines_of(&rest[..same]));
        rest = &rest[same..];
    }
    symbols
}

/// The file and the distance. A return address is of the call before it.
fn place(frame: usize) -> Symbol {
    let address = frame - 1;
    let Some((file, base, function)) = module(address) else {
        return Symbol { offset: address, ..Symbol::default() };
    };
    let own = module(place as *const c_void as usize).map(|(_, base, _)| base);
    let main = main_base();
    Symbol {
        module: if file.contains('/') { file } else { "/proc/self/exe".into() },
        offset: if is_at_fixed_address(base) { address } else { address - base },
        function,
        line: String::new(),
        is_own: own == Some(base) && own != main,
    }
}

/// The file that is loaded at an address, where it begins, and the function if it is exported.
fn module(address: usize) -> Option<(String, usize, String)> {
    let mut info = libc::Dl_info {
        dli_fname: core::ptr::null(),
        dli_fbase: core::ptr::null_mut(),
        dli_sname: core::ptr::null(),
        dli_saddr: core::ptr::null_mut(),
    };
    let pointer = core::ptr::without_provenance::<c_void>(address);
    // SAFETY: an address, which is not read, and a place for the answer.
    if unsafe { libc::dladdr(pointer, &raw mut info) } == 0 || info.dli_fname.is_null() {
        return None;
    }
    let text = |name: *const libc::c_char| match name.is_null() {
        true => String::new(),
        // SAFETY: not null, so a string of the loader's.
        false => unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned(),
    };
    Some((text(info.dli_fname), info.dli_fbase.addr(), text(info.dli_sname)))
}

/// Where the program itself begins.
fn main_base() -> Option<usize> {
    // SAFETY: asks for a number.
    let entry = unsafe { libc::getauxval(libc::AT_ENTRY) } as usize;
    module(entry).map(|(_, base, _)| base)
}

/// Whether the file is made for the address where it is loaded, so that its own tables name
/// addresses, not distances.
fn is_at_fixed_address(base: usize) -> bool {
    const TYPE_AT: usize = 16;
    const EXECUTABLE: u16 = 2;
    let header = core::ptr::with_exposed_provenance::<u16>(base + TYPE_AT);
    // SAFETY: the loader keeps the header of each file at its base.
    unsafe { header.read_unaligned() == EXECUTABLE }
}

/// The same with functions and lines, where they can be had.
fn lines_of(places: &[Symbol]) -> Vec<Symbol> {
    let Some(text) = ask(places) else { return places.to_vec() };
    let mut symbols: Vec<Symbol> = Vec::new();
    let mut lines = text.lines();
    let mut next = places.iter();
    let mut current = None;
    while let Some(line) = lines.next() {
        // An address begins the answer for the next place.
        if line.starts_with("0x") {
            current = next.next();
            continue;
        }
        let (Some(place), Some(at)) = (current, lines.next()) else { continue };
        let known = |text: &str| !text.starts_with("??");
        let function = if known(line) { line.into() } else { place.function.clone() };
        let at = at.split(" (").next().unwrap_or(at);
        let line = if known(at) && !at.ends_with(":?") { at.into() } else { String::new() };
        symbols.push(Symbol { function, line, ..place.clone() });
    }
    if symbols.is_empty() { places.to_vec() } else { symbols }
}

fn ask(places: &[Symbol]) -> Option<String> {
    // SAFETY: asks for a number.
    let has_more_rights = unsafe { libc::getauxval(libc::AT_SECURE) } != 0;
    let module = places.first().filter(|_| !has_more_rights)?.module.as_str();
    let module = if module.is_empty() { return None } else { module };
    let file =
        if module == "/proc/self/exe" { std::fs::read_link(module).ok()? } else { module.into() };
    let path = std::env::var_os("PATH")?;
    let mut command = Command::new("addr2line");
    // What this program was started with, such as LD_PRELOAD, is not meant for that one.
    command.env_clear().env("PATH", path).arg("-afiCe").arg(file);
    command.args(places.iter().map(|place| std::format!("{:#x}", place.offset)));
    let answer = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    answer.status.success().then(|| String::from_utf8_lossy(&answer.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stack;

    #[test]
    fn a_frame_of_this_test_is_found_by_its_function() {
        let frames = frames_of_this_test();
        let symbols = of(&frames);
        let found = symbols.iter().find(|one| one.function.contains("frames_of_this_test"));
        let found = found.expect("addr2line is at hand where tests are run");
        // A release build need not have lines.
        debug_assert!(found.line.contains("symbols.rs:"), "{found:?}");
    }

    #[inline(never)]
    fn frames_of_this_test() -> Vec<usize> {
        let mut frames = [0; 16];
        let depth = stack::capture(&mut frames);
        frames[..depth].to_vec()
    }

    #[test]
    fn an_address_of_no_file_is_no_more_than_a_number() {
        let symbols = of(&[17]);
        assert_eq!((symbols.len(), symbols[0].offset), (1, 16));
        assert_eq!((symbols[0].module.as_str(), symbols[0].line.as_str()), ("", ""));
    }
}
