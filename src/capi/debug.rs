//! What debuggers read; no part of the header.

use crate::host::for_debuggers;
use crate::pool::debug::DebugLayout;

/// Where the state of pools lies, for gdb/memory_pool.py.
/// Thread-safety: constant.
/// cbindgen:ignore
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals, reason = "the name that the script looks for")]
pub(crate) static pool_debug_layout: DebugLayout = DebugLayout::new();

for_debuggers!(pool_debug_layout);
