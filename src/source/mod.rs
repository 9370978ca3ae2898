//! Layer 1: where memory comes from.

pub(crate) mod heap;
pub(crate) mod os;
