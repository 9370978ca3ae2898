//! Where the state of pools lies, as numbers for a debugger: gdb/memory_pool.py reads them in a
//! live process or a core dump, and with them all the rest, without debug information of ours.
//!
//! ```text
//!   section memory_pool_debug, or the symbol
//!     └─► pool_debug_layout ─┬─► arenas    │ base, mask │ base, mask │ ...
//!                            │                └─► │ ... key │ Pool │ ... │ ... key │ Pool │ ... │
//!                            └─► entries   │ key, pool │ key, pool │ ...
//!                                                └─► Pool, in a caller's buffer
//!
//!   Pool   │ tag │ engine: geometry, frontier, table, counters │ layout │ span │ ... │ name │
//!             └─► the line of `engines` with this tag says where in the engine things are
//! ```
//!
//! Every field is a number of 64 bits, or eight bytes in which an address stands first, so that the
//! script's list of names is all it takes to read them; tests/gdb.rs compares the two lists. What
//! is `_at` counts in bytes from the start of the `Pool`, where nothing else is said. A change of
//! the fields or of what they mean is a new [`VERSION`]; a further engine is a further line.

use core::mem::offset_of;

use crate::cache::depot::Depot;
use crate::checks::ledger::State;
use crate::checks::{Checks, Standard, Unchecked};
use crate::freelist::hand::Hand;
use crate::freelist::tagged::{self, TaggedStack};
use crate::host::BUFFER_POOLS_MAX;
use crate::layout::geometry::Geometry;
use crate::layout::stride::Layout;
use crate::pool::Pool;
use crate::pool::arena::{ARENA_COUNT, ARENAS, Arena};
use crate::pool::config::{Name, Policy};
use crate::pool::core::Core;
use crate::pool::directory::{ENTRIES, ENTRY_SHIFT, Entry};
use crate::pool::inspected::Inspected;
use crate::pool::lock_free::LockFree;
use crate::pool::safe::Safe;
use crate::pool::single::Single;
use crate::pool::slot::{SLOT_BYTES, Slot};
use crate::pool::view::LentHand;
use crate::span::Span;

/// "poolgdb" in a word, which also tells the order of bytes.
const MAGIC: u64 = 0x0070_6F6F_6C67_6462;

/// Of the fields, of what they mean, and of the layout of what they lead to.
const VERSION: u64 = 4;

/// Everything that a debugger needs to know of this build of the library.
#[repr(C)]
pub(crate) struct DebugLayout {
    magic: u64,
    version: u64,
    word_bytes: u64,
    arenas: Address<[Arena; ARENA_COUNT]>,
    arena_count: u64,
    arena_bytes: u64,
    /// In an arena.
    arena_base_at: u64,
    arena_mask_at: u64,
    slot_bytes: u64,
    /// In a slot.
    slot_key_at: u64,
    slot_pool_at: u64,
    entries: Address<[Entry; BUFFER_POOLS_MAX]>,
    entry_count: u64,
    entry_bytes: u64,
    /// In an entry.
    entry_key_at: u64,
    entry_pool_at: u64,
    /// How far right the number of the entry stands in a handle.
    entry_shift: u64,
    /// A byte.
    tag_at: u64,
    block_size_at: u64,
    stride_at: u64,
    base_at: u64,
    name_at: u64,
    /// A byte.
    name_length_at: u64,
    /// The states of a block as bytes of the ledger.
    ledger_untouched: u64,
    ledger_free: u64,
    ledger_live: u64,
    ledger_held: u64,
    /// The same as links of a lock-free pool, where any other link is that of a free block.
    link_untouched: u64,
    link_live: u64,
    link_held: u64,
    /// Of its table, before whose end lie a link, two depths and a link, of two blocks, then those
    /// of the next two, and so on; and how many links are as long as two depths.
    link_bytes: u64,
    depths: u64,
    engine_count: u64,
    engine_bytes: u64,
    engines: [EngineLayout; 9],
}

/// An address in eight bytes.
#[repr(C, align(8))]
struct Address<T: 'static>(&'static T);

