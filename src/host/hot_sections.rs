//! Where the hot functions begin on x86-64 Linux: each with a cache line.
//!
//! The compiler puts a function into a section of its name, and says 16 bytes. What is said here of
//! the same section holds too, in whichever order the linker puts things. (Measured: depending on
//! what was linked before them, a pair of calls took up to a tenth longer.)

use core::arch::global_asm;

macro_rules! begin_with_a_cache_line {
    ($($name:literal),*) => {
        $(global_asm!(
            concat!(".pushsection .text.", $name, ",\"ax\",@progbits"),
            ".p2align 6",
            ".popsection",
        );)*
    };
}

begin_with_a_cache_line!(
    "pool_allocate",
    "pool_deallocate",
    "pool_cache_allocate",
    "pool_cache_deallocate"
);
