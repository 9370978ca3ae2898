//! Which engine drives a pool: chosen once at creation, matched only here.

use crate::checks::{Standard, Unchecked};
use crate::pool::single::Single;

/// The engines, each with its level of checks as a type.
#[repr(u8)]
pub(crate) enum Engine {
    SingleStandard(Single<Standard>),
    SingleUnchecked(Single<Unchecked>),
}

/// Does the same with whichever engine it is.
macro_rules! each {
    ($engine:expr, $name:ident => $body:expr) => {
        match $engine {
            $crate::pool::engine::Engine::SingleStandard($name) => $body,
            $crate::pool::engine::Engine::SingleUnchecked($name) => $body,
        }
    };
}
pub(crate) use each;
