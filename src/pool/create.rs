//! From a request to a pool. No block is touched, no link is written: constant time,
//! but for a buffer of the caller's, whose side table is made zero.

use core::cell::Cell;
use core::ptr::NonNull;

use crate::base::error::Refusal;
use crate::base::hook::Hook;
use crate::base::ids::UserPointer;
use crate::base::log::{Level, log};
use crate::base::sync::{Lock, barrier};
use crate::cache::depot::{self, Depot};
use crate::cache::free_set::FreeSet;
use crate::checks::ledger::{Ledger, SharedLedger};
use crate::checks::{Standard, Unchecked};
use crate::freelist::intrusive::LINK_BYTES;
use crate::freelist::tagged::{self, TaggedStack};
use crate::host::{HAS_SYSTEM, tsan, watcher};
use crate::inspect::Inspector;
use crate::inspect::fill::{CANARY_BYTES, FRONT_BYTES, Fill};
use crate::inspect::marks::Marks;
use crate::inspect::switches::Switches;
use crate::layout::geometry::Geometry;
use crate::layout::inside;
use crate::layout::pages::Pages;
use crate::layout::stride::{Layout, Request, UNBOUNDED};
use crate::pool::Pool;
use crate::pool::config::{CheckLevel, Config, Threading};
use crate::pool::core::Core;
use crate::pool::directory;
use crate::pool::engine::Engine;
use crate::pool::failing::{Failing, Mode};
use crate::pool::fork::prepare_for_forks;
use crate::pool::guards::Guards;
use crate::pool::handles::{self, NO_SYSTEM};
use crate::pool::inspected::Inspected;
use crate::pool::lock_free::LockFree;
use crate::pool::overflow::Overflow;
use crate::pool::safe::Safe;
use crate::pool::single::Single;
use crate::pool::view::Room;
use crate::pool::waiters::Waiters;
use crate::source::Source;
use crate::span::{Side, Span};

const NO_HEAP: Refusal = Refusal::unsupported(
    "this build of the library is freestanding: there is no heap for POOL_EXHAUSTED_HEAP",
);

