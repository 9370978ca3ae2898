//! Division by the stride, as a multiplication that tells a start of a block from all else.
//!
//! Write `stride = odd * 2^shift`, and let `odd * inverse` be 1 in the arithmetic of words, which
//! forgets what is beyond `2^64`. An offset times `inverse`, rotated right by `shift`, is the
//! *number* of that offset. Of the offsets of `count` blocks, `0, stride, 2 * stride` and so on,
//! it is the index of the block; of every other offset it is `count` or more. So one comparison
//! says whether a block starts there, and no offset needs to be looked at before.
//!
//! Proof. For a block, `index * stride * inverse = index * 2^shift`, which is at most its offset,
//! so nothing was forgotten, and the rotation leaves `index`. Multiplication by an odd number
//! and rotation can both be undone, so no two offsets have the same number. The numbers below
//! `count` belong to the blocks, so no other offset has one of them. ∎
//!
//! Source: T. Granlund, P. L. Montgomery, "Division by Invariant Integers using Multiplication",
//! PLDI 1994, section 9.

#![forbid(unsafe_code)]

use crate::base::ids::BlockIndex;

/// `1 / stride`, for exact multiples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reciprocal {
    /// Of the odd part of the stride.
    pub(crate) inverse: usize,
    pub(crate) shift: u32,
}

impl Reciprocal {
    /// For offsets of blocks that all together have fewer than `2^64` bytes.
    pub(crate) const fn new(stride: usize) -> Self {
        let shift = stride.trailing_zeros();
        let odd = stride >> shift;
        // The lowest 3 bits of an odd number are those of its inverse, and each step of Newton's
        // doubles how many are right.
        let mut inverse = odd;
        let mut right = 3;
        while right < usize::BITS {
            inverse = inverse.wrapping_mul(2_usize.wrapping_sub(odd.wrapping_mul(inverse)));
            right *= 2;
        }
        Self { inverse, shift }
    }

    /// The index of the block that starts at `offset`; if none does, what is no index.
    #[inline(always)]
    pub(crate) fn number(self, offset: usize) -> BlockIndex {
        BlockIndex(offset.wrapping_mul(self.inverse).rotate_right(self.shift))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Whether the offset is a multiple of the stride exactly if its number is below the count.
    fn agrees_with_division(stride: usize, count: usize, offset: usize) -> bool {
        let number = Reciprocal::new(stride).number(offset);
        let is_start = offset.is_multiple_of(stride) && offset / stride < count;
        if is_start { number.0 == offset / stride } else { number.0 >= count }
    }

    #[test]
    fn every_offset_of_small_pools_agrees_with_division() {
        for stride in 1..300 {
            assert!((0..50 * stride).all(|offset| agrees_with_division(stride, 40, offset)));
            let before = 1..3 * stride;
            assert!(before.map(usize::wrapping_neg).all(|at| agrees_with_division(stride, 40, at)));
        }
    }

    proptest! {
        /// The edges of the claimed range: the last block, its neighbours, and anything at all.
        #[test]
        fn every_stride_and_count_agrees_with_division(
            stride in prop_oneof![1_usize..5000, 1_usize..(1 << 40), 1_usize..(1 << 62)],
            bits in 0_u32..62,
            inside in 0.0..1.0_f64,
            step in -1_isize..=1,
            any in any::<usize>(),
        ) {
            let count = (1_usize << bits).min(isize::MAX as usize / stride);
            let bytes = count * stride;
            let near = ((count as f64 * inside) as usize).min(count - 1) * stride;
            let edges = [bytes - 1, bytes - stride, bytes, bytes + stride];
            for offset in edges.into_iter().chain([near.wrapping_add_signed(step), near, any]) {
                prop_assert!(agrees_with_division(stride, count, offset), "{offset}");
            }
        }
    }
}