/// What a debugger needs to know of an engine.
#[repr(C)]
#[derive(Clone, Copy)]
struct EngineLayout {
    tag: u64,
    /// Text, up to a NUL.
    threading: [u8; 16],
    checks: [u8; 16],
    /// How many blocks there are.
    capacity_at: u64,
    /// Blocks from here on were not touched.
    frontier_at: u64,
    /// What tells the state of a block: `NO_TABLE`, `LEDGER` or `LINKS`.
    table: u64,
    /// Where the table ends, which grows downwards.
    table_end_at: u64,
    /// Without a table: whether it counts, in 64 bits, allocations, and deallocations, and what the
    /// hand let go; blocks in the hand are free, too. 0 or 1.
    has_counters: u64,
    allocations_at: u64,
    deallocations_at: u64,
    let_go_at: u64,
    /// The hand: the engine's own, and a word with the address of the one that is lent, or 0.
    hand_at: u64,
    lent_at: u64,
    /// In a hand.
    kept_at: u64,
    low_at: u64,
    top_at: u64,
}

const NO_TABLE: u64 = 0;
const LEDGER: u64 = 1;
const LINKS: u64 = 2;

/// An enum of `repr(u8)` is laid out like this: its tag, and what belongs to it.
#[repr(C)]
struct Tagged<T> {
    tag: u8,
    engine: T,
}

const CORE_AT: usize = offset_of!(Pool, core);
const ENGINE_AT: usize = CORE_AT + offset_of!(Core, engine);
const NAME_AT: usize = offset_of!(Pool, policy) + offset_of!(Policy, name);

const NO_ENGINE: EngineLayout = EngineLayout {
    tag: u64::MAX,
    threading: [0; 16],
    checks: [0; 16],
    capacity_at: 0,
    frontier_at: 0,
    table: NO_TABLE,
    table_end_at: 0,
    has_counters: 0,
    allocations_at: 0,
    deallocations_at: 0,
    let_go_at: 0,
    hand_at: 0,
    lent_at: 0,
    kept_at: 0,
    low_at: 0,
    top_at: 0,
};

const fn text(name: &str) -> [u8; 16] {
    let mut text = [0; 16];
    let mut at = 0;
    while at < name.len() {
        text[at] = name.as_bytes()[at];
        at += 1;
    }
    text
}

/// The engine with this tag, whatever its calls are guarded by.
const fn single_standard(tag: u64, threading: &str) -> EngineLayout {
    let geometry_at = offset_of!(Standard, geometry);
    let single = single::<Standard>(tag, threading, "standard", geometry_at);
    let checks_at = ENGINE_AT
        + offset_of!(Tagged<Single<Standard>>, engine)
        + offset_of!(Single<Standard>, checks);
    let table_end_at = (checks_at + offset_of!(Standard, ledger)) as u64;
    EngineLayout { table: LEDGER, table_end_at, ..single }
}

const fn single_unchecked(tag: u64, threading: &str) -> EngineLayout {
    single::<Unchecked>(tag, threading, "none", offset_of!(Unchecked, geometry))
}

const fn single<C: Checks>(
    tag: u64,
    threading: &str,
    checks: &str,
    geometry_at: usize,
) -> EngineLayout {
    let at = ENGINE_AT + offset_of!(Tagged<Single<C>>, engine);
    let capacity_at = offset_of!(Single<C>, checks) + geometry_at + offset_of!(Geometry, capacity);
    let hand_at = at + offset_of!(Single<C>, hand);
    EngineLayout {
        tag,
        threading: text(threading),
        checks: text(checks),
        capacity_at: (at + capacity_at) as u64,
        frontier_at: (at + offset_of!(Single<C>, frontier)) as u64,
        has_counters: 1,
        allocations_at: (at + offset_of!(Single<C>, allocations)) as u64,
        deallocations_at: (at + offset_of!(Single<C>, deallocations)) as u64,
        let_go_at: (at + offset_of!(Single<C>, let_go)) as u64,
        hand_at: (hand_at + offset_of!(LentHand, own)) as u64,
        lent_at: (hand_at + offset_of!(LentHand, lent)) as u64,
        kept_at: offset_of!(Hand, kept) as u64,
        low_at: offset_of!(Hand, low) as u64,
        top_at: offset_of!(Hand, top) as u64,
        ..NO_ENGINE
    }
}

const fn safe<const CHECKED: bool>(tag: u64) -> EngineLayout {
    let at = ENGINE_AT + offset_of!(Tagged<Safe<CHECKED>>, engine);
    let depot_at = at + offset_of!(Safe<CHECKED>, depot);
    EngineLayout {
        tag,
        threading: text("safe"),
        checks: text(if CHECKED { "standard" } else { "none" }),
        capacity_at: (at + offset_of!(Safe<CHECKED>, geometry) + offset_of!(Geometry, capacity))
            as u64,
        frontier_at: (depot_at + offset_of!(Depot, frontier)) as u64,
        table: if CHECKED { LEDGER } else { NO_TABLE },
        // A ledger is the address of its end.
        table_end_at: (at + offset_of!(Safe<CHECKED>, ledger)) as u64,
        ..NO_ENGINE
    }
}

