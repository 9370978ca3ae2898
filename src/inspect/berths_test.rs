//! Tests of `berths.rs`.

use crate::base::ids::BlockIndex;
use crate::host::os;
use crate::inspect::berths::{Berthed, Berths};
use crate::inspect::fill::Damage;

fn berths(block_size: usize, alignment: usize, count: usize) -> Berths {
    Berths::new((block_size, alignment), count, 1000).expect("memory")
}

/// Takes a block that stands for that of the number.
fn taken(berths: &Berths, index: usize) -> Berthed {
    let block = berths.take(BlockIndex(index), None).expect("a berth");
    let (berthed, into) = berths.find(block.addr().get()).expect("it is found");
    assert_eq!((berthed.block, berthed.index, berthed.is_live), (block, BlockIndex(index), true));
    assert_eq!((into, berths.standing_for(BlockIndex(index))), (0, Some(berthed)));
    berthed
}

#[test]
fn a_block_ends_where_its_os_pages_end_as_far_as_alignment_lets_it() {
    let page = os::page_bytes();
    for (block_size, alignment) in
        [(1, 1), (48, 16), (page, page), (page + 1, 1), (3 * page, 8), (20, 16), (100, 16 * page)]
    {
        let berths = berths(block_size, alignment, 3);
        for index in 0..3 {
            let start = taken(&berths, index).block.addr().get();
            assert_eq!(start % alignment, 0);
            let rest = (start + block_size).next_multiple_of(page) - (start + block_size);
            assert!(rest < alignment.min(page), "{rest} behind {block_size} at {alignment}");
        }
    }
}

#[test]
fn a_berth_is_used_again_when_all_others_were() {
    let berths = berths(64, 64, 3);
    let [first, second] = [7, 8].map(|index| taken(&berths, index));
    [second, first].iter().for_each(|berthed| berths.give(berthed));
    assert_eq!(berths.standing_for(BlockIndex(7)), None);
    assert_eq!(berths.find(first.block.addr().get()).map(|found| found.0.is_live), Some(false));
    assert_eq!([9, 7, 8].map(|index| taken(&berths, index).number), [2, 1, 0]);
    assert_eq!(berths.take(BlockIndex(1), None), None);
    assert_eq!(berths.all_live().map(|berthed| berthed.index.0).sum::<usize>(), 9 + 7 + 8);
}

#[test]
fn a_write_around_a_block_is_found() {
    let berths = berths(20, 16, 2);
    for (at, damage) in [
        (20, Damage::PastEnd { offset: 20 }),
        (31, Damage::PastEnd { offset: 31 }),
        (-1, Damage::BeforeStart { distance: 1 }),
        (-16, Damage::BeforeStart { distance: 16 }),
    ] {
        let berthed = taken(&berths, 3);
        assert_eq!(berths.damage(&berthed), None);
        let byte = berthed.block.as_ptr().wrapping_offset(at);
        // SAFETY: on the OS page of the block.
        unsafe { byte.write(1) };
        assert_eq!(berths.damage(&berthed), Some(damage));
        berths.give(&berthed);
    }
}

#[test]
fn a_fault_between_two_blocks_is_that_of_the_one_that_is_live() {
    let berths = berths(64, 64, 4);
    let page = os::page_bytes();
    let blocks = [0, 1, 2].map(|index| taken(&berths, index));
    let nearest = |address| berths.nearest(address).map(|(found, into)| (found.index.0, into));
    let end_of = |place: usize| blocks[place].block.addr().get() + 64;
    assert_eq!(nearest(end_of(0)), Some((0, 64)));
    assert_eq!(nearest(end_of(0) + page / 2).map(|found| found.0), Some(0));
    assert_eq!(nearest(end_of(0) + page - 1).map(|found| found.0), Some(1));
    berths.give(&blocks[0]);
    assert_eq!(nearest(end_of(0) + page - 1), Some((1, 64 - 1 - page.cast_signed())));
    assert_eq!(nearest(blocks[0].block.addr().get() + 5), Some((0, 5)));
    let before_all = blocks[0].block.addr().get() - page;
    assert_eq!(nearest(before_all), Some((0, -page.cast_signed())));
    assert!(berths.has(before_all) && !berths.has(before_all - 2 * page));
    assert_eq!(nearest(end_of(2) + page + 1), Some((2, 64 + page.cast_signed() + 1)));
}

#[test]
fn a_block_that_lies_where_another_did_is_not_said_to_have_been_given_back() {
    let berths = berths(64, 64, 1);
    let first = taken(&berths, 0);
    berths.give(&first);
    let evidence = berths.evidence(&first);
    assert!(evidence.taken.is_some() && evidence.given.is_some());
    let second = taken(&berths, 5);
    let evidence = berths.evidence(&second);
    assert!(evidence.taken.is_some() && evidence.given.is_none());
}
