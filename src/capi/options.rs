//! `pool_options_t`: what a C caller may ask, and its translation into a `Config`.

use core::ffi::{c_char, c_void};
use core::ptr::{self, NonNull};

use crate::base::error::{Error, Refusal};
use crate::capi::boundary::{STRUCT_SIZES, bad_argument};
use crate::capi::source::pool_source_t;
use crate::inspect::switches::Switches;
use crate::pool;
use crate::pool::config::{CheckLevel, Config, Name, OnLeak, OnMisuse, Threading};
use crate::source::Source;
use crate::source::buffer::Buffer;
use crate::source::system::{PageKind, System};

/// `threading`: any thread may call at any time, and any thread may free any block.
pub const POOL_THREADS_SAFE: u32 = 0;
/// `threading`: one thread at a time; a lock of the caller's own counts.
pub const POOL_THREADS_SINGLE: u32 = 1;
/// `threading`: any thread, and signal handlers: no lock, no system call but to grow. A word beside
/// each block. pool_reset, pool_trim and pool_validate while no other call is under way.
pub const POOL_THREADS_LOCK_FREE: u32 = 2;

/// `checks`: double free, foreign and interior pointers are found, always. One exception: of two
/// threads that free the same block at the very same moment both can succeed in a pool of
/// POOL_THREADS_SAFE, and the block is handed out twice; POOL_THREADS_LOCK_FREE finds that too.
pub const POOL_CHECKS_STANDARD: u32 = 0;
/// `checks`: the caller is trusted.
pub const POOL_CHECKS_NONE: u32 = 1;
/// `checks`: also writes past the end of a block, before its start and after it was deallocated,
/// two threads that free one block at once, and in each report the stacks that allocated and
/// deallocated the block. Every call takes a microsecond or more, and each block some 140 bytes
/// more; the stride is larger, and block_size, alignment and capacity are not. pool_trim gives
/// nothing back. A pool in a caller's `buffer` has no room for all that: it logs a warning, and
/// checks as with POOL_CHECKS_STANDARD. See docs/debugging.md.
pub const POOL_CHECKS_FULL: u32 = 2;

/// `on_exhausted`: an allocation beyond the last block answers NULL.
pub const POOL_EXHAUSTED_NULL: u32 = 0;
/// `on_exhausted`: beyond the last block, and where the pool can't grow, blocks come from the heap,
/// as large, as aligned and as checked; they go back to it at once. With POOL_CHECKS_NONE such a
/// pool checks as with POOL_CHECKS_STANDARD, because it must tell its blocks apart.
pub const POOL_EXHAUSTED_HEAP: u32 = 1;

/// `on_misuse`: log it and return the status.
pub const POOL_MISUSE_RETURN: u32 = 0;
/// `on_misuse`: log it and abort.
pub const POOL_MISUSE_ABORT: u32 = 1;

/// `on_leak`: pool_destroy with live blocks logs them, frees all and answers POOL_OK.
pub const POOL_LEAK_WARN: u32 = 0;
/// `on_leak`: pool_destroy with live blocks keeps the pool and answers POOL_ERR_IN_USE.
pub const POOL_LEAK_REFUSE: u32 = 1;
/// `on_leak`: pool_destroy with live blocks logs them and aborts.
pub const POOL_LEAK_ABORT: u32 = 2;

/// `flags`: take memory when the pool is created and when it grows, not when it is first touched.
pub const POOL_PREFAULT: u32 = 1;
/// `flags`: keep all memory out of swap, or refuse; takes it at once as well.
pub const POOL_LOCK_MEMORY: u32 = 2;
/// `flags`: use huge pages of 2 MiB: explicit ones, which the administrator set aside, where there
/// are enough and the pool can't grow; else transparent ones; else OS pages. Each step down is
/// logged (INFO). Memory is committed in steps of 2 MiB; pool_trim gives no explicit one back.
pub const POOL_HUGE_PAGES: u32 = 4;
/// `flags`: inaccessible pages before and after the blocks. The last block there may come to be
/// ends where such a page begins: to read or write the byte after it is a fault. The byte before
/// block 0 faults too where stride x max_capacity is whole OS pages; else less than an OS page
/// before it can be written. With POOL_HUGE_PAGES, read 2 MiB for an OS page.
pub const POOL_GUARD_PAGES: u32 = 8;

