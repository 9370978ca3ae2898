//! Layer 3: the order in which free blocks wait.

pub(crate) mod intrusive;
pub(crate) mod waiting;
