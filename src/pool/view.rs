//! What programs that inline the hot paths work on: words of a single-owner pool that are lent to
//! them, and a slot with an explicit cache, as it is. Nothing is there twice, so the program and
//! the library see each other's every step, and every figure stays exact.
//!
//! ```text
//!   SingleView   hand │ floor or shift │ ledger │ base │ capacity │ inverse   the program's object
//!   Slot         ... │ key │ magazine │ next │ base │ stride │ inverse │ shift │ ledger │ ...
//! ```
//!
//! The words of a single-owner pool lie in an object of the program, where a load and a store name
//! them by the same register whenever the program does; the engine keeps their address. They come
//! back when the program says so. Whoever had them before is left with words that have no block to
//! give and take none, and so is the program when the pool ends.
//!
//! The array of the blocks at hand is there since the words were lent first: a program that inlines
//! nothing pays nothing.
//!
//! While allocations fail on purpose, the words that are lent say that there is no block to give,
//! and that no pointer is one to take (`Single::hide`), so that both calls are the library's.
//!
//! The offsets are part of the ABI: `include/memory_pool/pool_inline.h` has them too, and compares
//! them with the same numbers. A change here is a new [`VERSION`]; a program that was compiled for
//! another gets no view, and calls the library.
//!
//! V1. What is lent can be read and written, at its address, until it is taken back.

use core::cell::{Cell, OnceCell};
use core::mem::offset_of;
use core::ptr::{self, NonNull};

use crate::base::ids::Block;
use crate::cache::magazine::Magazine;
use crate::checks::Checks;
use crate::checks::ledger::State;
use crate::freelist::hand::Hand;
use crate::host::os;
use crate::layout::geometry::Geometry;
use crate::pool::Pool;
use crate::pool::core::Core;
use crate::pool::engine::Engine;
use crate::pool::explicit::{Blocks, Cache};
use crate::pool::single::Single;
use crate::source::memory::Memory;

/// Of the layout of both views.
pub(crate) const VERSION: u32 = 1;

/// Programs multiply and count in 64 bits.
const IS_KNOWN: bool = size_of::<usize>() == 8;

const _: () = assert!(!IS_KNOWN || single_is_laid_out_as_published());
const _: () = assert!(!IS_KNOWN || cache_is_laid_out_as_published());
const _: () = assert!(State::Free as u8 == 1 && State::Live as u8 == 2);

const fn single_is_laid_out_as_published() -> bool {
    offset_of!(Hand, taken_kept) == 0
        && offset_of!(Hand, taken) == 8
        && offset_of!(Hand, kept) == 16
        && offset_of!(Hand, low) == 24
        && offset_of!(Hand, top) == 32
        && offset_of!(Hand, high) == 40
        && offset_of!(SingleView, floor_or_shift) == 48
        && offset_of!(SingleView, ledger) == 56
        && offset_of!(SingleView, base) == 64
        && offset_of!(SingleView, capacity) == 72
        && offset_of!(SingleView, inverse) == 80
        && offset_of!(SingleView, hand) == 0
}

/// From the key of the slot on, which comes right before the cache (`slot.rs`).
const fn cache_is_laid_out_as_published() -> bool {
    const MAGAZINE: usize = size_of::<usize>() + Cache::MAGAZINE_AT;
    const BLOCKS: usize = size_of::<usize>() + offset_of!(Cache, blocks);
    MAGAZINE + offset_of!(Magazine, coming) == 8
        && MAGAZINE + offset_of!(Magazine, forbidden) == 16
        && MAGAZINE + offset_of!(Magazine, state) == 24
        && MAGAZINE + offset_of!(Magazine, blocks) == 32
        && BLOCKS + offset_of!(Blocks, base) == 1168
        && BLOCKS + offset_of!(Blocks, stride) == 1176
        && BLOCKS + offset_of!(Blocks, inverse) == 1184
        && BLOCKS + offset_of!(Blocks, shift) == 1192
        && BLOCKS + offset_of!(Blocks, ledger) == 1200
        && BLOCKS + offset_of!(Blocks, capacity) == 1208
}

