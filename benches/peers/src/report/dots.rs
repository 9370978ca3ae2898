//! A row of dots for each participant: its percentiles from the median to the maximum, on an axis
//! of powers of ten. The shortest tail on top.

use super::svg::{Anchor, Drawing};
use crate::latency::Latency;
use crate::participants::Kind;

const ROW: f64 = 18.0;
const NAMES: f64 = 252.0;
const WIDTH: f64 = 560.0;
const TOP: f64 = 70.0;
/// The place of p99.99 among the percentiles.
const TAIL: usize = 3;
const LEAST: f64 = 1.0;

pub fn chart(title: &str, latencies: &[Latency]) -> String {
    let mut drawing = Drawing::new();
    drawing.text(8.0, 20.0, Anchor::Start, "title", title);
    let note = "dots from left to right: p50, p99, p99.9, p99.99; ring: the longest of all; the \
                clock's own time is subtracted";
    drawing.text(8.0, 36.0, Anchor::Start, "note", note);
    let all = latencies.iter().flat_map(|one| one.calls);
    let powers = all.fold(10.0, f64::max).log10().ceil();
    let x = |nanoseconds: f64| NAMES + WIDTH * nanoseconds.max(LEAST).log10() / powers;
    let bottom = TOP + latencies.len() as f64 * ROW + 4.0;
    for power in 0..=powers as i32 {
        let nanoseconds = 10_f64.powi(power);
        let x = x(nanoseconds);
        drawing.line((x, TOP - 4.0), (x, bottom), "grid");
        drawing.text(x, TOP - 10.0, Anchor::Middle, "note", &words(nanoseconds));
    }
    let mut sorted: Vec<_> = latencies.iter().collect();
    sorted.sort_by(|one, other| one.calls[TAIL].total_cmp(&other.calls[TAIL]));
    for (number, one) in sorted.into_iter().enumerate() {
        let y = TOP + number as f64 * ROW + ROW / 2.0;
        let own = one.participant.kind == Kind::Own;
        let [name, dot, ring] =
            if own { ["ownname", "own", "ownline"] } else { ["name", "peer", "peerline"] };
        drawing.text(NAMES - 14.0, y + 4.0, Anchor::End, name, one.participant.name);
        let [first, .., max] = one.calls;
        drawing.line((x(first), y), (x(max) - 4.0, y), "peerline");
        one.calls[..=TAIL].iter().for_each(|&ns| drawing.dot(x(ns), y, 4.0, dot));
        drawing.dot(x(max), y, 4.0, ring);
    }
    drawing.finish(NAMES + WIDTH + 36.0, bottom + 10.0, title)
}

fn words(nanoseconds: f64) -> String {
    match nanoseconds {
        n if n < 999.0 => format!("{n:.0} ns"),
        n if n < 999_999.0 => format!("{:.0} µs", n / 1e3),
        n if n < 999_999_999.0 => format!("{:.0} ms", n / 1e6),
        n => format!("{:.0} s", n / 1e9),
    }
}
