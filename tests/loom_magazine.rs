//! Owners on the fast paths of their magazines, thieves that empty these, and every order in which
//! they can meet, tried by loom (within a bound on preemptions).
//!
//! The structures are the library's own files; what a thief does stands in `src/pool/safe.rs`, and
//! is compiled in tests/loom_safe.rs.

#[path = "composed/loom_sync.rs"]
#[allow(unused_imports, reason = "for the whole pool")]
mod sync;

#[path = "../src/base/ids.rs"]
#[allow(dead_code, reason = "for the whole library")]
mod ids;

#[path = "../src/cache/depot.rs"]
#[allow(dead_code, reason = "for the whole library")]
mod depot;

#[path = "../src/cache/free_set.rs"]
#[allow(dead_code, reason = "for the whole library")]
mod free_set;

#[path = "../src/cache/magazine.rs"]
#[allow(dead_code, reason = "for the whole library")]
mod magazine;

mod base {
    pub(crate) use crate::ids;
    pub(crate) use crate::sync;
}

mod cache {
    pub(crate) use crate::{free_set, magazine};
}

use std::ptr::NonNull;

use depot::Depot;
use free_set::FreeSet;
use ids::BlockIndex;
use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;
use magazine::Magazine;
use sync::{barrier, enter, explore, number};

/// As many blocks may be in a magazine.
const LIMIT: u32 = 3;

/// Blocks, and everything that they can be in: in hand, in a magazine, in the depot.
struct Blocks {
    magazines: Vec<Magazine>,
    lock: Mutex<()>,
    depot: Depot,
    _bits: Vec<u64>,
    contents: Vec<UnsafeCell<usize>>,
}

// SAFETY: that is what is tried here.
unsafe impl Send for Blocks {}
// SAFETY: as above.
unsafe impl Sync for Blocks {}

impl Blocks {
    /// The owners' magazines are open; the first one's holds `blocks`, of which there are no more.
    fn new(owners: usize, blocks: usize) -> Arc<Self> {
        let mut bits = vec![0; FreeSet::bytes(blocks) / size_of::<u64>()];
        // SAFETY: the end of the slice.
        let end = unsafe { NonNull::from(&mut *bits).cast::<u64>().add(bits.len()) };
        // SAFETY: room for so many blocks before `end`, as long as the table lives.
        let depot = unsafe { Depot::new(end, 2 * LIMIT as usize, true) };
        let contents = (0..blocks).map(|_| UnsafeCell::new(0)).collect();
        let magazines = (0..owners).map(|_| Magazine::new()).collect();
        let blocks = Self { magazines, lock: Mutex::new(()), depot, _bits: bits, contents };
        for magazine in &blocks.magazines {
            // Makes the atomics that several threads ask for, before they do.
            magazine.close();
            assert!(magazine.is_idle() && magazine.count() == 0);
            magazine.open(LIMIT);
        }
        for _ in 0..blocks.capacity() {
            let index = blocks.depot.pop(blocks.capacity()).expect("a fresh one");
            assert!(blocks.magazines[0].put(index, || ()));
        }
        Arc::new(blocks)
    }

    fn capacity(&self) -> usize {
        self.contents.len()
    }

    /// Uses a block as its owner may; loom objects when there is another.
    fn touch(&self, index: BlockIndex) {
        // SAFETY: as above.
        self.contents[index.0].with_mut(|content| unsafe { *content += 1 });
    }

    /// The magazine of this thread.
    fn own(&self) -> &Magazine {
        &self.magazines[number() - 1]
    }

    /// The fast path, and the slow one.
    fn take(&self) -> Option<BlockIndex> {
        let take = || self.own().take(|index| self.touch(index));
        take().or_else(|| {
            let _held = self.lock.lock().expect("no panic");
            self.own().open(LIMIT);
            take().or_else(|| {
                self.depot.fill(self.own(), self.capacity());
                take()
            })
        })
    }

    fn give(&self, index: BlockIndex) {
        let put = || self.own().put(index, || self.touch(index));
        if put() {
            return;
        }
        let _held = self.lock.lock().expect("no panic");
        self.own().open(LIMIT);
        if !put() {
            self.depot.take_from(self.own());
            assert!(put(), "there is room");
        }
    }

