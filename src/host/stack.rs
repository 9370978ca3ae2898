//! The stack of the calling thread, as return addresses.
//!
//! By the unwinder that every program has which can throw: it reads tables that the compiler wrote,
//! and so needs no frame pointers of the user's code. It is safe in a signal handler once it was
//! used.

use core::ffi::{c_int, c_void};

unsafe extern "C" {
    fn _Unwind_Backtrace(
        visit: extern "C" fn(context: *mut c_void, walk: *mut c_void) -> c_int,
        walk: *mut c_void,
    ) -> c_int;
    fn _Unwind_GetIP(context: *mut c_void) -> usize;
    fn _Unwind_GetIPInfo(context: *mut c_void, is_before: *mut c_int) -> usize;
}

const GO_ON: c_int = 0;
const END_OF_STACK: c_int = 5;

struct Walk<'call> {
    frames: &'call mut [usize],
    depth: usize,
}

impl Walk<'_> {
    /// Notes one more return address, 0 at the end, and answers what to tell the unwinder.
    fn add(&mut self, address: usize) -> c_int {
        let Some(place) = self.frames.get_mut(self.depth).filter(|_| address != 0) else {
            return END_OF_STACK;
        };
        *place = address;
        self.depth += 1;
        GO_ON
    }
}

/// Fills `frames` with return addresses, the innermost first; answers how many there are.
#[inline(never)]
pub(crate) fn capture(frames: &mut [usize]) -> usize {
    let mut walk = Walk { frames, depth: 0 };
    // SAFETY: `visit` is called with what is passed here, and not after this returns.
    unsafe { _Unwind_Backtrace(visit, (&raw mut walk).cast()) };
    walk.depth
}

extern "C" fn visit(context: *mut c_void, walk: *mut c_void) -> c_int {
    // SAFETY: `capture` passed it, and nobody else refers to it meanwhile.
    let walk = unsafe { &mut *walk.cast::<Walk<'_>>() };
    // SAFETY: the context is the unwinder's own.
    walk.add(unsafe { _Unwind_GetIP(context) })
}

/// The same of what a signal handler interrupted, to be called by it: the frames of the handler
/// itself are left out. Where the unwinder can't tell there are none.
#[inline(never)]
pub(crate) fn interrupted(frames: &mut [usize]) -> usize {
    let mut walk = Walk { frames, depth: 0 };
    // SAFETY: as above.
    unsafe { _Unwind_Backtrace(visit_interrupted, (&raw mut walk).cast()) };
    walk.depth
}

extern "C" fn visit_interrupted(context: *mut c_void, walk: *mut c_void) -> c_int {
    // SAFETY: `interrupted` passed it, and nobody else refers to it meanwhile.
    let walk = unsafe { &mut *walk.cast::<Walk<'_>>() };
    let mut is_before = 0;
    // SAFETY: the context is the unwinder's own, and there is a place for the answer.
    let address = unsafe { _Unwind_GetIPInfo(context, &raw mut is_before) };
    // An address that stands before its instruction is one that a signal came at. Until then the
    // frames are the handler's.
    if walk.depth == 0 && is_before == 0 && address != 0 {
        return GO_ON;
    }
    // As a return address stands, so that all are shown alike.
    walk.add(if address == 0 { 0 } else { address + usize::from(is_before != 0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[inline(never)]
    fn outer(frames: &mut [usize]) -> usize {
        std::hint::black_box(capture(frames))
    }

    #[test]
    fn a_stack_is_as_deep_as_it_is_and_no_deeper_than_there_is_room() {
        let mut frames = [0; 64];
        let depth = outer(&mut frames);
        assert!(depth > 3 && frames[..depth].iter().all(|&frame| frame != 0));
        assert_eq!(outer(&mut frames[..2]), 2);
        assert_eq!(outer(&mut []), 0);
    }
}
