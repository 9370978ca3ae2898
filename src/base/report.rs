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
    /// The number of the block, from 0; SIZE_MAX where no one block is known.
    pub index: usize,
    /// Bytes from the start of the block to what is wrong; below 0: before it.
    pub offset: isize,
    /// Who allocated the block last, if the pool's checks keep that (POOL_CHECKS_FULL); NULL: not
    /// known.
    pub allocated: *const pool_site_t,
    /// Who deallocated it last, likewise.
    pub deallocated: *const pool_site_t,
    /// Where this was found; NULL: not known.
    pub here: *const pool_site_t,
}

/// Where and when something was done to a block.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[allow(non_camel_case_types, reason = "the name C sees")]
pub struct pool_site_t {
    /// The stack as return addresses, the innermost first; the first are the library's own.
    pub frames: *const *const c_void,
    /// How many there are.
    pub frame_count: usize,
    /// The thread, as the system numbers it.
    pub thread: i64,
    /// The number of the operation among all of the pool, from 1; 0: none, it is where a report was
    /// made.
    pub sequence: u64,
    /// When, in nanoseconds of the monotonic clock.
    pub nanoseconds: u64,
}

/// Receives reports. It may be called from every thread that calls the pool, also at the same
/// time, and may call the library itself, up to destroying the pool. It must not throw: the program
/// would end.
#[allow(non_camel_case_types, reason = "the name C sees")]
pub type pool_report_callback_t =
    Option<extern "C" fn(user_data: *mut c_void, report: *const pool_report_t)>;

/// The same where there is one.
pub(crate) type ReportCallback = extern "C" fn(*mut c_void, *const pool_report_t);
