//! Layer 0 without an operating system: stands in for `src/host` where the feature `std` is off.
//!
//! The names are those of `src/host`. What it has is a lock that spins and an end that traps; for
//! the rest the answer is that there is none, and the layers above already know that answer: pools
//! live in buffers of their callers, and log lines go to the callback or nowhere.
//!
//! Whoever links this gives it `memcpy`, `memmove`, `memset` and `memcmp`, as every compiler asks
//! of every freestanding program.

pub(crate) mod address_set;
pub(crate) mod heap;
pub(crate) mod lock;
pub(crate) mod os;
pub(crate) mod process;
pub(crate) mod sleep;

#[path = "../host/probe_none.rs"]
pub(crate) mod probe;

#[path = "../host/debugger_none.rs"]
mod debugger;
pub(crate) use debugger::*;

/// Whether there is an operating system to have memory from.
pub(crate) const HAS_SYSTEM: bool = false;

/// How many pools can live in buffers of their callers at a time; a power of two.
pub(crate) const BUFFER_POOLS_MAX: usize = 32;

/// Environment variables: there are none.
pub(crate) mod env {
    use core::ffi::CStr;

    pub(crate) fn with<T>(_name: &CStr, _read: impl FnOnce(&str) -> T) -> Option<T> {
        None
    }
}

/// Threads, if there are any, have nothing of their own that is known of here.
pub(crate) mod thread {
    pub(crate) fn word() -> usize {
        0
    }

    pub(crate) const ENDED: usize = usize::MAX;

    pub(crate) fn identity() -> usize {
        0
    }

    pub(crate) fn id() -> i32 {
        0
    }

    pub(crate) fn is_gone(_id: i32) -> bool {
        false
    }

    pub(crate) fn keep_word(_value: usize, _tell: fn(usize)) -> bool {
        false
    }

    pub(crate) fn pause(_attempt: u32) {
        core::hint::spin_loop();
    }
}

/// A fence on all threads at once: there is none.
pub(crate) mod barrier {
    pub(crate) fn light() {}

    pub(crate) fn prepare() -> bool {
        false
    }

    pub(crate) fn heavy() -> bool {
        false
    }
}

/// Nobody hears of faults here.
pub(crate) mod fault {
    pub(crate) fn catch(_is_ours: fn(usize) -> bool, _tell: fn(usize)) {}

    pub(crate) fn with_room(body: &(dyn Fn() + Sync)) {
        body();
    }
}

/// Nobody knows how stacks look here.
pub(crate) mod stack {
    pub(crate) fn capture(_frames: &mut [usize]) -> usize {
        0
    }

    pub(crate) fn interrupted(_frames: &mut [usize]) -> usize {
        0
    }
}

/// Nobody knows what stands where.
pub(crate) mod symbols {
    pub(crate) struct Frame<'name> {
        pub(crate) module: &'name str,
        pub(crate) offset: usize,
        pub(crate) function: &'name str,
        pub(crate) line: &'name str,
        pub(crate) is_own: bool,
    }

    pub(crate) fn describe(_frames: &[usize], _each: impl FnMut(&Frame<'_>)) {}
}

/// Nobody watches threads here.
pub(crate) mod tsan {
    use core::ptr::NonNull;

    pub(crate) fn watches_unseen() -> bool {
        false
    }

    pub(crate) fn find() {}
    pub(crate) fn handed_out(_block: NonNull<u8>) {}
    pub(crate) fn taken_back(_block: NonNull<u8>) {}
}

/// Nobody watches memory here.
pub(crate) mod watcher {
    use core::ptr::NonNull;

    pub(crate) const GRANULE: usize = 1;

    #[derive(Clone, Copy)]
    pub(crate) enum Watcher {}

    pub(crate) fn find() -> Option<Watcher> {
        None
    }

    impl Watcher {
        pub(crate) fn forbid(&self, _start: NonNull<u8>, _bytes: usize) {}
        pub(crate) fn permit(&self, _start: NonNull<u8>, _bytes: usize) {}
        pub(crate) fn open(&self, _pool: NonNull<u8>, _bytes: usize) {}
        pub(crate) fn close(&self, _pool: NonNull<u8>, _bytes: usize) {}
        pub(crate) fn take_back(&self, _pool: Option<NonNull<u8>>, _block: NonNull<u8>) {}

        pub(crate) fn hand_out(
            &self,
            _pool: Option<NonNull<u8>>,
            _block: NonNull<u8>,
            _bytes: usize,
        ) {
        }
    }
}
