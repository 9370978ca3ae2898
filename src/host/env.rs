//! Environment variables, read without the heap.

use core::ffi::CStr;

/// Room for a setting; ours are single words.
const VALUE_BYTES: usize = 64;

/// What `read` makes of the variable `name`; `None` when it is unset or empty.
///
/// The value is copied before `read` sees it, because a `setenv` elsewhere may free it. A longer
/// value is cut: it is none of our words, cut or whole.
pub(crate) fn with<T>(name: &CStr, read: impl FnOnce(&str) -> T) -> Option<T> {
    // SAFETY: `name` ends in NUL; getenv answers NULL or a string that ends in NUL.
    let value = unsafe { libc::getenv(name.as_ptr()) };
    if value.is_null() {
        return None;
    }
    // SAFETY: just checked not to be NULL, so it is a string that ends in NUL.
    let bytes = unsafe { CStr::from_ptr(value) }.to_bytes();
    let mut copy = [0; VALUE_BYTES];
    let length = bytes.len().min(VALUE_BYTES);
    copy[..length].copy_from_slice(&bytes[..length]);
    match core::str::from_utf8(&copy[..length]) {
        Ok("") => None,
        Ok(text) => Some(read(text)),
        Err(_) => Some(read("(not UTF-8)")),
    }
}
