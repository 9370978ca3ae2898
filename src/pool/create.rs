//! From a request to a pool. No block is touched, no link is written: constant time,
//! but for a buffer of the caller's, whose side table is made zero.

use core::cell::Cell;
use core::ptr::NonNull;

use crate::base::error::Refusal;
use crate::base::ids::UserPointer;
use crate::base::log::{Level, log};
use crate::base::sync::Lock;
use crate::checks::ledger::Ledger;
use crate::checks::{Standard, Unchecked};
use crate::freelist::intrusive::LINK_BYTES;
use crate::host::HAS_SYSTEM;
use crate::layout::geometry::Geometry;
use crate::layout::inside;
use crate::layout::pages::Pages;
use crate::layout::stride::{Layout, Request, UNBOUNDED};
use crate::pool::Pool;
use crate::pool::config::{CheckLevel, Config, Threading};
use crate::pool::core::Core;
use crate::pool::directory;
use crate::pool::engine::Engine;
use crate::pool::fork::prepare_for_forks;
use crate::pool::handles::{self, NO_SYSTEM};
use crate::pool::overflow::Overflow;
use crate::pool::single::Single;
use crate::source::Source;
use crate::span::Span;

const NO_HEAP: Refusal = Refusal::unsupported(
    "this build of the library is freestanding: there is no heap for POOL_EXHAUSTED_HEAP",
);

/// Creates a pool and answers its handle.
pub(crate) fn create(mut config: Config) -> Result<UserPointer, Refusal> {
    if config.heap_overflow && !HAS_SYSTEM {
        return Err(NO_HEAP);
    }
    config.checks = config.checks_in_force();
    let mut layout = plan(&config)?;
    let place = place(&config.source)?;
    // An owner's pool in a buffer asks nothing of the system, not even this.
    if place.is_none() || config.threading == Threading::Safe {
        prepare_for_forks();
    }
    let span = Span::new(&mut layout, side_bytes_per_block(&config), config.source)?;
    if config.max_capacity == UNBOUNDED {
        let blocks = layout.max_capacity;
        log!(Level::Info, "pool \"{}\" can grow to {blocks} blocks", config.policy.name);
    }
    let engine = engine(&config, &layout, &span);
    let overflow = config.heap_overflow.then(Overflow::default);
    let policy = config.policy;
    let core = Core { engine, layout, span, overflow, trimmed: Cell::new(None) };
    let pool = Pool { core, policy, lock: Lock::new(()) };
    // SAFETY: the place is in a buffer that is given to this pool alone, and in front of its span.
    let handle = unsafe { handles::insert(pool, place) }?;
    log!(
        Level::Debug,
        "pool \"{}\" created: {} blocks, at most {}, of {} bytes (stride {}, alignment {}), \
         checks {:?}",
        policy.name,
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
    let room = match config.source {
        Source::Buffer(buffer) => Some(buffer.bytes()),
        Source::System(_) | Source::Callbacks(_) => None,
    };
    let link_bytes = LINK_BYTES;
    Layout::new(&Request { block_size, alignment, capacity, max_capacity, link_bytes, room })
}

/// How large a buffer must be for the pool that is asked for, wherever it lies.
pub(crate) fn bytes_needed(config: &Config) -> Result<usize, Refusal> {
    if config.capacity == 0 {
        return Err(Refusal::invalid("capacity is 0; say for how many blocks"));
    }
    if config.max_capacity == UNBOUNDED {
        return Err(Refusal::invalid("max_capacity is SIZE_MAX, for which no buffer is enough"));
    }
    let layout = plan(config)?;
    inside::bytes_needed(layout.stride, layout.alignment, layout.max_capacity)
        .ok_or(Refusal::invalid("capacity x stride does not fit in the address space"))
}

/// Where the pool itself shall lie; `None`: in a slot of ours.
fn place(source: &Source) -> Result<Option<NonNull<u8>>, Refusal> {
    match source {
        Source::Buffer(buffer) => {
            directory::refuse_occupied(buffer)?;
            Ok(Some(buffer.place()))
        }
        Source::System(_) | Source::Callbacks(_) if HAS_SYSTEM => Ok(None),
        Source::System(_) | Source::Callbacks(_) => Err(NO_SYSTEM),
    }
}

/// What the ledger takes. In a buffer there is room for it whatever the checks are.
fn side_bytes_per_block(config: &Config) -> usize {
    match (config.source, config.checks) {
        (Source::Buffer(_), _) => inside::SIDE_BYTES_PER_BLOCK,
        (_, CheckLevel::Standard) => 1,
        (_, CheckLevel::None) => 0,
    }
}

const _: () = assert!(size_of::<Pool>() <= inside::HEADER_BYTES);
const _: () = assert!(align_of::<Pool>() <= inside::HEADER_ALIGNMENT);

fn engine(config: &Config, layout: &Layout, span: &Span) -> Engine {
    let geometry = Geometry::new(layout);
    // A source that takes nothing back has no pages; then nobody asks.
    let page_bytes = span.page_bytes().unwrap_or(1);
    let pages = Pages::new(span.base().addr().get(), page_bytes, layout.stride, LINK_BYTES);
    match config.checks {
        CheckLevel::Standard => {
            // SAFETY: the side table of a new span is zero, is this ledger's alone, and has a byte
            // for each block (`side_bytes_per_block`).
            let ledger = unsafe { Ledger::new(span.side_end()) };
            let single = Single::new(Standard::new(geometry, span.base(), ledger), pages);
            match config.threading {
                Threading::Safe => Engine::SharedStandard(single),
                Threading::Single => Engine::SingleStandard(single),
            }
        }
        CheckLevel::None => {
            let single = Single::new(Unchecked::new(geometry, span.base()), pages);
            match config.threading {
                Threading::Safe => Engine::SharedUnchecked(single),
                Threading::Single => Engine::SingleUnchecked(single),
            }
        }
    }
}
