//! How a pool and all that belongs to it fit into one range of bytes, a caller's buffer.
//!
//! ```text
//!   │ padding │ header │ side table, up to 16 │ blocks │
//!   └ and between side table and blocks: alignment - 1 bytes together at most, at any address
//! ```
//!
//! The formula does not look at the address of the buffer, so that a buffer of a size that was
//! found sound is sound wherever it lies. It is the formula of POOL_STATIC_BYTES in pool.h
//! (cbindgen.toml), and part of the ABI: programs compile its result into themselves.

#![forbid(unsafe_code)]

/// What the pool itself takes, with room for what later versions add to it.
pub(crate) const HEADER_BYTES: usize = 128 * size_of::<usize>();

/// What the header and the side table are aligned to.
pub(crate) const HEADER_ALIGNMENT: usize = 16;

/// The bytes for `capacity` blocks, with `side_bytes` beside each; `None`: more than there are
/// addresses.
pub(crate) fn bytes_needed(
    stride: usize,
    alignment: usize,
    side_bytes: usize,
    capacity: usize,
) -> Option<usize> {
    let side = capacity.checked_mul(side_bytes)?;
    stride
        .checked_mul(capacity)?
        .checked_add(side.checked_next_multiple_of(HEADER_ALIGNMENT)?)?
        .checked_add(HEADER_BYTES + alignment.max(HEADER_ALIGNMENT) - 1)
}

/// The most blocks for which `bytes` are enough.
pub(crate) fn capacity_within(
    stride: usize,
    alignment: usize,
    side_bytes: usize,
    bytes: usize,
) -> usize {
    let fixed = HEADER_BYTES + alignment.max(HEADER_ALIGNMENT) - 1;
    let mut capacity = bytes.saturating_sub(fixed) / (stride + side_bytes);
    let fits = |capacity| {
        bytes_needed(stride, alignment, side_bytes, capacity).is_some_and(|needed| needed <= bytes)
    };
    // Rounding the side table up costs 15 bytes at most: two blocks or fewer.
    while capacity > 0 && !fits(capacity) {
        capacity -= 1;
    }
    capacity
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn as_many_as_fit_is_the_most_that_bytes_needed_allows(
            words in 1_usize..700,
            shift in 0_u32..14,
            side in 1_usize..9,
            bytes in 0_usize..200_000,
        ) {
            let alignment = 1 << shift;
            let stride = (words * 8_usize).next_multiple_of(alignment);
            let within = |bytes| capacity_within(stride, alignment, side, bytes);
            let capacity = within(bytes);
            let needed = |capacity| bytes_needed(stride, alignment, side, capacity).expect("small");
            prop_assert!(capacity == 0 || needed(capacity) <= bytes);
            prop_assert!(needed(capacity + 1) > bytes);
            prop_assert_eq!(within(needed(capacity + 1)), capacity + 1);
            prop_assert_eq!(within(needed(capacity + 1) - 1), capacity);
        }
    }

    #[test]
    fn what_overflows_is_no_size() {
        assert_eq!(bytes_needed(8, 8, 1, usize::MAX / 8), None);
        assert_eq!(bytes_needed(usize::MAX, 8, 1, 1), None);
    }
}
