//! What concerns the library as a whole: its version, its words, its log.

use core::ffi::{c_char, c_void};

use crate::base::error::{pool_status_t, sentence};
use crate::base::log;
use crate::pool::prepare_for_forks;

/// Level of a log line: the call failed, or a pool was misused.
pub const POOL_LOG_ERROR: i32 = 1;
/// Level of a log line: blocks leaked, a setting was not understood.
pub const POOL_LOG_WARN: i32 = 2;
/// Level of a log line: worth knowing in production.
pub const POOL_LOG_INFO: i32 = 3;
/// Level of a log line: pools created, destroyed, exhausted.
pub const POOL_LOG_DEBUG: i32 = 4;
/// Level of a log line: everything.
pub const POOL_LOG_TRACE: i32 = 5;

/// Receives log lines: `level` is POOL_LOG_*, `message` is UTF-8, without a newline, and valid
/// until the callback returns. It may be called from every thread that calls the library, also
/// at the same time, and may call the library itself. It must not throw: the program would end.
#[allow(non_camel_case_types, reason = "the name C sees")]
pub type pool_log_callback_t =
    Option<extern "C" fn(user_data: *mut c_void, level: i32, message: *const c_char)>;

const fn version_part(digits: &str) -> u32 {
    match u32::from_str_radix(digits, 10) {
        Ok(part) => part,
        Err(_) => panic!("a version of Cargo.toml is three numbers"),
    }
}

const VERSION: u32 = version_part(env!("CARGO_PKG_VERSION_MAJOR")) * 10_000
    + version_part(env!("CARGO_PKG_VERSION_MINOR")) * 100
    + version_part(env!("CARGO_PKG_VERSION_PATCH"));

/// The version of the library that runs: major x 10000 + minor x 100 + patch, as
/// POOL_VERSION_NUMBER is that of the header that was compiled.
///
/// Thread-safety: any thread.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn pool_version() -> u32 {
    VERSION
}

/// A sentence for a status, in English, without a full stop. Never NULL, also for a number that
/// is no status; static storage.
///
/// Thread-safety: any thread.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn pool_status_string(status: pool_status_t) -> *const c_char {
    sentence(status).as_ptr()
}

/// Sends log lines up to `max_level` (POOL_LOG_*; 0: none; larger than POOL_LOG_TRACE: all) to
/// `callback`, with `user_data`; NULL as callback: to standard error. Overrides MEMORY_POOL_LOG.
///
/// A callback that is replaced may still be running in another thread when this returns.
/// Thread-safety: any thread.
#[unsafe(no_mangle)]
pub extern "C" fn pool_set_log_callback(
    callback: pool_log_callback_t,
    user_data: *mut c_void,
    max_level: i32,
) {
    // Before there is a pool, this is where a fork may find the log's lock held.
    prepare_for_forks();
    log::redirect(callback, user_data, max_level);
}
