//! Tests of `magazine.rs`, in a file of their own because tests of loom take that file as it is.

use crate::base::ids::BlockIndex;
use crate::cache::magazine::{Magazine, OPERATIONS_MAX};

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

#[test]
fn a_new_one_neither_gives_nor_takes_before_it_is_opened() {
    let magazine = with(0..3);
    assert!(!magazine.is_open());
    assert!(magazine.take(|_| ()).is_none() && !magazine.put(BlockIndex(7), || ()));
    magazine.open(10);
    assert!(magazine.is_open() && magazine.take(|_| ()).is_some());
    magazine.close();
    assert!(magazine.take(|_| ()).is_none() && !magazine.put(BlockIndex(7), || ()));
    assert_eq!(left(&magazine), [0, 1]);
}

#[test]
fn it_takes_a_power_of_two_less_one_and_gives_all_that_are_there() {
    for (limit, most) in [(1, 1), (2, 1), (3, 3), (4, 3), (128, 127), (255, 255)] {
        let magazine = Magazine::new();
        while magazine.next_batch(255) < 128 {}
        magazine.open(limit);
        let put = (0..300).take_while(|&index| magazine.put(BlockIndex(index), || ())).count();
        assert_eq!(put, most, "{limit}");
        let taken = (0..300).map_while(|_| magazine.take(|_| ())).count();
        assert_eq!((taken, magazine.count()), (most, 0), "{limit}");
    }
    // One that is held to less later.
    let magazine = with(0..200);
    magazine.open(1);
    assert_eq!((0..300).map_while(|_| magazine.take(|_| ())).count(), 200);
    magazine.open(1);
    assert!(magazine.put(BlockIndex(0), || ()) && !magazine.put(BlockIndex(1), || ()));
}

#[test]
fn the_fast_path_ends_after_as_many_operations_as_it_was_given() {
    let magazine = with(0..2);
    magazine.open(3);
    assert!(!magazine.is_spent());
    for (given, before) in [(2, 0), (5, 1), (OPERATIONS_MAX, 5)] {
        magazine.give_operations(given);
        assert_eq!(magazine.figures(), (2 - before % 2, before));
        assert!(!magazine.is_spent());
        let by_turns = |turn: usize| match (turn + before) % 2 {
            0 => magazine.take(|_| ()).is_some(),
            _ => magazine.put(BlockIndex(0), || ()),
        };
        let done = (0..10).take_while(|&turn| by_turns(turn)).count();
        assert_eq!(done, (given - 1).min(10));
        assert_eq!(magazine.is_spent(), given < 10);
    }
    assert_eq!(magazine.figures().1, 15);
}

#[test]
fn a_full_one_has_room_for_one_more_before_it_gives() {
    for (limit, full) in [(128, 127), (255, 255)] {
        let magazine = Magazine::new();
        while magazine.next_batch(255) < 128 {}
        magazine.open(limit);
        while magazine.put(BlockIndex(magazine.count()), || ()) {}
        assert_eq!(magazine.figures(), (full, full));
        magazine.put_over(BlockIndex(full), || ());
        assert_eq!(magazine.figures(), (full + 1, full + 1));
        assert!(magazine.is_idle() && magazine.blocks().map(|block| block.0).eq(0..full + 1));
    }
}
