//! How long a single allocation takes while a pool grows: not the mean, which hides the rare slow
//! one, but the percentiles up to the worst of ten million.
//!
//! The C symbols of libmemory_pool.so are called through pointers, as a C program calls them. Each
//! call is timed by itself; the times are kept aside and counted after the run, so that counting
//! disturbs nothing.

#[expect(dead_code, reason = "the patterns of use are those of another benchmark")]
mod native;

use std::ffi::c_void;
use std::hint::black_box;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use memory_pool::{POOL_THREADS_SINGLE, pool_options_t};
use native::{Allocate, SharedLibrary};

const BLOCK_SIZE: usize = 64;
const BLOCKS: usize = 10_000_000;
const ROUNDS: usize = 7;
/// The last is the maximum.
const PERCENTILES: [f64; 6] = [50.0, 99.0, 99.9, 99.99, 99.999, 100.0];

type CreateWith = unsafe extern "C" fn(*const pool_options_t, *mut *mut c_void) -> i32;
type Destroy = unsafe extern "C" fn(*mut c_void) -> i32;

/// The cheapest clock that is good enough: the processor's counter, read when what stands before is
/// done and before what follows begins.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn ticks() -> u64 {
    use core::arch::x86_64::{_mm_lfence, _rdtsc};
    // SAFETY: every x86-64 processor has it.
    unsafe { _mm_lfence() };
    // SAFETY: as above.
    let ticks = unsafe { _rdtsc() };
    // SAFETY: as above.
    unsafe { _mm_lfence() };
    ticks
}
#[cfg(target_arch = "x86_64")]
const CLOCK: &str = "the processor's time stamp counter (lfence, rdtsc, lfence)";

#[cfg(not(target_arch = "x86_64"))]
fn ticks() -> u64 {
    use std::sync::OnceLock;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}
#[cfg(not(target_arch = "x86_64"))]
const CLOCK: &str = "the clock of the system (Instant)";

/// By comparison with the clock of the system.
fn nanoseconds_a_tick() -> f64 {
    let (start, first) = (Instant::now(), ticks());
    while start.elapsed() < Duration::from_millis(500) {}
    let (elapsed, last) = (start.elapsed(), ticks());
    elapsed.as_nanos() as f64 / (last - first) as f64
}

/// The ticks of each call of one run.
struct Times {
    allocate: Vec<u32>,
    touch: Vec<u32>,
}

impl Times {
    /// In memory from the start: not zero, which the system would give when it is first written.
    fn new() -> Self {
        Self { allocate: vec![1; BLOCKS], touch: vec![1; BLOCKS] }
    }

    /// Times `allocate` and the first byte written to what it answers, for each block.
    #[inline(always)]
    fn run(&mut self, mut allocate: impl FnMut() -> *mut u8, touch: impl Fn(*mut u8)) {
        let short = |ticks: u64| u32::try_from(ticks).unwrap_or(u32::MAX);
        for (allocate_took, touch_took) in self.allocate.iter_mut().zip(&mut self.touch) {
            let first = ticks();
            let block = allocate();
            let second = ticks();
            touch(black_box(block));
            let third = ticks();
            *allocate_took = short(second - first);
            *touch_took = short(third - second);
        }
    }
}

/// The percentiles in nanoseconds.
fn percentiles(times: &[u32], nanoseconds_a_tick: f64) -> [f64; PERCENTILES.len()] {
    let mut histogram = Histogram::<u64>::new_with_max(u64::from(u32::MAX), 3).expect("sound");
    times.iter().for_each(|&ticks| histogram.record(ticks.into()).expect("below the maximum"));
    PERCENTILES.map(|percentile| {
        histogram.value_at_quantile(percentile / 100.0) as f64 * nanoseconds_a_tick
    })
}

/// The functions under test.
struct Library {
    create_with: CreateWith,
    allocate: Allocate,
    reset: Destroy,
    destroy: Destroy,
}

