//! The one place where the library speaks: creation, destruction, refusal, misuse, leaks.
//!
//! ```text
//!   log!(Level::Warn, …) ── above the level? ─► nothing: one load and one compare
//!           │
//!           └─► a line on the stack ─► the callback, or one write(2) to standard error
//! ```
//!
//! Nothing here takes memory from the heap: who reports that memory is gone must not need any.
//! Silent below WARN until `MEMORY_POOL_LOG` or `pool_set_log_callback` says otherwise.

use core::ffi::{CStr, c_char, c_void};
use core::fmt::{self, Write};

use crate::base::hook::Hook;
use crate::base::sync::{AtomicI32, Lock, Ordering, RawLock, lock};
use crate::host::{env, process};

/// How grave a line is; the numbers are `POOL_LOG_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
pub(crate) enum Level {
    Off = 0,
    Error = 1,
    Warn = 2,
    Info = 3,
    Debug = 4,
    Trace = 5,
}

const LEVELS: [(Level, &str); 6] = [
    (Level::Off, "off"),
    (Level::Error, "error"),
    (Level::Warn, "warn"),
    (Level::Info, "info"),
    (Level::Debug, "debug"),
    (Level::Trace, "trace"),
];

/// What a callback looks like to the library.
pub(crate) type Callback = extern "C" fn(*mut c_void, i32, *const c_char);

/// Where lines go; `None`: to standard error. A signal handler may log through a lock-free pool, so
/// a line never waits for whoever it interrupted.
static SINK: Hook<Callback> = Hook::new();

/// Who changes the sink holds this.
static CHANGING: Lock<()> = Lock::new(());

const NOT_READ_YET: i32 = -1;
static MAX_LEVEL: AtomicI32 = AtomicI32::new(NOT_READ_YET);

/// Whether a line of this level goes anywhere.
#[inline]
pub(crate) fn enabled(level: Level) -> bool {
    // Relaxed: the level guards no other data; a line more or less at the change is no matter.
    match MAX_LEVEL.load(Ordering::Relaxed) {
        NOT_READ_YET => level as i32 <= read_level(),
        max_level => level as i32 <= max_level,
    }
}

#[cold]
fn read_level() -> i32 {
    let wanted = env::with(c"MEMORY_POOL_LOG", |value| {
        LEVELS.iter().find(|(_, name)| value.eq_ignore_ascii_case(name)).map(|&(level, _)| level)
    });
    let level = wanted.flatten().unwrap_or(Level::Warn) as i32;
    // Relaxed: as in `enabled`. An exchange, so that a level set meanwhile by call wins.
    let first =
        MAX_LEVEL.compare_exchange(NOT_READ_YET, level, Ordering::Relaxed, Ordering::Relaxed);
    if wanted == Some(None) && first.is_ok() {
        line(
            Level::Warn,
            format_args!(
                "MEMORY_POOL_LOG is not understood and counts as warn; \
                 say off, error, warn, info, debug or trace"
            ),
        );
    }
    first.err().unwrap_or(level)
}

/// Sends lines up to `max_level` to `callback`, or to standard error when it is `None`.
pub(crate) fn redirect(callback: Option<Callback>, user_data: *mut c_void, max_level: i32) {
    SINK.set(callback, user_data, &lock(&CHANGING));
    let max_level = max_level.clamp(Level::Off as i32, Level::Trace as i32);
    // Relaxed: as in `enabled`; the sink hands itself over.
    MAX_LEVEL.store(max_level, Ordering::Relaxed);
}

/// The lock of the sink, for a fork.
pub(crate) fn raw_lock() -> &'static RawLock {
    CHANGING.raw()
}

/// Writes one line. Call it through [`log!`], which asks [`enabled`] first.
pub(crate) fn line(level: Level, message: fmt::Arguments<'_>) {
    if let Some((callback, user_data)) = SINK.get() {
        let mut line = Line::new();
        line.push(message);
        callback(user_data, level as i32, line.as_c_str().as_ptr());
    } else {
        line_to_stderr(level, message);
    }
}

/// The same, whoever wants to have the lines: in the middle of a program that is stopped.
pub(crate) fn line_to_stderr(level: Level, message: fmt::Arguments<'_>) {
    let mut line = Line::new();
    line.push(format_args!("memory_pool: {}: {message}", LEVELS[level as usize].1));
    line.end();
    process::write_to_stderr(line.as_c_str().to_bytes());
}

/// What writes a line.
pub(crate) type Say = fn(Level, fmt::Arguments<'_>);

macro_rules! log {
    ($level:expr, $($message:tt)+) => {
        if $crate::base::log::enabled($level) {
            $crate::base::log::line($level, format_args!($($message)+));
        }
    };
}
pub(crate) use log;

/// A line that is being written, on the stack; what does not fit is cut and marked "...".
pub(crate) struct Line {
    bytes: [u8; Self::BYTES],
    length: usize,
}

impl Line {
    const BYTES: usize = 512;
    /// Kept free for "...", a newline and the NUL.
    const RESERVE: usize = 5;

    pub(crate) fn new() -> Self {
        Self { bytes: [0; Self::BYTES], length: 0 }
    }

    pub(crate) fn push(&mut self, message: fmt::Arguments<'_>) {
        if self.write_fmt(message).is_err() {
            self.append(b"...");
        }
    }

    fn end(&mut self) {
        self.append(b"\n");
    }

    /// For what `RESERVE` has room for.
    fn append(&mut self, bytes: &[u8]) {
        for (to, from) in self.bytes[self.length..].iter_mut().zip(bytes) {
            *to = *from;
            self.length += 1;
        }
    }

    pub(crate) fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or(c"")
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = Self::BYTES - Self::RESERVE - self.length;
        let fits = text.floor_char_boundary(room.min(text.len()));
        // A NUL would end the line for its reader: nothing that we write holds one.
        self.append(&text.as_bytes()[..fits]);
        if fits == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_is_cut_at_a_character_and_marked() {
        let mut line = Line::new();
        line.push(format_args!("{}", "ä".repeat(400)));
        line.end();
        let text = line.as_c_str().to_str().expect("still UTF-8");
        assert!(text.ends_with("ä...\n"), "{text}");
        assert!(text.len() < Line::BYTES);
    }

    #[test]
    fn levels_stand_at_the_index_of_their_number() {
        for (index, (level, _)) in LEVELS.iter().enumerate() {
            assert_eq!(*level as usize, index);
        }
    }
}
