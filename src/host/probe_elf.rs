//! Places that a tracer can watch in a program that runs: static probes, as perf, bpftrace, gdb and
//! SystemTap know them (USDT).
//!
//! ```text
//!   memory_pool:grow      block 0, how many blocks     memory_pool:exhausted   the same
//!   memory_pool:steal     block 0, how many came back  memory_pool:misuse      block 0, status
//! ```
//!
//! A probe is an instruction that does nothing, and a note in the file that says where it stands
//! and where its arguments are. There are none on hot paths: there even that would be counted.
//!
//! Source: the notes of type 3 of "stapsdt", as sys/sdt.h of SystemTap writes them.

use core::arch::asm;

/// The function of a probe; what comes first is the address of block 0, by which pools are told
/// apart.
macro_rules! probe {
    ($(#[$about:meta])* $name:ident) => {
        $(#[$about])*
        #[cold]
        #[inline(never)]
        pub(crate) fn $name(base: usize, number: usize) {
            // SAFETY: a nop; the rest is said to the assembler.
            unsafe {
                asm!(
                    "990: nop",
                    ".pushsection .note.stapsdt, \"\", \"note\"",
                    ".balign 4",
                    ".4byte 992f - 991f, 994f - 993f, 3",
                    "991: .asciz \"stapsdt\"",
                    "992: .balign 4",
                    "993: .8byte 990b",
                    ".8byte _.stapsdt.base",
                    ".8byte 0",
                    ".asciz \"memory_pool\"",
                    concat!(".asciz \"", stringify!($name), "\""),
                    ".asciz \"8@{base} 8@{number}\"",
                    "994: .balign 4",
                    ".popsection",
                    ".ifndef _.stapsdt.base",
                    ".pushsection .stapsdt.base, \"aGR\", \"progbits\", .stapsdt.base, comdat",
                    ".weak _.stapsdt.base",
                    ".hidden _.stapsdt.base",
                    "_.stapsdt.base: .space 1",
                    ".size _.stapsdt.base, 1",
                    ".popsection",
                    ".endif",
                    base = in(reg) base,
                    number = in(reg) number,
                    options(att_syntax, nostack, preserves_flags, nomem)
                );
            }
        }
    };
}

probe! {
    /// There are more blocks now: so many.
    grow
}
probe! {
    /// All blocks are live, so many, and there are no more.
    exhausted
}
probe! {
    /// So many blocks were fetched back from the caches of threads.
    steal
}
probe! {
    /// A misuse was found: its status.
    misuse
}
