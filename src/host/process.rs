//! The process: its standard error, its end, and what keeps a panic inside the library.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Ends the program at once, for a debugger or a core dump to look at.
pub(crate) fn abort() -> ! {
    std::process::abort()
}

/// What `body` answers; `None`: it panicked.
pub(crate) fn without_panic<T>(body: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(body)).ok()
}

pub(crate) fn write_to_stderr(mut bytes: &[u8]) {
    while !bytes.is_empty() {
        // SAFETY: the slice is readable for its length.
        let written = unsafe { libc::write(2, bytes.as_ptr().cast(), bytes.len()) };
        // A closed or full standard error is no reason to fail.
        let Ok(written @ 1..) = usize::try_from(written) else { return };
        bytes = &bytes[written.min(bytes.len())..];
    }
}

/// Calls `before` in the thread that is about to fork, `after` in it, and `copied` in its copy.
pub(crate) fn at_fork(before: extern "C" fn(), after: extern "C" fn(), copied: extern "C" fn()) {
    // SAFETY: the functions stay as long as the library does, and it takes them with it.
    let _ = unsafe { libc::pthread_atfork(Some(before), Some(after), Some(copied)) };
}
