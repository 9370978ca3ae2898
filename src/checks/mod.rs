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
    type Known: Copy;

    /// The block at the head of the free list, now marked live.
    fn hand_out(&self, claimed: *mut u8) -> Option<Block>;

    /// The live block that `pointer` is the start of, now marked free.
    #[inline(always)]
    fn take_back(&self, pointer: UserPointer) -> Option<Block> {
        self.hand_in_known(self.find_live(pointer)?);
        // SAFETY: a live block starts there.
        Some(unsafe { pointer.vouched() })
    }

    /// What leads to the state of the live block that `pointer` is the start of.
    fn find_live(&self, pointer: UserPointer) -> Option<Self::Known>;

    /// Marks a block live that was free.
    fn hand_out_known(&self, known: Self::Known);

    /// Marks a block free that was live.
    fn hand_in_known(&self, known: Self::Known);

    /// What leads to the state of a block.
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

    /// The block at `pointer`, if it is in this state.
    #[inline(always)]
    fn find(&self, pointer: UserPointer, state: State) -> Option<BlockIndex> {
        let index = self.geometry.index_of(offset(pointer, self.base()))?;
        (self.ledger.state(index) == state as u8).then_some(index)
    }
}

impl Checks for Standard {
    type Known = BlockIndex;

    #[inline(always)]
    fn hand_out(&self, claimed: *mut u8) -> Option<Block> {
        let claimed = UserPointer::new(claimed);
        self.hand_out_known(self.find(claimed, State::Free)?);
        // SAFETY: the geometry says that a block starts there.
        Some(unsafe { claimed.vouched() })
    }

    #[inline(always)]
    fn find_live(&self, pointer: UserPointer) -> Option<BlockIndex> {
        self.find(pointer, State::Live)
    }

    #[inline(always)]
    fn hand_out_known(&self, known: BlockIndex) {
        self.ledger.set(known, State::Live);
    }

    #[inline(always)]
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
                Some(block) => Ok(Some(block)),
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
    fn find_live(&self, pointer: UserPointer) -> Option<()> {
        // `POOL_CHECKS_NONE` passes the proof to the caller: not null, so a live block.
        (!pointer.is_null()).then_some(())
    }

    #[inline(always)]
    fn hand_out_known(&self, (): ()) {}

    #[inline(always)]
    fn hand_in_known(&self, (): ()) {}

    fn known(&self, _block: Block) {}

    fn take_back_slow(&self, pointer: UserPointer) -> Result<Option<Block>, Error> {
        Ok(self.take_back(pointer))
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
