//! Atomics under the names that the library asks for, before each use of which shuttle may let
//! another thread run.
//!
//! Shuttle's own are larger than their values, and a magazine is cast from zeroed bytes.

use std::sync::atomic::AtomicUsize as Count;
use std::time::Duration;

pub(crate) use std::sync::atomic::Ordering;

/// A moment at which another thread may run: that is all that sleep is to shuttle.
fn turn() {
    shuttle::thread::sleep(Duration::ZERO);
}

macro_rules! atomics {
    ($($name:ident: $value:ty;)*) => { $(
        #[repr(transparent)]
        #[derive(Debug)]
        pub(crate) struct $name(std::sync::atomic::$name);

        #[allow(dead_code, reason = "not each is used in every way")]
        impl $name {
            pub(crate) const fn new(value: $value) -> Self {
                Self(std::sync::atomic::$name::new(value))
            }

            pub(crate) fn load(&self, order: Ordering) -> $value {
                turn();
                self.0.load(order)
            }

            pub(crate) fn store(&self, value: $value, order: Ordering) {
                turn();
                self.0.store(value, order);
            }

            pub(crate) fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                turn();
                self.0.compare_exchange(current, new, success, failure)
            }

            /// # Safety
            /// * A value of this kind is there for as long as the answer is used.
            pub(crate) unsafe fn from_ptr<'a>(pointer: *mut $value) -> &'a Self {
                // SAFETY: by this function's contract.
                unsafe { &*pointer.cast() }
            }
        }
    )* };
}

atomics! {
    AtomicU8: u8;
    AtomicU32: u32;
    AtomicUsize: usize;
}

/// As the library's, but that the checker sees what it does.
pub(crate) unsafe fn read_alone(word: &AtomicU32) -> u32 {
    word.load(Ordering::Relaxed)
}

pub(crate) unsafe fn write_alone(word: &AtomicU32, value: u32) {
    word.store(value, Ordering::Relaxed);
}

pub(crate) mod barrier {
    //! Shuttle knows no order but the sequential one, so that fences have nothing to do.

    use super::{Count, Ordering};

    /// How often somebody reached into the magazines of others.
    pub(crate) static HEAVY: Count = Count::new(0);

    pub(crate) fn light() {}

    pub(crate) fn heavy() -> bool {
        super::turn();
        HEAVY.fetch_add(1, Ordering::Relaxed);
        true
    }
}
