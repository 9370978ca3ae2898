//! Layer 3: the order in which free blocks wait.

pub(crate) mod hand;
pub(crate) mod intrusive;
pub(crate) mod tagged;
pub(crate) mod waiting;

#[cfg(test)]
mod tagged_test;
