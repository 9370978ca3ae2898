//! A safe pool for a model checker: the library's own files, over the atomics of the crate root.
//!
//! ```text
//!   crate::sync     the checker's atomics and fences         (loom_sync.rs, shuttle_sync.rs)
//!   crate::machine  the checker's threads, and zeroed memory
//!   composed        src/pool/safe.rs and all that it is made of, and what pool/mod.rs does with it
//! ```
//!
//! The crate root imports the layers below under the names that the files ask for.

#[path = "../../src/base/error.rs"]
pub(crate) mod error;
#[path = "../../src/base/ids.rs"]
pub(crate) mod ids;
#[path = "../../src/base/random.rs"]
pub(crate) mod random;

#[path = "../../src/layout/geometry.rs"]
pub(crate) mod geometry;
#[path = "../../src/layout/reciprocal.rs"]
pub(crate) mod reciprocal;

#[path = "../../src/cache/depot.rs"]
pub(crate) mod depot;
#[path = "../../src/cache/free_set.rs"]
pub(crate) mod free_set;
#[path = "../../src/cache/magazine.rs"]
pub(crate) mod magazine;
#[path = "../../src/cache/magazines.rs"]
pub(crate) mod magazines;
#[path = "../../src/cache/visits.rs"]
pub(crate) mod visits;

#[path = "../../src/checks/ledger.rs"]
pub(crate) mod ledger;

#[path = "../../src/pool/safe.rs"]
pub(crate) mod safe;

pub(crate) mod rig;

pub(crate) mod host {
    pub(crate) use crate::machine::{os, thread};

    pub(crate) mod probe {
        //! Nobody traces here.
        pub(crate) fn steal(_base: usize, _number: usize) {}
    }
}

pub(crate) mod base {
    pub(crate) use super::{error, ids, random};
    pub(crate) use crate::sync;
}

pub(crate) mod layout {
    pub(crate) use super::{geometry, reciprocal};

    pub(crate) mod stride {
        //! What a geometry asks of a layout.
        pub(crate) struct Layout {
            pub(crate) stride: usize,
            pub(crate) capacity: usize,
            pub(crate) max_capacity: usize,
        }
    }
}

pub(crate) mod source {
    pub(crate) use crate::machine::memory;
}

pub(crate) mod cache {
    pub(crate) use super::{depot, free_set, magazine, magazines, visits};

    pub(crate) mod threads {
        //! As many threads as a checker runs.
        pub(crate) use crate::machine::thread::word;

        pub(crate) const THREADS_MAX: usize = 8;
    }
}

pub(crate) mod checks {
    pub(crate) use super::ledger;
}

pub(crate) mod pool {
    pub(crate) mod single {
        //! What an engine answers; of src/pool/single.rs, whose engine is not needed.
        use crate::base::ids::Block;

        pub(crate) struct Supply {
            pub(crate) block: Option<Block>,
            pub(crate) finding: Option<core::convert::Infallible>,
        }

        impl Supply {
            pub(crate) fn of(block: Option<Block>) -> Self {
                Self { block, finding: None }
            }
        }

        pub(crate) struct Counts {
            pub(crate) in_use: usize,
            pub(crate) peak_in_use: usize,
            pub(crate) allocations: u64,
            pub(crate) deallocations: u64,
            pub(crate) failures: u64,
            pub(crate) frontier: usize,
        }
    }
}
