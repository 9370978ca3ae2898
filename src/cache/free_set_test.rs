//! Tests of `free_set.rs`, in a file of their own because tests of loom take that file as it is.

use core::ptr::NonNull;
use std::collections::BTreeSet;

use proptest::prelude::{Just, Strategy, prop_oneof, proptest};

use crate::base::ids::BlockIndex;
use crate::cache::free_set::{FreeSet, GROUP_BLOCKS};

/// Three sections, of which the last is not whole.
const BLOCKS: usize = 2 * 4096 + 700;

fn with_set(body: impl FnOnce(&FreeSet)) {
    // Dirt, as memory of a caller's may hold.
    let mut words = vec![u64::MAX / 3; FreeSet::bytes(BLOCKS) / size_of::<u64>()];
    // SAFETY: the end of the slice.
    let end = unsafe { NonNull::from(&mut *words).cast::<u64>().add(words.len()) };
    // SAFETY: room for so many blocks before `end`, for as long as the body runs.
    let set = unsafe { FreeSet::new(end) };
    set.add_groups(0..BLOCKS.div_ceil(GROUP_BLOCKS));
    body(&set);
}

fn put(set: &FreeSet, blocks: impl IntoIterator<Item = usize>) {
    set.put_all(blocks.into_iter().map(BlockIndex));
}

fn take(set: &FreeSet, most: usize) -> Vec<usize> {
    set.take(most).map(|index| index.0).collect()
}

#[derive(Clone, Debug)]
enum Step {
    Put { first: usize, count: usize, step: usize },
    Take { most: usize },
    Sort,
}

fn step() -> impl Strategy<Value = Step> {
    let put = (0..BLOCKS, 1..300_usize, 1..100_usize);
    prop_oneof![
        put.prop_map(|(first, count, step)| Step::Put { first, count, step }),
        (1..=200_usize).prop_map(|most| Step::Take { most }),
        Just(Step::Take { most: GROUP_BLOCKS }),
        Just(Step::Sort),
    ]
}

proptest! {
    #[test]
    fn it_holds_what_was_put_and_not_taken(steps in proptest::collection::vec(step(), 1..200)) {
        with_set(|set| {
            let mut model = BTreeSet::new();
            for step in steps {
                match step {
                    Step::Put { first, count, step } => {
                        let blocks = (first..BLOCKS).step_by(step).take(count);
                        put(set, blocks.clone());
                        model.extend(blocks);
                    }
                    Step::Take { .. } if model.is_empty() => {}
                    Step::Take { most } => {
                        let taken = take(set, most);
                        assert!((1..=most.min(GROUP_BLOCKS)).contains(&taken.len()));
                        assert!(taken.iter().all(|index| model.remove(index)));
                    }
                    Step::Sort => set.sort(BLOCKS),
                }
                assert_eq!(set.count(), model.len());
            }
            assert!(set.is_sound(BLOCKS));
            assert!(set.blocks(BLOCKS).map(|index| index.0).eq(model));
        });
    }
}

#[test]
fn who_wants_many_gets_a_whole_group_and_who_wants_few_gets_remains() {
    with_set(|set| {
        put(set, [5, 7]);
        put(set, 64..192);
        put(set, [200]);
        assert!(take(set, 64).into_iter().eq(64..128));
        assert_eq!(take(set, 1), [5]);
        assert_eq!(take(set, 63), [7]);
        assert_eq!(take(set, 63), [200]);
        assert!(take(set, 63).into_iter().eq(128..191), "a part where there are no remains");
        assert_eq!(take(set, 64), [191], "remains where there is no whole group");
        assert_eq!(set.count(), 0);
    });
}

#[test]
fn a_block_that_is_put_twice_is_there_once() {
    with_set(|set| {
        put(set, [3, 3, 9]);
        put(set, [9]);
        assert_eq!(set.count(), 2);
        assert_eq!(take(set, 64), [3, 9]);
    });
}

#[test]
fn sorted_it_gives_the_lowest_section_first() {
    with_set(|set| {
        put(set, [4096]);
        put(set, [0]);
        put(set, [8192]);
        set.sort(BLOCKS);
        assert_eq!([0, 1, 2].map(|_| take(set, 1)), [[0], [4096], [8192]]);
    });
}

#[test]
fn what_its_words_do_not_say_is_found() {
    with_set(|set| {
        put(set, [1]);
        assert!(set.is_sound(BLOCKS));
        put(set, [5000]);
        assert!(!set.is_sound(4096), "a block that was counted lies beyond");
        set.clear();
        assert!(!set.is_sound(BLOCKS), "blocks that were not counted");
    });
}
