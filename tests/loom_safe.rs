//! Threads that share a safe pool of very few blocks, put together from the library's own files,
//! and every order in which they can meet, tried by loom (within a bound on preemptions).

#[allow(dead_code, reason = "for the whole library")]
mod composed;
#[path = "composed/loom_machine.rs"]
mod machine;
#[path = "composed/loom_sync.rs"]
mod sync;

use base::ids::BlockIndex;
use cache::magazines::Explicit;
use composed::rig::Pool;
use composed::{base, cache, checks, host, layout, pool, source};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use sync::{enter, explore};

/// A pool, and what its blocks hold.
struct Blocks {
    pool: Pool<true>,
    contents: Vec<UnsafeCell<usize>>,
}

// SAFETY: a block's content is its owner's: loom objects when it is not.
unsafe impl Send for Blocks {}
// SAFETY: as above.
unsafe impl Sync for Blocks {}

impl Blocks {
    /// All free.
    fn new(capacity: usize) -> Arc<Self> {
        let contents = (0..capacity).map(|_| UnsafeCell::new(0)).collect();
        Arc::new(Self { pool: Pool::new(capacity), contents })
    }

    /// Uses a block as its owner may; loom objects when there is another.
    fn touch(&self, index: BlockIndex) {
        // SAFETY: as above.
        self.contents[index.0].with_mut(|content| unsafe { *content += 1 });
    }

    fn take(&self) -> Option<BlockIndex> {
        let taken = self.pool.allocate();
        taken.into_iter().for_each(|index| self.touch(index));
        taken
    }

    fn take_from(&self, cache: &Explicit) -> Option<BlockIndex> {
        let taken = self.pool.allocate_from(cache);
        taken.into_iter().for_each(|index| self.touch(index));
        taken
    }

    fn give_to(&self, cache: &Explicit, index: BlockIndex) {
        self.touch(index);
        self.pool.deallocate_to(cache, index);
    }

    fn give(&self, index: BlockIndex) {
        self.touch(index);
        self.pool.deallocate(index);
    }

