//! What a thread has of its own: one word, and an end that somebody can be told of.
//!
//! The word is zero in a new thread. Where it lies is chosen in `host/mod.rs`.

use core::ffi::c_void;
use core::mem;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, Ordering};
use std::time::Duration;

pub(crate) use super::thread_word::{identity, set_word, word};

/// The key under which the system keeps the word again, in order to call [`end`]: a key and not a
/// `thread_local` with a destructor, for those are not run any more when one of them is made while
/// the thread ends, and their memory is lost.
static KEY: AtomicU32 = AtomicU32::new(0);
static STATE: AtomicU8 = AtomicU8::new(NO_KEY);
static TELL: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

const NO_KEY: u8 = 0;
const MAKING_KEY: u8 = 1;
const HAS_KEY: u8 = 2;

/// The key; `None`: there is none, or it is just being made, perhaps further up in this thread.
fn key(tell: fn(usize)) -> Option<libc::pthread_key_t> {
    // Acquire: pairs with the Release below. Relaxed on success: nothing was written before.
    let found = STATE.compare_exchange(NO_KEY, MAKING_KEY, Ordering::Relaxed, Ordering::Acquire);
    if found == Ok(NO_KEY) {
        keep_loaded();
        let mut key = 0;
        // SAFETY: a place for the answer; the function stays, for the library is kept loaded.
        let made = unsafe { libc::pthread_key_create(&raw mut key, Some(end)) } == 0;
        // Relaxed, both: published by the Release below.
        KEY.store(key, Ordering::Relaxed);
        TELL.store(tell as *mut c_void, Ordering::Relaxed);
        // Release: pairs with the Acquire above.
        STATE.store(if made { HAS_KEY } else { NO_KEY }, Ordering::Release);
        return made.then_some(key);
    }
    // Relaxed: ordered by the Acquire above.
    (found == Err(HAS_KEY)).then(|| KEY.load(Ordering::Relaxed))
}

/// For what the system calls at a time when nobody else may need this library any more: `end`, in
/// threads that live longer, and who hears of faults.
pub(super) fn keep_loaded() {
    let here: unsafe extern "C" fn(*mut c_void) = end;
    let mut info = libc::Dl_info {
        dli_fname: ptr::null(),
        dli_fbase: ptr::null_mut(),
        dli_sname: ptr::null(),
        dli_saddr: ptr::null_mut(),
    };
    // SAFETY: an address, which is not read, and a place for the answer.
    if unsafe { libc::dladdr(here as *const c_void, &raw mut info) } != 0 {
        let how = libc::RTLD_NOW | libc::RTLD_NOLOAD | libc::RTLD_NODELETE;
        // SAFETY: the name of a file that is loaded; a program as a whole is never unloaded.
        unsafe { libc::dlopen(info.dli_fname, how) };
    }
}

unsafe extern "C" fn end(_word: *mut c_void) {
    // Relaxed: this thread has a word, so it has seen the key.
    if let Some(tell) = NonNull::new(TELL.load(Ordering::Relaxed)) {
        // SAFETY: `key` put a function of this type there.
        let tell = unsafe { mem::transmute::<NonNull<c_void>, fn(usize)>(tell) };
        let last = word();
        // Not another word: a sanitizer is at its end before the last round of destructors.
        set_word(ENDED);
        tell(last);
    }
}

/// The word of a thread whose end was told.
pub(crate) const ENDED: usize = usize::MAX;

/// Gives this thread a word, and at its end makes that ENDED and calls `tell` with it, which is the
/// same for all. `false`: the system can't now, and the word stays 0.
pub(crate) fn keep_word(value: usize, tell: fn(usize)) -> bool {
    let Some(key) = key(tell) else { return false };
    // First, because what follows may allocate, and so come here again.
    set_word(value);
    let word = ptr::without_provenance::<c_void>(value);
    // SAFETY: the key was made, and what is kept under it is not followed.
    let kept = unsafe { libc::pthread_setspecific(key, word) } == 0;
    if !kept {
        set_word(0);
    }
    kept
}

/// The number by which the system knows this thread.
pub(crate) fn id() -> i32 {
    // SAFETY: asks for a number.
    unsafe { libc::gettid() }
}

/// Whether there is no such thread in this process any more.
pub(crate) fn is_gone(id: i32) -> bool {
    // SAFETY: asks for a number.
    let process = unsafe { libc::getpid() };
    // SAFETY: signal 0 is not sent.
    let answer = unsafe { libc::syscall(libc::SYS_tgkill, process, id, 0) };
    answer != 0 && std::io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH)
}

/// Lets other threads run, for longer from attempt to attempt: at last it sleeps, so that a thread
/// of low priority gets its turn too.
pub(crate) fn pause(attempt: u32) {
    match attempt {
        0..100 => core::hint::spin_loop(),
        100..120 => std::thread::yield_now(),
        _ => std::thread::sleep(Duration::from_micros(50)),
    }
}
