//! Layer 5: a pool, from its creation to its end.
//!
//! ```text
//!   handle ─► slot ─► Pool ┬─ engine   allocate, deallocate: single
//!                          ├─ span     the memory
//!                          └─ policy   what misuse and leaks lead to
//! ```
//!
//! Reading order: `config` (what is asked), `create` (how it becomes a pool), `single` (the two
//! hot paths) and `bulk`, `grow` and `trim`, `report` (what the user is told), `inspect` (the
//! invariants as code), `handles` (why a destroyed pool is an error code and not a crash).
//!
//! The invariants, checked by number in `inspect`:
//!
//! P1. `frontier <= capacity`, and no block from the frontier on was ever handed out.
//! P2. The blocks in use are those that the ledger calls live; their number is
//!     `allocations - deallocations`.
//! P3. Every block below the frontier that is not in use is on the free list or waits on a page
//!     that was trimmed, once, and nothing else is.

mod arena;
mod bulk;
pub(crate) mod config;
mod create;
mod destroy;
mod directory;
mod engine;
mod grow;
pub(crate) mod handles;
pub(crate) mod inspect;
mod overflow;
mod report;
mod single;
mod trim;

use core::cell::Cell;
use core::ptr::NonNull;

use crate::base::error::Error;
use crate::base::ids::{Block, UserPointer};
use crate::base::log::{Level, log};
use crate::checks::Checks;
use crate::layout::stride::Layout;
use crate::source::memory::Memory;
use crate::span::Span;
use config::{Name, Policy};
use engine::{Engine, each, each_hot};
use overflow::Overflow;

pub(crate) use create::{bytes_needed, create, plan};
pub(crate) use destroy::destroy;
pub(crate) use report::Finding;

/// One pool. It lives where [`handles`] finds it: in a slot of ours, or in a caller's buffer.
#[repr(C)]
pub(crate) struct Pool {
    /// First, so that the hot paths find their words in the slot's first cache lines.
    engine: Engine,
    layout: Layout,
    span: Span,
    policy: Policy,
    /// With `POOL_EXHAUSTED_HEAP`.
    overflow: Option<Overflow>,
    /// The links of pages that wait since the last trim.
    trimmed: Cell<Option<Memory>>,
}

impl Pool {
    /// A block, if one can be had by the hot path alone.
    #[inline(always)]
    pub(crate) fn allocate(&self) -> Option<Block> {
        each_hot!(&self.engine, engine => engine.allocate())
    }

    /// A block, by every means there is; `None`: all are live.
    ///
    /// Nothing is looked at after a report: the log callback may have destroyed the pool.
    pub(crate) fn allocate_slow(&self) -> Option<Block> {
        if let Some(block) = self.allocate() {
            return Some(block);
        }
        let supply = each!(&self.engine, engine => engine.allocate_slow());
        let block = supply.block.or_else(|| self.allocate_beyond());
        if block.is_none() {
            each!(&self.engine, engine => engine.count_failure());
        }
        match supply.repaired {
            Some(free_blocks) => self.report(Finding::DamagedFreeList { free_blocks }),
            None if block.is_none() => self.report(Finding::Exhausted),
            None => {}
        }
        block
    }

    /// A block that is not there yet: by growth, or from the heap. What is refused is logged once.
    fn allocate_beyond(&self) -> Option<Block> {
        let growth = self.grow_when_dry();
        if growth == Ok(true) {
            return each!(&self.engine, engine => engine.allocate_slow()).block;
        }
        let block = self.overflow.as_ref()?.allocate(&self.layout);
        if block.is_none() && growth.is_ok() {
            log!(Level::Warn, "pool \"{}\": the heap gives no memory for a block", self.name());
        }
        block
    }

    /// Takes a block back; `false`: the slow path must look at it.
    #[inline(always)]
    #[must_use]
    pub(crate) fn deallocate(&self, pointer: UserPointer) -> bool {
        each_hot!(&self.engine, engine => engine.deallocate(pointer))
    }

    /// Takes a block back or says, and reports, why not.
    pub(crate) fn deallocate_slow(
        &self,
        pointer: UserPointer,
        entry: Option<usize>,
    ) -> Result<(), Error> {
        if self.deallocate(pointer) {
            return Ok(());
        }
        let result = each!(&self.engine, engine => engine.deallocate_slow(pointer));
        let result = match (result, &self.overflow) {
            (Err(Error::ForeignPointer), Some(overflow)) => {
                if overflow.deallocate(pointer) {
                    Ok(())
                } else if overflow.containing(pointer, &self.layout).is_some() {
                    Err(Error::InteriorPointer)
                } else {
                    Err(Error::ForeignPointer)
                }
            }
            (result, _) => result,
        };
        result.inspect_err(|_| self.report(Finding::BadPointer { pointer, entry }))
    }

    /// Makes every block free.
    pub(crate) fn reset(&self) {
        each!(&self.engine, engine => engine.reset());
        self.overflow.iter().for_each(Overflow::clear);
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(crate) fn name(&self) -> &Name {
        &self.policy.name
    }

    /// Whether `pointer` is the start of a block, free or live.
    pub(crate) fn owns(&self, pointer: UserPointer) -> bool {
        each!(&self.engine, engine => engine.checks().index_of(pointer)).is_some()
            || self.overflow.as_ref().is_some_and(|overflow| overflow.find(pointer).is_some())
    }

    fn base(&self) -> NonNull<u8> {
        self.span.base()
    }
}