/// Creates a pool and answers its handle.
pub(crate) fn create(mut config: Config) -> Result<UserPointer, Refusal> {
    if config.heap_overflow && !HAS_SYSTEM {
        return Err(NO_HEAP);
    }
    if engine_of(&config) != EngineKind::Single {
        tsan::find();
    }
    config.checks = config.checks_in_force();
    let mut layout = plan(&config)?;
    let place = place(&config.source)?;
    prepare_for_forks();
    let side = side(&config);
    let span = Span::new(&mut layout, side, config.source)?;
    if config.max_capacity == UNBOUNDED {
        let blocks = layout.max_capacity;
        log!(Level::Info, "pool \"{}\" can grow to {blocks} blocks", config.policy.name);
    }
    let engine = engine(&config, &layout, &span)?;
    let overflow = (config.heap_overflow || elsewhere(&config).is_some()).then(Overflow::default);
    let policy = config.policy;
    let (trimmed, failing, room) = (Cell::new(None), Failing::new(), Room::new());
    if let CheckLevel::Watched(switches) = config.checks
        && switches.fail > 0
    {
        // Such a pool has no hot path. The same draws in each run, so that it can be repeated.
        failing.set(Mode::ByChance { probability: switches.failing(), seed: 0 });
    }
    let guards = guards(&config, &layout, &engine);
    let core = Core { engine, layout, span, overflow, trimmed, failing, room, guards };
    let (on_report, lock, waiters) = (Hook::new(), Lock::new(()), Waiters::new());
    let pool = Pool { core, policy, on_report, lock, waiters };
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

fn refuse_what_needs_a_lock(config: &Config, layout: &Layout) -> Result<(), Refusal> {
    if config.threading != Threading::LockFree {
        return Ok(());
    }
    if config.heap_overflow {
        return Err(Refusal::unsupported(
            "POOL_EXHAUSTED_HEAP needs a lock, which POOL_THREADS_LOCK_FREE has none of",
        ));
    }
    if layout.max_capacity != layout.capacity && !config.source.is_zero() {
        return Err(Refusal::unsupported(
            "a lock-free pool grows on memory of the system only; leave max_capacity 0",
        ));
    }
    Ok(())
}

/// The layout that a request leads to, if it is sound.
pub(crate) fn plan(config: &Config) -> Result<Layout, Refusal> {
    let Config { block_size, alignment, capacity, max_capacity, .. } = *config;
    let room = match config.source {
        Source::Buffer(buffer) => Some(buffer.bytes()),
        Source::System(_) | Source::Callbacks(_) => None,
    };
    let layout = Layout::new(&Request {
        block_size,
        alignment,
        capacity,
        max_capacity,
        link_bytes: LINK_BYTES,
        canary_bytes: if has_canaries(config) { CANARY_BYTES } else { 0 },
        side_bytes: side_bytes_in_buffer(config),
        blocks_max: match engine_of(config) {
            EngineKind::LockFree | EngineKind::Inspected => tagged::BLOCKS_MAX,
            EngineKind::Safe => depot::BLOCKS_MAX,
            EngineKind::Single | EngineKind::Shared => usize::MAX,
        },
        room,
    })?;
    refuse_what_needs_a_lock(config, &layout)?;
    Ok(layout)
}

/// How a request is met.
#[derive(Clone, Copy, PartialEq, Eq)]
enum EngineKind {
    Single,
    /// Single, under the pool's lock.
    Shared,
    Safe,
    LockFree,
    Inspected,
}

/// Whether blocks come from the heap in the place of the span, and then whether no more than that
/// has.
fn elsewhere(config: &Config) -> Option<bool> {
    let is_asked = matches!(config.checks, CheckLevel::Watched(Switches { passthrough: true, .. }));
    is_asked.then_some(!config.heap_overflow)
}

/// Whether bytes around the blocks are watched: there is room, and it was asked for.
fn has_canaries(config: &Config) -> bool {
    matches!(config.checks, CheckLevel::Watched(Switches { canary: true, .. }))
        && !matches!(config.source, Source::Buffer(_))
}

fn engine_of(config: &Config) -> EngineKind {
    match (config.threading, config.source) {
        (_, Source::System(_) | Source::Callbacks(_))
            if matches!(config.checks, CheckLevel::Watched(_)) =>
        {
            EngineKind::Inspected
        }
        (Threading::LockFree, _) => EngineKind::LockFree,
        (Threading::Safe, Source::Buffer(_)) => EngineKind::Shared,
        (Threading::Safe, Source::System(_) | Source::Callbacks(_)) => EngineKind::Safe,
        (Threading::Single, _) => EngineKind::Single,
    }
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
    let side_bytes = side_bytes_in_buffer(config);
    inside::bytes_needed(layout.stride, layout.alignment, side_bytes, layout.max_capacity)
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

/// What the engine keeps beside each block. In a buffer there is room for the ledger whatever the
/// checks are, so that they never change the capacity.
fn side(config: &Config) -> Side {
    match (engine_of(config), config.checks) {
        (EngineKind::LockFree, _) => Side { near: tagged::BYTES, far: None, fixed: 0 },
        (EngineKind::Inspected, _) => Side { near: tagged::BYTES, far: None, fixed: FRONT_BYTES },
        (EngineKind::Safe, _) => Side { near: 1, far: Some(FreeSet::bytes), fixed: 0 },
        (EngineKind::Shared, _)
        | (_, CheckLevel::Standard | CheckLevel::Sampled(_) | CheckLevel::Watched(_)) => {
            Side { near: 1, far: None, fixed: 0 }
        }
        (EngineKind::Single, CheckLevel::None) => match config.source {
            Source::Buffer(_) => Side { near: side_bytes_in_buffer(config), far: None, fixed: 0 },
            Source::System(_) | Source::Callbacks(_) => Side { near: 0, far: None, fixed: 0 },
        },
    }
}

fn side_bytes_in_buffer(config: &Config) -> usize {
    match config.threading {
        Threading::LockFree => tagged::BYTES,
        Threading::Safe | Threading::Single => 1,
    }
}

const _: () = assert!(size_of::<Pool>() <= inside::HEADER_BYTES);
const _: () = assert!(align_of::<Pool>() <= inside::HEADER_ALIGNMENT);

fn engine(config: &Config, layout: &Layout, span: &Span) -> Result<Engine, Refusal> {
    let is_checked = config.checks != CheckLevel::None;
    let engine = match engine_of(config) {
        EngineKind::Inspected => Engine::Inspected(inspected(config, layout, span)?),
        EngineKind::LockFree if is_checked => Engine::LockFreeStandard(lock_free(layout, span)),
        EngineKind::LockFree => Engine::LockFreeUnchecked(lock_free(layout, span)),
        EngineKind::Safe if is_checked => Engine::SafeStandard(safe(layout, span)),
        EngineKind::Safe => Engine::SafeUnchecked(safe(layout, span)),
        EngineKind::Shared if is_checked => Engine::SharedStandard(standard(layout, span)),
        EngineKind::Shared => Engine::SharedUnchecked(unchecked(layout, span)),
        EngineKind::Single if is_checked => Engine::SingleStandard(standard(layout, span)),
        EngineKind::Single => Engine::SingleUnchecked(unchecked(layout, span)),
    };
    Ok(engine)
}

fn inspected(config: &Config, layout: &Layout, span: &Span) -> Result<Inspected, Refusal> {
    let switches = match config.checks {
        CheckLevel::Watched(switches) => switches,
        CheckLevel::Standard | CheckLevel::Sampled(_) | CheckLevel::None => Switches::NONE,
    };
    // With guard pages there is one before block 0, and what is kept lies beyond it.
    let front = if span.side_ends_at_blocks() { FRONT_BYTES } else { 0 };
    // SAFETY: the span is the pool's, and so is the fixed table before it (`side`).
    let fill = unsafe { Fill::new(span.base(), layout.block_size, layout.stride, front) };
    let marks = marks(config, switches, fill, layout);
    let inspector = Inspector::new(switches, fill, marks, layout.capacity, layout.max_capacity)?;
    let inner = lock_free(layout, span);
    Ok(Inspected::new(inner, inspector, config.threading, elsewhere(config)))
}

/// What guards blocks, if that was asked for. A pool is as good without as one that asks for none.
fn guards(config: &Config, layout: &Layout, engine: &Engine) -> Option<Guards> {
    let one_in = match config.checks {
        CheckLevel::Sampled(one_in) => one_in,
        CheckLevel::Watched(Switches { guard: one_in @ 1.., .. }) => one_in,
        _ => return None,
    };
    let guards = Guards::new(one_in, layout, config.policy.name);
    if guards.is_none() {
        let name = config.policy.name;
        log!(Level::Warn, "pool \"{name}\": the system gives no memory to guard its blocks");
    } else {
        engine.ask_for_visits(one_in);
    }
    guards
}

/// What a tool is told, unless threads that hold no lock would mark neighbours at a time.
fn marks(config: &Config, switches: Switches, fill: Fill, layout: &Layout) -> Option<Marks> {
    let is_sound =
        config.threading != Threading::LockFree || layout.stride.is_multiple_of(watcher::GRANULE);
    let watcher = watcher::find().filter(|_| switches.marks && is_sound)?;
    let names_blocks = matches!(config.source, Source::System(_));
    Some(Marks::new(watcher, fill, (layout.capacity, layout.max_capacity), names_blocks))
}

fn lock_free<const CHECKED: bool>(layout: &Layout, span: &Span) -> LockFree<CHECKED> {
    // SAFETY: the side table of a new span is zero, ends on a multiple of 16, is this stack's
    // alone, and has BYTES for each block (`side`).
    let stack = unsafe { TaggedStack::new(span.side_end()) };
    // For those who wait; where there is none, they look again and again.
    let _ = barrier::prepare();
    LockFree::new(stack, span.base(), Geometry::new(layout))
}

fn safe<const CHECKED: bool>(layout: &Layout, span: &Span) -> Safe<CHECKED> {
    // SAFETY: the near table of a new span is zero, is this ledger's alone, and has a byte for each
    // block (`side`).
    let ledger = unsafe { SharedLedger::new(span.side_end()) };
    // A sanitizer that sees locks but not what is done without them is given locks.
    let has_magazines = !tsan::watches_unseen() && barrier::prepare();
    // SAFETY: the far table ends on a multiple of 16, is this depot's alone, and has room for
    // every block (`side`).
    let depot = unsafe { Depot::new(span.far_end().cast(), layout.max_capacity, has_magazines) };
    Safe::new(depot, ledger, span.base(), Geometry::new(layout))
}

fn standard(layout: &Layout, span: &Span) -> Single<Standard> {
    // SAFETY: the side table of a new span is zero, is this ledger's alone, and has a byte for each
    // block (`side`).
    let ledger = unsafe { Ledger::new(span.side_end()) };
    let checks = Standard::new(Geometry::new(layout), span.base(), ledger);
    Single::new(checks, pages(layout, span))
}

fn unchecked(layout: &Layout, span: &Span) -> Single<Unchecked> {
    let checks = Unchecked::new(Geometry::new(layout), span.base());
    Single::new(checks, pages(layout, span))
}

fn pages(layout: &Layout, span: &Span) -> Pages {
    // A source that takes nothing back has no pages; then nobody asks.
    let page_bytes = span.page_bytes().unwrap_or(1);
    Pages::new(span.base().addr().get(), page_bytes, layout.stride, LINK_BYTES)
}
