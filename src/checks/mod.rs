//! Layer 4: what a pool verifies before it believes a pointer.
//!
//! Two levels, each a type, chosen once when the pool is created:
//!
//! | level         | before a block is handed out        | before a pointer is taken back  |
//! |---------------|-------------------------------------|---------------------------------|
//! | [`Standard`]  | the free list leads to a free block | it is the start of a live block |
//! | [`Unchecked`] | nothing                             | it is not null                  |
//!
//! Each question has a fast form for the hot path, whose `None` only means "not certain", and a
//! slow form that knows the answer and its name.

pub(crate) mod ledger;

use core::ptr::NonNull;

use crate::base::error::Error;
use crate::base::ids::{Block, BlockIndex, UserPointer};
use crate::layout::geometry::{Geometry, Place};
use ledger::{Ledger, State};

/// One level of checks. "Claimed" pointers come from the free list, which a stray write by the
/// user can damage.
pub(crate) trait Checks {
    /// What leads to the state of a block without a look-up.
    type Known: Copy + Default;

    /// The block at the head of the free list, now marked live.
    fn hand_out(&self, claimed: *mut u8) -> Option<Block>;

    /// The live block that `pointer` is the start of, now marked free.
    fn take_back(&self, pointer: UserPointer) -> Option<(Block, Self::Known)>;

    /// Marks a block live that was taken back by [`take_back`](Self::take_back), or as that does,
    /// and that nobody had since.
    fn hand_out_known(&self, known: Self::Known);

    /// Marks a block free, as [`take_back`](Self::take_back) does.
    fn hand_in_known(&self, known: Self::Known);

    /// What [`take_back`](Self::take_back) answered of a block.
    fn known(&self, block: Block) -> Self::Known;

    /// As [`take_back`](Self::take_back), with the reason; null is `Ok(None)`.
    fn take_back_slow(&self, pointer: UserPointer) -> Result<Option<Block>, Error>;

    /// Marks a block live that was never handed out before.
    fn hand_out_fresh(&self, index: BlockIndex);

    /// The ledger, when the level keeps one: it lists blocks and rebuilds a damaged free list.
    fn ledger(&self) -> Option<&Ledger>;

    /// Where the blocks begin.
    fn base(&self) -> NonNull<u8>;

    /// Which offset from there is which block.
    fn geometry(&self) -> &Geometry;

    /// Where `pointer` leads.
    fn place(&self, pointer: UserPointer) -> Place {
        self.geometry().place(offset(pointer, self.base()))
    }

    /// The block that starts at `pointer`.
    fn index_of(&self, pointer: UserPointer) -> Option<BlockIndex> {
        self.geometry().index_of(offset(pointer, self.base()))
    }
}

/// Bytes from `base` to `pointer`; what lies before `base` wraps around.
#[inline(always)]
fn offset(pointer: UserPointer, base: NonNull<u8>) -> usize {
    pointer.address().wrapping_sub(base.addr().get())
}

/// Believes nothing: every pointer is looked up in the ledger.
#[repr(C)]
pub(crate) struct Standard {
    pub(crate) ledger: Ledger,
    pub(crate) base: NonNull<u8>,
    pub(crate) geometry: Geometry,
}

impl Standard {
    /// The ledger covers every block of `geometry`.
    pub(crate) fn new(geometry: Geometry, base: NonNull<u8>, ledger: Ledger) -> Self {
        Self { ledger, base, geometry }
    }

    /// Turns the block at `pointer` from one state into another, if it is in the first.
    #[inline(always)]
    fn turn(&self, pointer: UserPointer, from: State, to: State) -> Option<(Block, BlockIndex)> {
        let index = self.geometry.index_of(offset(pointer, self.base()))?;
        if self.ledger.state(index) != from as u8 {
            return None;
        }
        self.ledger.set(index, to);
        // SAFETY: the geometry says that a block starts at `pointer`.
        Some((unsafe { pointer.vouched() }, index))
    }
}

impl Checks for Standard {
    type Known = BlockIndex;

    #[inline(always)]
    fn hand_out(&self, claimed: *mut u8) -> Option<Block> {
        let found = self.turn(UserPointer::new(claimed), State::Free, State::Live);
        found.map(|(block, _)| block)
    }

    #[inline(always)]
    fn take_back(&self, pointer: UserPointer) -> Option<(Block, BlockIndex)> {
        self.turn(pointer, State::Live, State::Free)
    }

    #[inline(always)]
    fn hand_out_known(&self, known: BlockIndex) {
        self.ledger.set(known, State::Live);
    }

    fn hand_in_known(&self, known: BlockIndex) {
        self.ledger.set(known, State::Free);
    }

    fn known(&self, block: Block) -> BlockIndex {
        let offset = offset(UserPointer::new(block.as_ptr()), self.base);
        self.geometry.reciprocal.number(offset)
    }

    fn take_back_slow(&self, pointer: UserPointer) -> Result<Option<Block>, Error> {
        match self.place(pointer) {
            _ if pointer.is_null() => Ok(None),
            Place::Foreign => Err(Error::ForeignPointer),
            Place::Interior(..) => Err(Error::InteriorPointer),
            Place::Start(_) => match self.take_back(pointer) {
                Some((block, _)) => Ok(Some(block)),
                None => Err(Error::DoubleFree),
            },
        }
    }

    fn hand_out_fresh(&self, index: BlockIndex) {
        self.ledger.set(index, State::Live);
    }

    fn ledger(&self) -> Option<&Ledger> {
        Some(&self.ledger)
    }

    #[inline(always)]
    fn base(&self) -> NonNull<u8> {
        self.base
    }

    fn geometry(&self) -> &Geometry {
        &self.geometry
    }
}

/// Believes the caller.
pub(crate) struct Unchecked {
    base: NonNull<u8>,
    pub(crate) geometry: Geometry,
}

impl Unchecked {
    pub(crate) fn new(geometry: Geometry, base: NonNull<u8>) -> Self {
        Self { base, geometry }
    }
}

impl Checks for Unchecked {
    type Known = ();

    #[inline(always)]
    fn hand_out(&self, claimed: *mut u8) -> Option<Block> {
        NonNull::new(claimed)
    }

    #[inline(always)]
    fn take_back(&self, pointer: UserPointer) -> Option<(Block, ())> {
        // SAFETY: `POOL_CHECKS_NONE` passes the proof to the caller: not null, so a live block.
        (!pointer.is_null()).then(|| (unsafe { pointer.vouched() }, ()))
    }

    #[inline(always)]
    fn hand_out_known(&self, (): ()) {}

    fn hand_in_known(&self, (): ()) {}

    fn known(&self, _block: Block) {}

    fn take_back_slow(&self, pointer: UserPointer) -> Result<Option<Block>, Error> {
        Ok(self.take_back(pointer).map(|(block, ())| block))
    }

    fn hand_out_fresh(&self, _index: BlockIndex) {}

    fn ledger(&self) -> Option<&Ledger> {
        None
    }

    fn base(&self) -> NonNull<u8> {
        self.base
    }

    fn geometry(&self) -> &Geometry {
        &self.geometry
    }
}
