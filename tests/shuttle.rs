//! Threads that share a safe pool of few blocks, under schedules that shuttle draws.
//!
//! The pool is put together from the library's own files (`composed/mod.rs`). A schedule that fails
//! is printed, and `shuttle::replay` runs it again. `MEMORY_POOL_SCHEDULES` is how many are drawn
//! in each test.

#[allow(dead_code, reason = "for the whole library")]
mod composed;
#[path = "composed/history.rs"]
mod history;
#[path = "composed/shuttle_machine.rs"]
mod machine;
#[path = "composed/shuttle_sync.rs"]
mod sync;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::ids::BlockIndex;
use cache::magazines::Explicit;
use composed::rig::Pool;
use composed::{base, cache, checks, host, layout, pool, source};
use history::{Event, History};
use shuttle::rand::{Rng, thread_rng};
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner, thread};

/// One thread after another has each number.
const GENERATIONS: usize = 2;
const CALLS: usize = 10;
const SCHEDULES: usize = 5_000;

/// Who has a block that is under way from one thread to another.
const NOBODY_YET: usize = usize::MAX;

/// A pool, and what is known of it from outside.
struct World<const CHECKED: bool> {
    pool: Pool<CHECKED>,
    /// Who has each block; 0: nobody.
    owners: Vec<AtomicUsize>,
    mailboxes: Vec<Mutex<Vec<BlockIndex>>>,
    history: Mutex<History>,
}

/// Not one of shuttle's: no other thread runs while it is held.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<const CHECKED: bool> World<CHECKED> {
    fn new(capacity: usize, threads: usize) -> Self {
        Self {
            pool: Pool::new(capacity),
            owners: (0..capacity).map(|_| AtomicUsize::new(0)).collect(),
            mailboxes: (0..threads).map(|_| Mutex::new(vec![])).collect(),
            history: Mutex::new(History::default()),
        }
    }

    fn stamp(&self, index: BlockIndex, from: usize, to: usize) {
        let before = self.owners[index.0].swap(to, Ordering::Relaxed);
        assert_eq!(before, from, "block {index} has two owners");
    }

    fn allocate(&self, me: usize, cache: Option<&Explicit>) -> Option<BlockIndex> {
        let asked = held(&self.history).add(Event::Asked);
        let got = match cache {
            Some(cache) => self.pool.allocate_from(cache),
            None => self.pool.allocate(),
        };
        got.into_iter().for_each(|index| self.stamp(index, 0, me));
        held(&self.history).add(if got.is_some() { Event::Got(asked) } else { Event::None(asked) });
        got
    }

    fn deallocate(&self, me: usize, cache: Option<&Explicit>, index: BlockIndex) {
        self.stamp(index, me, 0);
        match cache {
            Some(cache) => self.pool.deallocate_to(cache, index),
            None => self.pool.deallocate(index),
        }
        held(&self.history).add(Event::Gave);
    }

    /// All calls that a thread makes in its life, some of them by a cache of its own.
    fn live(&self, me: usize) {
        let cache = thread_rng().gen_bool(0.25).then(|| self.pool.new_cache());
        let mut hand = vec![];
        for _ in 0..CALLS {
            let cache = cache.as_deref().filter(|_| thread_rng().gen_bool(0.75));
            match thread_rng().gen_range(0..12) {
                0..6 => hand.extend(self.allocate(me, cache)),
                6..10 => hand.pop().into_iter().for_each(|i| self.deallocate(me, cache, i)),
                10 => self.pool.look(),
                _ => self.pass(me, &mut hand),
            }
            self.receive(me, &mut hand);
        }
        hand.into_iter().for_each(|index| self.deallocate(me, None, index));
        cache.into_iter().for_each(|cache| self.pool.end_cache(cache));
    }

    fn pass(&self, me: usize, hand: &mut Vec<BlockIndex>) {
        let Some(index) = hand.pop() else { return };
        let to = thread_rng().gen_range(0..self.mailboxes.len());
        self.stamp(index, me, NOBODY_YET);
        held(&self.mailboxes[to]).push(index);
    }

    fn receive(&self, me: usize, hand: &mut Vec<BlockIndex>) {
        if let Some(index) = held(&self.mailboxes[me - 1]).pop() {
            self.stamp(index, NOBODY_YET, me);
            hand.push(index);
        }
    }

    /// All calls of a thread that takes what it gets, and waits only if it has nothing.
    fn live_in_line(&self, me: usize) {
        for _ in 0..CALLS / 4 {
            let wanted = thread_rng().gen_range(1..=3);
            let mut hand: Vec<_> = (0..wanted).map_while(|_| self.allocate(me, None)).collect();
            if hand.is_empty() {
                hand.push(self.pool.wait());
                self.stamp(hand[0], 0, me);
            }
            hand.into_iter().for_each(|index| self.deallocate(me, None, index));
        }
    }

    fn end(&self) {
        for mailbox in &self.mailboxes {
            let left = std::mem::take(&mut *held(mailbox));
            left.into_iter().for_each(|index| self.deallocate(NOBODY_YET, None, index));
        }
        self.pool.census();
    }
}

