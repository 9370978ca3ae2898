//! Layer 5: a pool, from its creation to its end.
//!
//! ```text
//!   handle ─► slot ─► Pool ┬─ core ┬─ engine   allocate, deallocate: single
//!                          │       └─ span     the memory
//!                          ├─ policy           what misuse and leaks lead to
//!                          └─ lock             for a pool that any thread may call
//! ```
//!
//! Reading order: `config` (what is asked), `create` (how it becomes a pool), `single` (the two
//! hot paths), `core` (the slow ones), `bulk`, `grow` and `trim`, `report` (what the user is
//! told), `inspect` (the invariants as code), `live` (which blocks are live), `handles` (why a
//! destroyed pool is an error code and not a crash), `fork` (why a child process can go on), `view`
//! (what a program inlines), `debug` (what a debugger reads), `failing` (allocations that fail on
//! purpose), `inspected` (`POOL_CHECKS_FULL`), `guards` (blocks that lie alone), `snapshot` (a
//! picture of all that).
//!
//! The invariants, checked by number in `inspect`:
//!
//! P1. `frontier <= capacity`, and no block from the frontier on was ever handed out.
//! P2. The blocks in use are those that the ledger calls live, without the one that a program keeps
//!     (A3); their number is `allocations - deallocations`.
//! P3. Every block below the frontier that is not in use is on the free list, at hand, or waits on
//!     a page that was trimmed, once, and nothing else is.

mod arena;
mod bulk;
pub(crate) mod config;
mod core;
mod create;
pub(crate) mod debug;
mod destroy;
mod directory;
mod engine;
mod evidence;
pub(crate) mod explicit;
pub(crate) mod failing;
mod faults;
mod fork;
mod grow;
mod guards;
pub(crate) mod handles;
pub(crate) mod inspect;
mod inspected;
mod leaks;
mod live;
mod lock_free;
mod overflow;
mod report;
mod safe;
mod single;
mod sleepers;
mod slot;
pub(crate) mod snapshot;
mod trim;
pub(crate) mod view;
mod wait;
mod waiters;
#[cfg(test)]
mod waiters_test;

use ::core::ffi::c_void;

use self::core::Core;
use crate::base::error::{Error, Refusal};
use crate::base::hook::Hook;
use crate::base::ids::{Block, UserPointer};
use crate::base::log::{Level, log};
use crate::base::report::ReportCallback;
use crate::base::sync::{Lock, lock};
use crate::host::probe;
use crate::inspect::Evidence;
use crate::layout::stride::Layout;
use config::{Name, Policy};
pub(crate) use engine::Usual;
use engine::{Engine, each_lock_free, each_unusual};
use inspect::Figures;
use report::{Finding, Misuse, Reporter};
use waiters::Waiters;

pub(crate) use create::{bytes_needed, create, plan};
pub(crate) use destroy::destroy;
pub(crate) use fork::prepare_for_forks;

/// One pool. It lives where [`handles`] finds it: in a slot of ours, or in a caller's buffer.
#[repr(C)]
pub(crate) struct Pool {
    core: Core,
    policy: Policy,
    /// Who hears reports, beside the log.
    on_report: Hook<ReportCallback>,
    /// Held by the slow paths of the pools of `POOL_THREADS_SAFE`, and around `waiters`, and by who
    /// changes `on_report`.
    lock: Lock<()>,
    waiters: Waiters,
}

/// Why an allocation has no block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missed {
    AllLive,
    OnPurpose,
}

impl Pool {
    /// What `body` does with the pool, while nobody else does anything with it.
    fn hold<T>(&self, body: impl FnOnce(&Core) -> T) -> T {
        let held = self.core.engine.is_shared().then(|| lock(&self.lock));
        let answer = body(&self.core);
        if held.is_some() && !self.waiters.is_empty() {
            self.serve();
        }
        answer
    }

    /// A block that was never used, where there is nothing to do but to hand it out.
    #[inline(always)]
    pub(crate) fn allocate_fresh(&self) -> Option<Block> {
        match &self.core.engine {
            _ if self.core.guards.is_some() => None,
            Engine::SingleStandard(engine) => engine.allocate_in_order(),
            Engine::SingleUnchecked(engine) => engine.allocate_in_order(),
            _ => None,
        }
    }

    /// A block, if one can be had by the hot path of an unusual engine.
    #[inline(always)]
    pub(crate) fn allocate_unusual(&self) -> Option<Block> {
        each_unusual!(&self.core.engine, engine => engine.allocate(), None)
    }

    /// The same of a lock-free one.
    #[inline(always)]
    pub(crate) fn allocate_lock_free(&self) -> Option<Block> {
        each_lock_free!(&self.core.engine, engine => engine.allocate(), None)
    }

    /// A block, by every means there is; `None`: all are live, or it fails on purpose.
    pub(crate) fn allocate_slow(&self) -> Option<Block> {
        self.try_allocate().ok()
    }

    /// The same, and why there is none.
    ///
    /// Nothing is looked at after a report: a callback may have destroyed the pool.
    pub(crate) fn try_allocate(&self) -> Result<Block, Missed> {
        self.core.engine.enter_thread();
        let taken = self.hold(Core::allocate);
        let has_grown = matches!(taken.finding, Some(Finding::Grown { .. }));
        if has_grown || self.refuses_who_waits() {
            self.wake_if_need_be();
        }
        if let Some(finding) = taken.finding {
            self.tell(finding);
        }
        taken.block.ok_or(match taken.finding {
            Some(Finding::FailedOnPurpose) => Missed::OnPurpose,
            _ => Missed::AllLive,
        })
    }

