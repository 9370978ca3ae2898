//! Where a peer is ahead of this project, said plainly.

use crate::measure::{Row, Table};
use crate::participants::{Called, Kind};
use crate::report::capital;
use crate::statistics::Spread;

/// A line for each scenario: who is ahead of the best pool of this project, or that nobody is; then
/// the same among those that are called by functions, whom no compiler helps.
pub fn lines(tables: &[Table]) -> Vec<String> {
    let line = |table: &Table| {
        let all = sentence(table, |_| true)?;
        let called = sentence(table, |row| row.participant.called == Called::Function);
        let called = called.filter(|called| *called != all);
        let more = called.map_or(String::new(), |called| format!(" Called by functions: {called}"));
        let title = capital(&table.scenario.title());
        Some(format!("{title}: {all}{more}"))
    };
    tables.iter().filter_map(line).collect()
}

fn sentence(table: &Table, takes_part: impl Fn(&Row) -> bool) -> Option<String> {
    let of = |kind| {
        let is_of = |row: &&Row| row.participant.kind == kind && takes_part(row);
        table.rows.iter().filter(is_of).collect::<Vec<_>>()
    };
    let own = *of(Kind::Own).iter().min_by(|a, b| a.median().total_cmp(&b.median()))?;
    let name = own.participant.name;
    let mut peers: Vec<(&Row, Spread)> =
        of(Kind::Peer).into_iter().map(|peer| (peer, part(peer, own))).collect();
    peers.sort_by(|(_, one), (_, other)| one.median.total_cmp(&other.median));
    let ahead: Vec<_> = peers
        .iter()
        .filter(|(_, part)| part.median < 1.0)
        .map(|(peer, part)| format!("**{}** ({})", peer.participant.name, words(*part)))
        .collect();
    if ahead.is_empty() {
        let (next, part) = peers.first()?;
        let next = format!("{} ({})", next.participant.name, words(*part));
        return Some(format!("nobody is ahead of {name}; next is {next}."));
    }
    let of_what = if table.scenario.kind == "memory" { "bytes" } else { "time" };
    Some(format!("ahead of {name} by part of its {of_what}: {}.", ahead.join(", ")))
}

/// The part of `own` that `peer` takes, turn by turn; of nothing, nothing.
fn part(peer: &Row, own: &Row) -> Spread {
    let least = |turns: &[f64]| turns.iter().map(|turn| turn.max(0.01)).collect::<Vec<_>>();
    Spread::of_ratios(&least(&peer.turns), &least(&own.turns))
}

/// And whether it can be told from the whole.
fn words(part: Spread) -> String {
    let level = if part.low < 1.0 && part.high > 1.0 { ", within the spread" } else { "" };
    format!("{:.2}{level}", part.median)
}