/// What pool_create_with is asked. Start from POOL_OPTIONS_INIT or pool_options_init, so that
/// fields of later versions are set too. Zero is the default of every field but `struct_size`,
/// `block_size` and `capacity`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[allow(non_camel_case_types, reason = "the name C sees")]
pub struct pool_options_t {
    /// Bytes of this struct as the caller knows it; POOL_OPTIONS_INIT sets it. A shorter struct
    /// is taken as if the missing fields were zero.
    pub struct_size: usize,
    /// Bytes that the caller may use in each block, from 1 up.
    pub block_size: usize,
    /// Blocks that are there from the start, from 1 up. 0 with a `buffer`: as many as fit. A pool
    /// of several threads numbers its blocks in half a word: 2^32 - 2 at most on a 64-bit machine.
    pub capacity: usize,
    /// Blocks that the pool may grow to, by itself when it runs dry, or by pool_grow. Blocks never
    /// move. 0: `capacity`. SIZE_MAX: as far as the address space, or the buffer, goes.
    pub max_capacity: usize,
    /// Alignment of every block in bytes, a power of two up to 1 GiB. 0: natural, which is the
    /// largest power of two that divides the stride, at most 4096.
    pub alignment: usize,
    /// POOL_THREADS_*.
    pub threading: u32,
    /// POOL_CHECKS_*. The environment variable MEMORY_POOL_CHECKS overrides it: none, standard,
    /// full, or some of poison, canary, sites:N, quarantine:N, fail:P, guard:1/N and passthrough,
    /// as in "canary,sites:8". docs/debugging.md says what each does.
    pub checks: u32,
    /// POOL_EXHAUSTED_*.
    pub on_exhausted: u32,
    /// POOL_MISUSE_*.
    pub on_misuse: u32,
    /// POOL_LEAK_*.
    pub on_leak: u32,
    /// Any of POOL_PREFAULT, POOL_LOCK_MEMORY, POOL_HUGE_PAGES, POOL_GUARD_PAGES, or 0. They say
    /// how memory is taken from the system: with `buffer` or `source` they are refused.
    pub flags: u32,
    /// For the log; UTF-8, copied, cut after 47 bytes. NULL: "pool".
    pub name: *const c_char,
    /// Memory of the caller's that the pool lives in with everything it has: no heap, no system
    /// call. Any address; it must stay until pool_destroy. NULL: none.
    pub buffer: *mut c_void,
    /// Bytes of `buffer`; pool_bytes_needed and POOL_STATIC_BYTES say how many it takes.
    pub buffer_bytes: usize,
    /// Functions of the caller's that give the pool its memory. NULL: the system.
    pub source: *const pool_source_t,
}

impl pool_options_t {
    const DEFAULT: Self = Self {
        struct_size: size_of::<Self>(),
        block_size: 0,
        capacity: 0,
        max_capacity: 0,
        alignment: 0,
        threading: POOL_THREADS_SAFE,
        checks: POOL_CHECKS_STANDARD,
        on_exhausted: POOL_EXHAUSTED_NULL,
        on_misuse: POOL_MISUSE_RETURN,
        on_leak: POOL_LEAK_WARN,
        flags: 0,
        name: ptr::null(),
        buffer: ptr::null_mut(),
        buffer_bytes: 0,
        source: ptr::null(),
    };

    /// Reads the struct of a caller who may be older or newer than this library.
    ///
    /// # Safety
    /// * `options` points to as many readable bytes as its first word says.
    pub(super) unsafe fn read(options: *const Self) -> Result<Self, Refusal> {
        // SAFETY: by this function's contract the first word is readable.
        let struct_size = unsafe { options.cast::<usize>().read_unaligned() };
        if !STRUCT_SIZES.contains(&struct_size) {
            return Err(Refusal::invalid(
                "struct_size of the options is not set; start from POOL_OPTIONS_INIT",
            ));
        }
        let mut known = Self::DEFAULT;
        let shared = struct_size.min(size_of::<Self>());
        let bytes = options.cast::<u8>();
        // SAFETY: `shared` bytes are in both structs, and every field may have any bit pattern.
        unsafe { ptr::copy_nonoverlapping(bytes, ptr::from_mut(&mut known).cast(), shared) };
        for offset in shared..struct_size {
            // SAFETY: below `struct_size`, so readable by this function's contract.
            if unsafe { *bytes.wrapping_add(offset) } != 0 {
                return Err(Refusal::unsupported(
                    "the options set a field that this version of the library does not know",
                ));
            }
        }
        Ok(known)
    }

    /// What a caller asks for, in words that can only mean what this version can do.
    ///
    /// # Safety
    /// * `options` points to as many readable bytes as its first word says.
    /// * Its `name` is NULL or ends in NUL.
    /// * Its `source` is NULL or points to as many readable bytes as its first word says.
    pub(super) unsafe fn request(options: *const Self) -> Result<Config, Refusal> {
        // SAFETY: by this function's contract.
        let known = unsafe { Self::read(options) }?;
        // SAFETY: by this function's contract.
        unsafe { known.config() }
    }

