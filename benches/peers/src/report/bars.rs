//! Panels of bars: a scenario each, the best on top, with the quarters of the turns as a whisker.

use super::svg::{Anchor, Drawing};
use super::{capital, figure};
use crate::measure::{Row, Table};
use crate::participants::Kind;

const ROW: f64 = 18.0;
const HEAD: f64 = 44.0;
/// Room for names, left of the bars, and for figures, right of them.
const NAMES: f64 = 236.0;
const FIGURES: f64 = 50.0;
const BARS: f64 = 130.0;
const PANEL: f64 = NAMES + BARS + FIGURES;
const GAP: f64 = 18.0;

/// A panel of a chart.
pub struct Panel<'a> {
    pub title: String,
    pub unit: &'static str,
    /// Sorted.
    pub rows: Vec<&'a Row>,
}

impl<'a> Panel<'a> {
    /// At most so many of a table, and every pool of this project among them.
    pub fn of(table: &'a Table, most: usize) -> Self {
        let sorted = super::sorted(table);
        let own = sorted.iter().filter(|row| row.participant.kind == Kind::Own).count();
        let mut peers = most.saturating_sub(own);
        let rows = sorted.into_iter().filter(|row| match row.participant.kind {
            Kind::Own => true,
            Kind::Floor => false,
            Kind::Peer => {
                let fits = peers > 0;
                peers = peers.saturating_sub(1);
                fits
            }
        });
        let title = table.scenario.title();
        Self { title, unit: table.scenario.unit(), rows: rows.collect() }
    }
}

/// Panels in so many columns.
pub fn chart(title: &str, panels: &[Panel], columns: usize) -> String {
    let mut drawing = Drawing::new();
    let (mut top, mut x, mut lowest) = (0.0, 0.0_f64, 0.0_f64);
    for (number, panel) in panels.iter().enumerate() {
        if number % columns == 0 {
            (top, x) = (lowest, GAP / 2.0);
        }
        let bottom = draw(&mut drawing, panel, x, top);
        lowest = lowest.max(bottom);
        x += PANEL + GAP;
    }
    let width = columns.min(panels.len()) as f64 * (PANEL + GAP);
    let legend =
        "blue: memory_pool; shorter is better; line: the middle half of the turns; …: cut off";
    drawing.text(GAP / 2.0, lowest + 6.0, Anchor::Start, "note", legend);
    drawing.finish(width, lowest + 18.0, title)
}

/// Answers where it ends.
fn draw(drawing: &mut Drawing, panel: &Panel, x: f64, top: f64) -> f64 {
    let (name, rest) = split(&panel.title);
    drawing.text(x, top + 20.0, Anchor::Start, "title", &name);
    let note =
        if rest.is_empty() { panel.unit.to_owned() } else { format!("{rest}; {}", panel.unit) };
    drawing.text(x, top + 36.0, Anchor::Start, "note", &note);
    // One that is far off would leave no room for the others: its bar is cut off.
    let medians: Vec<_> = panel.rows.iter().map(|row| row.median()).collect();
    let middle = medians.get(medians.len() / 2).copied().unwrap_or(1.0);
    let most = medians.iter().copied().fold(0.0, f64::max).min(middle * 4.0).max(f64::MIN_POSITIVE);
    let left = x + NAMES;
    for (number, row) in panel.rows.iter().enumerate() {
        let y = top + HEAD + number as f64 * ROW;
        let spread = row.spread();
        let length = |value: f64| (value / most).clamp(0.0, 1.0) * BARS;
        let own = row.participant.kind == Kind::Own;
        let class = if own { "ownname" } else { "name" };
        drawing.text(left - 6.0, y + 13.0, Anchor::End, class, row.participant.name);
        let width = length(spread.median).max(1.0);
        drawing.bar(left, y + 3.0, width, ROW - 5.0, if own { "own" } else { "peer" });
        let cut = spread.median > most;
        if !cut && spread.high > spread.low {
            let middle = y + ROW / 2.0 + 0.5;
            let ends = ((left + length(spread.low), middle), (left + length(spread.high), middle));
            drawing.line(ends.0, ends.1, "whisker");
        }
        let text =
            if cut { format!("{} …", figure(spread.median)) } else { figure(spread.median) };
        let end = left + width.max(if cut { 0.0 } else { length(spread.high) });
        drawing.text(end + 5.0, y + 13.0, Anchor::Start, class, &text);
    }
    top + HEAD + panel.rows.len() as f64 * ROW + 14.0
}

/// What stands before the first comma or colon, and after it.
fn split(title: &str) -> (String, String) {
    let (head, rest) = match (title.split_once(": "), title.split_once(", ")) {
        (Some(one), Some(other)) => {
            if one.0.len() < other.0.len() {
                one
            } else {
                other
            }
        }
        (one, other) => one.or(other).unwrap_or((title, "")),
    };
    (capital(head), rest.to_owned())
}
