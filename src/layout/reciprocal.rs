//! Division by the stride, as a multiplication.
//!
//! With `m = ceil(2^64 / stride)`, the 128-bit product `offset * m` answers both questions that a
//! pool has about an offset: its high half is `offset / stride`, and its low half is below `m`
//! exactly when `offset` is a multiple of `stride`.
//!
//! Proof. Write `m * stride = 2^64 + e` with `0 <= e < stride`, and `offset = q * stride + r` with
//! `0 <= r < stride`. Then `offset * m = q * 2^64 + (q * e + r * m)`. While the bracket stays
//! below 2^64, the high half is `q`. Its largest value over `r` is `q * e + (stride - 1) * m =
//! 2^64 + e + q * e - m`, so that holds while `(q + 1) * e < m` **(E)**. The low half is the
//! bracket: for `r = 0` it is `q * e < m` by (E); for `r >= 1` it is at least `m`. ∎
//!
//! (E) is tested for the largest `q` at creation. Where it fails (a stride of 1, or strides whose
//! square is near 2^64 / capacity), `m` is 0: then no offset looks like a start, and the callers'
//! slow path divides. The fast path needs no test of its own for that.
//!
//! Source: D. Lemire, O. Kaser, N. Kurz, "Faster Remainder by Direct Computation", Software:
//! Practice and Experience 49(6), 2019.

#![forbid(unsafe_code)]

use crate::base::ids::BlockIndex;

/// `1 / stride` as a 64-bit fraction, exact for the offsets of `count` blocks; or 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reciprocal {
    pub(crate) multiplier: u64,
}

impl Reciprocal {
    /// For offsets below `count * stride`.
    pub(crate) const fn new(stride: usize, count: usize) -> Self {
        const ONE: u128 = 1 << 64;
        let stride = stride as u128;
        let multiplier = ONE.div_ceil(stride);
        let excess = multiplier * stride - ONE;
        let exact = multiplier <= u64::MAX as u128 && count as u128 * excess < multiplier;
        Self { multiplier: if exact { multiplier as u64 } else { 0 } }
    }

    /// Whether [`start_index`](Self::start_index) finds anything at all.
    pub(crate) const fn is_exact(self) -> bool {
        self.multiplier != 0
    }

    /// The index of the block that starts at `offset`, if one does. `offset < count * stride`.
    #[inline(always)]
    pub(crate) fn start_index(self, offset: usize) -> Option<BlockIndex> {
        let product = offset as u128 * self.multiplier as u128;
        let is_start = (product as u64) < self.multiplier;
        is_start.then_some(BlockIndex((product >> 64) as usize))
    }
}

impl Reciprocal {
    /// The index of the block that starts at `offset`, which [`start_index`](Self::start_index)
    /// found one at before.
    pub(crate) fn known_index(self, offset: usize) -> BlockIndex {
        BlockIndex(((offset as u128 * self.multiplier as u128) >> 64) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn by_division(stride: usize, offset: usize) -> Option<BlockIndex> {
        offset.is_multiple_of(stride).then_some(BlockIndex(offset / stride))
    }

    #[test]
    fn a_stride_of_one_is_left_to_division() {
        assert!(!Reciprocal::new(1, 1).is_exact());
    }

    #[test]
    fn powers_of_two_are_exact_over_the_whole_address_space() {
        for shift in 1..47 {
            let stride = 1 << shift;
            assert!(Reciprocal::new(stride, (isize::MAX as usize) / stride).is_exact());
        }
    }

    #[test]
    fn every_offset_of_small_pools_agrees_with_division() {
        for stride in 2..300 {
            let reciprocal = Reciprocal::new(stride, 40);
            for offset in 0..40 * stride {
                assert_eq!(reciprocal.start_index(offset), by_division(stride, offset));
            }
        }
    }

    proptest! {
        /// The edges of the claimed range: the last block, its neighbours, and anything between.
        #[test]
        fn exact_means_equal_to_division(
            stride in prop_oneof![2_usize..5000, 2_usize..(1 << 40)],
            bits in 0_u32..62,
            inside in 0.0..1.0_f64,
            step in -1_isize..=1,
        ) {
            let count = ((1_usize << bits).min(isize::MAX as usize / stride)).max(1);
            let reciprocal = Reciprocal::new(stride, count);
            prop_assume!(reciprocal.is_exact());
            let bytes = count * stride;
            let near = ((count as f64 * inside) as usize).min(count - 1) * stride;
            for offset in [bytes - 1, bytes - stride, near.saturating_add_signed(step), near] {
                if offset < bytes {
                    prop_assert_eq!(reciprocal.start_index(offset), by_division(stride, offset));
                }
            }
        }

        /// Common pools never fall back: anything up to 4 KiB blocks in a terabyte.
        #[test]
        fn common_pools_are_exact(stride in 2_usize..=4096) {
            prop_assert!(Reciprocal::new(stride, (1 << 40) / stride).is_exact());
        }
    }
}
