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
struct Count {
    blocks: usize,
    /// Of the oldest of them.
    sequence: usize,
}

/// The same, and the stack.
struct Group {
    count: Count,
    frames: [usize; DEPTH_MAX],
    depth: usize,
}

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
        let Some(sites) = self.inspector().and_then(|inspector| inspector.sites()) else {
            return none;
        };
        let Some(memory) = Memory::new((STACKS_MAX + 1) * size_of::<Count>()) else { return none };
        let counts = core::ptr::slice_from_raw_parts_mut(
            memory.start().as_ptr().cast::<Count>(),
            STACKS_MAX + 1,
        );
        // SAFETY: so many counts, all zero, and nobody else's.
        let counts = unsafe { &mut *counts };
        let mut live = self.known();
        while let Some(index) = self.first_live(live.clone()) {
            live.start = index.0 + 1;
            count(sites, index, counts);
        }
        Groups::of(sites, counts, block_size)
    }
}

fn count(sites: &Sites, index: BlockIndex, counts: &mut [Count]) {
    let (stack, sequence) = sites.taken_at(index);
    let count = &mut counts[stack as usize];
    let is_oldest = count.blocks == 0 || sequence < count.sequence;
    count.sequence = if is_oldest { sequence } else { count.sequence };
    count.blocks += 1;
}

impl Groups {
    fn of(sites: &Sites, counts: &mut [Count], block_size: usize) -> Self {
        let groups = array::from_fn(|_| {
            let found = counts.iter_mut().enumerate().filter(|(_, count)| count.blocks > 0);
            let (stack, count) = found.min_by_key(|(_, count)| count.sequence)?;
            let told = core::mem::replace(count, Count { blocks: 0, sequence: 0 });
            let (frames, depth) = sites.frames_of(stack as u32);
            Some(Group { count: told, frames, depth })
        });
        let more = counts.iter().filter(|count| count.blocks > 0).count();
        Self { groups, more, block_size }
    }

    /// A line for each, with its stack.
    pub(super) fn write(&self, level: Level) {
        for Group { count: Count { blocks, sequence }, frames, depth } in
            self.groups.iter().flatten()
        {
            let bytes = blocks * self.block_size;
            let s = if *blocks == 1 { "" } else { "s" };
            log::line(
                level,
                format_args!(
                    "  {blocks} block{s}, {bytes} bytes, the oldest by operation {sequence}, \
                     allocated"
                ),
            );
            write_frames(level, &frames[..*depth]);
        }
        if self.more > 0 {
            log::line(level, format_args!("  and blocks that {} more stacks allocated", self.more));
        }
    }
}
