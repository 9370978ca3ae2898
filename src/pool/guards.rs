//! Guarded blocks in a pool (`inspect/berths.rs`): one stands for a block of the span, which is
//! live for as long as it is, so that capacity and figures are what they are without.
//!
//! ```text
//!   allocate:   a block of the span ─► sampled? ─► a berth ─► the user    (else that of the span)
//!   deallocate: of the area? ─► the berth is shut ─► the block of the span is given back
//! ```
//!
//! The hot paths know nothing of it: a guarded block lies outside the span, so for them it is a
//! foreign pointer, which goes to the slow path. Where each block is guarded there are no hot paths
//! (`inspected.rs`); where one in N is, it is one of those that a slow path hands out.
//!
//! All of it happens under the pool's lock, or in the hands of its owner.
//!
//! N1. What is at the address in `Guards` is a `Guarded`, and nobody else's, until that is dropped.

use core::ops::Deref;
use core::ptr::NonNull;

use crate::base::ids::{Block, BlockIndex, UserPointer};
use crate::host::{sleep, tsan};
use crate::inspect::Evidence;
use crate::inspect::berths::{Berthed, Berths};
use crate::inspect::fill::{Damage, FRESH};
use crate::inspect::sampling::Sampling;
use crate::layout::geometry::Place;
use crate::layout::stride::Layout;
use crate::pool::config::Name;
use crate::pool::core::Core;
use crate::pool::engine::each;
use crate::pool::faults;
use crate::pool::inspected::{Damaged, When};
use crate::pool::report::Misuse;
use crate::source::memory::Memory;

/// Berths beyond those that all blocks take, so that one that came back stays inaccessible for a
/// while even if all others are live; and all there are, where blocks are sampled.
const SPARE: usize = 64;

/// The guarded blocks of a pool, where a fault finds them: a pool itself is moved.
pub(crate) struct Guards(NonNull<Guarded>);

pub(crate) struct Guarded {
    pub(super) berths: Berths,
    pub(super) name: Name,
    sampling: Sampling,
    /// What this lies in.
    home: Memory,
}

impl Guards {
    /// `None`: the system gives no memory for it.
    pub(super) fn new(one_in: u32, layout: &Layout, name: Name) -> Option<Self> {
        let Layout { block_size, alignment, max_capacity, .. } = *layout;
        let count = if one_in == 1 { max_capacity.saturating_add(SPARE) } else { SPARE };
        let berths = Berths::new((block_size, alignment), count, max_capacity)?;
        let home = Memory::new(size_of::<Guarded>())?;
        let place: NonNull<Guarded> = home.start().cast();
        let sampling = Sampling::new(one_in, sleep::now());
        // SAFETY: as large as that, on an OS page, and nobody else's.
        unsafe { place.write(Guarded { berths, name, sampling, home }) };
        faults::watch(place);
        Some(Self(place))
    }
}

impl Deref for Guards {
    type Target = Guarded;

    fn deref(&self) -> &Guarded {
        // SAFETY: N1.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Guards {
    fn drop(&mut self) {
        faults::forget(self.0);
        // SAFETY: N1; what it lies in goes with it, and nothing else refers to it.
        let Guarded { berths, home, .. } = unsafe { self.0.read() };
        drop(berths);
        drop(home);
    }
}

impl Core {
    /// What the user has in the place of a block that was just handed out: itself, most often.
    pub(super) fn guarded(&self, block: Block) -> Block {
        let Some(guards) = &self.guards else { return block };
        let pointer = UserPointer::new(block.as_ptr());
        let Place::Start(index) = each!(&self.engine, engine => engine.place(pointer)) else {
            return block;
        };
        if !guards.sampling.is_due(self.engine.weight()) {
            return block;
        }
        let fresh = self.inspector().filter(|inspector| inspector.poisons()).map(|_| FRESH);
        let taken = guards.sampling.spend(|| guards.berths.take(index, fresh));
        taken.inspect(|&block| tsan::handed_out(block)).unwrap_or(block)
    }

