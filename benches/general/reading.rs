//! A measured turn, and how far it can be trusted on a machine that is shared.

use std::time::Duration;

/// What a turn came to.
#[derive(Clone, Copy)]
pub struct Reading {
    /// Nanoseconds a pair.
    pub nanoseconds: f64,
    /// How long a thread that could have run was kept waiting: others had the processors. Of two
    /// threads, the one that waited longer.
    pub waited: Duration,
}

impl Reading {
    /// Measures what this thread does.
    pub fn of(measured: impl FnOnce() -> f64) -> Self {
        let before = waited();
        let nanoseconds = measured();
        Self { nanoseconds, waited: waited().saturating_sub(before) }
    }
}

/// How long the scheduler has kept this thread waiting since it started. A thread that sleeps, for
/// a lock say, is not kept waiting. Zero where the system doesn't say.
fn waited() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().nth(1).and_then(|field| field.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}
