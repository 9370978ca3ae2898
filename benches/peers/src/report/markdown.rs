//! The results as a page: what was done, the targets, where peers win, a table for each scenario.

use std::fmt::Write;

use super::charts::Chart;
use super::{Report, capital, figure, sorted};
use crate::latency::{BLOCK_SIZE, LIVE, Latency, TAIL};
use crate::machine;
use crate::measure::{DISTURBED, Table};
use crate::participants::Kind;
use crate::scenario::Form;
use crate::statistics::Spread;
use crate::wins;

const HEAD: &str = "\
# Beside every pool and allocator at hand

Written by `cargo peers`, which anyone can run: half an hour, or three minutes as
`cargo peers quick`; `cargo peers churn memory` runs some scenarios alone. Nothing is installed;
what is missing is named. The figures with every turn are in [results.json](results.json).

* One machine, everyone in turn: A B C A B C. Figures are medians, with the quarters of the turns in
  brackets; a ratio is the median of the ratios turn by turn. Only ratios can be carried to another
  machine.
* Each participant has a process of its own, another one after three turns, and the same C++ code
  for every scenario, compiled with it. *called*: by functions of a shared library; *inlined*: as
  far as its headers go.
* A virtual processor is often one of the two threads of a core, and the other one may be anybody's.
  While that works, a pool takes 1.6 times as long, and an empty call 1.1 times.
  So time is measured in slices of 50 us, between two probes (additions that fill a core), and those
  slices count whose probes found the core unshared. Probes see the core, not what is measured, and
  are the same for everyone. One thread stays on one processor, two on two.
* Patterns of one thread and churn are measured as the calls alone and, where their title says so,
  with a word written into each block that is taken. In all others it is always written.
* Nanoseconds of several threads are those of all processors together: a peer that scales has the
  same figure with any number of threads.
* Handover passes blocks on in bursts of 32, as packet drivers do. `two empty calls` is there for
  what that takes with blocks that nobody allocates: in turn, of twice as many as the queue holds.
* `SINGLE`, `SAFE` and `LOCK_FREE` are pools of `pool_create_with` with standard checks,
  `PoolCache` is a `SAFE` pool's explicit cache; peers are as they come, most without checks.
  `SINGLE`, `FixedBlockMemoryPool`, `boost::pool`, foonathan, `unsynchronized_pool` and `slab` are
  for one thread at a time.
* Crates that answer keys or guards keep them before the bytes of the block; general allocators are
  not pools that can be made or begin small; APR gives all back at once and is in bursts only;
  `lockfree-object-pool` looks for a free block from the first on and is left out of more than 1000.
";

pub fn text(report: &Report, charts: &[Chart]) -> String {
    let mut text = HEAD.to_owned();
    if report.form != Form::Whole {
        text += "\n**A short form: no figures to go by.**\n";
    }
    machine(&mut text, report);
    for chart in charts {
        let _ = write!(text, "\n![{}]({})\n", chart.title, chart.file);
    }
    targets(&mut text, report);
    text += "\n## Where peers win, and where not\n\n";
    wins::lines(&report.tables).iter().for_each(|line| {
        let _ = writeln!(text, "* {line}");
    });
    latencies(&mut text, &report.latencies);
    text += "\n## Every scenario\n";
    report.tables.iter().for_each(|one| table(&mut text, one));
    if !report.left_out.is_empty() || !report.failures.is_empty() {
        text += "\n## Left out\n\n";
        report.left_out.iter().chain(&report.failures).for_each(|line| {
            let _ = writeln!(text, "* {line}");
        });
    }
    text
}

