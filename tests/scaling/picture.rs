//! The curves as an SVG: both axes by powers, each curve named at its right end. Readable on a
//! light page and on a dark one.

use std::fmt::Write;

use super::Curve;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 460.0;
/// Where the curves are: left, right, top, bottom.
const PLOT: [f64; 4] = [70.0, 610.0, 40.0, 400.0];
/// Thousands of operations a second, at the bottom and at the top, as powers of ten.
const POWERS: [i32; 2] = [1, 8];
const COLOURS: [&str; 6] = ["#2a9d8f", "#3a86ff", "#9b5de5", "#e08a00", "#d9480f", "#e63973"];

const STYLE: &str = "text{font:13px sans-serif;fill:#666}.grid{stroke:#8884}\
    .curve{fill:none;stroke-width:2.5}@media(prefers-color-scheme:dark){text{fill:#ccc}}";

fn x(cores: usize) -> f64 {
    PLOT[0] + (PLOT[1] - PLOT[0]) * ((cores as f64).log2() - 1.0) / 9.0
}

fn y(thousands: f64) -> f64 {
    let share = (thousands.log10() - f64::from(POWERS[0])) / f64::from(POWERS[1] - POWERS[0]);
    PLOT[3] - (PLOT[3] - PLOT[2]) * share.clamp(0.0, 1.0)
}

fn grid(svg: &mut String, cores: &[usize]) -> std::fmt::Result {
    let [left, right, top, bottom] = PLOT;
    for &cores in cores {
        let x = x(cores);
        writeln!(svg, "<path class='grid' d='M{x:.0} {top}V{bottom}'/>")?;
        writeln!(
            svg,
            "<text x='{x:.0}' y='{}' text-anchor='middle'>{cores}</text>",
            bottom + 20.0
        )?;
    }
    let names = ["0.01", "0.1", "1", "10", "100", "1000", "10 000", "100 000"];
    for (power, name) in (POWERS[0]..=POWERS[1]).zip(names) {
        let y = y(10_f64.powi(power));
        writeln!(svg, "<path class='grid' d='M{left} {y:.0}H{right}'/>")?;
        writeln!(
            svg,
            "<text x='{}' y='{:.0}' text-anchor='end'>{name}</text>",
            left - 8.0,
            y + 4.0
        )?;
    }
    writeln!(
        svg,
        "<text x='{left}' y='22'>million operations a second, all cores together</text>"
    )?;
    let middle = f64::midpoint(left, right);
    writeln!(svg, "<text x='{middle}' y='{}' text-anchor='middle'>cores</text>", bottom + 42.0)
}

fn curve(svg: &mut String, cores: &[usize], curve: &Curve, colour: &str) -> std::fmt::Result {
    let points = cores.iter().zip(&curve.outcomes).map(|(&cores, outcome)| {
        format!("{:.1},{:.1}", x(cores), y((outcome.operations as f64).max(1.0)))
    });
    let points: Vec<String> = points.collect();
    writeln!(svg, "<polyline class='curve' stroke='{colour}' points='{}'/>", points.join(" "))
}

/// The names stand in the order of the curves' ends, and not on each other.
fn names(svg: &mut String, curves: &[Curve]) -> std::fmt::Result {
    let mut free = 0.0;
    for (curve, colour) in curves.iter().zip(COLOURS) {
        let last = curve.outcomes.last().expect("a curve has points").operations as f64;
        let y = (y(last.max(1.0)) + 4.0).max(free);
        free = y + 17.0;
        writeln!(
            svg,
            "<text x='{}' y='{y:.0}' style='fill:{colour}'>{}</text>",
            PLOT[1] + 10.0,
            curve.name
        )?;
    }
    Ok(())
}

/// The picture of all curves.
pub fn of(cores: &[usize], curves: &[Curve]) -> String {
    let mut svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}'>\n\
         <title>Throughput by cores, of the model in tests/scaling</title>\n\
         <style>{STYLE}</style>\n"
    );
    grid(&mut svg, cores).expect("a string takes what is written");
    for (one, colour) in curves.iter().zip(COLOURS) {
        curve(&mut svg, cores, one, colour).expect("as above");
    }
    names(&mut svg, curves).expect("as above");
    svg + "</svg>\n"
}