/// What must have happened, for the schedules to be worth something.
static THEFTS: AtomicUsize = AtomicUsize::new(0);
static NONES: AtomicUsize = AtomicUsize::new(0);

/// Runs `life` in three or four threads at a time, of which one may have no number.
fn run_threads<const CHECKED: bool>(
    capacity: usize,
    life: fn(&World<CHECKED>, usize),
) -> Arc<World<CHECKED>> {
    let threads = thread_rng().gen_range(3..=4);
    machine::start(threads, thread_rng().gen_range(threads - 1..=threads));
    let world = Arc::new(World::new(capacity, threads));
    for _ in 0..GENERATIONS {
        let spawn = |me| {
            let world = Arc::clone(&world);
            thread::spawn(move || life(&world, me))
        };
        let handles: Vec<_> = (1..=threads).map(spawn).collect();
        handles.into_iter().for_each(|handle| handle.join().expect("no panic"));
    }
    world
}

fn share_blocks<const CHECKED: bool>() {
    let capacity = thread_rng().gen_range(1..=8);
    let world = run_threads::<CHECKED>(capacity, World::live);
    THEFTS.fetch_add(world.pool.thefts(), Ordering::Relaxed);
    world.end();
    NONES.fetch_add(held(&world.history).judge(capacity), Ordering::Relaxed);
}

/// Shuttle finds a deadlock if one of them is not told.
fn wait_for_blocks<const CHECKED: bool>() {
    run_threads::<CHECKED>(thread_rng().gen_range(1..=6), World::live_in_line).end();
}

/// Draws half of the schedules at random, and half with few changes of thread, which finds what
/// needs a thread to stand still for long.
fn draw(scenario: fn()) -> usize {
    let asked = std::env::var("MEMORY_POOL_SCHEDULES");
    let count = asked.map_or(SCHEDULES, |asked| asked.parse().expect("a number")) / 2;
    run(RandomScheduler::new(count), scenario) + run(PctScheduler::new(3, count), scenario)
}

fn run(scheduler: impl Scheduler + 'static, scenario: fn()) -> usize {
    let mut config = Config::new();
    config.stack_size = 1 << 17;
    Runner::new(scheduler, config).run(scenario)
}

fn draw_shared(scenario: fn()) {
    let (count, thefts, nones) = (draw(scenario), &THEFTS, &NONES);
    println!("{count} schedules; in all so far {thefts:?} thefts, {nones:?} times no block");
    for happened in [thefts, nones] {
        assert!(happened.load(Ordering::Relaxed) > count, "blocks are never out of reach");
    }
}

#[test]
fn blocks_that_threads_share_are_never_lost_nor_owned_twice() {
    draw_shared(share_blocks::<true>);
}

#[test]
fn the_same_without_checks() {
    draw_shared(share_blocks::<false>);
}

#[test]
fn threads_that_wait_in_line_are_all_served() {
    draw(wait_for_blocks::<true>);
}