/// What a program holds of a single-owner pool.
#[repr(C)]
pub(crate) struct SingleView {
    hand: Hand,
    /// Without checks, all blocks lie above this address: 0, so it tells null from a block; or they
    /// are hidden. With checks, the shift of the reciprocal.
    floor_or_shift: Cell<usize>,
    /// With checks only, as the rest:
    ledger: *const u8,
    base: *const u8,
    capacity: Cell<usize>,
    inverse: usize,
}

impl SingleView {
    fn is_checked(&self) -> bool {
        !self.ledger.is_null()
    }

    /// Has no block to give, and takes none.
    fn closed() -> Self {
        Self {
            hand: Hand::new(),
            floor_or_shift: Cell::new(usize::MAX),
            ledger: ptr::null(),
            base: ptr::null(),
            capacity: Cell::new(0),
            inverse: 0,
        }
    }

    fn of(hand: Hand, checks: &impl Checks) -> Self {
        let Some(ledger) = checks.ledger() else {
            return Self { hand, floor_or_shift: Cell::new(0), ..Self::closed() };
        };
        let geometry = checks.geometry();
        Self {
            hand,
            floor_or_shift: Cell::new(geometry.reciprocal.shift as usize),
            ledger: ledger.end().as_ptr(),
            base: checks.base().as_ptr(),
            capacity: Cell::new(geometry.capacity()),
            inverse: geometry.reciprocal.inverse,
        }
    }
}

/// The hand of a single-owner pool, here or with a program.
pub(crate) struct LentHand {
    pub(super) own: Hand,
    pub(super) lent: Cell<Option<NonNull<SingleView>>>,
}

impl LentHand {
    pub(crate) const fn new() -> Self {
        Self { own: Hand::new(), lent: Cell::new(None) }
    }

    fn view(&self) -> Option<&SingleView> {
        // SAFETY: V1.
        self.lent.get().map(|view| unsafe { view.as_ref() })
    }

    pub(crate) fn is_lent(&self) -> bool {
        self.lent.get().is_some()
    }

    pub(crate) fn get(&self) -> &Hand {
        self.view().map_or(&self.own, |view| &view.hand)
    }

    /// No pointer is a block that the program takes back: with checks there is no block, and
    /// without them none lies above the floor.
    pub(super) fn hide(&self) {
        if let Some(view) = self.view() {
            match view.is_checked() {
                true => view.capacity.set(0),
                false => view.floor_or_shift.set(usize::MAX),
            }
        }
    }

    /// Undoes `hide`.
    pub(super) fn show(&self, geometry: &Geometry) {
        if let Some(view) = self.view() {
            match view.is_checked() {
                true => view.capacity.set(geometry.capacity()),
                false => view.floor_or_shift.set(0),
            }
        }
    }

    /// Tells the program of new blocks, unless they are hidden.
    pub(crate) fn extend(&self, geometry: &Geometry) {
        if let Some(view) = self.view()
            && view.is_checked()
            && view.capacity.get() > 0
        {
            view.capacity.set(geometry.capacity());
        }
    }

    /// Lends the words to the place, or takes them back.
    ///
    /// # Safety
    /// * V1 for `to`.
    unsafe fn lend(&self, to: Option<NonNull<SingleView>>, checks: &impl Checks) {
        let hand = self.get().clone();
        if let Some(from) = self.lent.replace(to) {
            // SAFETY: V1.
            unsafe { from.write(SingleView::closed()) };
        }
        match to {
            // SAFETY: by this function's contract.
            Some(to) => unsafe { to.write(SingleView::of(hand, checks)) },
            None => self.own.set(hand),
        }
    }
}

/// Where the addresses of the blocks at hand stand, if a program ever had the words.
pub(crate) struct Room {
    memory: OnceCell<Memory>,
    /// So many can be used.
    bytes: Cell<usize>,
}

impl Room {
    pub(crate) const fn new() -> Self {
        Self { memory: OnceCell::new(), bytes: Cell::new(0) }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes.get()
    }

    pub(crate) fn reserved_bytes(&self) -> usize {
        self.memory.get().map_or(0, Memory::bytes)
    }

