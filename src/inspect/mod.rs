//! Layer 4: what `POOL_CHECKS_FULL` finds out beyond the standard checks, and the switches of
//! `MEMORY_POOL_CHECKS`, each of them alone.
//!
//! ```text
//!   hand out ─► is the free block as it was left? ─► pattern, canaries ─► who takes it
//!   take back ─► are the canaries whole? ─► pattern ─► who gives it ─► quarantine ─► free
//! ```
//!
//! | switch       | file            | what it finds                                            |
//! |--------------|-----------------|----------------------------------------------------------|
//! | `poison`     | `fill`          | writes after free; fresh memory that is read             |
//! | `canary`     | `fill`          | writes past the end of a block and before its start      |
//! | `sites`      | `sites`         | nothing by itself: tells who took and who gave the block |
//! | `quarantine` | `quarantine`    | makes what the others look for last longer               |
//! | (a tool)     | `marks`         | every use of what is not live, by a tool that watches    |
//! | `guard`      | `berths`        | past the end and after free, at the instruction          |
//! | `guard:1/N`  | `sampling`      | the same of one block in N                               |
//!
//! An [`Inspector`] knows blocks by their numbers. Which of them are live it does not know: that is
//! the engine's part (`pool/inspected.rs`), which asks it at each turn. Everything here may be
//! called by several threads at once, for different blocks, and by signal handlers.

pub(crate) mod berths;
pub(crate) mod fill;
pub(crate) mod marks;
pub(crate) mod quarantine;
pub(crate) mod sampling;
pub(crate) mod sites;
pub(crate) mod switches;

#[cfg(test)]
mod berths_test;
#[cfg(test)]
mod quarantine_test;

use core::ops::Range;

use crate::base::error::{Error, Refusal};
use crate::base::ids::BlockIndex;
use crate::source::memory::Memory;
use fill::{Damage, Fill};
use marks::Marks;
use quarantine::Quarantine;
use sites::{Event, Site, Sites};
use switches::Switches;

const NO_MEMORY: Refusal =
    Refusal::new(Error::OutOfMemory, "the system gives no memory for what POOL_CHECKS_FULL keeps");

/// What is watched of the blocks of a pool.
pub(crate) struct Inspector {
    poison: bool,
    canary: bool,
    fill: Fill,
    marks: Option<Marks>,
    sites: Option<Sites>,
    quarantine: Option<(Quarantine, Memory)>,
}

/// Who took a block, and who gave it back, as far as that is known.
#[derive(Clone, Copy)]
pub(crate) struct Evidence {
    pub(crate) taken: Option<Site>,
    pub(crate) given: Option<Site>,
    /// Where this was found.
    pub(crate) here: Option<Site>,
}

impl Evidence {
    pub(crate) const NONE: Self = Self { taken: None, given: None, here: None };
}

impl Inspector {
    /// For the blocks of `fill`: so many now, and as many as there may come to be. Blocks with
    /// marks have no patterns: nobody may touch them.
    pub(crate) fn new(
        switches: Switches,
        fill: Fill,
        marks: Option<Marks>,
        capacity: usize,
        max_capacity: usize,
    ) -> Result<Self, Refusal> {
        let Switches { sites, quarantine, poison, canary, .. } = switches;
        let sites = match sites {
            0 => None,
            depth => Some(Sites::new(depth, capacity, max_capacity).ok_or(NO_MEMORY)?),
        };
        let quarantine = match quarantine {
            0 => None,
            length => {
                let memory = Memory::new(Quarantine::bytes(length)).ok_or(NO_MEMORY)?;
                // SAFETY: so many places, zero, that stay beside it.
                let quarantine = unsafe { Quarantine::new(memory.start().cast(), length) };
                Some((quarantine, memory))
            }
        };
        let (poison, canary) = (poison && marks.is_none(), canary && marks.is_none());
        Ok(Self { poison, canary, fill, marks, sites, quarantine })
    }

    /// Whether fresh blocks hold a pattern.
    pub(crate) fn poisons(&self) -> bool {
        self.poison
    }

    pub(crate) fn fill(&self) -> &Fill {
        &self.fill
    }

    /// How many frames of a stack are wanted.
    pub(crate) fn depth(&self) -> usize {
        self.sites.as_ref().map_or(0, Sites::depth)
    }

