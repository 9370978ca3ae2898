//! What a debugger finds in a program by itself, where programs are ELF files.
//!
//! ```text
//!   .debug_gdb_scripts │ 4 │ "memory_pool" │ gdb/memory_pool.py │ 0 │     gdb loads it by itself
//!   memory_pool_debug  │ address of the layout │             found by its name, also when stripped
//! ```
//!
//! The layout also gets a symbol, which other files don't see. Both sections are kept by linkers
//! that drop what nobody uses ("R"). The script counts as part of the program ("a"): else the
//! release build, which is stripped of all that is for debuggers alone, would have none. Nobody
//! reads it at run time, so its pages stay in the file.

/// With the name of the layout.
macro_rules! for_debuggers {
    ($layout:ident) => {
        core::arch::global_asm!(
            ".pushsection .debug_gdb_scripts,\"aR\",@progbits",
            "/* {sum} */",
            ".byte 4",
            ".ascii \"memory_pool\\n\"",
            concat!(".incbin \"", env!("CARGO_MANIFEST_DIR"), "/gdb/memory_pool.py\""),
            ".byte 0",
            ".popsection",
            ".pushsection memory_pool_debug,\"awR\",@progbits",
            ".balign 8",
            ".8byte {layout}",
            ".popsection",
            ".globl pool_debug_layout",
            ".hidden pool_debug_layout",
            ".set pool_debug_layout, {layout}",
            layout = sym $layout,
            sum = const $crate::host::script_sum(),
        );

        /// Called by who creates pools, so that the linker takes all this from an archive.
        pub(super) fn keep_for_debuggers() {
            core::hint::black_box(&raw const $layout);
        }
    };
}

pub(crate) use for_debuggers;

/// Changes with the script: the compiler does not see what the assembler reads, and would take the
/// section from an earlier build.
pub(crate) const fn script_sum() -> u64 {
    let script = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/gdb/memory_pool.py"));
    let (mut sum, mut at) = (0_u64, 0);
    while at < script.len() {
        sum = sum.wrapping_mul(31).wrapping_add(script[at] as u64);
        at += 1;
    }
    sum
}