    pub(crate) fn resident_bytes(&self) -> Option<usize> {
        let resident = |memory: &Memory| memory.resident_bytes(0..self.bytes.get());
        self.memory.get().map_or(Some(0), resident)
    }

    /// Gives its memory back, which nothing stands in.
    pub(super) fn discard(&self) {
        if let Some(memory) = self.memory.get() {
            memory.discard(0..self.bytes.get());
        }
    }
}

/// The fewest addresses that there is room for, if there are as many blocks.
const ROOM_MIN: usize = 1024;

impl Core {
    /// How many blocks of `capacity` can be at hand: the room is an eighth of the blocks at most.
    fn room_for(&self, capacity: usize) -> usize {
        let bytes = capacity.saturating_mul(self.layout.stride) / 8;
        capacity.min(ROOM_MIN.max(bytes / size_of::<Block>()))
    }

    /// Gives the hand the room that it should have, or leaves it as it is where the system gives no
    /// memory, and where all memory is the caller's.
    fn widen<C: Checks>(&self, engine: &Single<C>) {
        let (words, most) = (self.room_for(engine.capacity()), self.layout.max_capacity);
        let most = (self.room_for(most) * size_of::<Block>()).next_multiple_of(os::page_bytes());
        if self.room.memory.get().is_none() {
            let memory = self.span.is_of_system().then(|| Memory::reserved(most)).flatten();
            let Some(memory) = memory else { return };
            let _ = self.room.memory.set(memory);
        }
        let Some(memory) = self.room.memory.get() else { return };
        let before = self.room.bytes.get();
        let bytes = (words * size_of::<Block>()).next_multiple_of(os::page_bytes()).max(before);
        if bytes > before && !self.span.commit_beside(memory, before..bytes) {
            return;
        }
        self.room.bytes.set(bytes);
        // SAFETY: so many words of this room, which is the hand's alone and never moves.
        unsafe { engine.hand().widen(memory.start().cast(), words) };
    }

    /// Makes room for more blocks at hand, where there was any.
    pub(super) fn widen_room(&self) {
        if self.room.memory.get().is_none() {
            return;
        }
        match &self.engine {
            Engine::SingleStandard(engine) => self.widen(engine),
            Engine::SingleUnchecked(engine) => self.widen(engine),
            _ => {}
        }
    }

    /// # Safety
    /// * V1 for `to`.
    unsafe fn lend<C: Checks>(&self, engine: &Single<C>, to: Option<NonNull<SingleView>>) {
        if to.is_some() {
            self.widen(engine);
        }
        // SAFETY: by this function's contract.
        unsafe { engine.hand.lend(to, engine.checks()) };
        engine.prepare_to_keep();
    }
}

impl Pool {
    /// Lends the words of the engine, if it is the one that a program of this version and level of
    /// checks knows; with `None` it takes them back. Whether it has lent them.
    ///
    /// # Safety
    /// * V1 for `to`.
    pub(crate) unsafe fn lend_words(
        &self,
        version: u32,
        is_checked: bool,
        to: Option<NonNull<SingleView>>,
    ) -> bool {
        if !is_known(version) {
            return false;
        }
        match &self.core.engine {
            // SAFETY: by this function's contract.
            Engine::SingleStandard(engine) if is_checked => unsafe { self.core.lend(engine, to) },
            // SAFETY: by this function's contract.
            Engine::SingleUnchecked(engine) if !is_checked => unsafe {
                self.core.lend(engine, to);
            },
            _ => return false,
        }
        if self.core.failing.is_armed() {
            self.core.hide();
        }
        to.is_some()
    }

    /// Takes the words back from whoever has them.
    pub(super) fn take_words_back(&self) {
        match &self.core.engine {
            // SAFETY: nothing is lent.
            Engine::SingleStandard(engine) => unsafe { self.core.lend(engine, None) },
            // SAFETY: nothing is lent.
            Engine::SingleUnchecked(engine) => unsafe { self.core.lend(engine, None) },
            _ => {}
        }
    }
}

/// Whether programs of this version find what they expect.
pub(crate) fn is_known(version: u32) -> bool {
    IS_KNOWN && version == VERSION
}
