//! A picture as one page for a browser, which needs nothing beside it.
//!
//! ```text
//!   page.html  ... %%style%% ... %%data%% ... %%script%% ...
//! ```
//!
//! All that is of this pool stands in the data, which the script reads as JSON and shows as text
//! alone. However many blocks there are, a map has at most [`CELLS_MAX`] cells.

use core::fmt::{self, Write};

use crate::pool::snapshot::Picture;
use crate::pool::snapshot::pages::KeptPages;
use crate::pool::snapshot::sink::Sink;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

const CELLS_MAX: usize = 20_000;

impl Picture {
    pub(super) fn write_html(&self, sink: &mut Sink<'_>) -> fmt::Result {
        PAGE.split("%%").try_for_each(|piece| match piece {
            "style" => sink.write_str(STYLE),
            "data" => self.write_data(sink),
            "script" => sink.write_str(SCRIPT),
            _ => sink.write_str(piece),
        })
    }

    /// Cells that are alike are written once: how many they are, the blocks in each state, and the
    /// sites as bits.
    fn write_data(&self, sink: &mut Sink<'_>) -> fmt::Result {
        self.write_head(sink)?;
        let map = self.map(CELLS_MAX);
        write!(sink, ",\n\"blocks_a_cell\":{},\n\"cells\":[", map.blocks_a_cell)?;
        for (number, (cells, cell)) in map.runs().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            let [live, free, cached, held, fresh] = cell.blocks;
            let sites = cell.sites;
            write!(sink, "{comma}\n[{cells},{live},{free},{cached},{held},{fresh},{sites}]")?;
        }
        write!(sink, "],\n\"pages\":")?;
        match &self.pages {
            Some(pages) => write_fewest(pages, sink)?,
            None => write!(sink, "null")?,
        }
        writeln!(sink, "}}")
    }
}

fn write_fewest(pages: &KeptPages, sink: &mut Sink<'_>) -> fmt::Result {
    let KeptPages { bytes, count, kept, before_base, .. } = *pages;
    write!(
        sink,
        "{{\"bytes\":{bytes},\"count\":{count},\"kept\":{kept},\"before_base\":{before_base},\
         \n\"fewest\":["
    )?;
    for (number, page) in pages.fewest().iter().enumerate() {
        let comma = if number > 0 { "," } else { "" };
        write!(sink, "{comma}[{},{}]", page.page, page.live)?;
    }
    write!(sink, "]}}")
}
