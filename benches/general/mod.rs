//! Who is compared by the benchmark of general allocators, in what, and how it is shown.

pub mod peers;
pub mod pools;
pub mod reading;
pub mod ring;
pub mod scenario;
pub mod tables;
pub mod threads;

use crate::native::{self, Allocator, Calls};

/// The size of every block.
pub const BLOCK_SIZE: usize = 64;

/// One who is measured.
pub struct Contestant {
    /// The title of the column.
    pub name: &'static str,
    /// How it is called.
    pub kind: Kind,
}

/// How a contestant is called.
#[derive(Clone, Copy)]
pub enum Kind {
    /// Two empty functions.
    Floor(Allocator),
    /// A pool that any thread may use.
    Shared(Allocator),
    /// A pool that stays on its thread.
    Owned(Allocator),
    /// An allocator for every size.
    General(peers::General),
}

impl Contestant {
    /// The two empty functions.
    pub fn floor() -> Self {
        Self { name: "floor", kind: Kind::Floor(native::floor()) }
    }

    /// Panics if there are no blocks left: one that answers null is fast, and is not to win by it.
    pub fn assert_not_exhausted(&self) {
        match self.kind {
            Kind::Floor(_) => {}
            Kind::Shared(calls) | Kind::Owned(calls) => self.assert_takes(calls),
            Kind::General(calls) => self.assert_takes(calls),
        }
    }

    fn assert_takes(&self, calls: impl Calls) {
        let blocks: Vec<_> = (0..1000).map(|_| calls.take()).collect();
        assert!(blocks.iter().all(|block| !block.is_null()), "{} has no blocks left", self.name);
        blocks.into_iter().for_each(|block| calls.give(block));
    }
}