fn machine(text: &mut String, report: &Report) {
    *text += "\n## The machine\n\n| | |\n|---|---|\n";
    for (name, value) in &report.machine {
        let _ = writeln!(text, "| {name} | {value} |");
    }
    let mut versions: Vec<String> = vec![];
    for one in report.participants.iter().filter(|one| one.kind == Kind::Peer) {
        let version = format!("{} {}", one.package, machine::version(one));
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    let _ = writeln!(text, "| peers | {} |", versions.join(", "));
}

fn targets(text: &mut String, report: &Report) {
    *text += "\n## What this project wants to reach\n\n\
        | | reached | at most | |\n|---|---|---|---|\n";
    for one in &report.verdicts {
        let reached = one.reached.map_or("-".into(), ranged);
        let word = match one.word() {
            "MISSED" => "**MISSED**",
            word => word,
        };
        let _ = writeln!(text, "| {} | {reached} | {} | {word} |", one.wish, one.at_most);
    }
}

fn ranged(spread: Spread) -> String {
    let Spread { low, median, high } = spread;
    if low == high {
        return figure(median);
    }
    format!("{} ({} to {})", figure(median), figure(low), figure(high))
}

fn table(text: &mut String, table: &Table) {
    let scenario = &table.scenario;
    let is_memory = scenario.kind == "memory";
    let reference = table.row(scenario.reference()).filter(|_| !is_memory);
    let title = capital(&scenario.title());
    let last = match reference {
        Some(row) => format!("of the time of {}", row.participant.name),
        None => "kept when all was given back".into(),
    };
    let _ = write!(text, "\n### {title}\n\n`cargo peers {}`", scenario.id());
    if table.disturbed > 0.0 {
        let disturbed = table.disturbed * 100.0;
        let _ = write!(
            text,
            "; in {disturbed:.0} % of the turns others kept a thread waiting for more than \
            {limit:.0} % of the time, or shared its core for all but {limit:.0} %",
            limit = DISTURBED * 100.0
        );
    }
    let _ = write!(text, "\n\n| | | {} | {last} |\n|---|---|---|---|\n", scenario.unit());
    for row in sorted(table) {
        let own = row.participant.kind == Kind::Own;
        let name =
            if own { format!("**{}**", row.participant.name) } else { row.participant.name.into() };
        let last = match reference {
            Some(reference) => ranged(Spread::of_ratios(&row.turns, &reference.turns)),
            None => row.kept.first().map_or("-".into(), |&kept| figure(kept)),
        };
        let called = row.participant.called.word();
        let _ = writeln!(text, "| {name} | {called} | {} | {last} |", ranged(row.spread()));
    }
}

fn latencies(text: &mut String, latencies: &[Latency]) {
    let longest = latencies.iter().max_by(|one, other| one.millions.total_cmp(&other.millions));
    let Some(alone) = longest else { return };
    let _ = write!(
        text,
        "\n## Single calls\n\n\
        Each call timed by itself, while {LIVE} blocks of {BLOCK_SIZE} bytes are live, a tenth of \
        each pool, and one at random is replaced. (A pool of one owner of less than 256 KiB keeps \
        no block apart, so that its calls touch lines of blocks, which caches lose now and then: \
        its p99.99 was 110 ns where this was written.) The clock is the processor's counter \
        between two fences. It takes \
        {:.1} ns, the median of readings with nothing between, which is subtracted from \
        every figure; it goes in steps of {:.1} ns, between which percentiles are interpolated. \
        Percentiles are those of the calls while nobody shared the core (*alone* is their part); \
        *every call* is p99.99 of all. Nanoseconds; *first* is the first allocation of each block \
        with a word written. `two empty calls` is what the machine does to a call that does \
        nothing.\n\n\
        | | millions of calls | alone | p50 | p99 | p99.9 | p99.99 | max | every call | \
        first p50 | first max | faults | switches |\n\
        |---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
        alone.overhead, alone.step
    );
    let mut sorted: Vec<_> = latencies.iter().collect();
    sorted.sort_by(|one, other| one.calls[3].total_cmp(&other.calls[3]));
    for one in sorted {
        let own = one.participant.kind == Kind::Own;
        let name = one.participant.name;
        let name = if own { format!("**{name}**") } else { name.into() };
        let calls = one.calls.map(figure).join(" | ");
        let _ = writeln!(
            text,
            "| {name} | {:.0} | {:.0} % | {calls} | {} | {} | {} | {:.0} | {:.0} |",
            one.millions,
            one.part_alone * 100.0,
            figure(one.every[3]),
            figure(one.first[0]),
            figure(one.first[4]),
            one.faults,
            one.switches
        );
    }
    let _ = writeln!(
        text,
        "\nThe clock alone, with nothing between two readings, takes {} ns at p99.9, {} at p99.99 \
        and {} at most, beside its median, and in {} of 10 000 readings longer than {TAIL} medians \
        of a call to {}: that much of every tail is the machine's, which stops the processor, or \
        takes it away for an interrupt or for another process (*switches*). *faults* are pages \
        that the system had to give while calls were timed; where there is none, no time went \
        there.",
        figure(alone.clock[2]),
        figure(alone.clock[3]),
        figure(alone.clock[4]),
        figure(alone.clock_beyond),
        alone.participant.name
    );
}
