//! What a span promises: alignment, zeroes, growth in both directions, no memory before it is
//! touched.

#![expect(clippy::multiple_unsafe_ops_per_block, reason = "one reason covers the whole test")]

use super::*;
use crate::layout::stride::{Request, UNBOUNDED};
use crate::source::system::System;

const SYSTEM: Source = Source::System(System::PLAIN);
const PAGE_BYTES: usize = 4096;
const LEDGER: Side = Side { near: 1, far: None };
const LEDGER_AND_DEPOT: Side = Side { near: 1, far: Some(|blocks| 4 * blocks) };

fn layout(block_size: usize, alignment: usize, capacity: usize, max: usize) -> Layout {
    let request = Request {
        block_size,
        alignment,
        capacity,
        max_capacity: max,
        link_bytes: 8,
        side_bytes: 1,
        blocks_max: usize::MAX,
        room: None,
    };
    Layout::new(&request).expect("sound")
}

fn fill(span: &Span, capacity: usize, stride: usize, value: u8) {
    // SAFETY: S2.
    unsafe {
        span.base().write_bytes(value, capacity * stride);
        let near_bytes = span.near_bytes(capacity);
        span.side_end().sub(near_bytes).write_bytes(!value, near_bytes);
        let far_bytes = span.far_bytes(capacity);
        span.far_end().sub(far_bytes).write_bytes(value, far_bytes);
    }
}

#[test]
fn base_is_aligned_and_every_byte_can_be_written() {
    for side in [LEDGER, LEDGER_AND_DEPOT] {
        for (size, alignment, capacity) in
            [(16, 0, 8), (100, 0, 7), (4096, 0, 3), (64, 1 << 16, 2), (1, 1 << 21, 3), (8, 0, 9999)]
        {
            let mut layout = layout(size, alignment, capacity, 0);
            let span = Span::new(&mut layout, side, SYSTEM).expect("memory");
            assert_eq!(span.base().addr().get() % layout.alignment, 0);
            fill(&span, capacity, layout.stride, 0xAB);
            let bytes = layout.span_bytes_max() + span.side_bytes(capacity);
            assert!(span.resident_bytes() >= Some(bytes));
        }
    }
}

#[test]
fn a_span_grows_in_both_directions_and_keeps_what_is_there() {
    for (side, size) in
        [(LEDGER, 8), (LEDGER, 5000), (LEDGER_AND_DEPOT, 24), (LEDGER_AND_DEPOT, 100)]
    {
        let mut layout = layout(size, 0, 1, 5000);
        let span = Span::new(&mut layout, side, SYSTEM).expect("address space");
        fill(&span, 1, layout.stride, 0x5A);
        for capacity in [2, 3, 100, 101, 5000] {
            span.commit(capacity).expect("memory");
            // SAFETY: S2.
            assert_eq!(unsafe { span.base().read() }, 0x5A);
            fill(&span, capacity, layout.stride, 0x5A);
        }
        span.commit(7).expect("less than there is changes nothing");
        fill(&span, 5000, layout.stride, 0x11);
    }
}

#[test]
fn whole_pages_are_used_to_their_end() {
    let mut layout = layout(64, 0, 1, 1000);
    let span = Span::new(&mut layout, LEDGER, SYSTEM).expect("memory");
    let capacity = span.capacity_of_whole_pages(1);
    assert!(capacity > 1 && capacity <= 64);
    let end = span.base().addr().get() + capacity * 64;
    assert_eq!(end % PAGE_BYTES, 0);
}

#[test]
fn an_unbounded_span_takes_what_it_gets() {
    let mut layout = layout(64, 0, 10, UNBOUNDED);
    let span = Span::new(&mut layout, LEDGER, SYSTEM).expect("address space");
    assert!(layout.max_capacity >= 1 << 30, "{layout:?}");
    assert!(span.reserved_bytes() >= layout.span_bytes_max());
    assert_eq!(span.resident_bytes(), Some(0));
}

#[test]
fn a_small_pool_is_a_single_os_page() {
    let span = Span::new(&mut layout(16, 0, 8, 0), LEDGER, SYSTEM).expect("memory");
    assert_eq!(span.reserved_bytes(), PAGE_BYTES);
}

#[test]
fn a_new_span_takes_no_memory() {
    let span = Span::new(&mut layout(64, 0, 1_000_000, 0), LEDGER, SYSTEM).expect("memory");
    assert_eq!(span.resident_bytes(), Some(0));
}