    /// Marks blocks that come to be. Before anybody may have one.
    pub(crate) fn mark(&self, blocks: Range<usize>) {
        self.marks.iter().for_each(|marks| marks.add(blocks.clone()));
    }

    /// Says that there are so many blocks now. Those that there is no memory for are not noted.
    pub(crate) fn extend(&self, capacity: usize) {
        let _ = self.sites.as_ref().is_none_or(|sites| sites.extend(capacity));
    }

    /// Before a block is handed out. `was_given`: it came back before.
    pub(crate) fn hand_out(&self, index: BlockIndex, was_given: bool) -> Option<Damage> {
        let damage = if was_given { self.damage_of_free(index) } else { None };
        if let Some(marks) = &self.marks {
            marks.hand_out(index);
        }
        if self.poison {
            self.fill.make_fresh(index);
        }
        if self.canary {
            self.fill.make_canaries(index);
        }
        if damage.is_none() {
            self.note(index, Event::Taken);
        }
        damage
    }

    /// After a block came back, and before it is handed to anybody.
    pub(crate) fn take_back(&self, index: BlockIndex) -> Option<Damage> {
        let damage = self.damage_of_live(index);
        if damage.is_some() {
            self.fill.make_canaries(index);
        }
        if self.poison {
            self.fill.make_free(index);
        }
        if let Some(marks) = &self.marks {
            marks.take_back(index);
        }
        self.note(index, Event::Given);
        damage
    }

    /// Writes down who takes or gives a block.
    pub(crate) fn note(&self, index: BlockIndex, event: Event) {
        if let Some(sites) = &self.sites {
            sites.write(index, event);
        }
    }

    pub(crate) fn damage_of_live(&self, index: BlockIndex) -> Option<Damage> {
        if self.canary { self.fill.damage_around(index) } else { None }
    }

    pub(crate) fn damage_of_free(&self, index: BlockIndex) -> Option<Damage> {
        if self.poison { self.fill.damage_of_free(index) } else { None }
    }

    fn quarantine(&self) -> Option<&Quarantine> {
        self.quarantine.as_ref().map(|(quarantine, _memory)| quarantine)
    }

    /// Lets a block wait; the one that may go on, goes to `free`.
    pub(crate) fn delay(&self, index: BlockIndex, free: impl FnOnce(BlockIndex)) {
        match self.quarantine() {
            Some(quarantine) => quarantine.put(index, free),
            None => free(index),
        }
    }

    /// What `look` finds, or else the block that has waited longest.
    pub(crate) fn search<T>(
        &self,
        look: impl Fn() -> Option<T>,
        waited: impl FnOnce(BlockIndex) -> T,
    ) -> Option<T> {
        match self.quarantine() {
            Some(quarantine) => quarantine.search(look, waited),
            None => look(),
        }
    }

    /// How many blocks wait.
    pub(crate) fn delayed(&self) -> usize {
        self.quarantine().map_or(0, Quarantine::count)
    }

    /// Lets all go that wait. Only while nobody else calls.
    pub(crate) fn end_delays(&self) {
        if let Some(quarantine) = self.quarantine() {
            quarantine.clear();
        }
    }

    pub(crate) fn evidence(&self, index: BlockIndex) -> Evidence {
        let read = |event| self.sites.as_ref().and_then(|sites| sites.read(index, event));
        Evidence { taken: read(Event::Taken), given: read(Event::Given), here: None }
    }

    pub(crate) fn sites(&self) -> Option<&Sites> {
        self.sites.as_ref()
    }

    /// Forgets what was noted of the blocks below `end`. Only while nobody else calls.
    pub(crate) fn forget(&self, end: usize) {
        self.end_delays();
        if let Some(sites) = &self.sites {
            sites.forget(end);
        }
        if let Some(marks) = &self.marks {
            marks.forget(end);
        }
    }

    /// Bytes of memory beside the pool's own, for so many blocks.
    pub(crate) fn bytes(&self, capacity: usize) -> usize {
        self.sites.as_ref().map_or(0, |sites| sites.bytes(capacity))
            + self.quarantine().map_or(0, |line| Quarantine::bytes(line.length()))
    }
}
