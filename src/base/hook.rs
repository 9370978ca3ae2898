//! A function of the caller's and the word that goes with it, which are changed as one and read
//! without waiting: a signal handler may read them, also one that interrupts who changes them.
//!
//! ```text
//!   version  │ 6 │ ── the last bit says which pair is in force; a change goes to the other one
//!   pairs    │ function, user_data │ function, user_data │
//! ```
//!
//! F1. A function in a pair is null or one that `set` put there.

use core::ffi::c_void;
use core::marker::PhantomData;
use core::{mem, ptr};

use crate::base::sync::{AtomicPtr, AtomicUsize, Guard, Ordering};

struct Pair {
    function: AtomicPtr<c_void>,
    user_data: AtomicPtr<c_void>,
}

/// A place for a function of type `F`, a function pointer, and its `user_data`.
pub(crate) struct Hook<F> {
    version: AtomicUsize,
    pairs: [Pair; 2],
    function: PhantomData<F>,
}

impl<F: Copy> Hook<F> {
    /// A function pointer has the size of a pointer, and null is none.
    const IS_FUNCTION: () = assert!(size_of::<Option<F>>() == size_of::<*mut c_void>());

    pub(crate) const fn new() -> Self {
        Self {
            version: AtomicUsize::new(0),
            pairs: [const {
                Pair {
                    function: AtomicPtr::new(ptr::null_mut()),
                    user_data: AtomicPtr::new(ptr::null_mut()),
                }
            }; 2],
            function: PhantomData,
        }
    }

    /// One thread at a time: who changes a hook holds a lock.
    pub(crate) fn set<T>(&self, function: Option<F>, user_data: *mut c_void, _: &Guard<'_, T>) {
        let () = Self::IS_FUNCTION;
        // SAFETY: of the same size; null stands for `None`.
        let function = unsafe { mem::transmute_copy::<Option<F>, *mut c_void>(&function) };
        // Relaxed: changed under a lock.
        let version = self.version.load(Ordering::Relaxed).wrapping_add(1);
        let pair = &self.pairs[version % 2];
        // Release, both: pair with the Acquires in `get`: who reads these values while that pair is
        // not in force finds that the version has changed since.
        pair.function.store(function, Ordering::Release);
        pair.user_data.store(user_data, Ordering::Release);
        // Release: pairs with the Acquire in `get`: who reads this version reads these values.
        self.version.store(version, Ordering::Release);
    }

    pub(crate) fn get(&self) -> Option<(F, *mut c_void)> {
        loop {
            // Acquire: pairs with the last Release in `set`.
            let version = self.version.load(Ordering::Acquire);
            let pair = &self.pairs[version % 2];
            // Acquire, both: pair with the Releases in `set`, and stay before the load below.
            let function = pair.function.load(Ordering::Acquire);
            let user_data = pair.user_data.load(Ordering::Acquire);
            // Relaxed: behind the Acquires above.
            if self.version.load(Ordering::Relaxed) == version {
                // SAFETY: F1, and of the same size (`IS_FUNCTION`, in `set`).
                let function = unsafe { mem::transmute_copy::<_, Option<F>>(&function) };
                return function.map(|function| (function, user_data));
            }
        }
    }
}
