//! What C sees of a report. The pool fills it in and the door shows it, so it stands below both.

use core::ffi::{c_char, c_void};

use crate::base::error::pool_status_t;

/// What a pool reports to the callback of pool_set_report_callback. All that it points to is valid
/// until the callback returns.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[allow(non_camel_case_types, reason = "the name C sees")]
pub struct pool_report_t {
    /// Bytes of this struct as the library knows it; a later version may have more.
    pub struct_size: usize,
    /// What is wrong: POOL_ERR_*.
    pub status: pool_status_t,
    /// The name of the pool; UTF-8.
    pub pool_name: *const c_char,
    /// The pointer that was passed, any bits; of a leak, the first live block; NULL where no one
    /// block is known.
    pub block: *mut c_void,
    /// What happened and what to do next, as in the log, in UTF-8 and without a newline.
    pub message: *const c_char,
}

/// Receives reports. It may be called from every thread that calls the pool, also at the same
/// time, and may call the library itself, up to destroying the pool. It must not throw: the program
/// would end.
#[allow(non_camel_case_types, reason = "the name C sees")]
pub type pool_report_callback_t =
    Option<extern "C" fn(user_data: *mut c_void, report: *const pool_report_t)>;

/// The same where there is one.
pub(crate) type ReportCallback = extern "C" fn(*mut c_void, *const pool_report_t);
