//! Which charts there are.

use super::bars::{self, Panel};
use super::{Report, dots};
use crate::measure::Table;

/// A file to be written.
pub struct Chart {
    pub file: &'static str,
    pub title: &'static str,
    pub svg: String,
}

/// More rows than this are not looked at.
const MOST: usize = 30;
/// The chart of the front page is small.
const FEW: usize = 11;

/// Those that there are figures for.
pub fn all(report: &Report) -> Vec<Chart> {
    let bars = |file, title, ids: &[&str], columns, most| {
        let found = ids.iter().filter_map(|id| find(report, id));
        let panels: Vec<_> = found.map(|table| Panel::of(table, most)).collect();
        let svg = bars::chart(title, &panels, columns);
        (!panels.is_empty()).then_some(Chart { file, title, svg })
    };
    let overview = ["random-64-20000", "handover-2"];
    let patterns = ["pair-64", "lifo-64-1000", "fifo-64-1000", "lifo-64-100000"];
    let patterns = patterns.into_iter().chain(["random-64-20000", "cold-64"]);
    let written = ["lifo-64-1000-written", "lifo-64-100000-written", "random-64-20000-written"];
    let patterns: Vec<_> = patterns.chain(written).collect();
    let live = ["random-64-1000", "random-64-100000", "random-64-10000000"];
    let threads = ["churn-2", "churn-4", "churn-8", "handover-2", "handover-4", "handover-8"];
    let exchange = ["all_to_all-2", "all_to_all-4", "all_to_all-8"];
    let threads: Vec<_> = threads.into_iter().chain(exchange).collect();
    let memory = ["memory-16-1000000", "memory-64-1000000", "memory-256-1000000"];
    let latency = "How long single calls take";
    let charts = [
        bars("overview.svg", "memory_pool beside its peers", &overview, 2, FEW),
        bars("one_thread.svg", "One thread", &patterns, 3, MOST),
        bars("live_blocks.svg", "Random replacement", &live, 3, MOST),
        bars("threads.svg", "Several threads", &threads, 3, MOST),
        bars("memory.svg", "Memory beside the blocks", &memory, 3, MOST),
        bars("life.svg", "Creation and growth", &["creation-64", "growth-64"], 2, MOST),
        bars("containers.svg", "Containers", &["list", "map", "unordered_map"], 3, MOST),
        (!report.latencies.is_empty()).then(|| Chart {
            file: "latency.svg",
            title: latency,
            svg: dots::chart(latency, &report.latencies),
        }),
    ];
    charts.into_iter().flatten().collect()
}

fn find<'a>(report: &'a Report, id: &str) -> Option<&'a Table> {
    report.tables.iter().find(|table| table.scenario.id() == id)
}
