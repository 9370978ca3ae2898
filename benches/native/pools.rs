//! Pools of the shared library, made as options say.

use std::ffi::c_void;
use std::ptr::null_mut;

use memory_pool::pool_options_t;

use crate::native::{Allocator, SharedLibrary};

type CreateWith = unsafe extern "C" fn(*const pool_options_t, *mut *mut c_void) -> i32;
type OfPool = unsafe extern "C" fn(*mut c_void) -> i32;

/// The release build of the library, by its C symbols.
pub struct Library {
    create_with: CreateWith,
    reset: OfPool,
    destroy: OfPool,
    calls: Allocator,
}

impl Library {
    /// Builds and opens it.
    pub fn open() -> Self {
        let library = SharedLibrary::open(&testkit::library::release().shared);
        Self {
            // SAFETY: the name has this type in pool.h.
            create_with: unsafe { library.function(c"pool_create_with") },
            // SAFETY: as above.
            reset: unsafe { library.function(c"pool_reset") },
            // SAFETY: as above.
            destroy: unsafe { library.function(c"pool_destroy") },
            calls: Allocator {
                // SAFETY: as above.
                allocate: unsafe { library.function(c"pool_allocate") },
                // SAFETY: as above.
                deallocate: unsafe { library.function(c"pool_deallocate") },
                pool: null_mut(),
            },
        }
    }

    /// A pool, which lives until it is told to end.
    pub fn pool(
        &self,
        threading: u32,
        block_size: usize,
        capacity: usize,
        flags: u32,
    ) -> Allocator {
        // SAFETY: a C struct for which zero is the default.
        let mut options: pool_options_t = unsafe { std::mem::zeroed() };
        options.struct_size = size_of::<pool_options_t>();
        (options.block_size, options.capacity) = (block_size, capacity);
        (options.threading, options.flags) = (threading, flags);
        let mut pool = null_mut();
        // SAFETY: both live through the call.
        assert_eq!(unsafe { (self.create_with)(&raw const options, &raw mut pool) }, 0);
        Allocator { pool, ..self.calls }
    }

    /// Forgets all blocks of a pool, and the pool.
    pub fn end(&self, pool: Allocator) {
        // SAFETY: its blocks are not used any more.
        unsafe { (self.reset)(pool.pool) };
        // SAFETY: as above; it is destroyed once.
        unsafe { (self.destroy)(pool.pool) };
    }
}
