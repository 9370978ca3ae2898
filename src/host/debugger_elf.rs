//! What a debugger finds in a program by itself, where programs are ELF files.
//!
//! ```text
//!   .debug_gdb_scripts │ 4 │ "memory_pool" │ gdb/memory_pool.py │ 0 │     gdb loads it by itself
//!   memory_pool_debug  │ address of the layout │             found by its name, also when stripped
//! ```
//!
//! Both are kept by linkers that drop what nobody uses ("R"). The script counts as part of the
//! program ("a"): else the release build, which is stripped of all that is for debuggers alone,
//! would have none. Nobody reads its pages at run time, so they stay in the file.

/// With the name of the layout.
macro_rules! for_debuggers {
    ($layout:ident) => {
        // The compiler is to look at the script again when it changes.
        const _: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/gdb/memory_pool.py"));
        core::arch::global_asm!(
            ".pushsection .debug_gdb_scripts,\"aR\",@progbits",
            ".byte 4",
            ".ascii \"memory_pool\\n\"",
            concat!(".incbin \"", env!("CARGO_MANIFEST_DIR"), "/gdb/memory_pool.py\""),
            ".byte 0",
            ".popsection",
            ".pushsection memory_pool_debug,\"awR\",@progbits",
            ".balign 8",
            concat!(".8byte ", stringify!($layout)),
            ".popsection",
            options(raw)
        );

        /// Called by who creates pools, so that the linker takes all this from an archive.
        pub(super) fn keep_for_debuggers() {
            core::hint::black_box(&raw const $layout);
        }
    };
}

pub(crate) use for_debuggers;
