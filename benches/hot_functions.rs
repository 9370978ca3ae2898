//! Every function that a program may call in an inner loop, by itself, for each kind of pool and
//! each level of checks; through pointers to the exported functions, as `c_abi.rs`, which has the
//! patterns of use.
//!
//! What takes or gives blocks is called in bursts of 512, so that the exchange of blocks between a
//! thread and its pool is in the figure; `_many` moves 64 blocks a call. No pool ever runs dry.
//!
//! The list is complete: `tests/symbols.rs` compares the names that stand here with pool.h, and a
//! run ends with an error if one of them was neither measured nor is in [`SELDOM`].

#[expect(dead_code, reason = "the patterns of use are those of another benchmark")]
mod native;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ffi::{CStr, c_void};
use std::hint::black_box;
use std::ptr::null_mut;
use std::time::{Duration, Instant};

use criterion::Criterion;
use memory_pool::{
    POOL_CHECKS_NONE, POOL_CHECKS_STANDARD, POOL_THREADS_LOCK_FREE, POOL_THREADS_SAFE,
    POOL_THREADS_SINGLE, pool_options_t, pool_stats_t,
};
use native::{Allocate, Allocator, Calls, Deallocate, SharedLibrary};

/// What a program calls at its start and its end, seldom in between, or when something is wrong.
const SELDOM: [&str; 21] = [
    "pool_bytes_needed",
    "pool_cache_create",
    "pool_cache_destroy",
    "pool_cache_view",
    "pool_create",
    "pool_create_with",
    "pool_destroy",
    "pool_fail_after",
    "pool_for_each_live",
    "pool_log_live",
    "pool_grow",
    "pool_options_init",
    "pool_reset",
    "pool_set_log_callback",
    "pool_set_report_callback",
    "pool_single_view",
    "pool_status_string",
    "pool_trim",
    "pool_validate",
    "pool_version",
    "pool_write_snapshot",
];

const THREADING: [(&str, u32); 3] = [
    ("one owner", POOL_THREADS_SINGLE),
    ("safe", POOL_THREADS_SAFE),
    ("lock-free", POOL_THREADS_LOCK_FREE),
];
const CHECKS: [(&str, u32); 2] = [("standard", POOL_CHECKS_STANDARD), ("none", POOL_CHECKS_NONE)];

const CAPACITY: usize = 100_000;
/// So many calls between two looks at the clock.
const BURST: usize = 512;
/// The blocks of a call of `_many`, and how many such calls there are between two looks.
const MANY: usize = 64;
const BURST_OF_MANY: usize = 32;

type CreateWith = unsafe extern "C" fn(*const pool_options_t, *mut *mut c_void) -> i32;
type AllocateMany = unsafe extern "C" fn(*mut c_void, *mut *mut c_void, usize) -> usize;
type DeallocateMany = unsafe extern "C" fn(*mut c_void, *const *mut c_void, usize) -> i32;
type AllocateWait = unsafe extern "C" fn(*mut c_void, u64, *mut *mut c_void) -> i32;
type Owns = unsafe extern "C" fn(*mut c_void, *mut c_void) -> bool;
type Figure = unsafe extern "C" fn(*mut c_void) -> usize;
type GetStats = unsafe extern "C" fn(*mut c_void, *mut pool_stats_t) -> i32;

/// A pool or a cache, by the two functions that it is called with.
struct Pool {
    name: String,
    own: Allocator,
}

struct Session {
    criterion: Criterion,
    library: SharedLibrary,
    measured: BTreeSet<String>,
}

impl Session {
    /// Measures the function `name` with each pool. `run` makes so many calls, and answers how long
    /// they took.
    ///
    /// `F` is the type of that function in pool.h.
    fn measure<F: Copy>(
        &mut self,
        pools: &[Pool],
        name: &CStr,
        run: impl Fn(F, &Pool, u64) -> Duration,
    ) {
        // SAFETY: the callers below name functions with their types.
        let function: F = unsafe { self.library.function(name) };
        let name = name.to_str().expect("a name of C");
        let mut group = self.criterion.benchmark_group(name);
        for pool in pools {
            group.bench_function(&pool.name, |b| {
                b.iter_custom(|calls| run(function, pool, calls));
            });
        }
        group.finish();
        self.measured.insert(name.to_owned());
    }
}

