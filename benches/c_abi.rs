//! What a C program pays: the exported functions of libmemory_pool.so, called through pointers,
//! beside two empty exported functions, which are the floor for any library.
//!
//! `cargo bench` runs criterion over each, then prints the ratios of runs that alternate between
//! the two, so that a change of the machine's speed meets both alike.

#![expect(clippy::multiple_unsafe_ops_per_block, reason = "one reason covers all look-ups")]

mod native;

use std::ffi::c_void;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use memory_pool::{POOL_THREADS_LOCK_FREE, POOL_THREADS_SAFE, POOL_THREADS_SINGLE, pool_options_t};
use native::{Allocator, PATTERNS, SharedLibrary, Workload, median, nanoseconds_a_pair};

const BLOCK_SIZE: usize = 64;
const CAPACITY: usize = 200_000;

type Create = unsafe extern "C" fn(usize, usize) -> *mut c_void;
type CreateWith = unsafe extern "C" fn(*const pool_options_t, *mut *mut c_void) -> i32;
type Destroy = unsafe extern "C" fn(*mut c_void) -> i32;
type AllocateMany = unsafe extern "C" fn(*mut c_void, *mut *mut c_void, usize) -> usize;
type DeallocateMany = unsafe extern "C" fn(*mut c_void, *const *mut c_void, usize) -> i32;

/// The functions under test.
struct Contest {
    create: Create,
    create_with: CreateWith,
    destroy: Destroy,
    reset: Destroy,
    allocate_many: AllocateMany,
    deallocate_many: DeallocateMany,
    floor: Allocator,
    pool: Allocator,
}

impl Contest {
    fn open() -> Self {
        let ours = SharedLibrary::open(&testkit::library::release().shared);
        // SAFETY: the names have these types in pool.h.
        unsafe {
            let create: Create = ours.function(c"pool_create");
            let contest = Self {
                create,
                create_with: ours.function(c"pool_create_with"),
                destroy: ours.function(c"pool_destroy"),
                reset: ours.function(c"pool_reset"),
                allocate_many: ours.function(c"pool_allocate_many"),
                deallocate_many: ours.function(c"pool_deallocate_many"),
                floor: native::floor(),
                pool: Allocator {
                    allocate: ours.function(c"pool_allocate"),
                    deallocate: ours.function(c"pool_deallocate"),
                    pool: std::ptr::null_mut(),
                },
            };
            Self { pool: contest.with(POOL_THREADS_SINGLE), ..contest }
        }
    }

    /// The functions with a pool of their own.
    fn with(&self, threading: u32) -> Allocator {
        let mut pool = std::ptr::null_mut();
        let options = pool_options_t { threading, ..options(CAPACITY) };
        // SAFETY: both live through the call.
        assert_eq!(unsafe { (self.create_with)(&raw const options, &raw mut pool) }, 0);
        Allocator { pool, ..self.pool }
    }

    fn create_and_destroy(&self, capacity: usize) {
        // SAFETY: a pool is created and destroyed once.
        unsafe { (self.destroy)((self.create)(BLOCK_SIZE, capacity)) };
    }
}

fn options(capacity: usize) -> pool_options_t {
    // SAFETY: a C struct for which zero is the default.
    let mut options: pool_options_t = unsafe { std::mem::zeroed() };
    options.struct_size = size_of::<pool_options_t>();
    options.block_size = BLOCK_SIZE;
    options.capacity = capacity;
    options.threading = POOL_THREADS_SINGLE;
    options
}

/// Nanoseconds a block to take `count` blocks, one at a time, from a pool that starts with
/// `capacity` of them.
fn nanoseconds_a_block(contest: &Contest, capacity: usize, count: usize) -> f64 {
    let mut pool = std::ptr::null_mut();
    let options = pool_options_t { max_capacity: count, ..options(capacity) };
    // SAFETY: both live through the call.
    assert_eq!(unsafe { (contest.create_with)(&raw const options, &raw mut pool) }, 0);
    let start = Instant::now();
    for _ in 0..count {
        // SAFETY: the pool lives.
        let block = unsafe { (contest.pool.allocate)(pool) };
        assert!(!block.is_null());
    }
    let nanoseconds = start.elapsed().as_nanos() as f64 / count as f64;
    // SAFETY: created above; its blocks are not used any more.
    unsafe { (contest.reset)(pool) };
    // SAFETY: created above, destroyed once.
    unsafe { (contest.destroy)(pool) };
    nanoseconds
}

fn print_growth(contest: &Contest) {
    const COUNT: usize = 10_000_000;
    let rounds: Vec<(f64, f64)> = (0..5)
        .map(|_| {
            (nanoseconds_a_block(contest, COUNT, COUNT), nanoseconds_a_block(contest, 1, COUNT))
        })
        .collect();
    println!(
        "\n10 million blocks of 64 bytes, one at a time: {:.2} ns each from a pool of that \
         capacity, {:.2} ns from one that grows from 1; ratio {:.2}",
        median(rounds.iter().map(|round| round.0).collect()),
        median(rounds.iter().map(|round| round.1).collect()),
        median(rounds.iter().map(|(full, growing)| growing / full).collect()),
    );
}

