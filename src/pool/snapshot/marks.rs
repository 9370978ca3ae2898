//! What is known of each block: its state, and of a live one by which stack it was taken.
//!
//! ```text
//!   0 untouched │ 1 free │ 2 cached │ 3 quarantined │ 4 live │ 5 live, of site 0 │ 6 ...
//! ```
//!
//! V1. `count` words after the start of the memory are marks, and nobody else's.

use core::ops::Range;

use crate::inspect::sites::STACKS_MAX;
use crate::pool::snapshot::sites::LiveSites;
use crate::source::memory::Memory;

/// What a block does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Untouched = 0,
    Free = 1,
    /// Waits in a magazine.
    Cached = 2,
    /// Came back, and waits to be free.
    Quarantined = 3,
    Live = 4,
}

/// In the order in which they are shown.
pub(super) const STATES: [State; 5] =
    [State::Live, State::Free, State::Cached, State::Quarantined, State::Untouched];

impl State {
    pub(super) fn name(self) -> &'static str {
        ["untouched", "free", "cached", "quarantined", "live"][self as usize]
    }

    /// In a map of characters.
    pub(super) fn character(self) -> char {
        ['-', '.', 'c', 'q', '#'][self as usize]
    }

    /// Its place in [`STATES`].
    fn place(self) -> usize {
        STATES.iter().position(|&state| state == self).unwrap_or(0)
    }
}

const LIVE: u16 = State::Live as u16;
const _: () = assert!(LIVE as usize + STACKS_MAX < u16::MAX as usize);

/// The state of a block, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(super) struct Mark(u16);

impl Mark {
    pub(super) fn of(state: State) -> Self {
        Self(state as u16)
    }

    /// Live, and taken by a stack; 0: not known by which.
    pub(super) fn live(stack: u32) -> Self {
        Self(LIVE + stack as u16)
    }

    pub(super) fn state(self) -> State {
        match self.0 {
            0 => State::Untouched,
            1 => State::Free,
            2 => State::Cached,
            3 => State::Quarantined,
            _ => State::Live,
        }
    }

    /// The site that took it, if that is known.
    pub(super) fn site(self) -> Option<usize> {
        usize::from(self.0).checked_sub(usize::from(LIVE) + 1)
    }
}

/// Neighbours that do the same.
pub(super) struct Run {
    pub(super) first: usize,
    pub(super) blocks: usize,
    pub(super) mark: Mark,
}

/// Some neighbours, counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    /// In the order of [`STATES`].
    pub(super) blocks: [usize; STATES.len()],
    /// Which sites have a block among them, a bit for each.
    pub(super) sites: u32,
}

/// The marks of the blocks that were ever touched, those from `count` on being untouched.
pub(super) struct Marks {
    memory: Memory,
    count: usize,
}

impl Marks {
    /// All untouched. `None`: the system gives no memory.
    pub(super) fn new(count: usize) -> Option<Self> {
        Some(Self { memory: Memory::new(count.max(1) * size_of::<Mark>())?, count })
    }

    /// The marks, from block 0 on.
    pub(super) fn all(&self) -> &[Mark] {
        let start = self.memory.start().as_ptr().cast::<Mark>();
        // SAFETY: V1; zero at first, which is a mark.
        unsafe { core::slice::from_raw_parts(start, self.count) }
    }

    pub(super) fn all_mut(&mut self) -> &mut [Mark] {
        let start = self.memory.start().as_ptr().cast::<Mark>();
        // SAFETY: as above, and borrowed from this for as long.
        unsafe { core::slice::from_raw_parts_mut(start, self.count) }
    }

    /// Numbers of stacks become those of sites; stacks that are not told of become unknown.
    pub(super) fn name_sites(&mut self, sites: &LiveSites) {
        for mark in self.all_mut() {
            if let Some(stack) = mark.site() {
                let site = sites.site_of(stack as u32 + 1);
                *mark = Mark::live(site.map_or(0, |site| site as u32 + 1));
            }
        }
    }

    /// The marks in a range of blocks, as far as there are any.
    pub(super) fn part(&self, blocks: Range<usize>) -> &[Mark] {
        &self.all()[blocks.start.min(self.count)..blocks.end.min(self.count)]
    }

    /// The blocks of a range, counted.
    pub(super) fn cell(&self, blocks: Range<usize>) -> Cell {
        let part = self.part(blocks.clone());
        let mut cell = Cell { blocks: [0; _], sites: 0 };
        for mark in part {
            cell.blocks[mark.state().place()] += 1;
            cell.sites |= mark.site().map_or(0, |site| 1 << site);
        }
        cell.blocks[State::Untouched.place()] += blocks.len() - part.len();
        cell
    }

    /// All blocks of a pool as runs.
    pub(super) fn runs(&self, capacity: usize) -> impl Iterator<Item = Run> {
        let untouched = Mark::of(State::Untouched);
        let mut first = 0;
        core::iter::from_fn(move || {
            let rest = self.part(first..capacity);
            let mark = rest.first().copied().unwrap_or(untouched);
            let alike = rest.iter().take_while(|&&other| other == mark).count();
            let is_last = alike == rest.len() && mark == untouched;
            let run = Run { first, blocks: if is_last { capacity - first } else { alike }, mark };
            first += run.blocks;
            (run.blocks > 0).then_some(run)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(of: &[Mark]) -> Marks {
        let mut marks = Marks::new(of.len()).expect("memory");
        marks.all_mut().copy_from_slice(of);
        marks
    }

    #[test]
    fn runs_hold_each_block_once_and_end_with_what_was_never_touched() {
        let [free, fresh] = [State::Free, State::Untouched].map(Mark::of);
        let shown = |marks: &Marks, capacity| {
            let runs = marks.runs(capacity).map(|run| (run.first, run.blocks, run.mark));
            runs.collect::<Vec<_>>()
        };
        let live = Mark::live(0);
        let some = marks(&[live, live, free, fresh]);
        assert_eq!(shown(&some, 9), [(0, 2, live), (2, 1, free), (3, 6, fresh)]);
        assert_eq!(shown(&some, 4), [(0, 2, live), (2, 1, free), (3, 1, fresh)]);
        assert_eq!(shown(&marks(&[]), 3), [(0, 3, fresh)]);
        assert_eq!(shown(&marks(&[free]), 1), [(0, 1, free)]);
        assert_eq!(shown(&marks(&[free]), 2), [(0, 1, free), (1, 1, fresh)]);
    }

    #[test]
    fn a_cell_counts_every_block_and_knows_its_sites() {
        let some = marks(&[Mark::live(3), Mark::of(State::Cached), Mark::live(1), Mark::live(0)]);
        let cell = some.cell(0..6);
        assert_eq!((cell.blocks, cell.sites), ([3, 0, 1, 0, 2], 0b101));
        assert_eq!(some.cell(5..7).blocks, [0, 0, 0, 0, 2]);
    }
}
