//! Faults of the program: who touched memory that nobody may touch hears why, before the program
//! ends as it would have ended.
//!
//! ```text
//!   fault ─► on_fault ─┬─ an address of ours ─► told ─► the earlier action is put back ─► the same
//!                      │                                instruction faults again, and goes there
//!                      └─ any other ─────────────────► the earlier action, and we stay
//! ```
//!
//! The earlier action is what the program, or a runtime in it, had asked for when this was switched
//! on: a core dump, or a handler, which finds the fault as if we were not there. Who asks for one
//! of its own later comes first, and passes on to us what it does not want, or does not.
//!
//! E1. What `EARLIER` holds is written before `on_fault` is installed, and never again.

use core::cell::UnsafeCell;
use core::ffi::{c_int, c_void};
use core::mem::{self, MaybeUninit};
use core::ptr;
use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use super::thread;

/// A system has one of them for memory that is there and that nobody may touch.
const SIGNALS: [c_int; 2] = [libc::SIGSEGV, libc::SIGBUS];

struct Earlier(UnsafeCell<MaybeUninit<[libc::sigaction; 2]>>);

// SAFETY: E1.
unsafe impl Sync for Earlier {}

static EARLIER: Earlier = Earlier(UnsafeCell::new(MaybeUninit::uninit()));

/// Who knows the addresses, as a number: 0 is nobody.
static IS_OURS: AtomicUsize = AtomicUsize::new(0);
static TELL: AtomicUsize = AtomicUsize::new(0);

static STATE: AtomicU8 = AtomicU8::new(OFF);
const OFF: u8 = 0;
const ON: u8 = 1;
/// A fault is being told of: the first one is the last.
const TELLING: u8 = 2;
const TOLD: u8 = 3;

/// From now on `tell` hears of the first fault at an address that `is_ours`, in the thread and at
/// the instruction where it happens. Both are the same in each call, of which the first counts.
pub(crate) fn catch(is_ours: fn(usize) -> bool, tell: fn(usize)) {
    // Relaxed, both: nothing was written before; who comes second may go on before it is on.
    if STATE.compare_exchange(OFF, ON, Ordering::Relaxed, Ordering::Relaxed).is_err() {
        return;
    }
    thread::keep_loaded();
    // Relaxed, both: a handler runs in a thread after `sigaction`, which is a fence.
    IS_OURS.store(is_ours as usize, Ordering::Relaxed);
    TELL.store(tell as usize, Ordering::Relaxed);
    let earlier = EARLIER.0.get().cast::<libc::sigaction>();
    for (place, signal) in SIGNALS.into_iter().enumerate() {
        // SAFETY: E1; a place for the answer.
        unsafe { libc::sigaction(signal, ptr::null(), earlier.wrapping_add(place)) };
    }
    for signal in SIGNALS {
        let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) = on_fault;
        // SAFETY: zero bytes are an action, and an empty mask.
        let mut action = unsafe { mem::zeroed::<libc::sigaction>() };
        action.sa_sigaction = handler as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        // SAFETY: an action whose handler stays, for the library is kept loaded.
        unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) };
    }
}

fn earlier(signal: c_int) -> &'static libc::sigaction {
    let place = SIGNALS.iter().position(|&one| one == signal).unwrap_or(0);
    // SAFETY: E1, so all of it is there.
    unsafe { &*EARLIER.0.get().cast::<libc::sigaction>().wrapping_add(place) }
}

fn put_back_earlier(signal: c_int) {
    // SAFETY: the action was the system's answer.
    unsafe { libc::sigaction(signal, earlier(signal), ptr::null_mut()) };
}

extern "C" fn on_fault(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the system gives one with each signal, by SA_SIGINFO.
    let about = unsafe { &*info };
    let is_sent = about.si_code <= 0;
    // SAFETY: signals that are not sent have an address.
    let address = if is_sent { 0 } else { unsafe { about.si_addr() }.addr() };
    // Relaxed: as in `catch`.
    let is_ours = IS_OURS.load(Ordering::Relaxed);
    // SAFETY: `catch` put a function of this type there.
    let is_ours = unsafe { mem::transmute::<usize, fn(usize) -> bool>(is_ours) };
    if !is_sent && is_ours(address) {
        tell_once(address);
        put_back_earlier(signal);
        return;
    }
    go_on(signal, is_sent, info, context);
}

