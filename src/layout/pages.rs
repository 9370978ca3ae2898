//! Which blocks lie on which OS page, and which page a free block's link lies on.
//!
//! ```text
//!   pages   │      0      │      1      │      2      │      3      │
//!   blocks       │▒  b0   │▒  b1    │▒  b2    │▒  b3    │▒  b4    │
//!                ▲ base      ▒ link                   └ on pages 2 and 3, its link on page 2
//! ```
//!
//! Pages are counted from the one that `base` is on. A block is *of* the page that the last byte of
//! its link is on, so that each block is of one page.

#![forbid(unsafe_code)]

use core::ops::Range;

use crate::base::ids::BlockIndex;

/// The OS pages under the blocks of one pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pages {
    page_bytes: usize,
    /// From the start of page 0 to the start of block 0.
    before_base: usize,
    stride: usize,
    link_bytes: usize,
}

impl Pages {
    pub(crate) fn new(base: usize, page_bytes: usize, stride: usize, link_bytes: usize) -> Self {
        Self { page_bytes, before_base: base % page_bytes, stride, link_bytes }
    }

    /// How many pages the first `count` blocks lie on.
    pub(crate) fn count(&self, count: usize) -> usize {
        (self.before_base + count * self.stride).div_ceil(self.page_bytes)
    }

    pub(crate) fn page_bytes(&self) -> usize {
        self.page_bytes
    }

    /// Bytes from the start of block 0 to the start of `page`, which is not page 0 unless block 0
    /// starts there.
    pub(crate) fn offset_of(&self, page: usize) -> usize {
        page * self.page_bytes - self.before_base
    }

    /// Whether nothing but blocks is on the page: on page 0 there may be a side table.
    pub(crate) fn holds_only_blocks(&self, page: usize) -> bool {
        page > 0 || self.before_base == 0
    }

    /// The blocks below `end` that have a byte on `page`.
    pub(crate) fn blocks_on(&self, page: usize, end: usize) -> impl Iterator<Item = BlockIndex> {
        let first = self.with_byte_on(page, self.stride - 1).start;
        let after = self.with_byte_on(page, 0).end;
        (first.min(end)..after.min(end)).map(BlockIndex)
    }

    /// The blocks below `end` that are of `page`: that have the last byte of their link on it.
    pub(crate) fn blocks_of(
        &self,
        page: usize,
        end: usize,
    ) -> impl DoubleEndedIterator<Item = BlockIndex> {
        let range = self.with_byte_on(page, self.link_bytes - 1);
        (range.start.min(end)..range.end.min(end)).map(BlockIndex)
    }

    /// Whether the link of a block begins on `page` and ends on the next one.
    pub(crate) fn link_crosses_end_of(&self, page: usize) -> bool {
        let (first, last) =
            (self.with_byte_on(page, 0), self.with_byte_on(page, self.link_bytes - 1));
        first.end > last.end
    }

    /// The blocks whose byte number `byte` is on `page`.
    fn with_byte_on(&self, page: usize, byte: usize) -> Range<usize> {
        let first = |page: usize| {
            (page * self.page_bytes).saturating_sub(self.before_base + byte).div_ceil(self.stride)
        };
        first(page)..first(page + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Against the definition, byte by byte.
        #[test]
        fn every_block_is_where_its_bytes_are(
            stride in 8_usize..300,
            before_base in 0_usize..128,
            count in 1_usize..40,
        ) {
            let pages = Pages::new(4096 + before_base, 128, stride, 8);
            let page_of = |byte: usize| (pages.before_base + byte) / 128;
            let mut all = vec![];
            for page in 0..pages.count(count) {
                let on: Vec<usize> = (0..count)
                    .filter(|i| (0..stride).any(|byte| page_of(i * stride + byte) == page))
                    .collect();
                let of = (0..count).filter(|i| page_of(i * stride + 7) == page);
                prop_assert!(pages.blocks_on(page, count).map(|i| i.0).eq(on));
                prop_assert!(pages.blocks_of(page, count).map(|i| i.0).eq(of));
                all.extend(pages.blocks_of(page, count));
                let crosses = (0..1000).any(|i| {
                    page_of(i * stride) == page && page_of(i * stride + 7) == page + 1
                });
                prop_assert_eq!(pages.link_crosses_end_of(page), crosses);
            }
            prop_assert!(all.into_iter().map(|i| i.0).eq(0..count));
        }
    }
}
