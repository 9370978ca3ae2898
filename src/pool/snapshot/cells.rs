//! A map of a pool: each cell is a block, or as many neighbours as it takes for a map of some size.

use core::iter::successors;

use crate::pool::snapshot::Picture;
use crate::pool::snapshot::marks::Cell;

/// Cells of so many blocks each; the last may have fewer.
pub(super) struct Map<'picture> {
    picture: &'picture Picture,
    pub(super) blocks_a_cell: usize,
}

impl Picture {
    /// A map of at most so many cells.
    pub(super) fn map(&self, cells_max: usize) -> Map<'_> {
        Map { picture: self, blocks_a_cell: self.capacity().div_ceil(cells_max).max(1) }
    }
}

impl Map<'_> {
    pub(super) fn len(&self) -> usize {
        self.picture.capacity().div_ceil(self.blocks_a_cell)
    }

    pub(super) fn cell(&self, number: usize) -> Cell {
        let first = number * self.blocks_a_cell;
        let end = (first + self.blocks_a_cell).min(self.picture.capacity());
        self.picture.marks.cell(first..end)
    }

    /// The cells as runs of such as are alike: how many, and what they are.
    pub(super) fn runs(&self) -> impl Iterator<Item = (usize, Cell)> {
        let run_from = |first: usize| {
            let cell = (first < self.len()).then(|| self.cell(first))?;
            let end = (first + 1..self.len()).find(|&next| self.cell(next) != cell);
            Some((first, end.unwrap_or(self.len()) - first, cell))
        };
        successors(run_from(0), move |&(first, cells, _)| run_from(first + cells))
            .map(|(_, cells, cell)| (cells, cell))
    }
}
