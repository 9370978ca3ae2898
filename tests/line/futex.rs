//! Sleep as the kernel offers it, of loom's parts: who sleeps is in a list, with the word that it
//! sleeps on, and nobody wakes without a reason.

use loom::sync::{Condvar, Mutex};

use crate::base::sync::{AtomicU32, Ordering};

pub(crate) const CAN_SLEEP: bool = true;

/// A moment that is past already, or never comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deadline {
    Past,
    Never,
}

impl Deadline {
    pub(crate) fn is_past(self) -> bool {
        self == Self::Past
    }

    pub(crate) fn at_most(self, _nanoseconds: u64) -> Self {
        self
    }
}

#[derive(Default)]
struct Sleepers {
    comers: usize,
    /// The address of a word, and who sleeps on it.
    asleep: Vec<(usize, usize)>,
}

loom::lazy_static! {
    static ref SLEEPERS: Mutex<Sleepers> = Mutex::new(Sleepers::default());
    static ref WOKEN: Condvar = Condvar::new();
}

pub(crate) fn sleep(word: &AtomicU32, value: u32, _deadline: Deadline) {
    let mut sleepers = SLEEPERS.lock().expect("no panic");
    // Relaxed: whoever changed it before wakes after, and so waits for the lock.
    if word.load(Ordering::Relaxed) != value {
        return;
    }
    sleepers.comers += 1;
    let me = sleepers.comers;
    sleepers.asleep.push((std::ptr::from_ref(word).addr(), me));
    while sleepers.asleep.iter().any(|(_, who)| *who == me) {
        sleepers = WOKEN.wait(sleepers).expect("no panic");
    }
}

pub(crate) fn wake(word: *const AtomicU32) {
    let mut sleepers = SLEEPERS.lock().expect("no panic");
    if let Some(place) = sleepers.asleep.iter().position(|(on, _)| *on == word.addr()) {
        sleepers.asleep.remove(place);
        WOKEN.notify_all();
    }
}
