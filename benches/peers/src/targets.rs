//! What this project wants to reach, and whether it does.

use crate::latency::{Latency, TAIL};
use crate::measure::{Row, Table};
use crate::participants::Kind;
use crate::statistics::Spread;

/// A wish and what became of it.
pub struct Verdict {
    pub wish: String,
    pub at_most: f64,
    /// None: it was not measured.
    pub reached: Option<Spread>,
}

impl Verdict {
    pub fn word(&self) -> &'static str {
        match self.reached {
            None => "not measured",
            Some(spread) if spread.median <= self.at_most => "MET",
            Some(_) => "MISSED",
        }
    }
}

/// A ratio of times in a scenario.
struct Ratio {
    scenario: &'static str,
    who: &'static str,
    to: &'static str,
    at_most: f64,
}

const fn ratio(scenario: &'static str, who: &'static str, to: &'static str, at_most: f64) -> Ratio {
    Ratio { scenario, who, to, at_most }
}

/// Who is as fast as any other peer in the scenario.
const BEST: &str = "the best peer";
/// The fastest of this project.
const OWN: &str = "memory_pool";
const UNCHECKED: &str = "UncheckedFixedBlockMemoryPool";
const FIXED: &str = "FixedBlockMemoryPool";

const RATIOS: [Ratio; 30] = [
    ratio("pair-64", UNCHECKED, "boost::pool", 1.0),
    ratio("lifo-64-1000", UNCHECKED, "boost::pool", 1.0),
    ratio("fifo-64-1000", UNCHECKED, "boost::pool", 1.0),
    ratio("lifo-64-100000", UNCHECKED, "boost::pool", 1.0),
    ratio("random-64-20000", UNCHECKED, "boost::pool", 0.95),
    ratio("pair-64", FIXED, "mimalloc", 1.0),
    ratio("lifo-64-1000", FIXED, "mimalloc", 1.0),
    ratio("fifo-64-1000", FIXED, "mimalloc", 1.0),
    ratio("lifo-64-100000", FIXED, "mimalloc", 1.0),
    ratio("random-64-20000", FIXED, "mimalloc", 0.5),
    ratio("pair-64", "SINGLE", "two empty calls", 1.25),
    ratio("lifo-64-1000", "SINGLE", "two empty calls", 1.25),
    ratio("fifo-64-1000", "SINGLE", "two empty calls", 1.25),
    ratio("lifo-64-100000", "SINGLE", "two empty calls", 1.25),
    ratio("random-64-20000", "SINGLE", "two empty calls", 1.25),
    ratio("pair-64", "SAFE", "mimalloc", 1.1),
    ratio("lifo-64-1000", "SAFE", "mimalloc", 1.4),
    ratio("fifo-64-1000", "SAFE", "mimalloc", 1.4),
    ratio("lifo-64-100000", "SAFE", "mimalloc", 1.4),
    ratio("random-64-20000", "SAFE", "mimalloc", 0.85),
    ratio("churn-2", "SAFE", "mimalloc", 1.0),
    ratio("handover-2", "SAFE", "mimalloc", 0.5),
    ratio("handover-2", "SAFE", "tcmalloc", 0.3),
    ratio("pair-64", "LOCK_FREE", "two empty calls", 4.5),
    ratio("churn-2", "PoolCache", "mimalloc", 0.5),
    ratio("handover-2", "PoolCache", "mimalloc", 0.5),
    ratio("random-64-10000000", OWN, BEST, 1.0),
    ratio("list", "memory_pool::Allocator", "std::allocator", 0.6),
    ratio("map", "memory_pool::Allocator", "std::allocator", 0.95),
    ratio("unordered_map", "memory_pool::Allocator", "std::allocator", 0.85),
];

/// Bytes a block beside the block: (who, at most).
const BYTES: [(&str, f64); 3] = [("SINGLE", 1.0), ("SAFE", 6.0), ("LOCK_FREE", 6.0)];
/// What a pool takes however many blocks it has, rounded up to OS pages (docs/memory.md).
const FIXED_BYTES: f64 = 16384.0;
/// The place of p99.99 among the percentiles.
const TAIL_PLACE: usize = 3;

impl Table {
    pub fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.participant.name == name)
    }

    /// The fastest of a kind.
    pub fn best(&self, kind: Kind) -> Option<&Row> {
        let rows = self.rows.iter().filter(|row| row.participant.kind == kind);
        rows.min_by(|one, other| one.median().total_cmp(&other.median()))
    }

    fn find(&self, name: &str) -> Option<&Row> {
        match name {
            BEST => self.best(Kind::Peer),
            OWN => self.best(Kind::Own),
            name => self.row(name),
        }
    }
}

impl Row {
    pub fn spread(&self) -> Spread {
        Spread::of(&self.turns)
    }

    pub fn median(&self) -> f64 {
        self.spread().median
    }
}

/// All wishes of this project that a form has the figures for.
pub fn verdicts(tables: &[Table], latencies: &[Latency]) -> Vec<Verdict> {
    let table = |id: &str| tables.iter().find(|table| table.scenario.id() == id);
    let ratios = RATIOS.iter().map(|Ratio { scenario, who, to, at_most }| {
        let found = table(scenario);
        let [one, other] = [who, to].map(|name| found.and_then(|table| table.find(name)));
        let title = found.map_or_else(|| (*scenario).to_owned(), |table| table.scenario.title());
        let named = |name: &str, row: Option<&Row>| match row {
            Some(row) if row.participant.name != name => {
                format!("{name} ({})", row.participant.name)
            }
            _ => name.to_owned(),
        };
        Verdict {
            wish: format!("{title}: {} to {}", named(who, one), named(to, other)),
            at_most: *at_most,
            reached: one.zip(other).map(|(one, other)| Spread::of_ratios(&one.turns, &other.turns)),
        }
    });
    let bytes = BYTES.iter().map(|&(who, at_most)| {
        let found = table("memory-64-1000000");
        let live = found.map_or(1, |table| table.scenario.live) as f64;
        let row = found.and_then(|table| table.row(who));
        let beside = |bytes: &f64| (bytes - FIXED_BYTES / live).max(0.0);
        Verdict {
            wish: format!("bytes a block of 64 beside it and 16 KiB a pool: {who}"),
            at_most,
            reached: row.map(|row| Spread::of(&row.turns.iter().map(beside).collect::<Vec<_>>())),
        }
    });
    let locked = latencies.iter().find(|one| one.participant.name == "SINGLE, locked");
    let floor = latencies.iter().find(|one| one.participant.kind == Kind::Floor);
    let of_p50 = |one: &Latency| one.calls[TAIL_PLACE] / one.calls[0];
    let empty =
        floor.map_or_else(|| "not measured".to_owned(), |one| format!("{:.1}", of_p50(one)));
    let beyond = locked.map_or(0.0, |one| one.clock_beyond);
    let tail = Verdict {
        wish: format!(
            "latency of SINGLE with POOL_PREFAULT and POOL_LOCK_MEMORY: p99.99 to p50; that of an \
             empty call is {empty} here, and {beyond:.1} of 10 000 readings of the clock with \
             nothing called are beyond the limit"
        ),
        at_most: TAIL,
        reached: locked.map(|one| Spread::of(&[of_p50(one)])),
    };
    ratios.chain(bytes).chain([tail]).collect()
}
