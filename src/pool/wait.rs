//! Waiting for a block: asleep, in line, without a price for those who don't.
//!
//! Safe pools: a block that comes back while somebody waits is handed to the first in line, under
//! the lock. That needs no flag which the fast paths would have to test: the magazines are closed
//! while there is a line, so that every call comes to the lock.
//!
//! Lock-free pools: a signal handler that gives a block back can take no lock. So the first in line
//! fetches its block itself, and is woken when one comes back: `deallocate` looks at a counter
//! after its push. The counter and the stack are two words, so one side needs a fence between
//! writing the one and reading the other: it is that of the waiter, on all threads
//! ([`barrier`]). A `pool_allocate` may come before the first in line;
//! those in line keep their order.
//!
//! Where the system has no such fence, a waiter looks again every few milliseconds.

use crate::base::error::Error;
use crate::base::ids::Block;
use crate::base::sync::{barrier, lock};
use crate::host::sleep::{CAN_SLEEP, Deadline};
use crate::host::tsan;
use crate::pool::Pool;
use crate::pool::engine::{Engine, each};
use crate::pool::lock_free::LockFree;
use crate::pool::single::Supply;
use crate::pool::waiters::Waiter;

/// How long a waiter sleeps that can't be sure to be woken.
const DOZE_NANOSECONDS: u64 = 5_000_000;

impl Pool {
    /// A block that another thread gives back before the deadline. For a thread that found none.
    pub(crate) fn wait(&self, deadline: Deadline) -> Result<Block, Error> {
        match &self.core.engine {
            _ if !CAN_SLEEP => Err(Error::Unsupported),
            Engine::SingleStandard(_) | Engine::SingleUnchecked(_) => Err(Error::Exhausted),
            Engine::LockFreeStandard(engine) => self.wait_lock_free(engine, deadline),
            Engine::LockFreeUnchecked(engine) => self.wait_lock_free(engine, deadline),
            Engine::Inspected(engine) => self.wait_watched(engine, deadline),
            _ => self.wait_in_line(deadline),
        }
    }

    pub(super) fn wait_in_line(&self, deadline: Deadline) -> Result<Block, Error> {
        let waiter = Waiter::new();
        let is_sure = {
            let _held = lock(&self.lock);
            let is_sure = self.core.engine.keep_magazines_closed();
            // SAFETY: it stays on this stack, and is taken off the list below or by who serves it.
            unsafe { self.waiters.push(&waiter) };
            self.serve();
            is_sure
        };
        loop {
            if let Some(served) = waiter.served() {
                return served.inspect(|&block| tsan::handed_out(block));
            }
            if deadline.is_past() {
                return self.leave_line(&waiter);
            }
            waiter.sleep(if is_sure { deadline } else { deadline.at_most(DOZE_NANOSECONDS) });
            if !is_sure {
                self.hold(|_| ());
            }
        }
    }

    /// The last moment: a block that was handed over meanwhile is taken.
    fn leave_line(&self, waiter: &Waiter) -> Result<Block, Error> {
        let _held = lock(&self.lock);
        self.waiters.remove(waiter);
        self.serve();
        waiter.served().unwrap_or(Err(Error::TimedOut))
    }

    /// Hands free blocks to those who wait, or refuses them. Under the lock, as all that is done to
    /// a pool with a line.
    #[cold]
    pub(super) fn serve(&self) {
        while !self.waiters.is_empty() {
            if self.refuses_who_waits() {
                self.waiters.serve(None);
                continue;
            }
            let Some(block) = self.take_quietly() else { return };
            // It leaves this thread past the lock that a sanitizer sees.
            tsan::taken_back(block);
            self.waiters.serve(Some(block));
        }
        self.let_magazines_open();
    }