    /// Says what was found. Of a damaged block it says who had it before.
    fn tell(&self, finding: Finding) {
        let base = self.core.base().addr().get();
        match finding {
            Finding::Grown { capacity } => probe::grow(base, capacity),
            Finding::Exhausted { capacity } => probe::exhausted(base, capacity),
            _ => {}
        }
        let evidence = match finding {
            Finding::Damaged(damaged) => self.core.evidence_of_damage(&damaged),
            _ => Evidence::NONE,
        };
        self.reporter().tell(finding, &evidence);
    }

    /// Takes a block back by the hot path of an unusual engine; `false`: another path must look at
    /// it.
    #[inline(always)]
    #[must_use]
    pub(crate) fn deallocate_unusual(&self, pointer: UserPointer) -> bool {
        each_unusual!(&self.core.engine, engine => engine.deallocate(pointer), false)
    }

    /// The same by a lock-free one.
    #[inline(always)]
    #[must_use]
    pub(crate) fn deallocate_lock_free(&self, pointer: UserPointer) -> bool {
        each_lock_free!(&self.core.engine, engine => engine.deallocate(pointer), false)
    }

    /// Takes a block back or says, and reports, why not.
    pub(crate) fn deallocate_slow(
        &self,
        pointer: UserPointer,
        entry: Option<usize>,
    ) -> Result<(), Error> {
        self.core.engine.enter_thread();
        let done = self.hold(|core| core.deallocate(pointer));
        // A damaged block came back as well.
        self.wake_if_need_be();
        done.map_err(|misuse| self.tell_misuse(&misuse, pointer, entry))
    }

    fn tell_misuse(&self, misuse: &Misuse, pointer: UserPointer, entry: Option<usize>) -> Error {
        probe::misuse(self.core.base().addr().get(), misuse.error().status() as usize);
        let evidence = self.core.evidence(misuse, pointer);
        self.reporter().tell_misuse(misuse, pointer, entry, &evidence);
        misuse.error()
    }

    /// Hands up to `count` blocks to `put`, in order; answers how many. Fewer only mean that the
    /// slow path must be asked for the next.
    pub(crate) fn allocate_run(&self, count: usize, put: impl FnMut(Block)) -> usize {
        self.hold(|core| core.allocate_run(count, put))
    }

    /// Takes blocks back from `next` until it ends; `Some`: one that the slow path must look at.
    pub(crate) fn deallocate_run(
        &self,
        next: impl Iterator<Item = UserPointer>,
    ) -> Option<UserPointer> {
        let stopped = self.hold(|core| core.deallocate_run(next));
        self.wake_if_need_be();
        stopped
    }

    /// Where blocks are not handed over, after some came back.
    fn wake_if_need_be(&self) {
        if self.may_have_sleepers() {
            self.wake_sleepers();
        }
    }

    /// Makes every block free.
    pub(crate) fn reset(&self) {
        self.hold(Core::reset);
        self.wake_if_need_be();
    }

    /// Adds `blocks` to the capacity now, all of them or none.
    pub(crate) fn grow(&self, blocks: usize) -> Result<(), Refusal> {
        let finding = self.hold(|core| core.grow(blocks))?;
        self.wake_if_need_be();
        self.tell(finding);
        Ok(())
    }

    /// Sends reports to `callback` from now on; `None`: to the log alone.
    pub(crate) fn report_to(&self, callback: Option<ReportCallback>, user_data: *mut c_void) {
        self.on_report.set(callback, user_data, &lock(&self.lock));
    }

    pub(crate) fn reporter(&self) -> Reporter {
        Reporter { policy: self.policy, callback: self.on_report.get() }
    }

    /// Gives back what it can; answers how many bytes left memory.
    pub(crate) fn trim(&self) -> Result<usize, Refusal> {
        let (bytes, _last) = self.hold(Core::trim)?;
        log!(Level::Debug, "pool \"{}\" trimmed by {bytes} bytes", self.policy.name);
        Ok(bytes)
    }

    /// Checks every invariant, in time proportional to the blocks that were ever used.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        self.hold(Core::validate).map_err(|broken| {
            self.reporter().tell_broken(format_args!("is corrupted: {broken}"));
            Error::Corrupted
        })?;
        let Some((damaged, count)) = self.hold(Core::damaged) else { return Ok(()) };
        let evidence = self.core.evidence_of_damage(&damaged);
        self.reporter().tell_damaged(&damaged, count, &evidence);
        Err(Error::Corrupted)
    }

    /// Whether `pointer` is the start of a block, free or live.
    pub(crate) fn owns(&self, pointer: UserPointer) -> bool {
        self.hold(|core| core.owns(pointer))
    }

    /// Everything that can be counted, of one moment.
    pub(crate) fn figures(&self) -> Figures {
        self.hold(Core::figures)
    }

    /// Blocks there are now.
    pub(crate) fn capacity(&self) -> usize {
        self.hold(Core::capacity)
    }

    /// Blocks that are live, those on the heap too.
    pub(crate) fn in_use(&self) -> usize {
        self.hold(|core| core.counts().in_use)
    }

    /// Blocks that are free without growth or the heap.
    pub(crate) fn available(&self) -> usize {
        self.hold(Core::available)
    }

    pub(crate) fn layout(&self) -> &Layout {
        self.core.layout()
    }

    pub(crate) fn name(&self) -> &Name {
        &self.policy.name
    }
}
