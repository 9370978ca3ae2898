//! A picture for programs: JSON by hand, for it is a few lines.
//!
//! Texts are escaped so that they can stand in a page of HTML too: no name of a pool, a function or
//! a file can end the element that it stands in.

use core::fmt::{self, Write};

use crate::host::symbols::Frame;
use crate::pool::evidence::program_frames;
use crate::pool::snapshot::Picture;
use crate::pool::snapshot::marks::STATES;
use crate::pool::snapshot::pages::KeptPages;
use crate::pool::snapshot::sink::Sink;

/// Of the keys: a key may come, but what one means does not change without a new number.
const VERSION: u32 = 1;

impl Picture {
    pub(super) fn write_json(&self, sink: &mut Sink<'_>) -> fmt::Result {
        self.write_head(sink)?;
        write!(sink, ",\n\"runs\":[")?;
        let mut comma = Comma::new();
        for run in self.marks.runs(self.capacity()) {
            let (first, blocks, state) = (run.first, run.blocks, run.mark.state().name());
            write!(sink, "{comma}\n{{\"first\":{first},\"blocks\":{blocks},\"state\":\"{state}\"")?;
            if let Some(site) = run.mark.site() {
                write!(sink, ",\"site\":{site}")?;
            }
            sink.write_char('}')?;
            comma.next();
        }
        write!(sink, "],\n\"pages\":")?;
        match &self.pages {
            Some(pages) => self.write_page_runs(pages, sink)?,
            None => write!(sink, "null")?,
        }
        writeln!(sink, "}}")
    }

    /// All but the blocks and the pages; the object stays open.
    pub(super) fn write_head(&self, sink: &mut Sink<'_>) -> fmt::Result {
        let (mode, checks, base) = (self.threading, self.checks, self.base);
        let name = Text(format_args!("{}", self.name));
        writeln!(sink, "{{\"memory_pool_snapshot\":{VERSION},\n\"name\":{name},")?;
        write!(sink, "\"mode\":\"{mode}\",\"checks\":\"{checks}\",\"base\":\"{base:#x}\"")?;
        for (what, figure) in self.all_figures() {
            write!(sink, ",\n\"{what}\":{figure}")?;
        }
        write!(sink, ",\n\"states\":{{")?;
        let mut comma = Comma::new();
        for (state, blocks) in STATES.into_iter().zip(self.blocks_by_state()) {
            write!(sink, "{comma}\"{}\":{blocks}", state.name())?;
            comma.next();
        }
        write!(sink, "}},\n\"sites\":")?;
        match self.sites.is_known {
            true => self.write_site_list(sink),
            false => write!(sink, "null"),
        }
    }

    /// The figures by their keys.
    pub(super) fn all_figures(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let (layout, figures, counts) = (&self.layout, &self.figures, &self.figures.counts);
        [
            ("block_size", layout.block_size as u64),
            ("stride", layout.stride as u64),
            ("alignment", layout.alignment as u64),
            ("capacity", figures.capacity as u64),
            ("max_capacity", layout.max_capacity as u64),
            ("in_use", counts.in_use as u64),
            ("available", figures.available as u64),
            ("peak_in_use", counts.peak_in_use as u64),
            ("allocations", counts.allocations),
            ("deallocations", counts.deallocations),
            ("failures", counts.failures),
            ("heap_blocks", figures.heap_blocks as u64),
            ("reserved_bytes", figures.reserved_bytes as u64),
            ("resident_bytes", figures.resident_bytes as u64),
            ("metadata_bytes", figures.metadata_bytes as u64),
        ]
        .into_iter()
    }

    fn write_page_runs(&self, pages: &KeptPages, sink: &mut Sink<'_>) -> fmt::Result {
        let KeptPages { bytes, count, kept, before_base, .. } = *pages;
        write!(
            sink,
            "{{\"bytes\":{bytes},\"count\":{count},\"kept\":{kept},\"before_base\":{before_base},\
             \n\"runs\":["
        )?;
        let mut comma = Comma::new();
        for (first, alike, live) in pages.runs(&self.marks) {
            write!(sink, "{comma}\n{{\"first\":{first},\"pages\":{alike},\"live\":{live}}}")?;
            comma.next();
        }
        write!(sink, "]}}")
    }

    fn write_site_list(&self, sink: &mut Sink<'_>) -> fmt::Result {
        let (more, more_blocks) = (self.sites.more, self.sites.more_blocks);
        write!(sink, "{{\"more\":{more},\"more_blocks\":{more_blocks},\"list\":[")?;
        let mut comma = Comma::new();
        for group in self.sites.all() {
            let (blocks, oldest) = (group.count.blocks, group.count.sequence);
            let bytes = self.sites.bytes(group);
            write!(
                sink,
                "{comma}\n{{\"blocks\":{blocks},\"bytes\":{bytes},\"oldest_operation\":{oldest},\
                 \"frames\":["
            )?;
            comma.next();
            let (mut written, mut frames) = (Ok(()), Comma::new());
            program_frames(group.frames(), |frame| {
                written = written.and_then(|()| write_frame(frame.frame, &frames, sink));
                frames.next();
            });
            written?;
            write!(sink, "]}}")?;
        }
        write!(sink, "]}}")
    }
}

fn write_frame(frame: &Frame<'_>, comma: &Comma, sink: &mut Sink<'_>) -> fmt::Result {
    let Frame { module, offset, function, line, .. } = *frame;
    let [module, function, line] = [&module, &function, &line].map(Text);
    write!(sink, "{comma}\n{{\"function\":{function},\"line\":{line},")?;
    write!(sink, "\"module\":{module},\"offset\":{offset}}}")
}

/// What stands before an element: nothing before the first.
struct Comma(bool);

impl Comma {
    fn new() -> Self {
        Self(false)
    }

    fn next(&mut self) {
        self.0 = true;
    }
}

impl fmt::Display for Comma {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 { "," } else { "" })
    }
}

/// A text in quotation marks.
struct Text<T>(T);

impl<T: fmt::Display> fmt::Display for Text<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        write!(Escaped(f), "{}", self.0)?;
        f.write_char('"')
    }
}

struct Escaped<'f, 'to>(&'f mut fmt::Formatter<'to>);

impl Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|one| match one {
            '"' | '\\' => write!(self.0, "\\{one}"),
            // What begins or ends something in HTML, and what ends a line in old JavaScript.
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => write!(self.0, "\\u{:04x}", one as u32),
            _ if one.is_control() => write!(self.0, "\\u{:04x}", one as u32),
            _ => self.0.write_char(one),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_its_quotes_or_its_element() {
        let shown = |text: &str| Text(text).to_string();
        assert_eq!(shown("a\"b\\c\n\u{85}"), r#""a\"b\\c\u000a\u0085""#);
        assert_eq!(shown("</script>&\u{2028}"), r#""\u003c/script\u003e\u0026\u2028""#);
        assert_eq!(shown("ä 漢 😀"), "\"ä 漢 😀\"");
    }
}
