//! Layer 1: words that every other layer is written in. Nothing here knows what a pool is.

pub(crate) mod error;
pub(crate) mod hook;
pub(crate) mod ids;
pub(crate) mod log;
pub(crate) mod random;
pub(crate) mod report;
pub(crate) mod sync;