    pub(super) fn wait_lock_free<const CHECKED: bool>(
        &self,
        engine: &LockFree<CHECKED>,
        deadline: Deadline,
    ) -> Result<Block, Error> {
        let waiter = Waiter::new();
        {
            let _held = lock(&self.lock);
            // SAFETY: it stays on this stack, and is taken off the list below.
            unsafe { self.waiters.push(&waiter) };
            self.waiters.tell_front();
            engine.sleepers().arrive();
        }
        let is_sure = barrier::heavy();
        let deadline_of = || if is_sure { deadline } else { deadline.at_most(DOZE_NANOSECONDS) };
        while !waiter.is_front() && !deadline.is_past() {
            waiter.sleep(deadline_of());
        }
        let taken = loop {
            let turn = engine.sleepers().turn();
            let block = if waiter.is_front() { self.take_quietly() } else { None };
            if let Some(block) = block {
                break Ok(block);
            }
            if self.refuses_who_waits() {
                break Err(Error::Exhausted);
            }
            if deadline.is_past() {
                break Err(Error::TimedOut);
            }
            engine.sleepers().sleep(turn, deadline_of());
        };
        let _held = lock(&self.lock);
        self.waiters.remove(&waiter);
        self.waiters.tell_front();
        engine.sleepers().leave();
        taken
    }

    /// Whether threads sleep in a pool where nobody hands blocks over, and that has a hot path.
    #[inline(always)]
    pub(crate) fn has_sleepers(&self) -> bool {
        match &self.core.engine {
            Engine::LockFreeStandard(engine) => engine.sleepers().are_there(),
            Engine::LockFreeUnchecked(engine) => engine.sleepers().are_there(),
            _ => false,
        }
    }

    /// Whether threads sleep, in any pool.
    pub(super) fn may_have_sleepers(&self) -> bool {
        match &self.core.engine {
            Engine::Inspected(engine) => engine.inner().sleepers().are_there(),
            _ => self.has_sleepers(),
        }
    }

    /// Lets the first of them look again. From a signal handler too.
    #[cold]
    pub(crate) fn wake_sleepers(&self) {
        match &self.core.engine {
            Engine::LockFreeStandard(engine) => engine.sleepers().wake(),
            Engine::LockFreeUnchecked(engine) => engine.sleepers().wake(),
            Engine::Inspected(engine) => engine.inner().sleepers().wake(),
            _ => {}
        }
    }

    /// Whether one owner has the pool, so that nobody waits for a block.
    pub(crate) fn has_one_owner(&self) -> bool {
        match &self.core.engine {
            Engine::SingleStandard(_) | Engine::SingleUnchecked(_) => true,
            Engine::Inspected(engine) => engine.is_of_one_owner(),
            _ => false,
        }
    }

    /// Whether threads wait for a block of this pool.
    pub(super) fn is_waited_for(&self) -> bool {
        self.may_have_sleepers() || self.hold(|_| !self.waiters.is_empty())
    }

    /// In the child of a fork, which does not have the threads that wait.
    pub(super) fn forget_waiters(&self) {
        self.waiters.clear();
        self.let_magazines_open();
        match &self.core.engine {
            Engine::LockFreeStandard(engine) => engine.sleepers().forget(),
            Engine::LockFreeUnchecked(engine) => engine.sleepers().forget(),
            Engine::Inspected(engine) => {
                engine.inner().sleepers().forget();
                engine.settle();
            }
            Engine::SafeStandard(engine) => engine.settle(),
            Engine::SafeUnchecked(engine) => engine.settle(),
            _ => {}
        }
    }
}

impl Engine {
    /// A block without growth, and without a word when there is none.
    pub(super) fn take_quietly(&self) -> Supply {
        each!(self, engine => engine.allocate_slow())
    }

    /// `false`: the system does not let us know when all threads know it.
    pub(super) fn keep_magazines_closed(&self) -> bool {
        match self {
            Self::SafeStandard(engine) => engine.keep_closed(),
            Self::SafeUnchecked(engine) => engine.keep_closed(),
            _ => true,
        }
    }

    pub(super) fn let_magazines_open(&self) {
        match self {
            Self::SafeStandard(engine) => engine.let_open(),
            Self::SafeUnchecked(engine) => engine.let_open(),
            _ => {}
        }
    }
}