    fn take_and_give(&self) {
        self.take().into_iter().for_each(|index| self.give(index));
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

/// The one block waits in a magazine, where its owner and a thief reach for it.
#[test]
fn an_owner_meets_a_thief() {
    explore(2, None, || {
        enter(1);
        let blocks = Blocks::new(1);
        blocks.take_and_give();
        let thief = spawn(2, &blocks, Blocks::take_and_give);
        blocks.take_and_give();
        thief.join().expect("no panic");
        blocks.pool.census();
    });
}

/// The owner gives while the thief closes.
#[test]
fn an_owner_who_gives_meets_a_thief() {
    explore(2, None, || {
        enter(1);
        let blocks = Blocks::new(1);
        let mine = blocks.take().expect("all are free");
        let thief = spawn(2, &blocks, Blocks::take_and_give);
        blocks.give(mine);
        thief.join().expect("no panic");
        blocks.pool.census();
    });
}

/// Neither has called before: one makes the magazines of both.
#[test]
fn a_new_pool_meets_two_threads() {
    explore(2, Some(4), || {
        enter(1);
        let blocks = Blocks::new(2);
        let thread = spawn(2, &blocks, |blocks| {
            blocks.take_and_give();
            blocks.take_and_give();
        });
        blocks.take_and_give();
        blocks.take_and_give();
        thread.join().expect("no panic");
        blocks.pool.census();
    });
}

#[test]
fn two_owners_meet_a_thief() {
    explore(3, Some(2), || {
        enter(1);
        let blocks = Blocks::new(2);
        let kept = blocks.take().expect("all are free");
        enter(2);
        blocks.take_and_give();
        enter(1);
        blocks.give(kept);
        let thief = spawn(3, &blocks, |blocks| {
            let both = [blocks.take(), blocks.take()];
            both.into_iter().flatten().for_each(|index| blocks.give(index));
        });
        let owner = spawn(2, &blocks, Blocks::take_and_give);
        blocks.take_and_give();
        owner.join().expect("no panic");
        thief.join().expect("no panic");
        blocks.pool.census();
    });
}

#[test]
fn an_owner_meets_two_thieves() {
    explore(3, Some(2), || {
        enter(1);
        let blocks = Blocks::new(1);
        blocks.take_and_give();
        let thieves = [2, 3].map(|number| spawn(number, &blocks, Blocks::take_and_give));
        blocks.take_and_give();
        thieves.into_iter().for_each(|thief| thief.join().expect("no panic"));
        blocks.pool.census();
    });
}

/// What was given back before is found, wherever it waits.
#[test]
fn a_thief_finds_a_block_that_was_given_back_before() {
    explore(2, None, || {
        enter(1);
        let blocks = Blocks::new(1);
        let mine = blocks.take().expect("all are free");
        let given = Arc::new(AtomicBool::new(false));
        let is_given = Arc::clone(&given);
        let thief = spawn(2, &blocks, move |blocks| {
            let was_given = is_given.load(Ordering::Acquire);
            let stolen = blocks.take();
            assert!(stolen.is_some() || !was_given, "a block is out of reach");
            stolen.into_iter().for_each(|index| blocks.give(index));
        });
        blocks.give(mine);
        given.store(true, Ordering::Release);
        thief.join().expect("no panic");
        blocks.pool.census();
    });
}

/// One of two blocks is free at every moment, in the magazine of the one thread or of the other: it
/// is not overlooked because it moves while the magazines are looked at.
#[test]
fn a_thief_finds_a_block_that_is_always_somewhere() {
    explore(3, Some(2), || {
        enter(1);
        let blocks = Blocks::new(2);
        let mine = blocks.take().expect("all are free");
        enter(2);
        blocks.take_and_give();
        enter(1);
        let given = Arc::new(AtomicBool::new(false));
        let is_given = Arc::clone(&given);
        let thief = spawn(3, &blocks, |blocks| blocks.take().expect("one is free"));
        let take_if_given = move |blocks: &Blocks| {
            if is_given.load(Ordering::Acquire) { blocks.take() } else { None }
        };
        let other = spawn(2, &blocks, take_if_given);
        blocks.give(mine);
        given.store(true, Ordering::Release);
        let stolen = thief.join().expect("no panic");
        let kept = other.join().expect("no panic");
        kept.into_iter().chain([stolen]).for_each(|index| blocks.give(index));
        blocks.pool.census();
    });
}

fn wait_and_touch(blocks: &Blocks) -> BlockIndex {
    let index = blocks.pool.wait();
    blocks.touch(index);
    index
}

/// A block is handed to who waits, whether it comes back by the fast path or the slow one.
#[test]
fn a_thread_that_waits_gets_the_block() {
    explore(2, None, || {
        enter(1);
        let blocks = Blocks::new(1);
        let mine = blocks.take().expect("all are free");
        let waiter = spawn(2, &blocks, wait_and_touch);
        blocks.give(mine);
        blocks.give(waiter.join().expect("no panic"));
        blocks.pool.census();
    });
}

/// The magazines stay closed after the first was served.
#[test]
fn two_threads_that_wait_get_a_block_each() {
    explore(3, Some(2), || {
        enter(1);
        let blocks = Blocks::new(2);
        let mine = [blocks.take(), blocks.take()];
        let waiters = [2, 3].map(|number| spawn(number, &blocks, wait_and_touch));
        mine.into_iter().flatten().for_each(|index| blocks.give(index));
        for waiter in waiters {
            blocks.give(waiter.join().expect("no panic"));
        }
        blocks.pool.census();
    });
}

/// Of a cache of its own, whose owner has no magazine else.
#[test]
fn an_owner_of_a_cache_meets_a_thief() {
    explore(2, Some(3), || {
        enter(1);
        let blocks = Blocks::new(1);
        let cache = blocks.pool.new_cache();
        blocks.take_from(&cache).into_iter().for_each(|index| blocks.give_to(&cache, index));
        let thief = spawn(2, &blocks, Blocks::take_and_give);
        blocks.take_from(&cache).into_iter().for_each(|index| blocks.give_to(&cache, index));
        thief.join().expect("no panic");
        blocks.pool.end_cache(cache);
        blocks.pool.census();
    });
}

/// All is looked at while the owner of a cache goes on.
#[test]
fn an_owner_of_a_cache_meets_a_look_at_everything() {
    explore(2, Some(3), || {
        enter(1);
        let blocks = Blocks::new(1);
        let cache = blocks.pool.new_cache();
        blocks.take_from(&cache).into_iter().for_each(|index| blocks.give_to(&cache, index));
        let looker = spawn(2, &blocks, |blocks| blocks.pool.look());
        blocks.take_from(&cache).into_iter().for_each(|index| blocks.give_to(&cache, index));
        looker.join().expect("no panic");
        blocks.pool.end_cache(cache);
        blocks.pool.census();
    });
}
