//! What debuggers read; no part of the header.

use crate::host::for_debuggers;
use crate::pool::debug::DebugLayout;

/// Where the state of pools lies, for gdb/memory_pool.py. Not exported: what an exported static
/// leads to may be replaced by another file's, so the hot paths would look it up in a table.
static LAYOUT: DebugLayout = DebugLayout::new();

for_debuggers!(LAYOUT);
