//! The results for programs: every turn of everyone.

use serde_json::{Value, json};

use super::Report;
use crate::latency::{Latency, PERCENTILES};
use crate::machine;
use crate::measure::{Row, Table};
use crate::participants::{Kind, Participant};
use crate::statistics::Spread;
use crate::targets::Verdict;

pub fn text(report: &Report) -> String {
    let machine: serde_json::Map<_, _> =
        report.machine.iter().map(|(name, value)| ((*name).into(), json!(value))).collect();
    let all = json!({
        "form": format!("{:?}", report.form).to_lowercase(),
        "machine": machine,
        "participants": list(&report.participants, |one| participant(one)),
        "left_out": report.left_out,
        "scenarios": list(&report.tables, table),
        "latency": list(&report.latencies, latency),
        "targets": list(&report.verdicts, verdict),
    });
    let mut text = serde_json::to_string_pretty(&all).expect("plain values");
    text.push('\n');
    text
}

fn list<T>(items: &[T], value: impl Fn(&T) -> Value) -> Value {
    items.iter().map(value).collect()
}

fn participant(one: &Participant) -> Value {
    json!({
        "name": one.name,
        "own": one.kind == Kind::Own,
        "called": one.called.word(),
        "package": one.package,
        "version": machine::version(one),
    })
}

fn table(table: &Table) -> Value {
    let reference = table.row(table.scenario.reference());
    json!({
        "id": table.scenario.id(),
        "title": table.scenario.title(),
        "unit": table.scenario.unit(),
        "block_size": table.scenario.block_size,
        "live": table.scenario.live,
        "threads": table.scenario.threads,
        "disturbed": rounded(table.disturbed),
        "rows": list(&table.rows, |one| row(one, reference)),
    })
}

fn row(row: &Row, reference: Option<&Row>) -> Value {
    let mut value = spread(row.spread());
    value["participant"] = json!(row.participant.name);
    // One string: a number a line would make the file ten times as long.
    let turns: Vec<_> = row.turns.iter().map(|turn| format!("{turn:.3}")).collect();
    value["turns"] = json!(turns.join(" "));
    if let Some(kept) = row.kept.first() {
        value["kept"] = rounded(*kept);
    }
    if let Some(reference) = reference.filter(|_| row.kept.is_empty()) {
        value["ratio_to"] = json!(reference.participant.name);
        value["ratio"] = spread(Spread::of_ratios(&row.turns, &reference.turns));
    }
    value
}

fn latency(one: &Latency) -> Value {
    let percentiles = |values: &[f64]| -> Value {
        let named = PERCENTILES.iter().zip(values);
        let named = named.map(|(percentile, ns)| (format!("p{percentile}"), rounded(*ns)));
        Value::Object(named.collect())
    };
    json!({
        "participant": one.participant.name,
        "calls_in_millions": one.millions,
        "calls": percentiles(&one.calls),
        "part_with_a_core_of_its_own": rounded(one.part_alone),
        "every_call": percentiles(&one.every),
        "first_touch": percentiles(&one.first),
        "clock_alone": percentiles(&one.clock),
        "clock_beyond_limit_of_10000": rounded(one.clock_beyond),
        "clock_subtracted": rounded(one.overhead),
        "clock_step": rounded(one.step),
        "page_faults": one.faults,
        "involuntary_switches": one.switches,
    })
}

fn verdict(one: &Verdict) -> Value {
    json!({
        "target": one.wish,
        "at_most": one.at_most,
        "reached": one.reached.map(spread),
        "verdict": one.word(),
    })
}

fn spread(spread: Spread) -> Value {
    json!({
        "low_quartile": rounded(spread.low),
        "median": rounded(spread.median),
        "high_quartile": rounded(spread.high),
    })
}

fn rounded(value: f64) -> Value {
    json!((value * 1000.0).round() / 1000.0)
}
