//! What a pool costs the process, as the kernel counts it.

mod common;

use common::{TestPool, listen, options};
use memory_pool::*;

const MIB: usize = 1 << 20;

/// By the pages themselves: `statm` adds up what each processor counted, and may be off by as much
/// as a test allows.
fn process_resident_bytes() -> usize {
    let totals = std::fs::read_to_string("/proc/self/smaps_rollup").expect("Linux 4.14");
    let resident = totals.lines().find_map(|line| line.strip_prefix("Rss:")).expect("its format");
    let kibibytes = resident.trim().strip_suffix(" kB").expect("its format");
    kibibytes.parse::<usize>().expect("a number") * 1024
}

/// One test, because the memory of a process is one.
#[test]
fn memory_is_taken_when_touched_and_goes_back_when_trimmed() {
    listen();
    const COUNT: usize = 1_000_000;
    let mut blocks = vec![std::ptr::null_mut(); COUNT];
    blocks.fill(std::ptr::dangling_mut());
    let before = process_resident_bytes();

    let pool = TestPool::new(&options(64, COUNT));
    assert!(process_resident_bytes() < before + MIB / 4, "creation touched memory");

    // SAFETY: room for COUNT entries.
    let got = unsafe { pool_allocate_many(pool.0, blocks.as_mut_ptr(), COUNT) };
    assert_eq!(got, COUNT);
    for block in &blocks {
        // SAFETY: a block of 64 bytes.
        unsafe { block.cast::<u8>().write_bytes(1, 64) };
    }
    assert!(process_resident_bytes() > before + COUNT * 64);

    // In an order that has nothing to do with their addresses.
    let mut state = 1_usize;
    for place in (1..COUNT).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        blocks.swap(place, (state >> 33) % (place + 1));
    }
    // SAFETY: COUNT entries.
    assert_eq!(unsafe { pool_deallocate_many(pool.0, blocks.as_ptr(), COUNT) }, POOL_OK);
    let mut bytes = 0;
    // SAFETY: a place for a size.
    assert_eq!(unsafe { pool_trim(pool.0, &raw mut bytes) }, POOL_OK);
    assert!(bytes >= COUNT * 64);
    assert!(process_resident_bytes() < before + MIB, "memory did not go back");
    assert_eq!(pool.validate(), POOL_OK);

    // The process's own count and the pool's agree.
    let first = pool.take();
    // SAFETY: a block of 64 bytes.
    unsafe { first.write_bytes(1, 64) };
    let stats = pool.stats();
    assert!((4096..=4 * 4096).contains(&stats.resident_bytes), "{}", stats.resident_bytes);
}
