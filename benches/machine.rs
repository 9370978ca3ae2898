//! What this machine takes for the steps that the model of larger ones is made of
//! (`tests/scaling`, docs/adr/0011-scaling.md): a cache line from one core to the other, a fence on
//! all threads, an exchange with the depot, a theft.
//!
//! `cargo bench --bench machine` takes half a minute, `-- quick` a few seconds. Needs two cores.

#[expect(dead_code, reason = "the patterns of use are those of another benchmark")]
mod native;

use std::ffi::c_void;
use std::hint::{black_box, spin_loop};
use std::ptr::null_mut;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use native::{Allocator, Calls, Pattern, SharedLibrary, Workload, median, nanoseconds_a_pair};

type Create = unsafe extern "C" fn(usize, usize) -> *mut c_void;
type Destroy = unsafe extern "C" fn(*mut c_void) -> i32;

/// Keeps this thread on a core.
fn stay_on(core: usize) {
    // SAFETY: a set of bits, for which zero is empty.
    let mut cores: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: two cores are far fewer than there are bits.
    unsafe { libc::CPU_SET(core, &mut cores) };
    // SAFETY: the set lives through the call.
    let status = unsafe { libc::sched_setaffinity(0, size_of_val(&cores), &raw const cores) };
    assert_eq!(status, 0, "this needs cores 0 and 1");
}

/// Runs `work` on both cores at once; answers how long the slower took.
fn on_both(work: impl Fn(usize) + Send + Copy) -> Duration {
    let start = &Barrier::new(2);
    std::thread::scope(|scope| {
        let threads = [0, 1].map(|core| {
            scope.spawn(move || {
                stay_on(core);
                start.wait();
                let now = Instant::now();
                work(core);
                now.elapsed()
            })
        });
        threads.map(|thread| thread.join().expect("no panic")).into_iter().max().expect("two")
    })
}

fn nanoseconds(elapsed: Duration, of: u64) -> f64 {
    elapsed.as_nanos() as f64 / of as f64
}

/// A word that the cores write in turn.
fn line() -> f64 {
    const TURNS: u64 = 200_000;
    let word = AtomicU64::new(0);
    let elapsed = on_both(|core| {
        for turn in (core as u64..TURNS).step_by(2) {
            while word.load(Ordering::Acquire) != turn {
                spin_loop();
            }
            word.store(turn + 1, Ordering::Release);
        }
    });
    nanoseconds(elapsed, TURNS)
}

/// Bytes of a table like a ledger, looked at and written at random: what it costs beyond the same
/// without the other core, for each line that the other one has, which is half of them.
fn independent_line() -> f64 {
    const LINES: usize = 1024;
    const TURNS: u64 = 1_000_000;
    let tables = [(); 2].map(|()| (0..LINES * 64).map(|_| AtomicU8::new(0)).collect::<Vec<_>>());
    let run = |is_shared: bool| {
        let elapsed = on_both(|core| {
            let table = &tables[if is_shared { 0 } else { core }];
            let mut state = 1 + core as u64;
            for _ in 0..TURNS {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let byte = &table[(state >> 40) as usize % (LINES * 64)];
                let next = byte.load(Ordering::Relaxed).wrapping_add(1);
                byte.store(next, Ordering::Relaxed);
            }
        });
        nanoseconds(elapsed, TURNS)
    };
    run(false);
    2.0 * (run(true) - run(false))
}

/// A fence on all threads while another core runs one, or none.
fn fence(other_runs: bool) -> f64 {
    const FENCES: u64 = 10_000;
    // SAFETY: no memory of ours is touched.
    let command = |command: i32| unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) };
    assert_eq!(command(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED), 0, "membarrier");
    let is_over = AtomicBool::new(false);
    let elapsed = on_both(|core| {
        if core == 0 {
            (0..FENCES).for_each(|_| {
                command(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED);
            });
            is_over.store(true, Ordering::Relaxed);
        }
        while other_runs && !is_over.load(Ordering::Relaxed) {
            spin_loop();
        }
    });
    nanoseconds(elapsed, FENCES)
}

