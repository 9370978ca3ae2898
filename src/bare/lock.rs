//! A lock that spins. Ours are held for a few instructions, when a pool is created or destroyed
//! and when a line is logged; an interrupt handler must do neither.
//!
//! K1. `value` is reached only through a guard, and there is one guard at a time.

use core::cell::UnsafeCell;
use core::hint::spin_loop;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicBool, Ordering};

pub(crate) struct Lock<T> {
    held: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: K1; the value moves from holder to holder.
unsafe impl<T: Send> Sync for Lock<T> {}

pub(crate) struct Guard<'a, T>(&'a Lock<T>);

impl<T> Lock<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { held: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }
}

pub(crate) fn lock<T>(lock: &Lock<T>) -> Guard<'_, T> {
    // Acquire: pairs with the Release in `Guard::drop`, so that this holder sees what the last one
    // wrote. Relaxed: who finds it held reads nothing.
    while lock
        .held
        .compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed)
        .is_err()
    {
        spin_loop();
    }
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
        // Release: pairs with the Acquire in `lock`.
        self.0.held.store(false, Ordering::Release);
    }
}
