//! The one door to atomics and locks.
//!
//! Every other file takes its atomics from here (tests/tidy.rs refuses them elsewhere), so that a
//! model checker can be put in their place by changing this file alone.

#![forbid(unsafe_code)]

pub(crate) use core::sync::atomic::{AtomicI32, AtomicPtr, AtomicUsize, Ordering};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks `mutex` also when a thread panicked while it held it.
///
/// What our locks guard is changed in single steps that leave it whole, so a poisoned lock tells us
/// nothing; refusing it would turn one reported failure into failures for ever.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) type Lock<T> = Mutex<T>;
