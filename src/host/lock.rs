//! A lock that puts its waiters to sleep.

#![forbid(unsafe_code)]

use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) type Lock<T> = Mutex<T>;

/// Locks `mutex` also when a thread panicked while it held it.
///
/// What our locks guard is changed in single steps that leave it whole, so a poisoned lock tells us
/// nothing; refusing it would turn one reported failure into failures for ever.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
