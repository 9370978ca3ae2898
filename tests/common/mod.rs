//! What the tests of the C ABI share: a pool that is destroyed with its variable, and the log
//! lines of the current thread.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::cell::RefCell;
use std::ffi::{CStr, c_char, c_void};
use std::ptr;

use memory_pool::*;

thread_local! {
    static LINES: RefCell<Vec<(i32, String)>> = const { RefCell::new(Vec::new()) };
}

extern "C" fn keep(_user_data: *mut c_void, level: i32, message: *const c_char) {
    // SAFETY: the library passes a string that ends in NUL.
    let message = unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned();
    LINES.with_borrow_mut(|lines| lines.push((level, message)));
}

/// Sends every log line to the thread that causes it, for [`log_lines`].
pub fn listen() {
    pool_set_log_callback(Some(keep), ptr::null_mut(), POOL_LOG_TRACE);
}

/// The lines that this thread caused since the last call.
pub fn log_lines() -> Vec<(i32, String)> {
    LINES.take()
}

/// The lines of this thread that report an error.
pub fn error_lines() -> Vec<String> {
    log_lines().into_iter().filter(|line| line.0 == POOL_LOG_ERROR).map(|line| line.1).collect()
}

/// Sound options for one thread.
pub fn options(block_size: usize, capacity: usize) -> pool_options_t {
    // SAFETY: `pool_options_t` is a C struct for which zero is the default.
    let mut options: pool_options_t = unsafe { std::mem::zeroed() };
    options.struct_size = size_of::<pool_options_t>();
    options.block_size = block_size;
    options.capacity = capacity;
    options.threading = POOL_THREADS_SINGLE;
    options
}

/// A pool that ends with its variable.
pub struct TestPool(pub *mut pool_t);

impl TestPool {
    /// A pool as `options` say, which must be sound.
    pub fn new(options: &pool_options_t) -> Self {
        let mut pool = ptr::null_mut();
        // SAFETY: both are of the right type and live through the call.
        assert_eq!(unsafe { pool_create_with(options, &raw mut pool) }, POOL_OK);
        Self(pool)
    }

    /// A block, which there must be.
    pub fn take(&self) -> *mut u8 {
        let block = self.try_take_raw();
        assert!(!block.is_null());
        block.cast()
    }

    /// Gives `pointer` back and answers the status.
    pub fn give(&self, pointer: *const u8) -> pool_status_t {
        self.give_raw(pointer.cast_mut().cast())
    }

    /// Every block of the pool, all live.
    pub fn take_all(&self) -> Vec<*mut u8> {
        let blocks: Vec<_> = (0..self.available()).map(|_| self.take()).collect();
        assert!(self.try_take_raw().is_null(), "more blocks than capacity");
        blocks
    }

    /// The live blocks, as a walk meets them; or why there is none.
    pub fn live(&self) -> Result<Vec<*mut u8>, pool_status_t> {
        extern "C" fn keep(user_data: *mut c_void, block: *mut c_void) -> bool {
            // SAFETY: the vector below, which nobody else uses during the walk.
            unsafe { &mut *user_data.cast::<Vec<*mut u8>>() }.push(block.cast());
            true
        }
        let mut live = vec![];
        let user_data = (&raw mut live).cast();
        // SAFETY: one thread, and the pool lives.
        match unsafe { pool_for_each_live(self.0, Some(keep), user_data) } {
            POOL_OK => Ok(live),
            status => Err(status),
        }
    }

    /// The figures of the pool.
    pub fn stats(&self) -> pool_stats_t {
        let mut stats =
            pool_stats_t { struct_size: size_of::<pool_stats_t>(), ..Default::default() };
        // SAFETY: the pool lives as long as `self`; a struct of the size that it says.
        assert_eq!(unsafe { pool_get_stats(self.0, &raw mut stats) }, POOL_OK);
        stats
    }
}

/// Methods that call the C function of the pool: one thread uses it, and it lives as long as its
/// variable, which is all that the functions ask of a caller.
macro_rules! methods {
    ($($name:ident = $function:ident($($argument:ident: $kind:ty),*) -> $result:ty;)+) => {
        impl TestPool {
            $(
                pub fn $name(&self, $($argument: $kind),*) -> $result {
                    // SAFETY: one thread, and the pool lives.
                    unsafe { $function(self.0, $($argument),*) }
                }
            )+
        }
    };
}

methods! {
    try_take_raw = pool_allocate() -> *mut c_void;
    take_zeroed = pool_allocate_zeroed() -> *mut c_void;
    give_raw = pool_deallocate(block: *mut c_void) -> pool_status_t;
    owns = pool_owns(pointer: *const c_void) -> bool;
    check = pool_check_block(block: *const c_void) -> pool_status_t;
    stride = pool_stride() -> usize;
    alignment = pool_alignment() -> usize;
    capacity = pool_capacity() -> usize;
    in_use = pool_in_use() -> usize;
    available = pool_available() -> usize;
    validate = pool_validate() -> pool_status_t;
    reset = pool_reset() -> pool_status_t;
    grow = pool_grow(blocks: usize) -> pool_status_t;
    destroy = pool_destroy() -> pool_status_t;
}

impl Drop for TestPool {
    fn drop(&mut self) {
        assert_eq!(self.reset(), POOL_OK);
        assert_eq!(self.destroy(), POOL_OK);
    }
}
