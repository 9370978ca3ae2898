//! Blocks that leave a quarantine while others look for the last one, in every order that loom can
//! think of (within a bound on preemptions). A block that was given back before is always found.
//!
//! Quarantine and stack are the library's own files, as in `src/pool/inspected.rs`.

mod base {
    pub(crate) use crate::ids;

    pub(crate) mod sync {
        pub(crate) use loom::sync::atomic::{
            AtomicU16, AtomicU32, AtomicU32 as AtomicHalf, AtomicUsize, Ordering, fence,
        };
    }
}

mod host {
    pub(crate) mod thread {
        pub(crate) fn pause(_attempt: u32) {
            loom::thread::yield_now();
        }
    }
}

#[path = "../src/base/ids.rs"]
#[allow(dead_code, reason = "for the whole library")]
mod ids;

#[path = "../src/freelist/tagged.rs"]
#[allow(dead_code, reason = "for the whole library")]
mod tagged;

#[path = "../src/inspect/quarantine.rs"]
#[allow(dead_code, reason = "for the whole library")]
mod quarantine;

#[path = "line/table.rs"]
mod table;

use std::ptr::NonNull;

use base::ids::BlockIndex;
use base::sync::AtomicU32;
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;
use quarantine::Quarantine;
use table::Table;
use tagged::TaggedStack;

/// Blocks, and everything that they can be in.
struct Blocks {
    stack: TaggedStack,
    quarantine: Quarantine,
    _table: Table,
    _places: Box<[AtomicU32]>,
    contents: Vec<UnsafeCell<usize>>,
}

// SAFETY: that is what is tried here.
unsafe impl Send for Blocks {}
// SAFETY: as above.
unsafe impl Sync for Blocks {}

impl Blocks {
    /// All live, but for the last one, which waits in the only place.
    fn new(count: usize) -> Arc<Self> {
        let table = Table::new(count);
        let places: Box<[AtomicU32]> = [AtomicU32::new(0)].into();
        // SAFETY: a table for so many blocks, which lives beside the stack.
        let stack = unsafe { TaggedStack::new(table.end()) };
        // SAFETY: a place, zero, as long as it lives, beside the quarantine.
        let quarantine = unsafe { Quarantine::new(NonNull::from(&*places).cast(), 1) };
        (0..count).for_each(|index| stack.set_live(BlockIndex(index)));
        let contents = (0..count).map(|_| UnsafeCell::new(0)).collect();
        let blocks = Self { stack, quarantine, _table: table, _places: places, contents };
        blocks.give(count - 1);
        Arc::new(blocks)
    }

    fn write(&self, index: BlockIndex) {
        // SAFETY: the block's owner is this thread; loom objects when it is not.
        self.contents[index.0].with_mut(|content| unsafe { *content += 1 });
    }

    fn give(&self, index: usize) {
        self.write(BlockIndex(index));
        assert!(self.stack.claim(BlockIndex(index)));
        self.quarantine.put(BlockIndex(index), |free| self.stack.push(free));
    }

    fn take(&self) -> Option<BlockIndex> {
        let index = self.quarantine.search(
            || self.stack.pop(),
            |index| {
                self.stack.set_live(index);
                index
            },
        )?;
        self.write(index);
        Some(index)
    }

    /// Each block was taken by this thread or can be taken now, once.
    fn census(&self, mut taken: Vec<BlockIndex>) {
        taken.extend(std::iter::from_fn(|| self.take()));
        let mut all: Vec<_> = taken.into_iter().map(|index| index.0).collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..self.contents.len()), "a block is lost or there twice");
    }
}

fn explore(preemptions: usize, scenario: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(scenario);
}

fn gives(blocks: &Arc<Blocks>, index: usize) -> thread::JoinHandle<()> {
    let blocks = Arc::clone(blocks);
    thread::spawn(move || blocks.give(index))
}

#[test]
fn a_block_that_leaves_the_quarantine_is_found_at_every_moment() {
    explore(3, || {
        let blocks = Blocks::new(2);
        let other = gives(&blocks, 0);
        let taken = blocks.take().expect("one was given back before");
        other.join().expect("no panic");
        blocks.census(vec![taken]);
    });
}

#[test]
fn it_is_found_while_two_others_give() {
    explore(2, || {
        let blocks = Blocks::new(3);
        let others = [gives(&blocks, 0), gives(&blocks, 1)];
        let taken = blocks.take().expect("one was given back before");
        others.into_iter().for_each(|other| other.join().expect("no panic"));
        blocks.census(vec![taken]);
    });
}

/// The first block is on its way to the stack, and the second in its place is taken by another.
#[test]
fn it_is_found_while_another_takes_what_came_after_it() {
    explore(3, || {
        let blocks = Blocks::new(2);
        let giver = gives(&blocks, 0);
        let taker = {
            let blocks = Arc::clone(&blocks);
            thread::spawn(move || blocks.take().map(|index| index.0))
        };
        let taken = blocks.take();
        giver.join().expect("no panic");
        let theirs = taker.join().expect("no panic");
        assert!(taken.is_some() || theirs == Some(1), "it was there all the time");
        assert!(theirs.is_some() || taken == Some(BlockIndex(1)), "as above, for the other");
        blocks.census(taken.into_iter().chain(theirs.map(BlockIndex)).collect());
    });
}

#[test]
fn two_that_look_find_two() {
    explore(2, || {
        let blocks = Blocks::new(2);
        blocks.give(0);
        let other = {
            let blocks = Arc::clone(&blocks);
            thread::spawn(move || blocks.take().expect("there are two").0)
        };
        let taken = blocks.take().expect("there are two");
        let theirs = BlockIndex(other.join().expect("no panic"));
        blocks.census(vec![taken, theirs]);
    });
}
