//! What the contestants do, and which of them can.

use std::ffi::c_void;
use std::time::Duration;

use super::reading::Reading;
use super::{BLOCK_SIZE, Contestant, Kind, ring, threads};
use crate::native::{Allocator, Calls, PATTERNS, Pattern, Workload, nanoseconds_a_pair};

/// One contestant in one scenario: does it for so long.
pub type Turn = Box<dyn FnMut(Duration) -> Reading>;

/// What is done with the blocks.
#[derive(Clone, Copy)]
pub enum Scenario {
    /// A pattern by one thread.
    OneThread(&'static str, Pattern),
    /// Two threads replace blocks of their own at random.
    Churn,
    /// One thread takes blocks and another gives them back.
    Handover,
}

impl Scenario {
    /// Those of one thread first: some allocators are faster until there is a second thread.
    pub fn all() -> Vec<Self> {
        let patterns = PATTERNS.map(|(name, pattern)| Self::OneThread(name, pattern));
        patterns.into_iter().chain([Self::Churn, Self::Handover]).collect()
    }

    /// The title of its row.
    pub fn name(self) -> &'static str {
        match self {
            Self::OneThread(name, _) => name,
            Self::Churn => "churn",
            Self::Handover => "producer->consumer",
        }
    }

    /// How many threads it takes.
    pub fn threads(self) -> u32 {
        if matches!(self, Self::OneThread(..)) { 1 } else { 2 }
    }

    /// The turns of `contestant`, if it can.
    pub fn turn_of(self, contestant: &Contestant) -> Option<Turn> {
        match contestant.kind {
            Kind::Owned(_) if self.threads() > 1 => None,
            Kind::Floor(calls) if matches!(self, Self::Handover) => Some(handover_of_none(calls)),
            Kind::Floor(calls) | Kind::Shared(calls) | Kind::Owned(calls) => {
                Some(self.turn_with(calls))
            }
            Kind::General(calls) => Some(self.turn_with(calls)),
        }
    }

    fn turn_with(self, calls: impl Calls + 'static) -> Turn {
        match self {
            Self::OneThread(_, pattern) => {
                let mut workload = Workload::new(pattern, calls);
                Box::new(move |turn| {
                    // Not timed: others have had the caches since the last turn.
                    workload.run();
                    Reading::of(|| nanoseconds_a_pair(&mut workload, turn))
                })
            }
            Self::Churn => Box::new(move |turn| threads::churn(turn, calls)),
            Self::Handover => Box::new(move |turn| {
                threads::handover(turn, move || calls.take(), move |block| calls.give(block))
            }),
        }
    }
}

/// The floor answers what it is given, which must be memory here: blocks that go round, enough of
/// them that no two threads meet in one. A word is written where an allocator would keep its link:
/// a line that one side only reads is slower to come back than one that both write.
fn handover_of_none(floor: Allocator) -> Turn {
    const BLOCKS: usize = 2 * ring::SLOTS;
    let mut memory = vec![[0_u64; BLOCK_SIZE / 8]; BLOCKS];
    Box::new(move |turn| {
        let first = Allocator { pool: memory.as_mut_ptr().cast(), ..floor };
        let mut next = 0;
        let take = move || {
            next = (next + 1) % BLOCKS;
            let mut nth = first;
            nth.pool = nth.pool.wrapping_byte_add(next * BLOCK_SIZE);
            nth.take()
        };
        let give = move |block: *mut c_void| {
            // SAFETY: one of the blocks, which the producer gave away.
            unsafe { block.cast::<u64>().write_volatile(0) };
            floor.give(block);
        };
        threads::handover(turn, take, give)
    })
}
