//! The one door to atomics and locks.
//!
//! Every other file takes its atomics from here (tests/tidy.rs refuses them elsewhere), so that a
//! model checker can be put in their place by changing this file alone.
//!
//! K1. The value of a lock is reached only through its guard, and there is one guard at a time.

use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};

pub(crate) use core::sync::atomic::{
    AtomicI32, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicUsize, Ordering, fence,
};

pub(crate) use crate::host::barrier;
pub(crate) use crate::host::lock::RawLock;

/// Reads a word that only this thread uses now, as plain memory: of that, compilers read and write
/// several words at once.
///
/// # Safety
/// * No other thread reads or writes it meanwhile.
#[inline(always)]
pub(crate) unsafe fn read_alone(word: &AtomicU32) -> u32 {
    // SAFETY: by this function's contract.
    unsafe { word.as_ptr().read() }
}

/// # Safety
/// * As above.
#[inline(always)]
pub(crate) unsafe fn write_alone(word: &AtomicU32, value: u32) {
    // SAFETY: by this function's contract.
    unsafe { word.as_ptr().write(value) };
}

/// Half a word.
pub(crate) type AtomicHalf = <Word<{ usize::BITS }> as Halved>::Half;

pub(crate) struct Word<const BITS: u32>;

pub(crate) trait Halved {
    type Half;
}

impl Halved for Word<64> {
    type Half = AtomicU32;
}

impl Halved for Word<32> {
    type Half = AtomicU16;
}

/// A value, and the lock that guards it. A panic while it is held leaves it usable: what our locks
/// guard is changed in single steps that leave it whole.
pub(crate) struct Lock<T> {
    raw: RawLock,
    value: UnsafeCell<T>,
}

// SAFETY: K1; the value moves from holder to holder.
unsafe impl<T: Send> Sync for Lock<T> {}

pub(crate) struct Guard<'a, T>(&'a Lock<T>);

impl<T> Lock<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { raw: RawLock::new(), value: UnsafeCell::new(value) }
    }

    /// The lock without its value, for a fork.
    pub(crate) fn raw(&self) -> &RawLock {
        &self.raw
    }
}

pub(crate) fn lock<T>(lock: &Lock<T>) -> Guard<'_, T> {
    lock.raw.lock();
    Guard(lock)
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: K1.
        unsafe { &*self.0.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: K1.
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        // SAFETY: a guard exists only while its lock is held.
        unsafe { self.0.raw.unlock() };
    }
}