const fn lock_free<const CHECKED: bool>(tag: u64) -> EngineLayout {
    let at = ENGINE_AT + offset_of!(Tagged<LockFree<CHECKED>>, engine);
    let checks = if CHECKED { "standard" } else { "none" };
    lock_free_at::<CHECKED>(tag, "lock-free", checks, at)
}

/// The lock-free one inside of the one that watches.
const fn inspected(tag: u64) -> EngineLayout {
    let at = ENGINE_AT + offset_of!(Tagged<Inspected>, engine) + offset_of!(Inspected, inner);
    lock_free_at::<true>(tag, "watched", "full", at)
}

const fn lock_free_at<const CHECKED: bool>(
    tag: u64,
    threading: &str,
    checks: &str,
    at: usize,
) -> EngineLayout {
    let capacity_at = offset_of!(LockFree<CHECKED>, geometry) + offset_of!(Geometry, capacity);
    let end_at = offset_of!(LockFree<CHECKED>, stack) + offset_of!(TaggedStack, end);
    EngineLayout {
        tag,
        threading: text(threading),
        checks: text(checks),
        capacity_at: (at + capacity_at) as u64,
        frontier_at: (at + offset_of!(LockFree<CHECKED>, frontier)) as u64,
        table: LINKS,
        table_end_at: (at + end_at) as u64,
        ..NO_ENGINE
    }
}

impl DebugLayout {
    pub(crate) const fn new() -> Self {
        Self {
            magic: MAGIC,
            version: VERSION,
            word_bytes: size_of::<usize>() as u64,
            arenas: Address(&ARENAS),
            arena_count: ARENA_COUNT as u64,
            arena_bytes: size_of::<Arena>() as u64,
            arena_base_at: offset_of!(Arena, base) as u64,
            arena_mask_at: offset_of!(Arena, mask) as u64,
            slot_bytes: SLOT_BYTES as u64,
            slot_key_at: offset_of!(Slot, slow_key) as u64,
            slot_pool_at: offset_of!(Slot, occupant) as u64,
            entries: Address(&ENTRIES),
            entry_count: BUFFER_POOLS_MAX as u64,
            entry_bytes: size_of::<Entry>() as u64,
            entry_key_at: offset_of!(Entry, key) as u64,
            entry_pool_at: offset_of!(Entry, pool) as u64,
            entry_shift: ENTRY_SHIFT as u64,
            tag_at: (ENGINE_AT + offset_of!(Tagged<u8>, tag)) as u64,
            block_size_at: (CORE_AT + offset_of!(Core, layout) + offset_of!(Layout, block_size))
                as u64,
            stride_at: (CORE_AT + offset_of!(Core, layout) + offset_of!(Layout, stride)) as u64,
            base_at: (CORE_AT + offset_of!(Core, span) + offset_of!(Span, base)) as u64,
            name_at: (NAME_AT + offset_of!(Name, bytes)) as u64,
            name_length_at: (NAME_AT + offset_of!(Name, length)) as u64,
            ledger_untouched: State::Untouched as u64,
            ledger_free: State::Free as u64,
            ledger_live: State::Live as u64,
            ledger_held: State::Held as u64,
            link_untouched: tagged::UNTOUCHED as u64,
            link_live: tagged::LIVE as u64,
            link_held: tagged::HELD as u64,
            link_bytes: tagged::LINK_BYTES as u64,
            depths: (2 * tagged::DEPTH_BYTES / tagged::LINK_BYTES) as u64,
            engine_count: ENGINES.len() as u64,
            engine_bytes: size_of::<EngineLayout>() as u64,
            engines: ENGINES,
        }
    }
}

/// With the numbers of `engine.rs`.
const ENGINES: [EngineLayout; 9] = [
    single_standard(0, "single"),
    single_unchecked(1, "single"),
    single_standard(2, "safe"),
    single_unchecked(3, "safe"),
    safe::<true>(4),
    safe::<false>(5),
    lock_free::<true>(6),
    lock_free::<false>(7),
    inspected(8),
];
