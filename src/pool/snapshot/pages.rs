//! Which OS pages hold a live block: those are what a trim can't give back.

use core::ops::Range;

use crate::layout::pages::Pages;
use crate::pool::snapshot::marks::{Marks, State};

/// How many pages are told of one by one.
pub(super) const FEWEST_MAX: usize = 64;

/// A page, and how many live blocks have a byte on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeptPage {
    pub(super) live: usize,
    pub(super) page: usize,
}

/// The pages under the blocks of a pool.
pub(super) struct KeptPages {
    pages: Pages,
    /// Bytes of a page, and how many pages there are.
    pub(super) bytes: usize,
    pub(super) count: usize,
    /// Bytes from the start of page 0 to block 0.
    pub(super) before_base: usize,
    /// How many hold a live block.
    pub(super) kept: usize,
    /// Those that the fewest blocks keep, these first.
    fewest: [KeptPage; FEWEST_MAX],
}

impl KeptPages {
    pub(super) fn new(base: usize, bytes: usize, stride: usize, capacity: usize) -> Self {
        let pages = Pages::new(base, bytes, stride, stride);
        let fewest = [KeptPage { live: usize::MAX, page: 0 }; FEWEST_MAX];
        let (count, before_base) = (pages.count(capacity), base % bytes);
        Self { pages, bytes, count, before_base, kept: 0, fewest }
    }

    pub(super) fn count_live(&mut self, marks: &Marks) {
        let touched = marks.all().len();
        for page in 0..self.count {
            let kept = KeptPage { live: self.live_on(page, marks, touched), page };
            if kept.live > 0 {
                self.note(kept);
            }
        }
    }

    fn live_on(&self, page: usize, marks: &Marks, touched: usize) -> usize {
        let part = marks.part(self.blocks_on(page, touched));
        part.iter().filter(|mark| mark.state() == State::Live).count()
    }

    fn note(&mut self, kept: KeptPage) {
        self.kept += 1;
        let place = self.fewest.partition_point(|other| other.live <= kept.live);
        if let Some(later) = self.fewest.get_mut(place..)
            && !later.is_empty()
        {
            later.rotate_right(1);
            later[0] = kept;
        }
    }

    /// Those that the fewest blocks keep.
    pub(super) fn fewest(&self) -> &[KeptPage] {
        &self.fewest[..self.kept.min(FEWEST_MAX)]
    }

    /// The blocks below `end` that have a byte on a page.
    pub(super) fn blocks_on(&self, page: usize, end: usize) -> Range<usize> {
        let mut blocks = self.pages.blocks_on(page, end).map(|index| index.0);
        let first = blocks.next().unwrap_or(end);
        first..blocks.last().map_or((first + 1).min(end), |last| last + 1)
    }

    /// How many live blocks keep each page, as runs of pages that are kept by as many: the first,
    /// how many, the live blocks on each.
    pub(super) fn runs(&self, marks: &Marks) -> impl Iterator<Item = (usize, usize, usize)> {
        let touched = marks.all().len();
        let end = self.pages.count(touched);
        let mut next = 0;
        core::iter::from_fn(move || {
            let live = |page: usize| self.live_on(page, marks, touched);
            let first = (next..end).find(|&page| live(page) > 0)?;
            let here = live(first);
            let alike = (first..end).take_while(|&page| live(page) == here).count();
            next = first + alike;
            Some((first, alike, here))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::snapshot::marks::Mark;

    #[test]
    fn the_pages_that_the_fewest_blocks_keep_come_first() {
        let mut marks = Marks::new(40).expect("memory");
        for index in [0, 1, 2, 8, 9, 30, 39] {
            marks.all_mut()[index] = Mark::of(State::Live);
        }
        // Four blocks a page.
        let mut pages = KeptPages::new(1 << 20, 4096, 1024, 60);
        pages.count_live(&marks);
        let fewest = pages.fewest().iter().map(|kept| (kept.page, kept.live));
        assert_eq!(fewest.collect::<Vec<_>>(), [(7, 1), (9, 1), (2, 2), (0, 3)]);
        assert_eq!((pages.count, pages.kept, pages.blocks_on(9, 40)), (15, 4, 36..40));
        let runs: Vec<_> = pages.runs(&marks).collect();
        assert_eq!(runs, [(0, 1, 3), (2, 1, 2), (7, 1, 1), (9, 1, 1)]);
    }

    #[test]
    fn a_block_on_two_pages_keeps_both_and_there_is_an_end_to_the_list() {
        let mut marks = Marks::new(100).expect("memory");
        marks.all_mut().fill(Mark::live(0));
        let mut pages = KeptPages::new(1 << 20, 4096, 6144, 100);
        pages.count_live(&marks);
        assert_eq!((pages.count, pages.kept, pages.fewest().len()), (150, 150, FEWEST_MAX));
        // Of each three pages the middle one holds parts of two blocks.
        assert_eq!(
            pages.runs(&marks).take(3).collect::<Vec<_>>(),
            [(0, 1, 1), (1, 1, 2), (2, 2, 1)]
        );
    }
}
