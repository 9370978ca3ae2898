//! Tests of `depot.rs`, in a file of their own because tests of loom take that file as it is.

use core::ptr::NonNull;

use crate::base::ids::BlockIndex;
use crate::cache::depot::Depot;
use crate::cache::free_set::FreeSet;
use crate::cache::magazine::Magazine;

const BLOCKS: usize = 1024;

/// A depot of which every block was handed out and came back, and `magazines` that are open.
fn with_depot(magazines: usize, body: impl FnOnce(&Depot, &Magazine)) {
    let mut words = vec![0_u64; FreeSet::bytes(BLOCKS) / size_of::<u64>()];
    // SAFETY: the end of the slice.
    let end = unsafe { NonNull::from(&mut *words).cast::<u64>().add(words.len()) };
    // SAFETY: room for so many blocks before `end`, for as long as the body runs.
    let depot = unsafe { Depot::new(end, BLOCKS, true) };
    (0..BLOCKS).for_each(|_| assert!(depot.pop(BLOCKS).is_some()));
    (0..BLOCKS).for_each(|index| depot.push(BlockIndex(index), |_| false));
    depot.count_open(magazines);
    body(&depot, &Magazine::new());
}

/// What a magazine is filled with once its batches have grown, in the order of taking.
fn batch(depot: &Depot, magazine: &Magazine) -> Vec<usize> {
    while magazine.next_batch(depot.limit()) < depot.limit().div_ceil(2) as usize {}
    depot.fill(magazine, BLOCKS);
    magazine.newest().map(|index| index.0).collect()
}

#[test]
fn a_thread_that_is_alone_gets_two_groups_from_the_lowest_address_on() {
    with_depot(1, |depot, magazine| {
        assert!(batch(depot, magazine).into_iter().eq(0..128));
        magazine.empty(|_| ());
        assert!(batch(depot, magazine).into_iter().eq(128..256));
    });
}

#[test]
fn a_thread_among_others_gets_a_group_from_the_highest_address_on() {
    with_depot(2, |depot, magazine| {
        assert!(batch(depot, magazine).into_iter().eq((0..64).rev()));
        magazine.empty(|_| ());
        assert!(batch(depot, magazine).into_iter().eq((64..128).rev()));
    });
}

/// Takes a block, from the depot if the magazine has none.
fn take(depot: &Depot, magazine: &Magazine) -> Option<BlockIndex> {
    magazine.take(|_| ()).or_else(|| {
        depot.fill(magazine, BLOCKS);
        magazine.take(|_| ())
    })
}

/// Puts a block; what the magazine held in the moment when it was too much.
fn put(depot: &Depot, magazine: &Magazine, block: BlockIndex) -> Option<Vec<usize>> {
    if magazine.put(block, || ()) {
        return None;
    }
    magazine.put_over(block, || ());
    let blocks = magazine.blocks().map(|block| block.0).collect();
    depot.take_from(magazine);
    Some(blocks)
}

#[test]
fn bursts_keep_groups_whole() {
    with_depot(1, |depot, magazine| {
        for round in 0..9 {
            let burst = || take(depot, magazine).expect("there are more blocks than that");
            let mut live: Vec<_> = (0..1000).map(|_| burst()).collect();
            let given = core::iter::from_fn(|| live.pop());
            let full = given.filter_map(|block| put(depot, magazine, block)).collect::<Vec<_>>();
            assert!(full.len() >= 6);
            // By then the batches have grown, and small ones were put together again.
            if round > 2 {
                let is_whole = |group: &[usize]| group.iter().all(|b| b / 64 == group[0] / 64);
                assert!(full.iter().all(|blocks| blocks.chunks(64).all(is_whole)), "{full:?}");
            }
        }
    });
}
