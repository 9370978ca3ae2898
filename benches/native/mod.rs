//! The C symbols of a shared library as function pointers: what a C program calls, and nothing
//! that the Rust compiler could inline.

use std::ffi::{CStr, CString, c_void};
use std::path::Path;
use std::time::{Duration, Instant};

/// `pool_allocate` and its like.
pub type Allocate = unsafe extern "C" fn(*mut c_void) -> *mut c_void;
/// `pool_deallocate` and its like.
pub type Deallocate = unsafe extern "C" fn(*mut c_void, *mut c_void) -> i32;

/// A shared library, open until the program ends.
pub struct SharedLibrary(*mut c_void);

impl SharedLibrary {
    /// Opens `path`.
    pub fn open(path: &Path) -> Self {
        Self::try_open(path).unwrap_or_else(|why| panic!("{why}"))
    }

    /// Opens `path`, or says why it can't be opened.
    pub fn try_open(path: &Path) -> Result<Self, String> {
        let name = CString::new(path.to_str().expect("a path in UTF-8")).expect("no NUL in it");
        // SAFETY: the libraries opened here have no initialisers with requirements.
        let library = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        if !library.is_null() {
            return Ok(Self(library));
        }
        // SAFETY: the last call of dlopen on this thread failed.
        let why = unsafe { libc::dlerror() };
        // SAFETY: after a failure it is a string, until the next call.
        Err(unsafe { CStr::from_ptr(why) }.to_string_lossy().into_owned())
    }

    /// The function `name`.
    ///
    /// # Safety
    /// * `F` is a function pointer type and `name` has that type.
    pub unsafe fn function<F: Copy>(&self, name: &CStr) -> F {
        // SAFETY: the library is open.
        let symbol = unsafe { libc::dlsym(self.0, name.as_ptr()) };
        assert!(!symbol.is_null(), "{name:?} is not exported");
        assert_eq!(size_of::<F>(), size_of::<*mut c_void>());
        // SAFETY: not null, and of type F by this function's contract.
        unsafe { std::mem::transmute_copy(&symbol) }
    }
}

/// What takes blocks and gives them back by a call of a C function each, and nothing more.
pub trait Calls: Copy + Send {
    /// Takes a block.
    fn take(&self) -> *mut c_void;
    /// Gives back a block that `take` answered.
    fn give(&self, block: *mut c_void);
}

/// An allocator behind two C functions that are told the pool.
#[derive(Clone, Copy)]
pub struct Allocator {
    /// Takes a block.
    pub allocate: Allocate,
    /// Gives it back.
    pub deallocate: Deallocate,
    /// What both are called with.
    pub pool: *mut c_void,
}

// SAFETY: a pool with one owner stays on the thread that created it; the others are for any thread.
unsafe impl Send for Allocator {}

impl Calls for Allocator {
    #[inline(always)]
    fn take(&self) -> *mut c_void {
        // SAFETY: the functions and the pool belong together.
        let block = unsafe { (self.allocate)(self.pool) };
        debug_assert!(!block.is_null());
        block
    }

    #[inline(always)]
    fn give(&self, block: *mut c_void) {
        // SAFETY: `block` came from `take` of the same allocator.
        unsafe { (self.deallocate)(self.pool, block) };
    }
}

/// Two empty functions of a shared library, compiled here.
pub fn floor() -> Allocator {
    let folder = testkit::scratch(concat!("bench-", env!("CARGO_CRATE_NAME")));
    let path = folder.join("libfloor.so");
    let source = testkit::root().join("benches/native/floor.c");
    let mut compile = testkit::program::compiler(&source);
    testkit::run(compile.args(["-shared", "-fPIC"]).arg(&source).arg("-o").arg(&path));
    let library = SharedLibrary::open(&path);
    Allocator {
        // SAFETY: the name has this type in benches/native/floor.c.
        allocate: unsafe { library.function(c"floor_allocate") },
        // SAFETY: as above.
        deallocate: unsafe { library.function(c"floor_deallocate") },
        pool: 64 as *mut c_void,
    }
}

/// The patterns of use that allocators differ in.
#[derive(Clone, Copy, Debug)]
pub enum Pattern {
    /// One block, taken and given back.
    Pair,
    /// So many taken, then given back newest first.
    Lifo(usize),
    /// So many taken, then given back oldest first.
    Fifo(usize),
    /// So many live; one at random is given back and replaced.
    Random(usize),
}

/// The five patterns, with their names.
pub const PATTERNS: [(&str, Pattern); 5] = [
    ("pair", Pattern::Pair),
    ("1000 LIFO", Pattern::Lifo(1000)),
    ("1000 FIFO", Pattern::Fifo(1000)),
    ("100 000 LIFO", Pattern::Lifo(100_000)),
    ("20 000 random", Pattern::Random(20_000)),
];

/// A pattern with its allocator and its working memory, so that repetitions allocate nothing.
pub struct Workload<C: Calls> {
    pattern: Pattern,
    allocator: C,
    live: Vec<*mut c_void>,
    order: Vec<u32>,
}

impl<C: Calls> Workload<C> {
    /// Prepares `pattern`; blocks that stay live are taken here.
    pub fn new(pattern: Pattern, allocator: C) -> Self {
        let (places, taken) = match pattern {
            Pattern::Pair => (0, 0),
            Pattern::Lifo(count) | Pattern::Fifo(count) => (count, 0),
            Pattern::Random(count) => (count, count),
        };
        let mut live = vec![std::ptr::null_mut(); places];
        live[..taken].fill_with(|| allocator.take());
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let order = (0..taken)
            .map(|_| {
                // A linear congruential generator; its high bits are good enough to pick a place.
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                ((state >> 33) % taken as u64) as u32
            })
            .collect();
        Self { pattern, allocator, live, order }
    }

    /// Runs the pattern once; answers how many pairs of calls that was.
    #[inline(never)]
    pub fn run(&mut self) -> u64 {
        let allocator = self.allocator;
        match self.pattern {
            Pattern::Pair => {
                for _ in 0..1000 {
                    allocator.give(std::hint::black_box(allocator.take()));
                }
                1000
            }
            Pattern::Lifo(count) => {
                self.live.fill_with(|| allocator.take());
                self.live.iter().rev().for_each(|&block| allocator.give(block));
                count as u64
            }
            Pattern::Fifo(count) => {
                self.live.fill_with(|| allocator.take());
                self.live.iter().for_each(|&block| allocator.give(block));
                count as u64
            }
            Pattern::Random(count) => {
                for &place in &self.order {
                    let place = &mut self.live[place as usize];
                    allocator.give(*place);
                    *place = allocator.take();
                }
                count as u64
            }
        }
    }
}

impl<C: Calls> Drop for Workload<C> {
    fn drop(&mut self) {
        if let Pattern::Random(_) = self.pattern {
            self.live.iter().for_each(|&block| self.allocator.give(block));
        }
    }
}

/// Nanoseconds a pair over at least `at_least` of repetitions.
pub fn nanoseconds_a_pair(workload: &mut Workload<impl Calls>, at_least: Duration) -> f64 {
    let start = Instant::now();
    let mut pairs = 0;
    while start.elapsed() < at_least {
        pairs += workload.run();
    }
    start.elapsed().as_nanos() as f64 / pairs as f64
}

/// The middle one, or of an even number the upper of both.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
