//! A picture of a pool at one moment, for people who look at why it is full or can't be trimmed.
//!
//! ```text
//!   under the lock   figures, a mark for each block, who took it   ─► Picture   (collect, sites)
//!   without it       runs │ cells │ pages                          ─► text, JSON, HTML ─► callback
//! ```
//!
//! All that is told is collected first, so that the callback may do with the pool what it likes,
//! and destroy it too. Marks and sites lie in memory of the system: the heap may be what is looked
//! at. A mark takes two bytes, so a picture of ten million blocks takes 20 MB for its time, and
//! only those of blocks that were ever touched.

mod cells;
mod collect;
mod html;
mod json;
mod marks;
mod pages;
mod sink;
mod sites;
mod text;

use core::fmt;

use crate::base::error::{Error, Refusal};
use crate::layout::stride::Layout;
use crate::pool::Pool;
use crate::pool::config::Name;
use crate::pool::inspect::Figures;
use marks::{Marks, STATES};
use pages::KeptPages;
use sink::Sink;
use sites::LiveSites;

const NO_MEMORY: Refusal =
    Refusal::new(Error::OutOfMemory, "the system gives no memory for the picture of the pool");

/// For whom a picture is; the numbers are `POOL_SNAPSHOT_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
    Html,
}

/// What was seen of a pool.
pub(crate) struct Picture {
    name: Name,
    threading: &'static str,
    checks: &'static str,
    layout: Layout,
    figures: Figures,
    base: usize,
    marks: Marks,
    sites: LiveSites,
    /// Where memory is given back by page.
    pages: Option<KeptPages>,
}

impl Pool {
    /// What is to be seen now.
    pub(crate) fn picture(&self) -> Result<Picture, Refusal> {
        let mut picture = self.hold(|core| core.picture(*self.name()))?;
        picture.marks.name_sites(&picture.sites);
        if let Some(pages) = &mut picture.pages {
            pages.count_live(&picture.marks);
        }
        Ok(picture)
    }
}

impl Picture {
    /// Hands the picture to `put`, piece by piece, until it answers `false`.
    pub(crate) fn write(&self, format: Format, put: &mut dyn FnMut(&[u8]) -> bool) {
        let mut sink = Sink::new(put);
        let written = match format {
            Format::Text => self.write_text(&mut sink),
            Format::Json => self.write_json(&mut sink),
            Format::Html => self.write_html(&mut sink),
        };
        // An error is the word of who reads to say no more.
        let _ = written.and_then(|()| sink.flush());
    }

    fn capacity(&self) -> usize {
        self.figures.capacity
    }

    /// The blocks in each state, of all.
    fn blocks_by_state(&self) -> [usize; STATES.len()] {
        self.marks.cell(0..self.capacity()).blocks
    }
}

/// A part of a whole, as "12.5 %".
struct Percent {
    part: usize,
    whole: usize,
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.whole.max(1) as u128;
        let tenths = (self.part as u128 * 1000 + whole / 2) / whole;
        write!(f, "{:>3}.{} %", tenths / 10, tenths % 10)
    }
}