    /// # Safety
    /// * `name` is NULL or ends in NUL.
    /// * `source` is NULL or points to as many readable bytes as its first word says.
    pub(super) unsafe fn config(&self) -> Result<Config, Refusal> {
        let mut config = Config::new(self.block_size, self.capacity);
        config.max_capacity = self.max_capacity;
        config.alignment = self.alignment;
        config.checks = match self.checks {
            POOL_CHECKS_STANDARD => CheckLevel::Standard,
            POOL_CHECKS_FULL => CheckLevel::Watched(Switches::FULL),
            POOL_CHECKS_NONE => CheckLevel::None,
            _ => return Err(Refusal::invalid("checks is none of POOL_CHECKS_*")),
        };
        config.heap_overflow = match self.on_exhausted {
            POOL_EXHAUSTED_NULL => false,
            POOL_EXHAUSTED_HEAP => true,
            _ => return Err(Refusal::invalid("on_exhausted is none of POOL_EXHAUSTED_*")),
        };
        config.policy.on_misuse = match self.on_misuse {
            POOL_MISUSE_RETURN => OnMisuse::Return,
            POOL_MISUSE_ABORT => OnMisuse::Abort,
            _ => return Err(Refusal::invalid("on_misuse is none of POOL_MISUSE_*")),
        };
        config.policy.on_leak = match self.on_leak {
            POOL_LEAK_WARN => OnLeak::Warn,
            POOL_LEAK_REFUSE => OnLeak::Refuse,
            POOL_LEAK_ABORT => OnLeak::Abort,
            _ => return Err(Refusal::invalid("on_leak is none of POOL_LEAK_*")),
        };
        config.threading = match self.threading {
            POOL_THREADS_SAFE => Threading::Safe,
            POOL_THREADS_SINGLE => Threading::Single,
            POOL_THREADS_LOCK_FREE => Threading::LockFree,
            _ => return Err(Refusal::invalid("threading is none of POOL_THREADS_*")),
        };
        // SAFETY: by this function's contract.
        config.source = unsafe { self.memory() }?;
        if !self.name.is_null() {
            // SAFETY: not NULL, so it ends in NUL by this function's contract.
            config.policy.name = unsafe { name(self.name) };
        }
        pool::plan(&config)?;
        Ok(config)
    }

    /// Where the memory comes from.
    ///
    /// # Safety
    /// * `source` is NULL or points to as many readable bytes as its first word says.
    unsafe fn memory(&self) -> Result<Source, Refusal> {
        const FLAGS: u32 = POOL_PREFAULT | POOL_LOCK_MEMORY | POOL_HUGE_PAGES | POOL_GUARD_PAGES;
        if self.flags & !FLAGS != 0 {
            return Err(Refusal::unsupported("flags hold a bit that this version does not know"));
        }
        let has = |flag| self.flags & flag != 0;
        match (NonNull::new(self.buffer), self.source.is_null()) {
            (Some(_), false) => {
                Err(Refusal::invalid("there is a buffer and a source; give one of them"))
            }
            (None, _) if self.buffer_bytes != 0 => {
                Err(Refusal::invalid("there are buffer_bytes and no buffer"))
            }
            (None, true) => {
                // Set aside for good: only a pool that never grows knows how many it takes.
                let is_fixed = self.max_capacity == 0 || self.max_capacity == self.capacity;
                let pages = match (has(POOL_HUGE_PAGES), is_fixed) {
                    (false, _) => PageKind::Plain,
                    (true, false) => PageKind::Transparent,
                    (true, true) => PageKind::Explicit,
                };
                let (prefault, lock) = (has(POOL_PREFAULT), has(POOL_LOCK_MEMORY));
                let guard = has(POOL_GUARD_PAGES);
                Ok(Source::System(System { prefault, lock, guard, pages }))
            }
            _ if self.flags != 0 => Err(Refusal::invalid(
                "flags say how memory is taken from the system; with a buffer or a source, 0",
            )),
            (Some(buffer), true) => {
                if buffer.addr().get().checked_add(self.buffer_bytes).is_none() {
                    return Err(Refusal::invalid("the buffer goes beyond the address space"));
                }
                Ok(Source::Buffer(Buffer::new(buffer.cast(), self.buffer_bytes)))
            }
            (None, false) => {
                // SAFETY: by this function's contract, and not NULL.
                let callbacks = unsafe { pool_source_t::callbacks(self.source) };
                callbacks.map(Source::Callbacks)
            }
        }
    }
}

/// What fits of a C string.
///
/// # Safety
/// * `text` ends in NUL.
unsafe fn name(text: *const c_char) -> Name {
    // With what belongs to a character that begins on the last byte that fits.
    let mut copy = [0; Name::BYTES + 3];
    let mut length = 0;
    while length < copy.len() {
        // SAFETY: no NUL stands before it, by this function's contract.
        match unsafe { *text.wrapping_add(length) } {
            0 => break,
            byte => copy[length] = byte as u8,
        }
        length += 1;
    }
    Name::new(&copy[..length])
}

/// pool_options_init was first shipped for a struct of this size, and writes no more for ever: its
/// caller may have no more. The struct says so by its struct_size; what it lacks counts as zero.
const INIT_BYTES: usize = 96;
const _: () = assert!(size_of::<pool_options_t>() == INIT_BYTES || size_of::<usize>() != 8);

/// Fills `options` with the defaults, which are all zero but `struct_size`.
///
/// Thread-safety: any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pool_options_init(options: *mut pool_options_t) {
    if options.is_null() {
        bad_argument("pool_options_init", Error::NullArgument, "options is NULL");
    } else {
        // SAFETY: not NULL, so it points to a pool_options_t of the caller's.
        unsafe { options.write_unaligned(pool_options_t::DEFAULT) };
    }
}