impl Library {
    fn open() -> Self {
        let library = SharedLibrary::open(&testkit::library::release().shared);
        Self {
            // SAFETY: the name has this type in pool.h.
            create_with: unsafe { library.function(c"pool_create_with") },
            // SAFETY: as above.
            allocate: unsafe { library.function(c"pool_allocate") },
            // SAFETY: as above.
            reset: unsafe { library.function(c"pool_reset") },
            // SAFETY: as above.
            destroy: unsafe { library.function(c"pool_destroy") },
        }
    }

    /// Takes every block of a pool that starts with `capacity` of them.
    fn run(&self, capacity: usize, times: &mut Times) {
        let mut pool = std::ptr::null_mut();
        // SAFETY: a C struct for which zero is the default.
        let mut options: pool_options_t = unsafe { std::mem::zeroed() };
        options.struct_size = size_of::<pool_options_t>();
        options.block_size = BLOCK_SIZE;
        options.capacity = capacity;
        options.max_capacity = BLOCKS;
        options.threading = POOL_THREADS_SINGLE;
        // SAFETY: both live through the call.
        assert_eq!(unsafe { (self.create_with)(&raw const options, &raw mut pool) }, 0);
        // SAFETY: the pool lives.
        let allocate = || unsafe { (self.allocate)(pool) }.cast();
        // SAFETY: a block that was allocated just now; there are as many as are asked for.
        times.run(allocate, |block| unsafe { block.write_volatile(1) });
        // SAFETY: the pool lives.
        assert!(unsafe { (self.allocate)(pool) }.is_null(), "every block was had");
        // SAFETY: created above; its blocks are not used any more.
        unsafe { (self.reset)(pool) };
        // SAFETY: created above, destroyed once.
        unsafe { (self.destroy)(pool) };
    }
}

/// Each percentile by itself: the middle one of the rounds.
fn medians(rounds: &[[f64; PERCENTILES.len()]]) -> [f64; PERCENTILES.len()] {
    std::array::from_fn(|column| {
        let mut values: Vec<f64> = rounds.iter().map(|round| round[column]).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    })
}

fn main() {
    const ROWS: [&str; 5] = [
        "growing from 1: allocate",
        "growing from 1: first touch",
        "full from the start: allocate",
        "full from the start: first touch",
        "nothing",
    ];
    let (library, nanoseconds) = (Library::open(), nanoseconds_a_tick());
    let mut times = Times::new();
    let mut rows: [Vec<_>; ROWS.len()] = Default::default();
    for _ in 0..ROUNDS {
        library.run(1, &mut times);
        rows[0].push(percentiles(&times.allocate, nanoseconds));
        rows[1].push(percentiles(&times.touch, nanoseconds));
        library.run(BLOCKS, &mut times);
        rows[2].push(percentiles(&times.allocate, nanoseconds));
        rows[3].push(percentiles(&times.touch, nanoseconds));
        times.run(|| black_box(std::ptr::null_mut()), |_| {});
        rows[4].push(percentiles(&times.allocate, nanoseconds));
    }
    println!(
        "\n{BLOCKS} blocks of {BLOCK_SIZE} bytes, each allocated and then touched (one byte is \
         written); nanoseconds of single calls, median of {ROUNDS} rounds.\n\
         \"nothing\" is the same loop without a call: the cost of the clock, which is in every \
         row, and the interruptions of this machine.\n\
         Clock: {CLOCK}, {nanoseconds:.3} ns a tick.\n"
    );
    let titles = ["p50", "p99", "p99.9", "p99.99", "p99.999", "max"];
    print!("{:<34}", "");
    titles.iter().for_each(|title| print!("{title:>11}"));
    println!();
    for (name, rounds) in ROWS.iter().zip(&rows) {
        print!("{name:<34}");
        medians(rounds).iter().for_each(|value| print!("{value:>11.0}"));
        println!();
    }
}