    fn take_and_give(&self) {
        self.take().into_iter().for_each(|index| self.give(index));
    }

    /// Fetches all blocks that are in magazines. Under the lock.
    fn fetch(&self) {
        self.magazines.iter().for_each(Magazine::close);
        assert!(barrier::heavy());
        for magazine in &self.magazines {
            while !magazine.is_idle() {
                thread::yield_now();
            }
            let waiting = self.depot.count() + magazine.count();
            self.depot.empty(magazine, |_| false);
            assert_eq!(self.depot.count(), waiting, "a block was in two places");
        }
    }

    /// What a thread does that finds no block: fetches them all, and takes one.
    fn steal(&self) -> Option<BlockIndex> {
        let _held = self.lock.lock().expect("no panic");
        self.fetch();
        let index = self.depot.pop(self.capacity());
        index.into_iter().for_each(|index| self.touch(index));
        index
    }

    /// Gives a block back past the magazines.
    fn return_stolen(&self, index: BlockIndex) {
        let _held = self.lock.lock().expect("no panic");
        self.touch(index);
        self.depot.push(index, |_| false);
    }

    fn steal_and_return(&self) {
        self.steal().into_iter().for_each(|index| self.return_stolen(index));
    }

    /// Each block is free. While nobody else calls.
    fn census(&self) {
        self.fetch();
        assert!((0..self.depot.frontier()).all(|index| self.depot.holds(BlockIndex(index))));
        assert!(self.depot.is_sound(|_| true), "each is counted once");
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

/// The thief is the thread that is spawned: loom tries what a load may meet only where the stores
/// came before it.
#[test]
fn an_owner_meets_a_thief() {
    explore(2, None, || {
        enter(1);
        let blocks = Blocks::new(1, 2);
        let thief = spawn(2, &blocks, Blocks::steal_and_return);
        blocks.take_and_give();
        thief.join().expect("no panic");
        blocks.census();
    });
}

#[test]
fn an_owner_who_gives_meets_a_thief() {
    explore(2, None, || {
        enter(1);
        let blocks = Blocks::new(1, 2);
        let mine = [blocks.take(), blocks.take()];
        let thief = spawn(2, &blocks, Blocks::steal_and_return);
        mine.into_iter().flatten().for_each(|index| blocks.give(index));
        thief.join().expect("no panic");
        blocks.census();
    });
}

#[test]
fn two_owners_meet_a_thief() {
    explore(3, Some(2), || {
        enter(1);
        let blocks = Blocks::new(2, 2);
        let kept = blocks.take().expect("there are two");
        enter(2);
        blocks.give(kept);
        enter(1);
        let thief = spawn(3, &blocks, Blocks::steal_and_return);
        let owner = spawn(2, &blocks, Blocks::take_and_give);
        blocks.take_and_give();
        owner.join().expect("no panic");
        thief.join().expect("no panic");
        blocks.census();
    });
}

#[test]
fn an_owner_meets_two_thieves() {
    explore(3, Some(2), || {
        enter(1);
        let blocks = Blocks::new(1, 1);
        let thieves = [2, 3].map(|number| spawn(number, &blocks, Blocks::steal_and_return));
        blocks.take_and_give();
        thieves.into_iter().for_each(|thief| thief.join().expect("no panic"));
        blocks.census();
    });
}

/// What happened before the look is seen: no free block is overlooked.
#[test]
fn a_thief_finds_a_block_that_was_given_back_before() {
    explore(2, None, || {
        enter(1);
        let blocks = Blocks::new(1, 1);
        let mine = blocks.take().expect("there is one");
        let given = Arc::new(AtomicBool::new(false));
        let is_given = Arc::clone(&given);
        let thief = spawn(2, &blocks, move |blocks| {
            let was_given = is_given.load(Ordering::Acquire);
            let sees_it = blocks.magazines.iter().any(|magazine| magazine.count() > 0);
            assert!(sees_it || !was_given, "a look at the counts overlooks a block");
            let stolen = blocks.steal();
            assert!(stolen.is_some() || !was_given, "a block is out of reach");
            stolen.into_iter().for_each(|index| blocks.return_stolen(index));
        });
        blocks.give(mine);
        given.store(true, Ordering::Release);
        thief.join().expect("no panic");
        blocks.census();
    });
}
