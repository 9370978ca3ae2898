//! A lock that puts its waiters to sleep: the system's own, so that the tools that watch threads
//! see it too.

use core::cell::UnsafeCell;

const ATTEMPTS: usize = 100;

/// Can be moved while nobody has locked it.
pub(crate) struct RawLock(UnsafeCell<libc::pthread_mutex_t>);

// SAFETY: the functions of a mutex are made for any thread.
unsafe impl Send for RawLock {}
// SAFETY: as above.
unsafe impl Sync for RawLock {}

impl RawLock {
    pub(crate) const fn new() -> Self {
        Self(UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER))
    }

    /// Held for a moment only, so that a short wait awake is most often enough.
    pub(crate) fn lock(&self) {
        for _ in 0..ATTEMPTS {
            // SAFETY: as below.
            if unsafe { libc::pthread_mutex_trylock(self.0.get()) } == 0 {
                return;
            }
            core::hint::spin_loop();
        }
        // SAFETY: an initialised mutex. It can only fail for kinds of mutex that this is not.
        unsafe { libc::pthread_mutex_lock(self.0.get()) };
    }

    /// # Safety
    /// * This thread locked it, or the thread that forked it did.
    pub(crate) unsafe fn unlock(&self) {
        // SAFETY: locked by this thread, by this function's contract.
        unsafe { libc::pthread_mutex_unlock(self.0.get()) };
    }
}
