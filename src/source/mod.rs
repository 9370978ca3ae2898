//! Layer 1: where memory comes from.

pub(crate) mod os;