/// Makes `calls` calls in bursts; `burst` answers how long its calls took.
fn in_bursts(calls: u64, most: usize, mut burst: impl FnMut(usize) -> Duration) -> Duration {
    let (mut left, mut elapsed) = (calls, Duration::ZERO);
    while left > 0 {
        let count = left.min(most as u64) as usize;
        elapsed += burst(count);
        left -= count as u64;
    }
    elapsed
}

/// Times `take`, and gives the blocks back after that.
fn taking(pool: &Pool, calls: u64, take: impl Fn() -> *mut c_void) -> Duration {
    in_bursts(calls, BURST, |count| {
        let mut blocks = [null_mut(); BURST];
        let start = Instant::now();
        blocks[..count].fill_with(&take);
        let elapsed = start.elapsed();
        assert!(blocks[..count].iter().all(|block| !block.is_null()), "{} is dry", pool.name);
        blocks[..count].iter().for_each(|&block| pool.own.give(block));
        elapsed
    })
}

/// Takes blocks, and times `give`.
fn giving(pool: &Pool, calls: u64, give: impl Fn(*mut c_void) -> i32) -> Duration {
    in_bursts(calls, BURST, |count| {
        let mut blocks = [null_mut(); BURST];
        blocks[..count].fill_with(|| pool.own.take());
        let start = Instant::now();
        let refused = blocks[..count].iter().filter(|&&block| give(block) != 0).count();
        let elapsed = start.elapsed();
        assert_eq!(refused, 0, "{}", pool.name);
        elapsed
    })
}

/// Times `ask` with a block that is live.
fn asking<T>(pool: &Pool, calls: u64, ask: impl Fn(*mut c_void) -> T) -> Duration {
    let block = pool.own.take();
    let start = Instant::now();
    (0..calls).for_each(|_| drop(black_box(ask(black_box(block)))));
    let elapsed = start.elapsed();
    pool.own.give(block);
    elapsed
}

/// Times calls that take `MANY` blocks each, or those that give them back.
fn by_the_many(
    pool: &Pool,
    calls: u64,
    (take, give): (AllocateMany, DeallocateMany),
    times_taking: bool,
) -> Duration {
    let mut blocks = [[null_mut(); MANY]; BURST_OF_MANY];
    in_bursts(calls, BURST_OF_MANY, |count| {
        let start = Instant::now();
        for row in &mut blocks[..count] {
            // SAFETY: room for so many.
            let taken = unsafe { take(pool.own.pool, row.as_mut_ptr(), MANY) };
            assert_eq!(taken, MANY, "{} is dry", pool.name);
        }
        let middle = Instant::now();
        for row in &blocks[..count] {
            // SAFETY: the blocks were taken above.
            let status = unsafe { give(pool.own.pool, row.as_ptr(), MANY) };
            assert_eq!(status, 0, "{}", pool.name);
        }
        if times_taking { middle - start } else { middle.elapsed() }
    })
}

/// In all of this a function has the type that stands beside its name in pool.h, and is called with
/// a pool that lives, and a block of that pool that is live.
#[expect(clippy::undocumented_unsafe_blocks, reason = "the comment above is the reason of all")]
fn measure_pools(session: &mut Session, pools: &[Pool]) {
    session.measure(pools, c"pool_allocate", |call: Allocate, pool, calls| {
        taking(pool, calls, || unsafe { call(pool.own.pool) })
    });
    session.measure(pools, c"pool_allocate_zeroed", |call: Allocate, pool, calls| {
        taking(pool, calls, || unsafe { call(pool.own.pool) })
    });
    session.measure(pools, c"pool_allocate_wait", |call: AllocateWait, pool, calls| {
        taking(pool, calls, || {
            let mut block = null_mut();
            unsafe { call(pool.own.pool, 0, &raw mut block) };
            block
        })
    });
    session.measure(pools, c"pool_deallocate", |call: Deallocate, pool, calls| {
        giving(pool, calls, |block| unsafe { call(pool.own.pool, block) })
    });
    let take: AllocateMany = unsafe { session.library.function(c"pool_allocate_many") };
    let give: DeallocateMany = unsafe { session.library.function(c"pool_deallocate_many") };
    session.measure(pools, c"pool_allocate_many", |take, pool, calls| {
        by_the_many(pool, calls, (take, give), true)
    });
    session.measure(pools, c"pool_deallocate_many", |give, pool, calls| {
        by_the_many(pool, calls, (take, give), false)
    });
    session.measure(pools, c"pool_owns", |call: Owns, pool, calls| {
        asking(pool, calls, |block| unsafe { call(pool.own.pool, block) })
    });
    session.measure(pools, c"pool_check_block", |call: Deallocate, pool, calls| {
        asking(pool, calls, |block| unsafe { call(pool.own.pool, block) })
    });
    let figures = [
        c"pool_block_size",
        c"pool_stride",
        c"pool_alignment",
        c"pool_capacity",
        c"pool_in_use",
        c"pool_available",
    ];
    for name in figures {
        session.measure(pools, name, |call: Figure, pool, calls| {
            asking(pool, calls, |_| unsafe { call(pool.own.pool) })
        });
    }
    session.measure(pools, c"pool_get_stats", |call: GetStats, pool, calls| {
        let mut stats: pool_stats_t = unsafe { std::mem::zeroed() };
        stats.struct_size = size_of::<pool_stats_t>();
        let stats = Cell::new(stats);
        asking(pool, calls, |_| unsafe { call(pool.own.pool, stats.as_ptr()) })
    });
}

