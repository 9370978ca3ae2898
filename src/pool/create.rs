//! From a request to a pool. Constant time: no block is touched, no link is written.

use core::cell::Cell;

use crate::base::error::Refusal;
use crate::base::ids::UserPointer;
use crate::base::log::{Level, log};
use crate::checks::ledger::Ledger;
use crate::checks::{Standard, Unchecked};
use crate::freelist::intrusive::LINK_BYTES;
use crate::layout::geometry::Geometry;
use crate::layout::pages::Pages;
use crate::layout::stride::{Layout, Request};
use crate::pool::Pool;
use crate::pool::config::{CheckLevel, Config};
use crate::pool::engine::Engine;
use crate::pool::handles;
use crate::pool::overflow::Overflow;
use crate::pool::single::Single;
use crate::source::os;
use crate::span::Span;

/// Creates a pool and answers its handle.
pub(crate) fn create(mut config: Config) -> Result<UserPointer, Refusal> {
    config.checks = config.checks_in_force();
    let mut layout = plan(&config)?;
    let span = Span::new(&mut layout, side_bytes_per_block(&config), config.residency)?;
    let engine = engine(&config, &layout, &span);
    let overflow = config.heap_overflow.then(|| Overflow::new(&layout));
    let handle =
        handles::insert(Pool { engine, layout, span, config, overflow, trimmed: Cell::new(None) })?;
    log!(
        Level::Debug,
        "pool \"{}\" created: {} blocks, at most {}, of {} bytes (stride {}, alignment {}), \
         checks {:?}",
        config.name,
        layout.capacity,
        layout.max_capacity,
        layout.block_size,
        layout.stride,
        layout.alignment,
        config.checks
    );
    Ok(handle)
}

/// The layout that a request leads to, if it is sound.
pub(crate) fn plan(config: &Config) -> Result<Layout, Refusal> {
    let Config { block_size, alignment, capacity, max_capacity, .. } = *config;
    let request = Request { block_size, alignment, capacity, max_capacity, link_bytes: LINK_BYTES };
    Layout::new(&request, os::page_bytes())
}

/// What the ledger takes.
fn side_bytes_per_block(config: &Config) -> usize {
    match config.checks {
        CheckLevel::Standard => 1,
        CheckLevel::None => 0,
    }
}

fn engine(config: &Config, layout: &Layout, span: &Span) -> Engine {
    let geometry = Geometry::new(layout);
    let pages = Pages::new(span.base().addr().get(), os::page_bytes(), layout.stride, LINK_BYTES);
    match config.checks {
        CheckLevel::Standard => {
            // SAFETY: the side table of a new span ends at its base, is zero, is this ledger's
            // alone, and has a byte for each block (`side_bytes_per_block`).
            let ledger = unsafe { Ledger::new(span.base()) };
            Engine::SingleStandard(Single::new(Standard::new(geometry, ledger), pages))
        }
        CheckLevel::None => {
            Engine::SingleUnchecked(Single::new(Unchecked::new(geometry, span.base()), pages))
        }
    }
}
