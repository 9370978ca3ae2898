//! A fork while other threads work: the child has copies of all locks, and of the threads only the
//! one that forked. So that thread takes every lock first and closes every magazine, and both sides
//! free the locks afterwards: then no lock is held by a thread that the child does not have, and no
//! pool is in the middle of a call. The blocks in the magazines of those threads can be stolen.
//!
//! The order of the locks: the sink of the log, then the registries, then the pools. Nobody who
//! holds one of these asks for one that stands before it, and nobody else holds two pools.

use crate::base::log;
use crate::base::sync::{AtomicI32, Ordering, RawLock};
use crate::cache::threads;
use crate::host::{HAS_SYSTEM, process};
use crate::pool::{Pool, arena, directory};

static IS_PREPARED: AtomicI32 = AtomicI32::new(0);

/// Makes forks safe from now on. For pools of one owner as well: the registries are everybody's.
pub(crate) fn prepare_for_forks() {
    // Relaxed: nothing is handed over; who comes second may go on before the first is done, as a
    // fork that runs beside the creation of the first pool may.
    if IS_PREPARED.swap(1, Ordering::Relaxed) == 0 {
        process::at_fork(take_every_lock, free_every_lock, free_every_lock_of_the_child);
    }
}

fn registries() -> [&'static RawLock; 4] {
    [log::raw_lock(), arena::raw_lock(), directory::raw_lock(), threads::raw_lock()]
}

extern "C" fn take_every_lock() {
    registries().into_iter().for_each(RawLock::lock);
    for_each_pool(|pool| pool.lock.raw().lock());
    for_each_pool(|pool| pool.core.engine.close_magazines());
}

extern "C" fn free_every_lock() {
    for_each_pool(|pool| {
        // SAFETY: this thread, or the one whose copy it is, locked it in `take_every_lock`; the set
        // of pools is the same, for it changes under the locks that are held.
        unsafe { pool.lock.raw().unlock() };
    });
    for lock in registries() {
        // SAFETY: as above.
        unsafe { lock.unlock() };
    }
}

static IS_CHILD: AtomicI32 = AtomicI32::new(0);

extern "C" fn free_every_lock_of_the_child() {
    // Relaxed: this thread is the only one.
    IS_CHILD.store(1, Ordering::Relaxed);
    for_each_pool(Pool::forget_waiters);
    free_every_lock();
    threads::forget_others();
}

/// Whether this process is a copy: a lock-free call of a thread that it does not have may have
/// been under way, whose block is neither on the stack nor marked live. It stays in use.
pub(super) fn is_child() -> bool {
    // Relaxed: written before the first other thread.
    IS_CHILD.load(Ordering::Relaxed) == 1
}

fn for_each_pool(body: impl Fn(&Pool)) {
    if HAS_SYSTEM {
        arena::for_each(&body);
    }
    directory::for_each(body);
}
