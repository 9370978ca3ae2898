//! Live blocks by who took them: what a leak report, or a look at a pool that is full, begins with.
//!
//! ```text
//!   stack 7:  12 blocks, the oldest by operation 3      in the order of their oldest blocks
//!   stack 2:   1 block, by operation 9
//! ```

use core::array;

use crate::base::ids::BlockIndex;
use crate::base::log::{self, Level};
use crate::inspect::sites::{DEPTH_MAX, STACKS_MAX, Sites};
use crate::pool::Pool;
use crate::pool::core::Core;
use crate::pool::evidence::write_frames;
use crate::source::memory::Memory;

/// How many groups are told of.
const GROUPS_MAX: usize = 8;

/// What one stack took and nobody gave back.
#[derive(Clone, Copy)]
pub(super) struct Count {
    pub(super) blocks: usize,
    /// Of the oldest of them.
    pub(super) sequence: usize,
}

/// The same, and the stack.
pub(super) struct Group {
    pub(super) count: Count,
    /// The number of the stack; 0: not known.
    pub(super) stack: u32,
    frames: [usize; DEPTH_MAX],
    depth: usize,
}

impl Group {
    pub(super) fn frames(&self) -> &[usize] {
        &self.frames[..self.depth]
    }
}

/// A count for each stack, in memory of the system.
pub(super) struct Tally(Memory);

/// The groups with the oldest blocks.
pub(crate) struct Groups {
    groups: [Option<Group>; GROUPS_MAX],
    /// Of those that are not told of.
    more: usize,
    block_size: usize,
}

impl Pool {
    /// Writes to the log which blocks are live, by who took them, as far as that is known.
    pub(crate) fn log_live(&self) {
        let (groups, in_use) = (self.groups(), self.in_use());
        log::line(
            Level::Info,
            format_args!(
                "pool \"{}\": {in_use} of {} blocks are live",
                self.name(),
                self.capacity()
            ),
        );
        groups.write(Level::Info);
    }

    pub(super) fn groups(&self) -> Groups {
        self.hold(Core::groups)
    }
}

impl Core {
    fn groups(&self) -> Groups {
        let block_size = self.layout.block_size;
        let none = Groups { groups: array::from_fn(|_| None), more: 0, block_size };
        let of_all = self.inspector().and_then(|inspector| inspector.sites());
        let of_guarded = self.guards.as_ref().map(|guards| guards.berths.sites());
        let Some(sites) = of_all.or(of_guarded) else { return none };
        let Some(mut tally) = Tally::new() else { return none };
        let mut live = self.known();
        while let Some(index) = self.first_live(live.clone()) {
            live.start = index.0 + 1;
            let noted = if of_all.is_some() { Some(index) } else { self.site_of_guarded(index) };
            noted.inspect(|&index| {
                tally.count(sites, index);
            });
        }
        let groups = array::from_fn(|_| tally.take_oldest(sites));
        Groups { groups, more: tally.rest().0, block_size }
    }
}

impl Tally {
    const COUNTS: usize = STACKS_MAX + 1;

    /// `None`: the system gives no memory.
    pub(super) fn new() -> Option<Self> {
        Memory::new(Self::COUNTS * size_of::<Count>()).map(Self)
    }

    fn counts(&mut self) -> &mut [Count] {
        let counts = self.0.start().as_ptr().cast::<Count>();
        // SAFETY: so many counts, zero at first, which nobody else has.
        unsafe { core::slice::from_raw_parts_mut(counts, Self::COUNTS) }
    }

    /// Counts a live block; answers the stack that took it.
    pub(super) fn count(&mut self, sites: &Sites, index: BlockIndex) -> u32 {
        let (stack, sequence) = sites.taken_at(index);
        let count = &mut self.counts()[stack as usize];
        let is_oldest = count.blocks == 0 || sequence < count.sequence;
        count.sequence = if is_oldest { sequence } else { count.sequence };
        count.blocks += 1;
        stack
    }

    /// Takes the stack out that has the oldest block.
    fn take_oldest(&mut self, sites: &Sites) -> Option<Group> {
        self.take(sites, |count| count.sequence)
    }

    /// Takes the stack out that has the most blocks; of several the one with the oldest.
    pub(super) fn take_most(&mut self, sites: &Sites) -> Option<Group> {
        self.take(sites, |count| (usize::MAX - count.blocks, count.sequence))
    }

    fn take<K: Ord>(&mut self, sites: &Sites, key: impl Fn(&Count) -> K) -> Option<Group> {
        let found = self.counts().iter_mut().enumerate().filter(|(_, count)| count.blocks > 0);
        let (stack, found) = found.min_by_key(|(_, count)| key(count))?;
        let count = core::mem::replace(found, Count { blocks: 0, sequence: 0 });
        let (frames, depth) = sites.frames_of(stack as u32);
        Some(Group { count, stack: stack as u32, frames, depth })
    }

    /// The stacks that were not taken out, and their blocks.
    pub(super) fn rest(&mut self) -> (usize, usize) {
        let left = self.counts().iter().filter(|count| count.blocks > 0);
        left.fold((0, 0), |(stacks, blocks), count| (stacks + 1, blocks + count.blocks))
    }
}

impl Groups {
    /// A line for each, with its stack.
    pub(super) fn write(&self, level: Level) {
        for group in self.groups.iter().flatten() {
            let Count { blocks, sequence } = &group.count;
            let bytes = blocks * self.block_size;
            let s = if *blocks == 1 { "" } else { "s" };
            log::line(
                level,
                format_args!(
                    "  {blocks} block{s}, {bytes} bytes, the oldest by operation {sequence}, \
                     allocated"
                ),
            );
            write_frames(log::line, level, group.frames());
        }
        if self.more > 0 {
            log::line(level, format_args!("  and blocks that {} more stacks allocated", self.more));
        }
    }
}
