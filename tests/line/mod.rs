//! A pool that threads wait for, put together from the library's own files.
//!
//! ```text
//!   wait.rs, waiters.rs, sleepers.rs   as they are
//!   lock_free.rs, tagged.rs            as they are
//!   a safe engine                      a list under the pool's lock: its magazines are closed
//!                                      while there is a line
//!   host/sleep.rs                      futex.rs
//! ```

#[path = "../../src/base/error.rs"]
pub(crate) mod error;
#[path = "../../src/layout/geometry.rs"]
pub(crate) mod geometry;
#[path = "../../src/base/ids.rs"]
pub(crate) mod ids;
#[path = "../../src/layout/reciprocal.rs"]
pub(crate) mod reciprocal;
#[path = "../../src/freelist/tagged.rs"]
pub(crate) mod tagged;

pub(crate) mod futex;
pub(crate) mod pool;
pub(crate) mod table;

pub(crate) mod host {
    pub(crate) use super::futex as sleep;

    pub(crate) mod tsan {
        //! Nobody listens.
        use crate::base::ids::Block;

        pub(crate) fn handed_out(_block: Block) {}

        pub(crate) fn taken_back(_block: Block) {}
    }
}

pub(crate) mod base {
    pub(crate) use super::{error, ids};

    pub(crate) mod sync {
        pub(crate) use loom::sync::atomic::{
            AtomicU16, AtomicU32, AtomicU32 as AtomicHalf, AtomicUsize, Ordering, fence,
        };
        pub(crate) use loom::sync::{Mutex as Lock, MutexGuard};

        pub(crate) use crate::sync::barrier;

        pub(crate) fn lock<T>(lock: &Lock<T>) -> MutexGuard<'_, T> {
            lock.lock().expect("no panic")
        }
    }
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

pub(crate) mod freelist {
    pub(crate) use super::tagged;
}
