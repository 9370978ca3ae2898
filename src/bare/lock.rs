//! A lock that spins. Ours are held for a few instructions, when a pool is created or destroyed
//! and when a line is logged, and for each call by the pools of `POOL_THREADS_SAFE`; an interrupt
//! handler must do none of that.

use core::hint::spin_loop;
use core::sync::atomic::{AtomicBool, Ordering};

pub(crate) struct RawLock(AtomicBool);

impl RawLock {
    pub(crate) const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    pub(crate) fn lock(&self) {
        // Acquire: pairs with the Release in `unlock`, so that this holder sees what the last one
        // wrote. Relaxed: who finds it held reads nothing.
        while self
            .0
            .compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            spin_loop();
        }
    }

    /// # Safety
    /// * Its caller locked it.
    pub(crate) unsafe fn unlock(&self) {
        // Release: pairs with the Acquire in `lock`.
        self.0.store(false, Ordering::Release);
    }
}
