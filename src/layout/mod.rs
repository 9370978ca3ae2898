//! Layer 2, pure arithmetic: how large a block is, where it lies, which block an address is in.

pub(crate) mod geometry;
pub(crate) mod inside;
pub(crate) mod pages;
pub(crate) mod reciprocal;
pub(crate) mod stride;

#[cfg(test)]
mod geometry_test;