/// How often a thread looks whether another has told, some ten seconds long: in the child of a fork
/// there may be no other.
const LOOKS_MAX: u32 = 200_000;

/// Threads that fault meanwhile wait, or they would end the program in the middle of a report.
fn tell_once(address: usize) {
    // Relaxed, both: the thread that comes first tells; nothing is handed over.
    if STATE.compare_exchange(ON, TELLING, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
        // Relaxed: as in `catch`.
        let tell = TELL.load(Ordering::Relaxed);
        // SAFETY: `catch` put a function of this type there.
        let tell = unsafe { mem::transmute::<usize, fn(usize)>(tell) };
        tell(address);
        // Relaxed: as above.
        STATE.store(TOLD, Ordering::Relaxed);
    }
    // Relaxed: as above.
    (0..LOOKS_MAX).take_while(|_| STATE.load(Ordering::Relaxed) == TELLING).for_each(thread::pause);
}

/// Does what would have been done without us.
fn go_on(signal: c_int, is_sent: bool, info: *mut libc::siginfo_t, context: *mut c_void) {
    let earlier = earlier(signal);
    match earlier.sa_sigaction {
        libc::SIG_IGN if is_sent => {}
        libc::SIG_DFL | libc::SIG_IGN => {
            put_back_earlier(signal);
            if is_sent {
                // SAFETY: the signal comes once this handler is left.
                unsafe { libc::raise(signal) };
            }
        }
        handler => call(handler, earlier, signal, info, context),
    }
}

/// Calls a handler as the system would.
fn call(
    handler: usize,
    action: &libc::sigaction,
    signal: c_int,
    info: *mut libc::siginfo_t,
    context: *mut c_void,
) {
    if action.sa_flags & libc::SA_RESETHAND != 0 {
        // SAFETY: as in `catch`; its handler is SIG_DFL.
        let default = unsafe { mem::zeroed::<libc::sigaction>() };
        // SAFETY: as there.
        unsafe { libc::sigaction(signal, &raw const default, ptr::null_mut()) };
    }
    // SAFETY: the mask was the system's answer. That before is put back when the signal is left.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const action.sa_mask, ptr::null_mut()) };
    if action.sa_flags & libc::SA_NODEFER != 0 {
        // SAFETY: as in `catch`.
        let mut itself = unsafe { mem::zeroed::<libc::sigset_t>() };
        // SAFETY: a set, and a signal that there is.
        unsafe { libc::sigaddset(&raw mut itself, signal) };
        // SAFETY: as above.
        unsafe { libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const itself, ptr::null_mut()) };
    }
    if action.sa_flags & libc::SA_SIGINFO != 0 {
        type Handler = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);
        // SAFETY: an action with this flag has a handler of this type.
        let handler = unsafe { mem::transmute::<usize, Handler>(handler) };
        handler(signal, info, context);
    } else {
        // SAFETY: an action without it has one of this.
        let handler = unsafe { mem::transmute::<usize, extern "C" fn(c_int)>(handler) };
        handler(signal);
    }
}

/// Runs `body` where there is room: the stack that a program gives to its handlers may be small,
/// and then another thread does it.
pub(crate) fn with_room(body: &(dyn Fn() + Sync)) {
    // SAFETY: zero bytes are a place for the answer.
    let mut stack = unsafe { mem::zeroed::<libc::stack_t>() };
    // SAFETY: asks for the answer alone.
    let is_known = unsafe { libc::sigaltstack(ptr::null(), &raw mut stack) } == 0;
    let is_small = is_known && stack.ss_flags & libc::SS_ONSTACK != 0;
    let is_done = is_small
        && std::thread::scope(|scope| {
            std::thread::Builder::new().spawn_scoped(scope, body).is_ok()
        });
    if !is_done {
        body();
    }
}
