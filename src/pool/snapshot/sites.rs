//! Who took the live blocks: the stacks with the most of them.

use core::array;

use crate::base::ids::BlockIndex;
use crate::inspect::sites::Sites;
use crate::pool::leaks::{Group, Tally};
use crate::pool::snapshot::marks::{Mark, State};

/// How many stacks are told of: the names of their functions are looked up, which takes time.
pub(super) const SITES_MAX: usize = 16;

/// The stacks with the most live blocks, in that order.
pub(super) struct LiveSites {
    groups: [Option<Group>; SITES_MAX],
    block_size: usize,
    /// Stacks that are not told of, and their blocks.
    pub(super) more: usize,
    pub(super) more_blocks: usize,
    pub(super) is_known: bool,
}

impl LiveSites {
    /// Of a pool that keeps none.
    pub(super) fn none() -> Self {
        let groups = array::from_fn(|_| None);
        Self { groups, block_size: 0, more: 0, more_blocks: 0, is_known: false }
    }

    /// Marks live blocks with the numbers of their stacks. `None`: there is no memory to count in.
    pub(super) fn of(sites: &Sites, marks: &mut [Mark], block_size: usize) -> Option<Self> {
        let mut tally = Tally::new()?;
        for (index, mark) in marks.iter_mut().enumerate() {
            if mark.state() == State::Live {
                *mark = Mark::live(tally.count(sites, BlockIndex(index)));
            }
        }
        let groups = array::from_fn(|_| tally.take_most(sites));
        let (more, more_blocks) = tally.rest();
        Some(Self { groups, block_size, more, more_blocks, is_known: true })
    }

    /// The site that a stack is.
    pub(super) fn site_of(&self, stack: u32) -> Option<usize> {
        self.all().position(|group| group.stack == stack)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().flatten()
    }

    pub(super) fn bytes(&self, group: &Group) -> usize {
        group.count.blocks * self.block_size
    }
}