/// As above, for a cache instead of a pool.
#[expect(clippy::undocumented_unsafe_blocks, reason = "the comment above is the reason of all")]
fn measure_caches(session: &mut Session, caches: &[Pool]) {
    session.measure(caches, c"pool_cache_allocate", |call: Allocate, cache, calls| {
        taking(cache, calls, || unsafe { call(cache.own.pool) })
    });
    session.measure(caches, c"pool_cache_deallocate", |call: Deallocate, cache, calls| {
        giving(cache, calls, |block| unsafe { call(cache.own.pool, block) })
    });
}

fn create(library: &SharedLibrary, threading: u32, checks: u32) -> *mut c_void {
    // SAFETY: the name has this type in pool.h.
    let create_with: CreateWith = unsafe { library.function(c"pool_create_with") };
    // SAFETY: a C struct for which zero is the default.
    let mut options: pool_options_t = unsafe { std::mem::zeroed() };
    options.struct_size = size_of::<pool_options_t>();
    options.block_size = 64;
    options.capacity = CAPACITY;
    options.threading = threading;
    options.checks = checks;
    let mut pool = null_mut();
    // SAFETY: both live through the call.
    assert_eq!(unsafe { create_with(&raw const options, &raw mut pool) }, 0);
    pool
}

/// A pool of each kind. They live until the process ends.
fn pools(library: &SharedLibrary) -> Vec<Pool> {
    // SAFETY: the name has this type in pool.h.
    let allocate: Allocate = unsafe { library.function(c"pool_allocate") };
    // SAFETY: as above.
    let deallocate: Deallocate = unsafe { library.function(c"pool_deallocate") };
    let of = |(kind, threading)| {
        CHECKS.map(|(level, checks)| {
            let pool = create(library, threading, checks);
            Pool { name: format!("{kind}, {level}"), own: Allocator { allocate, deallocate, pool } }
        })
    };
    THREADING.into_iter().flat_map(of).collect()
}

/// A cache of a safe pool with each level of checks.
fn caches(library: &SharedLibrary) -> Vec<Pool> {
    // SAFETY: the name has this type in pool.h, with other names for the pointers.
    let cache_create: Allocate = unsafe { library.function(c"pool_cache_create") };
    // SAFETY: as above.
    let allocate: Allocate = unsafe { library.function(c"pool_cache_allocate") };
    // SAFETY: as above.
    let deallocate: Deallocate = unsafe { library.function(c"pool_cache_deallocate") };
    let of = |(level, checks)| {
        // SAFETY: a pool that lives.
        let pool = unsafe { cache_create(create(library, POOL_THREADS_SAFE, checks)) };
        assert!(!pool.is_null(), "the log says why");
        Pool { name: format!("safe, {level}"), own: Allocator { allocate, deallocate, pool } }
    };
    CHECKS.map(of).into()
}

fn main() {
    let library = SharedLibrary::open(&testkit::library::release().shared);
    let (pools, caches) = (pools(&library), caches(&library));
    let criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(300))
        .sample_size(50)
        .nresamples(10_000)
        .without_plots()
        .configure_from_args();
    let mut session = Session { criterion, library, measured: BTreeSet::new() };
    measure_pools(&mut session, &pools);
    measure_caches(&mut session, &caches);
    session.criterion.final_summary();
    let mut listed = session.measured;
    listed.extend(SELDOM.map(str::to_owned));
    assert_eq!(listed, testkit::library::declared(), "what pool.h declares is measured, or seldom");
}
