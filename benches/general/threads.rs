//! Two threads, started anew for each turn: each warms up, waits for the other, and is measured.

use std::ffi::c_void;
use std::ptr;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use super::reading::Reading;
use super::ring::{Receiver, Ring, Sender};
use crate::native::{Calls, Pattern, Workload, nanoseconds_a_pair};

/// The blocks that each thread keeps.
const LIVE: usize = 1000;
const WARM_UP: Duration = Duration::from_millis(5);

/// Each thread replaces its own blocks at random. Nanoseconds that a pair takes its thread, the
/// mean of both threads.
pub fn churn(turn: Duration, calls: impl Calls) -> Reading {
    let barrier = &Barrier::new(2);
    let thread = move || {
        let mut workload = Workload::new(Pattern::Random(LIVE), calls);
        nanoseconds_a_pair(&mut workload, WARM_UP);
        barrier.wait();
        let reading = Reading::of(|| nanoseconds_a_pair(&mut workload, turn));
        // What is live is given back when neither is measured any more.
        barrier.wait();
        reading
    };
    thread::scope(|scope| {
        let threads = [scope.spawn(thread), scope.spawn(thread)];
        let [one, other] = threads.map(|thread| thread.join().expect("no panic"));
        Reading {
            nanoseconds: f64::midpoint(one.nanoseconds, other.nanoseconds),
            waited: one.waited.max(other.waited),
        }
    })
}

/// One thread takes blocks and writes a word in each; another reads the word and gives the block
/// back. Nanoseconds from block to block, as the second counts them.
pub fn handover(
    turn: Duration,
    mut take: impl FnMut() -> *mut c_void + Send,
    mut give: impl FnMut(*mut c_void) + Send,
) -> Reading {
    let mut ring = Ring::new();
    let (mut sender, mut receiver) = ring.sides();
    let barrier = &Barrier::new(2);
    thread::scope(|scope| {
        let producer = scope.spawn(move || {
            produce(&mut sender, WARM_UP, &mut take);
            barrier.wait();
            Reading::of(|| produce(&mut sender, turn, &mut take))
        });
        let consumer = scope.spawn(move || {
            consume(&mut receiver, &mut give);
            barrier.wait();
            Reading::of(|| consume(&mut receiver, &mut give))
        });
        let [producer, consumer] = [producer, consumer].map(|one| one.join().expect("no panic"));
        Reading { waited: producer.waited.max(consumer.waited), ..consumer }
    })
}

/// Sends blocks for so long, numbered from 1, then a null pointer. Answers nanoseconds a block.
fn produce(
    sender: &mut Sender<'_>,
    at_least: Duration,
    take: &mut impl FnMut() -> *mut c_void,
) -> f64 {
    let start = Instant::now();
    let mut count = 0_u64;
    while start.elapsed() < at_least {
        for _ in 0..1000 {
            count += 1;
            let block = take();
            // SAFETY: a block of 64 bytes, aligned for any type, that is this thread's alone.
            unsafe { block.cast::<u64>().write_volatile(count) };
            sender.send(block);
        }
    }
    sender.send(ptr::null_mut());
    start.elapsed().as_nanos() as f64 / count as f64
}

/// Gives blocks back until there is a null pointer. Answers nanoseconds a block.
fn consume(receiver: &mut Receiver<'_>, give: &mut impl FnMut(*mut c_void)) -> f64 {
    let start = Instant::now();
    let (mut count, mut sum) = (0_u64, 0);
    loop {
        let block = receiver.receive();
        if block.is_null() {
            break;
        }
        // SAFETY: a live block; its word was written before it was sent.
        sum += unsafe { block.cast::<u64>().read_volatile() };
        count += 1;
        give(block);
    }
    assert_eq!(sum, count * (count + 1) / 2, "every word arrived");
    start.elapsed().as_nanos() as f64 / count as f64
}
