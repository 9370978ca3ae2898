//! What programs that inline the hot paths work on: the front of a single-owner engine, and a slot
//! with an explicit cache, as they are. Nothing is copied, so the program and the library see each
//! other's every step, and every figure stays exact.
//!
//! ```text
//!   Single   allocations │ deallocations │ hand │ head of the free list │ ledger │ base │ ...
//!   Slot     ... │ key │ magazine │ next │ base │ stride │ multiplier │ ledger │ bytes ─► │ ...
//! ```
//!
//! While allocations fail on purpose, the words of a single-owner engine say that there is no block
//! to give, and that no pointer is one to take (`Single::hide`), so that both calls are the
//! library's.
//!
//! The offsets are part of the ABI: `include/memory_pool/pool_inline.h` has them too, and compares
//! them with the same numbers. A change here is a new [`VERSION`]; a program that was compiled for
//! another gets no view, and calls the library.

use core::mem::offset_of;
use core::ptr::NonNull;

use crate::cache::magazine::Magazine;
use crate::checks::ledger::State;
use crate::checks::{Standard, Unchecked};
use crate::freelist::hand::Hand;
use crate::layout::geometry::Geometry;
use crate::pool::Pool;
use crate::pool::engine::Engine;
use crate::pool::explicit::{Blocks, Cache};
use crate::pool::single::Single;

/// Of the layout of both views.
pub(crate) const VERSION: u32 = 1;

/// Programs multiply and count in 64 bits.
const IS_KNOWN: bool = size_of::<usize>() == 8;

const _: () = assert!(!IS_KNOWN || single_is_laid_out_as_published());
const _: () = assert!(!IS_KNOWN || cache_is_laid_out_as_published());
const _: () = assert!(State::Free as u8 == 1 && State::Live as u8 == 2);

const fn single_is_laid_out_as_published() -> bool {
    const HAND: usize = offset_of!(Single<Standard>, hand);
    const CHECKS: usize = offset_of!(Single<Standard>, checks);
    const GEOMETRY: usize = CHECKS + offset_of!(Standard, geometry);
    offset_of!(Single<Standard>, allocations) == 0
        && offset_of!(Single<Standard>, deallocations) == 8
        && HAND + offset_of!(Hand, kept) == 16
        && HAND + offset_of!(Hand, low) == 24
        && HAND + offset_of!(Hand, taken) == 32
        && HAND + offset_of!(Hand, high) == 40
        && HAND + offset_of!(Hand, kept_entry) == 48
        && HAND + offset_of!(Hand, top) == 56
        && offset_of!(Single<Standard>, free) == 64
        && offset_of!(Single<Standard>, floor) == 72
        && CHECKS + offset_of!(Standard, ledger) == 80
        && CHECKS + offset_of!(Standard, base) == 88
        && GEOMETRY + offset_of!(Geometry, bytes) == 96
        && GEOMETRY + offset_of!(Geometry, reciprocal) == 104
        && offset_of!(Single<Unchecked>, allocations) == 0
        && offset_of!(Single<Unchecked>, deallocations) == 8
        && offset_of!(Single<Unchecked>, hand) == 16
        && offset_of!(Single<Unchecked>, free) == 64
        && offset_of!(Single<Unchecked>, floor) == 72
}

/// From the key of the slot on, which comes right before the cache (`slot.rs`).
const fn cache_is_laid_out_as_published() -> bool {
    const MAGAZINE: usize = size_of::<usize>() + Cache::MAGAZINE_AT;
    const BLOCKS: usize = size_of::<usize>() + offset_of!(Cache, blocks);
    MAGAZINE + offset_of!(Magazine, busy) == 8
        && MAGAZINE + offset_of!(Magazine, floor) == 12
        && MAGAZINE + offset_of!(Magazine, ceiling) == 16
        && MAGAZINE + offset_of!(Magazine, batch) == 20
        && MAGAZINE + offset_of!(Magazine, state) == 24
        && MAGAZINE + offset_of!(Magazine, blocks) == 32
        && BLOCKS + offset_of!(Blocks, base) == 1168
        && BLOCKS + offset_of!(Blocks, stride) == 1176
        && BLOCKS + offset_of!(Blocks, multiplier) == 1184
        && BLOCKS + offset_of!(Blocks, ledger) == 1192
        && BLOCKS + offset_of!(Blocks, bytes) == 1200
}

impl Pool {
    /// The front of the engine, if it is the one that a program of this version and level of
    /// checks knows.
    pub(crate) fn single_view(&self, version: u32, is_checked: bool) -> Option<NonNull<u8>> {
        if !is_known(version) {
            return None;
        }
        match &self.core.engine {
            Engine::SingleStandard(engine) if is_checked => Some(NonNull::from(engine).cast()),
            Engine::SingleUnchecked(engine) if !is_checked => Some(NonNull::from(engine).cast()),
            _ => None,
        }
    }
}

/// Whether programs of this version find what they expect.
pub(crate) fn is_known(version: u32) -> bool {
    IS_KNOWN && version == VERSION
}
