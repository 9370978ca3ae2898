//! Debuggers are told nothing where programs are no ELF files of 64 bits, or no operating system is
//! below; who asks the linker for the symbol has the layout all the same.

macro_rules! for_debuggers {
    ($layout:ident) => {
        pub(super) fn keep_for_debuggers() {}
    };
}

pub(crate) use for_debuggers;
