//! How valgrind is asked on x86-64: by instructions that leave everything as it is, in an order
//! that no compiler would write.
//!
//! Source: valgrind.h of Valgrind 3.19, "The architecture-specific part", AMD64.

use core::arch::asm;

/// Valgrind's answer; 0: there is none.
pub(super) fn request(code: usize, [first, second, third]: [usize; 3]) -> usize {
    let words = [code, first, second, third, 0, 0];
    let answer;
    // SAFETY: four rotations by 128 together, and an exchange of a register with itself. Valgrind
    // reads `words`.
    unsafe {
        asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") words.as_ptr(),
            inout("rdx") 0_usize => answer,
            options(nostack),
        );
    }
    answer
}
