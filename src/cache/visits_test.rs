//! Tests of `visits.rs`, in a file of their own because tests of loom take that file as it is.

use std::collections::HashSet;

use crate::base::ids::BlockIndex;
use crate::cache::magazine::Magazine;
use crate::cache::visits::Visits;

/// Takes and puts by turns; answers which allocations were due.
fn due(visits: &Visits, allocations: usize) -> Vec<usize> {
    let magazine = Magazine::new();
    magazine.fill(1, [BlockIndex(0)].into_iter());
    let mut found = Vec::new();
    let slow = |magazine: &Magazine| {
        visits.refresh(magazine);
        magazine.open(255);
    };
    for nth in 0..allocations {
        if magazine.take(|_| ()).is_none() {
            slow(&magazine);
            assert!(magazine.take(|_| ()).is_some());
        }
        found.extend((visits.take_weight() > 0).then_some(nth));
        if !magazine.put(BlockIndex(0), || ()) {
            slow(&magazine);
            assert!(magazine.put(BlockIndex(0), || ()));
            visits.forget();
        }
    }
    found
}

#[test]
fn nothing_is_due_unless_it_is_asked_for() {
    assert!(due(&Visits::default(), 10_000).is_empty());
}

#[test]
fn about_one_allocation_in_so_many_is_due_and_at_no_fixed_distance() {
    for every in [10, 50, 100] {
        let visits = Visits::default();
        visits.ask_for(every);
        let found = due(&visits, 10_000 * every);
        assert!((8_000..12_000).contains(&found.len()), "{} of 1 in {every}", found.len());
        let distances = found.windows(2).map(|pair| pair[1] - pair[0]);
        let different: HashSet<_> = distances.collect();
        assert!(different.len() >= every, "{}", different.len());
    }
}
