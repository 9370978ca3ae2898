//! A drawing, readable on a light and on a dark page.

use std::fmt::Write;

/// Text and colours; the page's own colours decide which.
const STYLE: &str = "\
text { font: 12px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #24292f }
.title { font-size: 14px; font-weight: 600 }
.note { fill: #57606a; font-size: 11px }
.own { fill: #0969da } .ownname { fill: #0969da; font-weight: 600 }
.peer { fill: #afb8c1 }
.whisker { stroke: #57606a; stroke-width: 1 }
.grid { stroke: #d0d7de; stroke-width: 1 }
.ownline { stroke: #0969da; fill: none; stroke-width: 1.5 }
.peerline { stroke: #afb8c1; fill: none; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .note { fill: #9198a1 }
.own { fill: #4493f8 } .ownname { fill: #4493f8 }
.peer { fill: #59636e }
.whisker { stroke: #9198a1 } .grid { stroke: #3d444d }
.ownline { stroke: #4493f8 } .peerline { stroke: #59636e }
}";

/// What is drawn so far.
pub struct Drawing {
    body: String,
}

/// Where a text stands to its point.
#[derive(Clone, Copy)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

impl Drawing {
    pub fn new() -> Self {
        Self { body: String::new() }
    }

    pub fn text(&mut self, x: f64, y: f64, anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let _ = writeln!(
            self.body,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" class=\"{class}\">\
             {text}</text>"
        );
    }

    pub fn bar(&mut self, x: f64, y: f64, width: f64, height: f64, class: &str) {
        let _ = writeln!(
            self.body,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
             rx=\"2\" class=\"{class}\"/>"
        );
    }

    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        let ((x1, y1), (x2, y2)) = (from, to);
        let _ = writeln!(
            self.body,
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" class=\"{class}\"/>"
        );
    }

    pub fn dot(&mut self, x: f64, y: f64, radius: f64, class: &str) {
        let _ = writeln!(
            self.body,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\" class=\"{class}\"/>"
        );
    }

    /// The whole file.
    pub fn finish(self, width: f64, height: f64, title: &str) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
             width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\">\n<title>{title}</title>\n\
             <style>\n{STYLE}\n</style>\n{}</svg>\n",
            self.body
        )
    }
}
