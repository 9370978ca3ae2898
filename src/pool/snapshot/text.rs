//! A picture for a terminal: 80 columns, but for the names of functions and files.

use core::fmt::{self, Write};

use crate::pool::evidence::program_frames;
use crate::pool::snapshot::marks::{Cell, STATES};
use crate::pool::snapshot::pages::KeptPages;
use crate::pool::snapshot::sink::Sink;
use crate::pool::snapshot::{Percent, Picture};

/// Characters in a row of the map, and rows.
const COLUMNS: usize = 64;
const ROWS_MAX: usize = 32;

/// How many pages, and how many sites, are told of.
const PAGES_MAX: usize = 8;
const SITES_MAX: usize = 8;

impl Picture {
    pub(super) fn write_text(&self, sink: &mut Sink<'_>) -> fmt::Result {
        let Self { name, threading, checks, .. } = self;
        writeln!(sink, "pool \"{name}\": {threading}, checks {checks}, at {:#x}\n", self.base)?;
        self.write_figures(sink)?;
        self.write_legend(sink)?;
        self.write_map(sink)?;
        match &self.pages {
            Some(pages) => self.write_pages(pages, sink)?,
            None => writeln!(sink, "\nThe memory of this pool can't be given back by OS page.")?,
        }
        self.write_sites(sink)
    }

    fn write_figures(&self, sink: &mut Sink<'_>) -> fmt::Result {
        let mut is_left = true;
        for (what, figure) in self.all_figures() {
            let what = Words(what);
            match is_left {
                true => write!(sink, "  {what:<16}{figure:>20}")?,
                false => writeln!(sink, "    {what:<16}{figure:>20}")?,
            }
            is_left = !is_left;
        }
        if is_left { Ok(()) } else { writeln!(sink) }
    }

    fn write_legend(&self, sink: &mut Sink<'_>) -> fmt::Result {
        writeln!(sink)?;
        let whole = self.capacity();
        for (state, part) in STATES.into_iter().zip(self.blocks_by_state()) {
            let (sign, name) = (state.character(), state.name());
            writeln!(sink, "  {sign} {name:<14}{part:>20}  {}", Percent { part, whole })?;
        }
        Ok(())
    }

    /// Rows that are as the one before are shown as a star.
    fn write_map(&self, sink: &mut Sink<'_>) -> fmt::Result {
        let map = self.map(COLUMNS * ROWS_MAX);
        match map.blocks_a_cell {
            1 => writeln!(sink, "\nA character a block, from the lowest address on:")?,
            blocks => writeln!(
                sink,
                "\n{blocks} blocks a character; a digit is how many tenths of them are live:"
            )?,
        }
        let (mut before, mut is_starred) = ([' '; COLUMNS], false);
        for first in (0..map.len()).step_by(COLUMNS) {
            let mut row = [' '; COLUMNS];
            let cells = first..(first + COLUMNS).min(map.len());
            row.iter_mut().zip(cells).for_each(|(to, cell)| *to = character(&map.cell(cell)));
            let is_repeated = row == before && first + COLUMNS < map.len();
            if !is_repeated {
                write!(sink, "{:>14}  ", first * map.blocks_a_cell)?;
                row.iter().filter(|&&one| one != ' ').try_for_each(|&one| sink.write_char(one))?;
                writeln!(sink)?;
            } else if !is_starred {
                writeln!(sink, "{:>14}", '*')?;
            }
            (before, is_starred) = (row, is_repeated);
        }
        Ok(())
    }

    fn write_pages(&self, pages: &KeptPages, sink: &mut Sink<'_>) -> fmt::Result {
        let KeptPages { bytes, count, kept, .. } = *pages;
        writeln!(sink, "\nOS pages of {bytes} bytes: {count}")?;
        write!(sink, "Live blocks keep {kept}, which a trim can't give back")?;
        writeln!(sink, "{}", if kept > 0 { "; with the fewest of them:" } else { "" })?;
        for page in pages.fewest().iter().take(PAGES_MAX) {
            let blocks = pages.blocks_on(page.page, self.capacity());
            let (first, last) = (blocks.start, blocks.end - 1);
            writeln!(sink, "  page {:<10} {} live of blocks {first}-{last}", page.page, page.live)?;
        }
        match kept.saturating_sub(PAGES_MAX) {
            0 => Ok(()),
            more => writeln!(sink, "  and {more} more"),
        }
    }

    fn write_sites(&self, sink: &mut Sink<'_>) -> fmt::Result {
        let sites = &self.sites;
        if !sites.is_known {
            return Ok(());
        }
        writeln!(sink, "\nWho allocated the live blocks:")?;
        for group in sites.all().take(SITES_MAX) {
            let (blocks, sequence) = (group.count.blocks, group.count.sequence);
            let s = if blocks == 1 { "" } else { "s" };
            writeln!(
                sink,
                "  {blocks} block{s}, {} bytes, the oldest by operation {sequence}",
                sites.bytes(group)
            )?;
            let mut written = Ok(());
            let known = program_frames(group.frames(), |frame| {
                written = written.and_then(|()| writeln!(sink, "    {frame}"));
            });
            written?;
            if known == 0 {
                writeln!(sink, "    not known")?;
            }
        }
        let untold: usize = sites.all().skip(SITES_MAX).map(|group| group.count.blocks).sum();
        match (sites.all().skip(SITES_MAX).count() + sites.more, untold + sites.more_blocks) {
            (0, _) => Ok(()),
            (more, blocks) => writeln!(sink, "  and {blocks} blocks from {more} more stacks"),
        }
    }
}

/// How much of a cell is live, if a part is, and else what most of it is.
fn character(cell: &Cell) -> char {
    let (live, all) = (cell.blocks[0], cell.blocks.iter().sum::<usize>());
    if live > 0 && live < all {
        return char::from(b'0' + (live * 10 / all) as u8);
    }
    let most = STATES.into_iter().zip(cell.blocks).rev().max_by_key(|&(_, blocks)| blocks);
    most.map_or(' ', |(state, _)| state.character())
}

/// The name of a figure, without what joins its words.
struct Words(&'static str);

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let padding = f.width().unwrap_or(0).saturating_sub(self.0.len());
        self.0
            .chars()
            .map(|one| if one == '_' { ' ' } else { one })
            .try_for_each(|c| f.write_char(c))?;
        (0..padding).try_for_each(|_| f.write_char(' '))
    }
}
