//! Which engine drives a pool: chosen once at creation, matched only here.
//!
//! | threading | engine                                                              |
//! |-----------|---------------------------------------------------------------------|
//! | single    | `Single*`: single.rs                                                |
//! | safe      | `Safe*`: safe.rs, what its fast paths don't decide under the lock   |
//! |           | in a buffer `Shared*`: single.rs under the pool's lock              |
//! | lock-free | `LockFree*`: lock_free.rs                                           |
//! | any, with more than standard checks | `Inspected`: inspected.rs                 |
//!
//! A safe pool in a buffer has a byte a block, like that of one owner, and no memory elsewhere.

use core::hint;

use crate::cache::threads;
use crate::checks::{Standard, Unchecked};
use crate::pool::inspected::Inspected;
use crate::pool::lock_free::LockFree;
use crate::pool::safe::Safe;
use crate::pool::single::Single;

/// The engines, each with its level of checks as a type. The numbers are those of `debug.rs`.
#[repr(u8)]
pub(crate) enum Engine {
    SingleStandard(Single<Standard>) = 0,
    SingleUnchecked(Single<Unchecked>) = 1,
    SharedStandard(Single<Standard>) = 2,
    SharedUnchecked(Single<Unchecked>) = 3,
    SafeStandard(Safe<true>) = 4,
    SafeUnchecked(Safe<false>) = 5,
    LockFreeStandard(LockFree<true>) = 6,
    LockFreeUnchecked(LockFree<false>) = 7,
    Inspected(Inspected) = 8,
}

/// The engines of most pools, for which the hot paths are made.
pub(crate) enum Usual<'call> {
    Safe(&'call Safe<true>),
    Single(&'call Single<Standard>),
    None,
}

impl Engine {
    pub(crate) fn usual(&self) -> Usual<'_> {
        match self {
            Self::SafeStandard(engine) => Usual::Safe(engine),
            Self::SingleStandard(engine) => Usual::Single(engine),
            _ => Usual::None,
        }
    }

    /// # Safety
    /// * It is `SafeStandard`.
    #[inline(always)]
    pub(crate) unsafe fn as_safe(&self) -> &Safe<true> {
        let Self::SafeStandard(engine) = self else {
            // SAFETY: by this function's contract.
            unsafe { hint::unreachable_unchecked() }
        };
        engine
    }

    /// # Safety
    /// * It is `SingleStandard`.
    #[inline(always)]
    pub(crate) unsafe fn as_single(&self) -> &Single<Standard> {
        let Self::SingleStandard(engine) = self else {
            // SAFETY: by this function's contract.
            unsafe { hint::unreachable_unchecked() }
        };
        engine
    }
}

impl Engine {
    /// Whether any thread may call at any time, so that the pool's lock is held for what the hot
    /// paths don't decide.
    pub(crate) fn is_shared(&self) -> bool {
        match self {
            Self::SharedStandard(_) | Self::SharedUnchecked(_) => true,
            Self::SafeStandard(_) | Self::SafeUnchecked(_) => true,
            Self::SingleStandard(_) | Self::SingleUnchecked(_) => false,
            Self::LockFreeStandard(_) | Self::LockFreeUnchecked(_) => false,
            Self::Inspected(engine) => engine.is_shared(),
        }
    }
}

impl Engine {
    /// Gives this thread a number, if magazines are found by it. Not under a lock.
    pub(crate) fn enter_thread(&self) {
        if matches!(self, Self::SafeStandard(_) | Self::SafeUnchecked(_)) {
            threads::enter();
        }
    }

    /// Sends one call in so many to the slow path that would not go there, where that can be had.
    pub(crate) fn ask_for_visits(&self, one_in: u32) {
        match self {
            Self::SafeStandard(engine) => engine.visits.ask_for(one_in as usize),
            Self::SafeUnchecked(engine) => engine.visits.ask_for(one_in as usize),
            _ => {}
        }
    }

    /// How many allocations the one stands for that just took the slow path.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::SafeStandard(engine) => engine.visits.take_weight(),
            Self::SafeUnchecked(engine) => engine.visits.take_weight(),
            _ => 1,
        }
    }

    /// Ends what is under way on hot paths, and sends their threads to the lock from now on.
    pub(crate) fn close_magazines(&self) {
        // Where the system has no fence for it, nobody reaches into magazines either.
        let _ = match self {
            Self::SafeStandard(engine) => engine.close(),
            Self::SafeUnchecked(engine) => engine.close(),
            _ => true,
        };
    }
}

/// Does the same with whichever engine it is.
macro_rules! each {
    ($engine:expr, $name:ident => $body:expr) => {{
        use $crate::pool::engine::Engine;
        match $engine {
            Engine::SingleStandard($name) | Engine::SharedStandard($name) => $body,
            Engine::SingleUnchecked($name) | Engine::SharedUnchecked($name) => $body,
            Engine::SafeStandard($name) => $body,
            Engine::SafeUnchecked($name) => $body,
            Engine::LockFreeStandard($name) => $body,
            Engine::LockFreeUnchecked($name) => $body,
            Engine::Inspected($name) => $body,
        }
    }};
}
pub(crate) use each;

/// The same with those that need no lock, but for those of most pools, which `Usual` finds, and the
/// lock-free ones.
macro_rules! each_unusual {
    ($engine:expr, $name:ident => $body:expr, $otherwise:expr) => {{
        use $crate::pool::engine::Engine;
        match $engine {
            Engine::SingleStandard($name) => $body,
            Engine::SingleUnchecked($name) => $body,
            Engine::SafeUnchecked($name) => $body,
            _ => $otherwise,
        }
    }};
}
pub(crate) use each_unusual;

/// The same with the lock-free ones, whose calls take so many registers that they would give all
/// others a stack frame.
macro_rules! each_lock_free {
    ($engine:expr, $name:ident => $body:expr, $otherwise:expr) => {{
        use $crate::pool::engine::Engine;
        match $engine {
            Engine::LockFreeStandard($name) => $body,
            Engine::LockFreeUnchecked($name) => $body,
            _ => $otherwise,
        }
    }};
}
pub(crate) use each_lock_free;
