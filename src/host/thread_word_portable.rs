//! The thread's word where nothing is known of the machine: an ordinary thread-local variable.

use std::cell::Cell;

thread_local! {
    static WORD: Cell<usize> = const { Cell::new(0) };
}

#[inline(always)]
pub(crate) fn word() -> usize {
    WORD.get()
}

/// What no other thread has while this one lives, to its very end.
pub(crate) fn identity() -> usize {
    WORD.with(|word| core::ptr::from_ref(word).addr())
}

pub(crate) fn set_word(value: usize) {
    WORD.set(value);
}