    /// Takes a guarded block back, or says why not; `None`: it is none, and never was.
    pub(super) fn deallocate_guarded(&self, pointer: UserPointer) -> Option<Result<(), Misuse>> {
        let (guards, berthed, into) = self.guarded_at(pointer)?;
        if !berthed.is_live || into != 0 {
            return Some(Err(self.misuse_of(pointer)));
        }
        tsan::taken_back(berthed.block);
        let damage = guards.sampling.spend(|| {
            let damage = guards.berths.damage(&berthed);
            guards.berths.give(&berthed);
            damage
        });
        let (_, of_span) = self.block_of_span(berthed.index);
        let given = self.deallocate_plain(UserPointer::new(of_span.as_ptr()));
        Some(match damage {
            Some(damage) => Err(Misuse::Damaged(damaged(&berthed, damage, When::TakenBack))),
            None => given,
        })
    }

    /// The guarded block that a pointer leads to, or into, and how far.
    pub(super) fn guarded_at(&self, pointer: UserPointer) -> Option<(&Guards, Berthed, isize)> {
        let guards = self.guards.as_ref().filter(|guards| guards.berths.has(pointer.address()))?;
        let (berthed, into) = guards.berths.find(pointer.address())?;
        Some((guards, berthed, into))
    }

    /// What is wrong with a pointer that leads to a guarded block, or into one.
    pub(super) fn misuse_of_guarded(&self, pointer: UserPointer) -> Option<Misuse> {
        let (_, Berthed { index, is_live, .. }, into) = self.guarded_at(pointer)?;
        match usize::try_from(into).ok()? {
            0 => (!is_live).then_some(Misuse::FreeAlready { index }),
            into => Some(Misuse::InteriorOfBlock { index, into }),
        }
    }

    /// Whether a pointer is the start of a guarded block that is live.
    pub(super) fn is_live_guarded(&self, pointer: UserPointer) -> bool {
        let found = self.guarded_at(pointer);
        found.is_some_and(|(_, berthed, into)| berthed.is_live && into == 0)
    }

    /// Who had the guarded block that a pointer leads to.
    pub(super) fn evidence_of_guarded(&self, pointer: UserPointer) -> Option<Evidence> {
        let (guards, berthed, _) = self.guarded_at(pointer)?;
        Some(guards.berths.evidence(&berthed))
    }

    /// Where the user has the block of that number.
    pub(super) fn block_at(&self, index: BlockIndex) -> (BlockIndex, Block) {
        let standing = self.guards.as_ref().and_then(|guards| guards.berths.standing_for(index));
        standing.map_or_else(|| self.block_of_span(index), |berthed| (index, berthed.block))
    }

    fn block_of_span(&self, index: BlockIndex) -> (BlockIndex, Block) {
        // SAFETY: P1, the blocks lie in the span up to the capacity.
        (index, unsafe { self.base().add(index.0 * self.layout().stride) })
    }

    /// Ends all guarded blocks; those that they stand for are the caller's to free.
    pub(super) fn end_guarded(&self) {
        let Some(guards) = &self.guards else { return };
        guards.berths.all_live().for_each(|berthed| guards.berths.give(&berthed));
    }

    /// The first block that something is wrong with, and how many there are.
    pub(super) fn damaged(&self) -> Option<(Damaged, usize)> {
        let watched = self.damaged_watched();
        let guards = self.guards.iter();
        let mut guarded = guards.flat_map(|guards| {
            let damage = |berthed: Berthed| Some((berthed, guards.berths.damage(&berthed)?));
            guards.berths.all_live().filter_map(damage)
        });
        if let Some((first, count)) = watched {
            return Some((first, count + guarded.count()));
        }
        let (berthed, damage) = guarded.next()?;
        Some((damaged(&berthed, damage, When::Looked), 1 + guarded.count()))
    }

    /// The number by which the sites of guarded blocks know the one that stands for that block.
    pub(super) fn site_of_guarded(&self, index: BlockIndex) -> Option<BlockIndex> {
        let berthed = self.guards.as_ref()?.berths.standing_for(index)?;
        Some(BlockIndex(berthed.number))
    }

    /// Bytes that guarded blocks take, and what is known of them.
    pub(super) fn guard_bytes(&self) -> usize {
        self.guards.as_ref().map_or(0, |guards| guards.berths.bytes() + guards.home.bytes())
    }
}

fn damaged(berthed: &Berthed, damage: Damage, when: When) -> Damaged {
    Damaged { index: berthed.index, block: berthed.block, damage, when }
}
