//! Threads that wait for a block and threads that give one back, and every order in which they can
//! meet, tried by loom (within a bound on preemptions). A wake-up that is lost is a thread that
//! sleeps for ever, which loom reports.

#[allow(dead_code, reason = "for the whole library")]
mod line;
#[allow(dead_code, unused_imports, reason = "for the whole library")]
#[path = "composed/loom_sync.rs"]
mod sync;

use base::error::Error;
use base::ids::BlockIndex;
use host::sleep::Deadline;
use line::pool::{Kind, Pool};
use line::{base, freelist, host, layout, pool};
use loom::cell::UnsafeCell;
use loom::sync::{Arc, Mutex};
use loom::thread;
use sync::{enter, explore};

const KINDS: [Kind; 2] = [Kind::LockFree, Kind::Safe];

/// A pool, and what its blocks hold.
struct Blocks {
    pool: Pool,
    contents: Vec<UnsafeCell<usize>>,
}

// SAFETY: a block's content is its owner's: loom objects when it is not.
unsafe impl Send for Blocks {}
// SAFETY: as above.
unsafe impl Sync for Blocks {}

impl Blocks {
    /// All live.
    fn new(kind: Kind, capacity: usize) -> (Arc<Self>, Vec<BlockIndex>) {
        let contents = (0..capacity).map(|_| UnsafeCell::new(0)).collect();
        let blocks = Arc::new(Self { pool: Pool::new(kind, capacity), contents });
        let all: Vec<_> = std::iter::from_fn(|| blocks.pool.allocate()).collect();
        assert_eq!(all.len(), capacity);
        (blocks, all)
    }

    /// Uses a block as its owner may; loom objects when there is another.
    fn touch(&self, index: BlockIndex) {
        // SAFETY: as above.
        self.contents[index.0].with_mut(|content| unsafe { *content += 1 });
    }

    /// A block, for which it waits however long.
    fn wait(&self) -> BlockIndex {
        if let Some(index) = self.pool.allocate() {
            self.touch(index);
            return index;
        }
        self.stand_in_line(Deadline::Never).expect("it waits until there is one")
    }

    /// The same without a look first, which may find what those in line wait for.
    fn stand_in_line(&self, deadline: Deadline) -> Result<BlockIndex, Error> {
        let index = self.pool.index(self.pool.wait(deadline)?);
        self.touch(index);
        Ok(index)
    }

    fn give(&self, index: BlockIndex) {
        self.touch(index);
        self.pool.deallocate(index);
    }

    /// Nobody waits, and each block can be had.
    fn census(&self) {
        assert!(!self.pool.has_a_line());
        let all = std::iter::from_fn(|| self.pool.allocate());
        assert_eq!(all.count(), self.contents.len(), "a block is lost or there twice");
    }
}

/// Runs `body` as the thread of this number.
fn spawn<T: 'static>(
    number: usize,
    blocks: &Arc<Blocks>,
    body: impl FnOnce(&Blocks) -> T + 'static,
) -> thread::JoinHandle<T> {
    let blocks = Arc::clone(blocks);
    thread::spawn(move || {
        enter(number);
        body(&blocks)
    })
}

/// The same for both kinds of pool that can be waited for.
fn explore_both(
    threads: usize,
    preemptions: Option<usize>,
    scenario: impl Fn(Kind) + Clone + Sync + Send + 'static,
) {
    for kind in KINDS {
        let scenario = scenario.clone();
        explore(threads, preemptions, move || {
            enter(1);
            scenario(kind);
        });
    }
}

#[test]
fn who_waits_gets_the_block_that_comes_back() {
    explore_both(2, None, |kind| {
        let (blocks, all) = Blocks::new(kind, 1);
        let waiter = spawn(2, &blocks, Blocks::wait);
        blocks.give(all[0]);
        blocks.give(waiter.join().expect("no panic"));
        blocks.census();
    });
}

#[test]
fn two_who_wait_get_a_block_each() {
    explore_both(3, Some(2), |kind| {
        let (blocks, all) = Blocks::new(kind, 2);
        let waiters = [2, 3].map(|number| spawn(number, &blocks, Blocks::wait));
        all.into_iter().for_each(|index| blocks.give(index));
        let [first, second] = waiters.map(|waiter| waiter.join().expect("no panic"));
        [first, second].into_iter().for_each(|index| blocks.give(index));
        blocks.census();
    });
}

/// The one block goes from hand to hand.
#[test]
fn one_block_is_enough_for_two_who_wait() {
    explore_both(3, Some(2), |kind| {
        let (blocks, all) = Blocks::new(kind, 1);
        let wait_and_give = |blocks: &Blocks| blocks.give(blocks.wait());
        let waiters = [2, 3].map(|number| spawn(number, &blocks, wait_and_give));
        blocks.give(all[0]);
        waiters.into_iter().for_each(|waiter| waiter.join().expect("no panic"));
        blocks.census();
    });
}

/// The last in line stands there as long as `deadline` lets it.
fn explore_the_order_in_line(deadline: Deadline) {
    explore_both(3, Some(2), move |kind| {
        let (blocks, all) = Blocks::new(kind, 1);
        let order = Arc::new(Mutex::new(vec![]));
        let [first, last] = [(2, Deadline::Never), (3, deadline)].map(|(number, deadline)| {
            let order = Arc::clone(&order);
            move |blocks: &Blocks| {
                let index = blocks.stand_in_line(deadline)?;
                order.lock().expect("no panic").push(number);
                blocks.give(index);
                Ok(())
            }
        });
        let first = spawn(2, &blocks, first);
        while !blocks.pool.has_a_line() {
            thread::yield_now();
        }
        let last = spawn(3, &blocks, last);
        blocks.give(all[0]);
        assert_eq!(first.join().expect("no panic"), Ok(()));
        let expected = match last.join().expect("no panic") {
            Ok(()) => vec![2, 3],
            Err(error) => {
                assert_eq!((error, deadline), (Error::TimedOut, Deadline::Past));
                vec![2]
            }
        };
        assert_eq!(*order.lock().expect("no panic"), expected);
        blocks.census();
    });
}

#[test]
fn who_came_first_is_served_first() {
    explore_the_order_in_line(Deadline::Never);
}

#[test]
fn who_leaves_the_line_takes_nothing_that_those_before_it_wait_for() {
    explore_the_order_in_line(Deadline::Past);
}

/// What comes back in its last moment is either its own, or goes to the next.
#[test]
fn who_leaves_the_line_loses_no_block_and_keeps_nobody_waiting() {
    explore_both(3, Some(2), |kind| {
        let (blocks, all) = Blocks::new(kind, 1);
        let hasty = spawn(2, &blocks, |blocks| match blocks.stand_in_line(Deadline::Past) {
            Ok(index) => blocks.give(index),
            Err(error) => assert_eq!(error, Error::TimedOut),
        });
        let patient = spawn(3, &blocks, |blocks| blocks.give(blocks.wait()));
        blocks.give(all[0]);
        [hasty, patient].into_iter().for_each(|waiter| waiter.join().expect("no panic"));
        blocks.census();
    });
}
