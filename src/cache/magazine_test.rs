//! Tests of `magazine.rs`, in a file of their own because tests of loom take that file as it is.

use crate::base::ids::BlockIndex;
use crate::cache::magazine::Magazine;

fn with(blocks: core::ops::Range<usize>) -> Magazine {
    let magazine = Magazine::new();
    magazine.fill(blocks.len(), blocks.map(BlockIndex));
    magazine
}

fn left(magazine: &Magazine) -> Vec<usize> {
    magazine.blocks().map(|index| index.0).collect()
}

#[test]
fn what_stands_behind_a_part_that_goes_moves_down() {
    for (part, rest) in [
        (0..2, [2, 3, 4, 5, 6, 7, 8, 9].as_slice()),
        (1..3, &[0, 3, 4, 5, 6, 7, 8, 9]),
        (2..9, &[0, 1, 9]),
        (4..10, &[0, 1, 2, 3]),
        (0..10, &[]),
        (5..5, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ] {
        let magazine = with(0..10);
        assert!(magazine.blocks_at(part.clone()).map(|index| index.0).eq(part.clone()));
        magazine.remove(part);
        assert_eq!(left(&magazine), rest);
    }
}

#[test]
fn the_last_block_that_it_is_filled_with_is_the_first_to_be_taken() {
    let magazine = with(3..6);
    magazine.fill(1, [BlockIndex(9)].into_iter());
    assert!(magazine.newest().map(|index| index.0).eq([9, 5, 4, 3]));
    magazine.open(10);
    assert_eq!(magazine.take(|_| ()), Some(BlockIndex(9)));
    assert_eq!(left(&magazine), [3, 4, 5]);
}
