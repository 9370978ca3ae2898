//! What is measured, how often and for how long.

use crate::participants::{Kind, Participant};
use crate::worker::Request;

/// A row of figures: what everyone does in turn.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The word of the protocol.
    pub kind: &'static str,
    pub block_size: usize,
    pub live: usize,
    pub threads: usize,
    /// How often each has its turn.
    pub turns: usize,
    /// Milliseconds of a turn.
    pub amount: f64,
    /// Of a pattern or churn: a word is written into each block, as programs do; else it is the
    /// calls alone that are measured.
    pub written: bool,
}

/// How much is to be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// All of it: half an hour.
    Whole,
    /// Blocks of 64 bytes, a few turns: three minutes.
    Quick,
    /// That everything works: no figures to go by.
    Smoke,
}

pub const SIZES: [usize; 4] = [16, 64, 256, 4096];
/// The kinds of scenario that containers go through.
const CONTAINERS: [&str; 3] = ["list", "map", "unordered_map"];
/// The kinds that show how several threads get on.
const THREADS: [&str; 3] = ["churn", "handover", "all_to_all"];

/// Bytes of blocks beyond which each turn has a process of its own: nobody keeps that much while
/// others are at it.
const LARGE: usize = 64 << 20;

impl Scenario {
    const fn new(kind: &'static str, block_size: usize, live: usize) -> Self {
        Self { kind, block_size, live, threads: 1, turns: 0, amount: 0.0, written: false }
    }

    fn written(self) -> Self {
        Self { written: true, ..self }
    }

    fn taking(self, turns: usize, amount: f64) -> Self {
        Self { turns, amount, ..self }
    }

    /// Every scenario of a form that fits into so many bytes of memory, and a line for each that
    /// does not.
    pub fn all(form: Form, memory: usize) -> (Vec<Self>, Vec<String>) {
        let all = match form {
            Form::Whole => whole(),
            Form::Quick => quick(),
            Form::Smoke => smoke(),
        };
        let (fit, too_large): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|one| one.bytes() + one.bytes() / 2 < memory);
        let line = |one: Self| {
            let gibibytes = one.bytes() as f64 / f64::from(1 << 30);
            format!("{}: {gibibytes:.0} GiB of blocks do not fit into memory", one.title())
        };
        (fit, too_large.into_iter().map(line).collect())
    }

    fn bytes(&self) -> usize {
        self.block_size * self.live * self.threads
    }

    /// Its name in commands and in the results.
    pub fn id(&self) -> String {
        let Self { kind, block_size, live, threads, .. } = self;
        let written = if self.written { "-written" } else { "" };
        match *kind {
            kind if THREADS.contains(&kind) => format!("{kind}-{threads}{written}"),
            kind if CONTAINERS.contains(&kind) => kind.into(),
            "pair" | "cold" | "creation" | "growth" => format!("{kind}-{block_size}"),
            kind => format!("{kind}-{block_size}-{live}{written}"),
        }
    }

    /// What everyone can answer at once, if only that it is not done.
    pub fn hello() -> Request<'static> {
        Self::new("hello", 64, 1).request()
    }

    /// What is done, in words.
    pub fn title(&self) -> String {
        let (size, threads) = (self.block_size, self.threads);
        let live = grouped(self.live);
        if self.written {
            return format!("{}, each written", Self { written: false, ..self.clone() }.title());
        }
        match self.kind {
            "pair" => format!("pair: one block of {size} bytes, taken and given back"),
            "lifo" => format!("newest back first, {live} blocks of {size} bytes"),
            "fifo" => format!("oldest back first, {live} blocks of {size} bytes"),
            "random" => format!("random replacement, {live} live blocks of {size} bytes"),
            "cold" => format!("cold cache: a block of {size} bytes is taken, filled, given back"),
            "churn" => format!("churn by {threads} threads: each replaces 1000 blocks at random"),
            "handover" => {
                format!("handover by {threads} threads: producers take, consumers give back")
            }
            "all_to_all" => format!("all to all: {threads} threads send blocks to one another"),
            "creation" => format!("creation: a pool of {live} blocks, used once, destroyed"),
            "growth" => format!("growth from 1024 blocks of {size} bytes, {live} used first"),
            "memory" => format!("memory beside the bytes of the blocks: {live} of {size}"),
            "list" => "std::list: push at the back, pop at the front".into(),
            kind => format!("std::{kind}: insert or erase one of a million keys"),
        }
    }

    /// The name of the unit.
    pub fn unit(&self) -> &'static str {
        match self.kind {
            "memory" => "bytes a block",
            "creation" => "ns a pool",
            "growth" => "ns a block",
            kind if CONTAINERS.contains(&kind) => "ns a step",
            _ => "ns a pair",
        }
    }

    /// Whether `participant` has a part in it. What needs several threads, or can't be asked of
    /// it, it says itself.
    pub fn is_for(&self, participant: &Participant) -> bool {
        participant.is_for_containers() == CONTAINERS.contains(&self.kind)
            && self.live <= participant.most_live()
            && participant.name != "SINGLE, locked"
            && (participant.kind != Kind::Floor || self.live < 1_000_000)
    }

    /// Whose time is the measure of the others': the pool of this project that a C program would
    /// take.
    pub fn reference(&self) -> &'static str {
        match self.kind {
            kind if THREADS.contains(&kind) => "SAFE",
            kind if CONTAINERS.contains(&kind) => "memory_pool::Allocator",
            _ => "SINGLE",
        }
    }

    /// Whether each turn has a process of its own.
    pub fn is_fresh(&self) -> bool {
        ["memory", "growth"].contains(&self.kind) || self.bytes() > LARGE
    }

    pub fn request(&self) -> Request<'static> {
        let Self { kind, block_size, live, threads, amount, written, .. } = *self;
        Request { scenario: kind, block_size, live, threads, amount, written }
    }
}

