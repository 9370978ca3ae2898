//! Tells the thread sanitizer of the program, if it has one, what hands a block from one thread to
//! another: it does not see the atomics of a library that was built without it.

use core::ffi::{CStr, c_void};
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

type Annotate = unsafe extern "C" fn(*mut c_void);

static ACQUIRE: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
static RELEASE: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

static IS_SOUGHT: AtomicBool = AtomicBool::new(false);

/// Looks for the sanitizer, the first time.
pub(crate) fn find() {
    // Relaxed: nothing is handed over.
    if IS_SOUGHT.swap(true, Ordering::Relaxed) {
        return;
    }
    for (name, place) in [(c"__tsan_acquire", &ACQUIRE), (c"__tsan_release", &RELEASE)] {
        // SAFETY: a name that ends in NUL, to be looked for in the whole program.
        let function = unsafe { libc::dlsym(libc::RTLD_DEFAULT, CStr::as_ptr(name)) };
        // Relaxed: a pointer to code, which was there before.
        place.store(function, Ordering::Relaxed);
    }
}

/// Whether there is a sanitizer that sees no atomics of the library: build.rs knows whether the
/// library itself was built for it.
pub(crate) fn watches_unseen() -> bool {
    // Relaxed: as in `find`.
    let is_there = !ACQUIRE.load(Ordering::Relaxed).is_null();
    is_there && option_env!("MEMORY_POOL_IS_INSTRUMENTED").is_none()
}

/// What the block's last user wrote happens before what its next one does.
#[inline(always)]
pub(crate) fn handed_out(block: NonNull<u8>) {
    annotate(&ACQUIRE, block);
}

/// What its user wrote happens before what the next one does.
#[inline(always)]
pub(crate) fn taken_back(block: NonNull<u8>) {
    annotate(&RELEASE, block);
}

#[inline(always)]
fn annotate(place: &AtomicPtr<c_void>, block: NonNull<u8>) {
    // Relaxed: as in `find`.
    if let Some(function) = NonNull::new(place.load(Ordering::Relaxed)) {
        call(function, block);
    }
}

#[cold]
#[inline(never)]
fn call(function: NonNull<c_void>, block: NonNull<u8>) {
    // SAFETY: `find` put the function of this name here, which has this type.
    let annotate: Annotate = unsafe { core::mem::transmute(function.as_ptr()) };
    // SAFETY: any address may be annotated.
    unsafe { annotate(block.as_ptr().cast()) };
}
