//! Every bad pointer has its exact status and one line in the log, and changes nothing.

mod common;

use common::{TestPool, error_lines, listen, options};
use memory_pool::*;

const SIZES: [usize; 8] = [8, 16, 24, 48, 56, 64, 100, 4096];
const CAPACITY: usize = 7;

/// Deallocates `pointer` and proves that nothing but a report came of it.
fn refused(pool: &TestPool, pointer: *const u8, expected: pool_status_t) -> String {
    let in_use = pool.in_use();
    assert_eq!(error_lines(), [""; 0]);
    assert_eq!(pool.give(pointer), expected, "{pointer:?}");
    let mut lines = error_lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(pool.in_use(), in_use);
    lines.remove(0)
}

/// Takes and returns every block twice: the next 2 x capacity operations are right.
fn works_as_before(pool: &TestPool) {
    assert_eq!(pool.validate(), POOL_OK);
    for _ in 0..2 {
        let blocks = pool.take_all();
        blocks.iter().for_each(|&block| assert_eq!(pool.give(block), POOL_OK));
    }
    assert_eq!(pool.validate(), POOL_OK);
}

#[test]
fn every_interior_offset_of_every_block_is_refused() {
    listen();
    for size in SIZES {
        let pool = TestPool::new(&options(size, CAPACITY));
        let blocks = pool.take_all();
        assert_eq!(pool.give(blocks[3]), POOL_OK);
        for (index, block) in blocks.iter().enumerate() {
            for into in 1..size {
                let line = refused(&pool, block.wrapping_add(into), POOL_ERR_INTERIOR_POINTER);
                assert!(line.contains(&format!(" {into} bytes into block {index} ")), "{line}");
            }
        }
        blocks.iter().enumerate().filter(|(i, _)| *i != 3).for_each(|(_, &block)| {
            assert_eq!(pool.give(block), POOL_OK);
        });
        works_as_before(&pool);
    }
}

#[test]
fn pointers_around_the_span_are_foreign() {
    listen();
    for size in SIZES {
        let pool = TestPool::new(&options(size, CAPACITY));
        let first = pool.take();
        let end = first.wrapping_add(CAPACITY * size);
        for outside in [
            first.wrapping_sub(1),
            first.wrapping_sub(size),
            first.wrapping_sub(4096),
            end,
            end.wrapping_add(1),
            end.wrapping_add(size),
            usize::MAX as *mut u8,
            std::ptr::without_provenance_mut(1),
        ] {
            refused(&pool, outside, POOL_ERR_FOREIGN_POINTER);
        }
        assert_eq!(pool.give(first), POOL_OK);
        works_as_before(&pool);
    }
}

#[test]
fn blocks_of_other_pools_and_other_memory_are_foreign() {
    listen();
    let pools = SIZES.map(|size| TestPool::new(&options(size, CAPACITY)));
    let blocks: Vec<*mut u8> = pools.iter().map(TestPool::take).collect();
    static IN_STATIC_MEMORY: u64 = 0;
    let (on_the_stack, on_the_heap) = (0_u64, Box::new(0_u64));
    for (place, pool) in pools.iter().enumerate() {
        for (other, &block) in blocks.iter().enumerate() {
            if other != place {
                refused(pool, block, POOL_ERR_FOREIGN_POINTER);
            }
        }
        for elsewhere in [&on_the_stack, &*on_the_heap, &IN_STATIC_MEMORY] {
            refused(pool, std::ptr::from_ref(elsewhere).cast(), POOL_ERR_FOREIGN_POINTER);
        }
        refused(pool, pool.0.cast(), POOL_ERR_FOREIGN_POINTER);
    }
    for (pool, &block) in pools.iter().zip(&blocks) {
        assert_eq!(pool.give(block), POOL_OK);
        works_as_before(pool);
    }
}

#[test]
fn a_block_goes_back_once() {
    listen();
    for size in SIZES {
        let pool = TestPool::new(&options(size, CAPACITY));
        let blocks = pool.take_all();
        for &block in &blocks {
            assert_eq!(pool.give(block), POOL_OK);
            assert!(refused(&pool, block, POOL_ERR_DOUBLE_FREE).contains("double free"));
            assert!(refused(&pool, blocks[0], POOL_ERR_DOUBLE_FREE).contains("block 0 "));
        }
        works_as_before(&pool);
    }
}

#[test]
fn a_block_that_was_never_handed_out_does_not_go_back() {
    listen();
    for size in SIZES {
        let pool = TestPool::new(&options(size, CAPACITY));
        let first = pool.take();
        for index in 1..CAPACITY {
            let line = refused(&pool, first.wrapping_add(index * size), POOL_ERR_DOUBLE_FREE);
            assert!(line.contains("never handed out"), "{line}");
        }
        assert_eq!(pool.give(first), POOL_OK);
        works_as_before(&pool);
        pool.reset();
        assert!(refused(&pool, first, POOL_ERR_DOUBLE_FREE).contains("never handed out"));
        works_as_before(&pool);
    }
}

#[test]
fn a_stride_beyond_32_bits_is_checked_as_well() {
    listen();
    // Address space only: no page of the 8 GiB is touched but the first of each block.
    let size = (1 << 32) + 1;
    let pool = TestPool::new(&options(size, 2));
    let blocks = pool.take_all();
    assert_eq!(blocks[1].addr() - blocks[0].addr(), size);
    refused(&pool, blocks[1].wrapping_add(1), POOL_ERR_INTERIOR_POINTER);
    assert_eq!(pool.give(blocks[1]), POOL_OK);
    refused(&pool, blocks[1], POOL_ERR_DOUBLE_FREE);
    assert_eq!(pool.take(), blocks[1]);
    blocks.iter().for_each(|&block| assert_eq!(pool.give(block), POOL_OK));
    assert_eq!(pool.validate(), POOL_OK);
}
