//! Memory that is not in a cache: what options and strides do about it, everyone in turn. The
//! figures of docs/adr/0012-cold-memory.md.
//!
//! `cargo bench --bench cold` takes half a minute, `-- quick` a few seconds.

#[expect(dead_code, reason = "the patterns of use are those of another benchmark")]
mod native;
#[path = "native/pools.rs"]
mod pools;

use std::ffi::c_void;
use std::time::Instant;

use memory_pool::{POOL_HUGE_PAGES, POOL_PREFAULT, POOL_THREADS_SAFE, POOL_THREADS_SINGLE};
use native::{Allocator, Calls, median};
use pools::Library;

const MILLION: usize = 1_000_000;

/// Writes the first word of a block.
fn write(block: *mut c_void) {
    // SAFETY: a live block of at least a word.
    unsafe { block.cast::<usize>().write_volatile(1) };
}

/// A linear congruential generator; its high bits are good enough to pick a place.
struct Places(u64);

impl Places {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % end
    }

    fn shuffle(&mut self, blocks: &mut [*mut c_void]) {
        (1..blocks.len()).for_each(|last| blocks.swap(last, self.below(last + 1)));
    }
}

/// Nanoseconds for each of `count`.
fn timed(count: usize, work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_nanos() as f64 / count as f64
}

/// Blocks in no order.
fn scattered(pool: Allocator, count: usize) -> Vec<*mut c_void> {
    let mut blocks: Vec<_> = (0..count).map(|_| pool.take()).collect();
    blocks.iter().for_each(|&block| write(block));
    Places(1).shuffle(&mut blocks);
    blocks
}

type Turn<'a> = (&'a str, Box<dyn FnMut() -> f64 + 'a>);

/// Runs all in turn, and prints medians and the median of the ratios to the first.
fn contest(title: &str, rounds: usize, mut turns: Vec<Turn>) {
    println!("\n{title}");
    for (_, turn) in &mut turns {
        turn();
    }
    let times: Vec<Vec<f64>> =
        (0..rounds).map(|_| turns.iter_mut().map(|(_, turn)| turn()).collect()).collect();
    for (place, (name, _)) in turns.iter().enumerate() {
        let of = |value: &dyn Fn(&Vec<f64>) -> f64| median(times.iter().map(value).collect());
        let (time, ratio) = (of(&|round| round[place]), of(&|round| round[place] / round[0]));
        println!("  {name:<32}{time:>9.2} ns   ratio {ratio:.2}");
    }
}

fn fresh<'a>(library: &'a Library, name: &'a str, flags: u32) -> Turn<'a> {
    let turn = move || {
        let pool = library.pool(POOL_THREADS_SINGLE, 64, MILLION, flags);
        let time = timed(MILLION, || (0..MILLION).for_each(|_| write(pool.take())));
        library.end(pool);
        time
    };
    (name, Box::new(turn))
}

fn taken_again<'a>(library: &Library, name: &'a str, flags: u32) -> Turn<'a> {
    let pool = library.pool(POOL_THREADS_SINGLE, 64, MILLION, flags);
    let mut blocks = scattered(pool, MILLION);
    let turn = move || {
        blocks.iter().for_each(|&block| pool.give(block));
        let time = timed(MILLION, || {
            blocks.fill_with(|| {
                let block = pool.take();
                write(block);
                block
            });
        });
        Places(1).shuffle(&mut blocks);
        time
    };
    (name, Box::new(turn))
}

fn replaced<'a>(library: &Library, name: &'a str, live: usize, flags: u32) -> Turn<'a> {
    const TURNS: usize = 200_000;
    let pool = library.pool(POOL_THREADS_SINGLE, 64, live, flags);
    let (mut blocks, mut places) = (scattered(pool, live), Places(7));
    let turn = move || {
        timed(TURNS, || {
            for _ in 0..TURNS {
                let block = &mut blocks[places.below(live)];
                pool.give(*block);
                *block = pool.take();
                write(*block);
            }
        })
    };
    (name, Box::new(turn))
}

fn visited<'a>(library: &Library, name: &'a str, block_size: usize) -> Turn<'a> {
    const BLOCKS: usize = 1000;
    let pool = library.pool(POOL_THREADS_SINGLE, block_size, BLOCKS, 0);
    let blocks = scattered(pool, BLOCKS);
    let turn = move || {
        timed(100 * BLOCKS, || (0..100).for_each(|_| blocks.iter().for_each(|&b| write(b))))
    };
    (name, Box::new(turn))
}

/// Pools in turn; each has handed out `apart` blocks more than the one before it.
fn in_turn<'a>(library: &Library, name: &'a str, apart: usize) -> Turn<'a> {
    const POOLS: usize = 128;
    const TURNS: usize = 1000;
    let pools: Vec<Allocator> = (0..POOLS)
        .map(|number| {
            let pool = library.pool(POOL_THREADS_SAFE, 64, 4096, 0);
            (0..number * apart % 61).for_each(|_| write(pool.take()));
            pool
        })
        .collect();
    let turn = move || {
        timed(TURNS * POOLS, || {
            for pool in (0..TURNS).flat_map(|_| &pools) {
                let block = pool.take();
                write(block);
                pool.give(block);
            }
        })
    };
    (name, Box::new(turn))
}

fn main() {
    let is_quick = std::env::args().any(|word| word == "quick");
    let rounds = if is_quick { 3 } else { 15 };
    let live = if is_quick { MILLION } else { 10 * MILLION };
    let library = &Library::open();
    let flags = [("plain", 0), ("huge pages", POOL_HUGE_PAGES)];
    let mut first = vec![fresh(library, "plain", 0)];
    first.push(fresh(library, "in memory from the start", POOL_PREFAULT));
    first.push(fresh(library, "huge pages", POOL_HUGE_PAGES));
    contest("a million fresh blocks, taken and written", rounds, first);
    let again = flags.map(|(name, flags)| taken_again(library, name, flags)).into();
    contest("the same, taken again in no order", rounds, again);
    let random = flags.map(|(name, flags)| replaced(library, name, live, flags)).into();
    contest(&format!("{live} live blocks, one replaced at random"), rounds, random);
    let strides = [("every 4096 bytes", 4096), ("every 4160 bytes", 4160)];
    let strides = strides.map(|(name, bytes)| visited(library, name, bytes)).into();
    contest("the first words of 1000 blocks, written in no order", rounds, strides);
    let pools = [("blocks at one place of an OS page", 0), ("at different places", 5)];
    let pools = pools.map(|(name, apart)| in_turn(library, name, apart)).into();
    contest("128 safe pools, a pair of calls to each in turn", rounds, pools);
}
