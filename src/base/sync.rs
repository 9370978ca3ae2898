//! The one door to atomics and locks.
//!
//! Every other file takes its atomics from here (tests/tidy.rs refuses them elsewhere), so that a
//! model checker can be put in their place by changing this file alone.

#![forbid(unsafe_code)]

pub(crate) use core::sync::atomic::{AtomicI32, AtomicPtr, AtomicUsize, Ordering};

pub(crate) use crate::host::lock::{Lock, lock};
