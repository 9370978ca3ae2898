//! The pools, by the functions of libmemory_pool.so.

use std::ffi::c_void;

use memory_pool::{POOL_THREADS_LOCK_FREE, POOL_THREADS_SINGLE, pool_options_t};

use super::{BLOCK_SIZE, Contestant, Kind};
use crate::native::{Allocator, SharedLibrary};

/// More than any scenario takes at a time, with what threads may keep aside.
const CAPACITY: usize = 200_000;

type Create = unsafe extern "C" fn(usize, usize) -> *mut c_void;
type CreateWith = unsafe extern "C" fn(*const pool_options_t, *mut *mut c_void) -> i32;

/// A pool of each kind of threading. They live until the process ends.
pub fn all() -> [Contestant; 3] {
    let library = SharedLibrary::open(&testkit::library::release().shared);
    // SAFETY: the name has this type in pool.h.
    let create: Create = unsafe { library.function(c"pool_create") };
    // SAFETY: as above.
    let create_with: CreateWith = unsafe { library.function(c"pool_create_with") };
    // SAFETY: no requirements.
    let pool = unsafe { create(BLOCK_SIZE, CAPACITY) };
    assert!(!pool.is_null(), "the log says why");
    let safe = Allocator {
        // SAFETY: the name has this type in pool.h.
        allocate: unsafe { library.function(c"pool_allocate") },
        // SAFETY: as above.
        deallocate: unsafe { library.function(c"pool_deallocate") },
        pool,
    };
    let with = |threading| Allocator { pool: create_as(create_with, threading), ..safe };
    [
        Contestant { name: "SAFE", kind: Kind::Shared(safe) },
        Contestant { name: "LOCK_FREE", kind: Kind::Shared(with(POOL_THREADS_LOCK_FREE)) },
        Contestant { name: "SINGLE", kind: Kind::Owned(with(POOL_THREADS_SINGLE)) },
    ]
}

fn create_as(create_with: CreateWith, threading: u32) -> *mut c_void {
    // SAFETY: a C struct for which zero is the default.
    let mut options: pool_options_t = unsafe { std::mem::zeroed() };
    options.struct_size = size_of::<pool_options_t>();
    options.block_size = BLOCK_SIZE;
    options.capacity = CAPACITY;
    options.threading = threading;
    let mut pool = std::ptr::null_mut();
    // SAFETY: both live through the call.
    assert_eq!(unsafe { create_with(&raw const options, &raw mut pool) }, 0);
    pool
}