fn grouped(number: usize) -> String {
    let digits = number.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(" ")
}

/// The five patterns of use that allocators differ in.
fn patterns(turns: usize) -> Vec<Scenario> {
    let patterns = [("pair", 1), ("lifo", 1000), ("fifo", 1000), ("lifo", 100_000)];
    let patterns = patterns.into_iter().chain([("random", 20_000)]);
    patterns.map(|(kind, live)| Scenario::new(kind, 64, live).taking(turns, 20.0)).collect()
}

/// The patterns in which it matters which block is handed out, once it is written to.
fn written(turns: usize) -> [Scenario; 3] {
    [("lifo", 1000), ("lifo", 100_000), ("random", 20_000)]
        .map(|(kind, live)| Scenario::new(kind, 64, live).written().taking(turns, 20.0))
}

fn threads(counts: &[usize], turns: usize) -> impl Iterator<Item = Scenario> {
    THREADS.into_iter().flat_map(move |kind| {
        let live = if kind == "churn" { 1000 } else { 1 };
        let one = Scenario::new(kind, 64, live).taking(turns, 60.0);
        counts.iter().map(move |&threads| Scenario { threads, ..one.clone() }).collect::<Vec<_>>()
    })
}

fn life(turns: usize) -> [Scenario; 3] {
    [
        Scenario::new("cold", 64, 100_000).taking(turns, 60.0),
        Scenario::new("creation", 64, 100_000).taking(turns, 20.0),
        Scenario::new("growth", 64, 1_000_000).taking(turns, 0.0),
    ]
}

fn containers(turns: usize) -> [Scenario; 3] {
    CONTAINERS.map(|kind| Scenario::new(kind, 64, 1000).taking(turns, 100.0))
}

/// So many blocks that the part of a pool that does not depend on them can't be seen.
fn memory(block_size: usize, turns: usize) -> Scenario {
    let live = if block_size > 1000 { 100_000 } else { 1_000_000 };
    Scenario::new("memory", block_size, live).taking(turns, 0.0)
}

fn whole() -> Vec<Scenario> {
    let mut all = patterns(15);
    all.extend(written(9));
    all.extend(SIZES.map(|size| Scenario::new("random", size, 1000).taking(15, 20.0)));
    all.extend(SIZES.map(|size| {
        let turns = if size == 4096 { 5 } else { 9 };
        Scenario::new("random", size, 100_000).taking(turns, 30.0)
    }));
    all.extend(SIZES.map(|size| {
        let turns = if size == 64 { 9 } else { 3 };
        Scenario::new("random", size, 10_000_000).taking(turns, 200.0)
    }));
    all.extend(threads(&[2, 4, 8], 9));
    all.extend(threads(&[2], 9).filter(|one| one.kind == "churn").map(Scenario::written));
    all.extend(life(9));
    all.extend(containers(9));
    all.extend(SIZES.map(|size| memory(size, if size == 64 { 9 } else { 1 })));
    all
}

fn quick() -> Vec<Scenario> {
    let mut all = patterns(5);
    all.extend(written(3));
    all.push(Scenario::new("random", 64, 1000).taking(5, 20.0));
    all.push(Scenario::new("random", 64, 100_000).taking(3, 30.0));
    all.push(Scenario::new("random", 64, 10_000_000).taking(1, 100.0));
    all.extend(threads(&[2], 5));
    all.extend(life(3));
    all.extend(containers(1));
    all.push(memory(64, 1));
    all
}

/// One short turn of each kind.
fn smoke() -> Vec<Scenario> {
    let mut all = vec![Scenario::new("pair", 64, 1), Scenario::new("lifo", 64, 1000)];
    all.extend([Scenario::new("fifo", 64, 1000), Scenario::new("random", 4096, 1000)]);
    all.extend(threads(&[2], 1));
    all.extend(life(1).map(|one| Scenario { live: 10_000, ..one }));
    all.push(Scenario { live: 10_000, ..memory(64, 1) });
    all.into_iter().map(|one| one.taking(1, 0.1)).collect()
}
