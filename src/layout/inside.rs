//! How a pool and all that belongs to it fit into one range of bytes, a caller's buffer.
//!
//! ```text
//!   │ padding │ header │ side table, a byte a block, up to 16 │ blocks │
//!   └ and between side table and blocks: alignment - 1 bytes together at most, at any address
//! ```
//!
//! The formula does not look at the address of the buffer, so that a buffer of a size that was
//! found sound is sound wherever it lies. It is the formula of POOL_STATIC_BYTES in pool.h
//! (cbindgen.toml), and part of the ABI: programs compile its result into themselves.

#![forbid(unsafe_code)]

/// What the pool itself takes, with room for what later versions add to it.
pub(crate) const HEADER_BYTES: usize = 96 * size_of::<usize>();

/// What the header and the side table are aligned to.
pub(crate) const HEADER_ALIGNMENT: usize = 16;

/// What stands beside each block, whatever the checks are: so they never change the capacity.
pub(crate) const SIDE_BYTES_PER_BLOCK: usize = 1;

/// The bytes for `capacity` blocks; `None`: more than there are addresses.
pub(crate) fn bytes_needed(stride: usize, alignment: usize, capacity: usize) -> Option<usize> {
    let side = capacity.checked_mul(SIDE_BYTES_PER_BLOCK)?;
    stride
        .checked_mul(capacity)?
        .checked_add(side.checked_next_multiple_of(HEADER_ALIGNMENT)?)?
        .checked_add(HEADER_BYTES + alignment.max(HEADER_ALIGNMENT) - 1)
}

/// The most blocks for which `bytes` are enough.
pub(crate) fn capacity_within(stride: usize, alignment: usize, bytes: usize) -> usize {
    let fixed = HEADER_BYTES + alignment.max(HEADER_ALIGNMENT) - 1;
    let mut capacity = bytes.saturating_sub(fixed) / (stride + SIDE_BYTES_PER_BLOCK);
    let fits =
        |capacity| bytes_needed(stride, alignment, capacity).is_some_and(|needed| needed <= bytes);
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
            words in 1_usize..700, shift in 0_u32..14, bytes in 0_usize..200_000,
        ) {
            let alignment = 1 << shift;
            let stride = (words * 8_usize).next_multiple_of(alignment);
            let capacity = capacity_within(stride, alignment, bytes);
            let needed = |capacity| bytes_needed(stride, alignment, capacity).expect("small");
            prop_assert!(capacity == 0 || needed(capacity) <= bytes);
            prop_assert!(needed(capacity + 1) > bytes);
            prop_assert_eq!(capacity_within(stride, alignment, needed(capacity + 1)), capacity + 1);
            prop_assert_eq!(capacity_within(stride, alignment, needed(capacity + 1) - 1), capacity);
        }
    }

    #[test]
    fn what_overflows_is_no_size() {
        assert_eq!(bytes_needed(8, 8, usize::MAX / 8), None);
        assert_eq!(bytes_needed(usize::MAX, 8, 1), None);
    }
}
