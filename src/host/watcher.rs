//! The tool that watches every access of the program, if it runs under one: the address sanitizer
//! with its search for leaks, or valgrind's memcheck. What is marked here it reports.
//!
//! | mark          | sanitizer                      | memcheck                                    |
//! |---------------|--------------------------------|---------------------------------------------|
//! | forbid        | poisoned                       | not addressable                             |
//! | permit        | not poisoned                   | defined                                     |
//! | hand out      | not poisoned                   | undefined, with the stack of who allocates  |
//! | take back     | poisoned                       | not addressable, with the stack of who frees|
//! | open, close   | a region to find pointers in   | a pool of blocks, named by its address      |
//!
//! The functions of the sanitizer are found in the program by name. Valgrind is asked by
//! instructions that do nothing elsewhere (`client_request`); memcheck alone knows the request that
//! is made here, so that its other tools see the library as it is.

use core::ffi::{CStr, c_void};
use core::mem;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, Ordering};

use super::client_request::request;

type Mark = unsafe extern "C" fn(*const c_void, usize);

const CREATE_MEMPOOL: usize = 0x1303;
const DESTROY_MEMPOOL: usize = 0x1304;
const MEMPOOL_ALLOC: usize = 0x1305;
const MEMPOOL_FREE: usize = 0x1306;
const MEMCHECK: usize = (b'M' as usize) << 24 | (b'C' as usize) << 16;
const MAKE_MEM_NOACCESS: usize = MEMCHECK;
const MAKE_MEM_UNDEFINED: usize = MEMCHECK + 1;
const MAKE_MEM_DEFINED: usize = MEMCHECK + 2;

/// The sanitizer keeps a mark for so many bytes together. Two threads that change the same one at a
/// time may spoil it.
pub(crate) const GRANULE: usize = 8;

/// There is none. Tools do not come later.
static IS_ABSENT: AtomicBool = AtomicBool::new(false);

/// What a tool is told by.
#[derive(Clone, Copy)]
pub(crate) struct Watcher {
    poison: Option<Mark>,
    unpoison: Option<Mark>,
    register: Option<Mark>,
    unregister: Option<Mark>,
    has_memcheck: bool,
}

/// Looks for a tool, until it is known that there is none.
pub(crate) fn find() -> Option<Watcher> {
    // Relaxed, here and below: nothing is handed over; who comes too early looks as well.
    if IS_ABSENT.load(Ordering::Relaxed) {
        return None;
    }
    let watcher = Watcher {
        poison: function(c"__asan_poison_memory_region"),
        unpoison: function(c"__asan_unpoison_memory_region"),
        register: function(c"__lsan_register_root_region"),
        unregister: function(c"__lsan_unregister_root_region"),
        // Memcheck answers -1, whatever the range; everybody else leaves 0.
        has_memcheck: request(MAKE_MEM_DEFINED, [0; 3]) != 0,
    };
    let is_absent = watcher.poison.is_none() && watcher.register.is_none() && !watcher.has_memcheck;
    // Relaxed: as above.
    IS_ABSENT.store(is_absent, Ordering::Relaxed);
    (!is_absent).then_some(watcher)
}

fn function(name: &CStr) -> Option<Mark> {
    // SAFETY: a name that ends in NUL, to be looked for in the whole program.
    let function = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    // SAFETY: NULL is `None`; the function of each of these names has this type.
    unsafe { mem::transmute::<*mut c_void, Option<Mark>>(function) }
}

impl Watcher {
    /// Nobody may read or write there from now on.
    pub(crate) fn forbid(&self, start: NonNull<u8>, bytes: usize) {
        self.mark(self.poison, MAKE_MEM_NOACCESS, start, bytes);
    }

    /// Everybody may, and something stands there.
    pub(crate) fn permit(&self, start: NonNull<u8>, bytes: usize) {
        self.mark(self.unpoison, MAKE_MEM_DEFINED, start, bytes);
    }

    /// Everybody may write there, and then read. `pool`: as in `open`; `None`: it was not opened.
    pub(crate) fn hand_out(&self, pool: Option<NonNull<u8>>, block: NonNull<u8>, bytes: usize) {
        call(self.unpoison, block, bytes);
        if self.has_memcheck {
            let start = block.addr().get();
            match pool {
                Some(pool) => request(MEMPOOL_ALLOC, [pool.addr().get(), start, bytes]),
                None => request(MAKE_MEM_UNDEFINED, [start, bytes, 0]),
            };
        }
    }

    /// The end of what was handed out.
    pub(crate) fn take_back(&self, pool: Option<NonNull<u8>>, block: NonNull<u8>) {
        if let (true, Some(pool)) = (self.has_memcheck, pool) {
            request(MEMPOOL_FREE, [pool.addr().get(), block.addr().get(), 0]);
        }
    }

    /// Blocks of a pool at this address will be handed out, and pointers may lie in them.
    pub(crate) fn open(&self, pool: NonNull<u8>, bytes: usize) {
        call(self.register, pool, bytes);
        self.tell_of_pool(CREATE_MEMPOOL, pool);
    }

    /// The end of what was opened, and of every block.
    pub(crate) fn close(&self, pool: NonNull<u8>, bytes: usize) {
        call(self.unregister, pool, bytes);
        self.tell_of_pool(DESTROY_MEMPOOL, pool);
    }

    fn tell_of_pool(&self, code: usize, pool: NonNull<u8>) {
        if self.has_memcheck {
            request(code, [pool.addr().get(), 0, 0]);
        }
    }

    fn mark(&self, mark: Option<Mark>, code: usize, start: NonNull<u8>, bytes: usize) {
        call(mark, start, bytes);
        if self.has_memcheck {
            request(code, [start.addr().get(), bytes, 0]);
        }
    }
}

fn call(mark: Option<Mark>, start: NonNull<u8>, bytes: usize) {
    if let Some(mark) = mark {
        // SAFETY: any memory of the program may be marked; nothing in it is changed.
        unsafe { mark(start.as_ptr().cast(), bytes) };
    }
}
