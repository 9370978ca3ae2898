//! Which engine drives a pool: chosen once at creation, matched only here.
//!
//! | threading | engine                                                              |
//! |-----------|---------------------------------------------------------------------|
//! | single    | `Single*`: single.rs                                                |
//! | safe      | `Safe*`: lock_free.rs, what it can't decide under the pool's lock   |
//! |           | in a buffer `Shared*`: single.rs under the pool's lock              |
//! | lock-free | `LockFree*`: lock_free.rs                                           |
//!
//! A safe pool in a buffer has a byte a block, like that of one owner, and not a word.

use crate::checks::{Standard, Unchecked};
use crate::pool::lock_free::LockFree;
use crate::pool::single::Single;

/// The engines, each with its level of checks as a type.
#[repr(u8)]
pub(crate) enum Engine {
    SingleStandard(Single<Standard>),
    SingleUnchecked(Single<Unchecked>),
    SharedStandard(Single<Standard>),
    SharedUnchecked(Single<Unchecked>),
    SafeStandard(LockFree<true>),
    SafeUnchecked(LockFree<false>),
    LockFreeStandard(LockFree<true>),
    LockFreeUnchecked(LockFree<false>),
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
        }
    }
}

/// Does the same with whichever engine it is.
macro_rules! each {
    ($engine:expr, $name:ident => $body:expr) => {{
        use $crate::pool::engine::Engine;
        match $engine {
            Engine::SingleStandard($name) | Engine::SharedStandard($name) => $body,
            Engine::SingleUnchecked($name) | Engine::SharedUnchecked($name) => $body,
            Engine::LockFreeStandard($name) | Engine::SafeStandard($name) => $body,
            Engine::LockFreeUnchecked($name) | Engine::SafeUnchecked($name) => $body,
        }
    }};
}
pub(crate) use each;

/// Does the same with the engine of one owner, for its hot paths; `$otherwise` for the others. The
/// default engine of an owner comes without a taken branch, which costs a tenth of a call
/// (measured: 1.22 instead of 1.33 times two empty calls for a pair).
macro_rules! each_single {
    ($engine:expr, $name:ident => $body:expr, $otherwise:expr) => {{
        use $crate::pool::engine::Engine;
        if let Engine::SingleStandard($name) = $engine {
            $body
        } else {
            ::core::hint::cold_path();
            if let Engine::SingleUnchecked($name) = $engine { $body } else { $otherwise }
        }
    }};
}
pub(crate) use each_single;

/// The same for the engines of several threads that need no lock. Apart, because they need more
/// registers: one function for all would need a stack frame for the first.
macro_rules! each_lock_free {
    ($engine:expr, $name:ident => $body:expr, $otherwise:expr) => {{
        use $crate::pool::engine::Engine;
        match $engine {
            Engine::SafeStandard($name) | Engine::LockFreeStandard($name) => $body,
            Engine::SafeUnchecked($name) | Engine::LockFreeUnchecked($name) => $body,
            _ => $otherwise,
        }
    }};
}
pub(crate) use each_lock_free;