struct Library {
    create: Create,
    destroy: Destroy,
    calls: Allocator,
}

impl Library {
    fn open() -> Self {
        let library = SharedLibrary::open(&testkit::library::release().shared);
        Self {
            // SAFETY: the name has this type in pool.h.
            create: unsafe { library.function(c"pool_create") },
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

    /// Calls `work` with a safe pool.
    fn with_pool<T>(&self, capacity: usize, work: impl FnOnce(Allocator) -> T) -> T {
        // SAFETY: no requirements.
        let pool = unsafe { (self.create)(64, capacity) };
        assert!(!pool.is_null(), "the log says why");
        let result = work(Allocator { pool, ..self.calls });
        // SAFETY: created above, destroyed once.
        unsafe { (self.destroy)(pool) };
        result
    }

    /// An operation in a magazine that neither runs full nor dry.
    fn operation(&self) -> f64 {
        self.with_pool(10_000, |pool| self.pair(pool, Pattern::Pair)) / 2.0
    }

    /// What an exchange adds: in bursts there is one for each 64 operations.
    fn exchange(&self) -> f64 {
        let in_bursts = self.with_pool(10_000, |pool| self.pair(pool, Pattern::Lifo(1000))) / 2.0;
        64.0 * (in_bursts - self.operation())
    }

    fn pair(&self, pool: Allocator, pattern: Pattern) -> f64 {
        let mut workload = Workload::new(pattern, pool);
        workload.run();
        nanoseconds_a_pair(&mut workload, Duration::from_millis(20))
    }

    /// Operations of two threads in bursts, each: the model says something about that.
    fn operation_of_two(&self) -> f64 {
        const ROUNDS: u64 = 2_000;
        self.with_pool(10_000, |pool| {
            let elapsed = on_both(move |_| {
                let mut workload = Workload::new(Pattern::Lifo(1000), pool);
                black_box((0..ROUNDS).map(|_| workload.run()).sum::<u64>());
            });
            nanoseconds(elapsed, 2 * 1000 * ROUNDS)
        })
    }

    /// The allocation that finds nothing but what waits in the magazines of `threads` others.
    fn theft(&self, threads: usize) -> f64 {
        let capacity = 1000 + threads;
        self.with_pool(capacity, |pool| {
            let (filled, over) = (Barrier::new(threads + 1), Barrier::new(threads + 1));
            let (filled, over) = (&filled, &over);
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(move || {
                        let pool = pool;
                        pool.give(pool.take());
                        filled.wait();
                        over.wait();
                    });
                }
                filled.wait();
                let mut slowest = Duration::ZERO;
                let mut blocks = vec![null_mut(); capacity];
                for block in &mut blocks {
                    let start = Instant::now();
                    *block = pool.take();
                    slowest = slowest.max(start.elapsed());
                }
                assert!(blocks.iter().all(|block| !block.is_null()), "a block was out of reach");
                blocks.into_iter().for_each(|block| pool.give(block));
                over.wait();
                slowest.as_nanos() as f64
            })
        })
    }
}

fn main() {
    let rounds = if std::env::args().any(|word| word == "quick") { 5 } else { 25 };
    let library = Library::open();
    let of = |measure: &dyn Fn() -> f64| median((0..rounds).map(|_| measure()).collect());
    println!("Nanoseconds, medians of {rounds} rounds.\n");
    let print = |what: &str, measure: &dyn Fn() -> f64| println!("{what:<58}{:>10.1}", of(measure));
    print("a cache line that the other core wrote", &line);
    print("one of many such lines, which do not wait for each other", &independent_line);
    print("a fence on all threads, of which no other runs", &|| fence(false));
    print("a fence on all threads, of which one other runs", &|| fence(true));
    print("an operation in a magazine", &|| library.operation());
    print("an exchange of 64 blocks with the depot", &|| library.exchange());
    print("an operation of two threads in bursts of 1000", &|| library.operation_of_two());
    print("a theft from 8 threads", &|| library.theft(8));
    print("a theft from 256 threads", &|| library.theft(256));
}
