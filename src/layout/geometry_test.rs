//! Tests of `geometry.rs`, in a file of their own because model checkers take that file as it is.

#![forbid(unsafe_code)]

use crate::layout::geometry::{Geometry, Place};
use crate::layout::stride::{Layout, Request};
use proptest::prelude::*;

proptest! {
    #[test]
    fn the_fast_answer_is_the_slow_answer(
        size in 1_usize..5000,
        capacity in 1_usize..100_000,
        at in any::<usize>(),
        step in -9_isize..9,
    ) {
        let request = Request {
            block_size: size,
            alignment: 0,
            capacity,
            max_capacity: 0,
            link_bytes: 1,
            canary_bytes: 0,
            side_bytes: 1,
            blocks_max: usize::MAX,
            room: None,
        };
        let layout = Layout::new(&request).expect("sound");
        let geometry = Geometry::new(&layout);
        let offset = (at % (layout.span_bytes_max() + 2 * size)).wrapping_add_signed(step);
        let start = match geometry.place(offset) {
            Place::Start(index) => Some(index),
            Place::Interior(..) | Place::Foreign => None,
        };
        prop_assert_eq!(geometry.index_of(offset), start);
    }
}
