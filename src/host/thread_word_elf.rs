//! The thread's word on x86-64 Linux: a place at a fixed distance from the thread's pointer.
//!
//! A shared library reaches an ordinary thread-local variable through a call. The distance of this
//! one is in a table that the loader fills in when the library is loaded ("initial exec"), so that
//! two loads read it. The loader keeps some room for libraries that are loaded later; this takes a
//! word of it.

use core::arch::{asm, global_asm};

global_asm!(
    ".pushsection .tbss.memory_pool_thread_word,\"awT\",@nobits",
    ".balign 8",
    ".hidden memory_pool_thread_word",
    ".globl memory_pool_thread_word",
    ".type memory_pool_thread_word, @object",
    ".size memory_pool_thread_word, 8",
    "memory_pool_thread_word:",
    ".zero 8",
    ".popsection",
);

#[inline(always)]
pub(crate) fn word() -> usize {
    let word;
    // SAFETY: reads this thread's own eight bytes.
    unsafe {
        asm!(
            "mov {word}, qword ptr [rip + memory_pool_thread_word@GOTTPOFF]",
            "mov {word}, qword ptr fs:[{word}]",
            word = out(reg) word,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    word
}

/// What no other thread has while this one lives, to its very end.
pub(crate) fn identity() -> usize {
    let pointer;
    // SAFETY: the first word at a thread's pointer is that pointer.
    unsafe {
        asm!(
            "mov {pointer}, qword ptr fs:[0]",
            pointer = out(reg) pointer,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    pointer
}

pub(crate) fn set_word(value: usize) {
    // SAFETY: writes this thread's own eight bytes.
    unsafe {
        asm!(
            "mov {distance}, qword ptr [rip + memory_pool_thread_word@GOTTPOFF]",
            "mov qword ptr fs:[{distance}], {value}",
            distance = out(reg) _,
            value = in(reg) value,
            options(nostack, preserves_flags),
        );
    }
}