fn patterns(criterion: &mut Criterion, contest: &Contest) {
    for (name, pattern) in PATTERNS {
        let mut group = criterion.benchmark_group(name);
        for (who, allocator) in [("floor", contest.floor), ("pool", contest.pool)] {
            let mut workload = Workload::new(pattern, allocator);
            group.throughput(Throughput::Elements(workload.run()));
            group.bench_function(BenchmarkId::from_parameter(who), |b| b.iter(|| workload.run()));
        }
        group.finish();
    }
}

fn creation(criterion: &mut Criterion, contest: &Contest) {
    let mut group = criterion.benchmark_group("create and destroy");
    for capacity in [8, 1_000_000] {
        group.bench_function(BenchmarkId::from_parameter(capacity), |b| {
            b.iter(|| contest.create_and_destroy(capacity));
        });
    }
    group.finish();
}

/// Medians, and beside them the ratio of the fastest turns: what the machine shares with others
/// can only slow a turn down.
fn print_ratios(contest: &Contest, who: &str, allocator: Allocator) {
    const ROUNDS: usize = 31;
    let turn = Duration::from_millis(20);
    println!(
        "\n{who}, 64-byte blocks, standard checks; {ROUNDS} turns each, floor and pool in turn"
    );
    println!("{:<16}{:>12}{:>12}{:>10}{:>14}", "", "floor, ns", "pool, ns", "ratio", "of fastest");
    for (name, pattern) in PATTERNS {
        let mut floor = Workload::new(pattern, contest.floor);
        let mut pool = Workload::new(pattern, allocator);
        let rounds: Vec<(f64, f64)> = (0..ROUNDS)
            .map(|_| (nanoseconds_a_pair(&mut floor, turn), nanoseconds_a_pair(&mut pool, turn)))
            .collect();
        let fastest = |of: fn(&(f64, f64)) -> f64| rounds.iter().map(of).fold(f64::MAX, f64::min);
        println!(
            "{name:<16}{:>12.2}{:>12.2}{:>10.2}{:>14.2}",
            median(rounds.iter().map(|round| round.0).collect()),
            median(rounds.iter().map(|round| round.1).collect()),
            median(rounds.iter().map(|(floor, pool)| pool / floor).collect()),
            fastest(|round| round.1) / fastest(|round| round.0),
        );
    }
}

/// A batch in one call beside the same blocks one call each, in turn, in the same pool.
fn print_bulk(contest: &Contest) {
    const ROUNDS: usize = 31;
    println!("\nin bulk{:>17}{:>12}{:>10}", "calls, ns", "bulk, ns", "ratio");
    for count in [8, 64, 512] {
        let mut blocks = vec![std::ptr::null_mut(); count];
        let pool = contest.pool.pool;
        let mut calls = Workload::new(native::Pattern::Fifo(count), contest.pool);
        let mut bulk = || {
            let start = Instant::now();
            let mut pairs = 0;
            while start.elapsed() < Duration::from_millis(10) {
                for _ in 0..1000 / count + 1 {
                    // SAFETY: room for `count` entries.
                    let got = unsafe { (contest.allocate_many)(pool, blocks.as_mut_ptr(), count) };
                    // SAFETY: `got` entries, all live.
                    unsafe { (contest.deallocate_many)(pool, blocks.as_ptr(), got) };
                    pairs += got;
                }
            }
            start.elapsed().as_nanos() as f64 / pairs as f64
        };
        let turn = Duration::from_millis(10);
        let rounds: Vec<(f64, f64)> =
            (0..ROUNDS).map(|_| (nanoseconds_a_pair(&mut calls, turn), bulk())).collect();
        println!(
            "{count:<12}{:>12.2}{:>12.2}{:>10.2}",
            median(rounds.iter().map(|round| round.0).collect()),
            median(rounds.iter().map(|round| round.1).collect()),
            median(rounds.iter().map(|(calls, bulk)| bulk / calls).collect()),
        );
    }
}

fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: u64 = statm.split(' ').nth(1).and_then(|f| f.parse().ok()).expect("its format");
    pages * 4096
}

fn print_creation(contest: &Contest) {
    const MILLION: usize = 1_000_000;
    let (before, rounds) = (resident_bytes(), 1000);
    let start = Instant::now();
    for _ in 0..rounds {
        contest.create_and_destroy(MILLION);
    }
    let microseconds = start.elapsed().as_micros() as f64 / f64::from(rounds);
    // SAFETY: the pool is destroyed below.
    let pool = unsafe { (contest.create)(BLOCK_SIZE, MILLION) };
    let growth = resident_bytes().saturating_sub(before);
    // SAFETY: created above.
    unsafe { (contest.destroy)(pool) };
    println!(
        "\na million blocks of 64 bytes: created and destroyed in {microseconds:.1} microseconds, \
         resident memory grew by {} KiB",
        growth / 1024
    );
}

fn main() {
    let contest = Contest::open();
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    patterns(&mut criterion, &contest);
    creation(&mut criterion, &contest);
    criterion.final_summary();
    print_ratios(&contest, "one owner", contest.pool);
    print_ratios(&contest, "safe, uncontended", contest.with(POOL_THREADS_SAFE));
    print_ratios(&contest, "lock-free, uncontended", contest.with(POOL_THREADS_LOCK_FREE));
    print_bulk(&contest);
    print_creation(&contest);
    print_growth(&contest);
}
