//! Every order in which threads can meet in the lock-free stack, and every value that the memory
//! model lets them read, tried by loom (within a bound on preemptions).
//!
//! The structure is the library's own file, compiled here with loom's atomics under the names that
//! it asks for.

mod base {
    pub(crate) use crate::ids;

    pub(crate) mod sync {
        pub(crate) use loom::sync::atomic::{
            AtomicU16, AtomicU32 as AtomicHalf, AtomicUsize, Ordering, fence,
        };
    }
}

#[path = "../src/base/ids.rs"]
#[allow(dead_code, reason = "for the whole library")]
mod ids;

#[path = "../src/freelist/tagged.rs"]
#[allow(dead_code, reason = "for the whole library")]
mod tagged;

#[path = "line/table.rs"]
mod table;

use base::ids::BlockIndex;
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;
use table::Table;
use tagged::TaggedStack;

/// A stack, its table, and what its blocks hold.
struct Blocks<const NOTED: usize = 256> {
    stack: TaggedStack<NOTED>,
    _table: Table,
    contents: Vec<UnsafeCell<usize>>,
}

// SAFETY: the stack is made for any thread, and a block's content is its owner's: loom objects
// when it is not.
unsafe impl<const NOTED: usize> Send for Blocks<NOTED> {}
// SAFETY: as above.
unsafe impl<const NOTED: usize> Sync for Blocks<NOTED> {}

impl<const NOTED: usize> Blocks<NOTED> {
    /// All free; the last one is on top.
    fn new(count: usize) -> Arc<Self> {
        let table = Table::new(count);
        // SAFETY: a table for so many blocks, which lives beside the stack.
        let stack = unsafe { TaggedStack::new(table.end()) };
        (0..count).for_each(|index| stack.push(BlockIndex(index)));
        let contents = (0..count).map(|_| UnsafeCell::new(0)).collect();
        Arc::new(Self { stack, _table: table, contents })
    }

    /// Takes a block and writes into it, as its owner may.
    fn take(&self) -> Option<BlockIndex> {
        let index = self.stack.pop()?;
        assert!(self.stack.is_live(index));
        // SAFETY: the block's owner is this thread; loom objects when it is not.
        self.contents[index.0].with_mut(|content| unsafe { *content += 1 });
        Some(index)
    }

    fn give(&self, index: BlockIndex) {
        // SAFETY: as in `take`.
        self.contents[index.0].with_mut(|content| unsafe { *content += 1 });
        assert!(self.stack.claim(index));
        self.stack.push(index);
    }

    /// Each of `count` blocks is on the stack, once.
    fn census(&self, count: usize) {
        assert_eq!(self.stack.depth_and_changes().0, count);
        let mut all: Vec<_> = std::iter::from_fn(|| self.stack.pop()).map(|i| i.0).collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..count), "a block is lost or there twice");
    }
}

fn explore(preemptions: usize, scenario: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(scenario);
}

/// Two threads meet two misses of an ordering; three are needed for the others.
#[test]
fn three_threads_take_and_give_one_block_each() {
    explore(2, || {
        let blocks = <Blocks>::new(2);
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let blocks = Arc::clone(&blocks);
                thread::spawn(move || blocks.take().into_iter().for_each(|i| blocks.give(i)))
            })
            .collect();
        blocks.take().into_iter().for_each(|index| blocks.give(index));
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        blocks.census(2);
    });
}

/// While one thread is between its look at the head and its exchange, the other takes two blocks
/// and gives the first back: the head is the same block again, and the next one is not.
#[test]
fn a_head_that_came_back_is_not_mistaken_for_one_that_stayed() {
    explore(3, || {
        let blocks = <Blocks>::new(3);
        let other = Arc::clone(&blocks);
        let thread = thread::spawn(move || {
            let first = other.take();
            let second = other.take();
            first.into_iter().for_each(|index| other.give(index));
            second
        });
        let mine = blocks.take();
        let kept = thread.join().expect("no panic");
        assert!(mine.is_none() || mine != kept, "a block has two owners");
        mine.into_iter().chain(kept).for_each(|index| blocks.give(index));
        blocks.census(3);
    });
}

/// What one owner wrote is there for the next, which loom sees by the contents.
#[test]
fn a_block_that_crosses_threads_brings_its_content() {
    explore(3, || {
        let blocks = <Blocks>::new(1);
        let other = Arc::clone(&blocks);
        let thread = thread::spawn(move || {
            for _ in 0..2 {
                other.take().into_iter().for_each(|index| other.give(index));
            }
        });
        for _ in 0..2 {
            blocks.take().into_iter().for_each(|index| blocks.give(index));
        }
        thread.join().expect("no panic");
        blocks.census(1);
    });
}

/// The depth belongs to the head that was read with it. The thread that looks is the other one:
/// loom tries what a load may meet only where the stores came before it.
#[test]
fn the_depth_is_one_that_the_stack_had() {
    explore(3, || {
        let blocks = <Blocks>::new(2);
        let other = Arc::clone(&blocks);
        let thread = thread::spawn(move || {
            let (depth, changes) = other.stack.depth_and_changes();
            let depths = [2, 1, 0, 1, 2];
            assert_eq!(depth, depths[changes - 2], "after {changes} changes");
        });
        let first = blocks.take().expect("two blocks are free");
        blocks.stack.set_held(first);
        let second = blocks.take().expect("one block is free");
        blocks.stack.push(first);
        blocks.give(second);
        thread.join().expect("no panic");
        blocks.census(2);
    });
}

/// Every change is noted, and a thread sleeps before its note as long as it likes. What the others
/// see goes forward all the same, and in the end it is as much as happened.
#[test]
fn a_note_that_comes_late_takes_nothing_back() {
    explore(3, || {
        let blocks = Blocks::<1>::new(2);
        let other = Arc::clone(&blocks);
        let thread = thread::spawn(move || {
            other.take().into_iter().for_each(|index| other.give(index));
        });
        let look = || {
            let (depth, changes) = blocks.stack.depth_and_changes();
            assert!(depth <= 2 && depth % 2 == changes % 2, "{depth} after {changes} changes");
            changes
        };
        let first = look();
        blocks.take().into_iter().for_each(|index| blocks.give(index));
        assert!(look() >= first + 2);
        thread.join().expect("no panic");
        assert_eq!(blocks.stack.depth_and_changes(), (2, 6));
        blocks.census(2);
    });
}

/// A double free, at once: the block goes back once.
#[test]
fn of_two_threads_that_give_the_same_block_back_one_succeeds() {
    explore(3, || {
        let blocks = <Blocks>::new(2);
        let index = blocks.take().expect("two blocks are free");
        let other = Arc::clone(&blocks);
        let give = move |blocks: &Blocks| {
            let claimed = blocks.stack.claim(index);
            if claimed {
                blocks.stack.push(index);
            }
            claimed
        };
        let thread = thread::spawn(move || give(&other));
        let mine = give(&blocks);
        assert!(mine != thread.join().expect("no panic"));
        blocks.census(2);
    });
}
