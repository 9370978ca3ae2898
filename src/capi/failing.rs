//! Allocations that fail on purpose, for tests of what a program does then.

use crate::base::error::{Error, pool_status_t};
use crate::base::ids::UserPointer;
use crate::capi::boundary::{bad_argument, bad_handle, status};
use crate::capi::pool_t;
use crate::pool::failing::Mode;
use crate::pool::handles;

/// Fault injection: after `successes` more blocks were handed out, every allocation finds none, as
/// if all were live, until this is called again; 0: the next one fails; UINT64_MAX: none does any
/// more. That is so for every call that hands out blocks, inlined ones and those with a cache too;
/// pool_allocate_many answers fewer, pool_allocate_wait answers POOL_ERR_EXHAUSTED at once, also to
/// those who wait already; growth and POOL_EXHAUSTED_HEAP do not help. Deallocation is as always.
///
/// Each refused call counts as a failure in pool_get_stats, and is logged at the level of
/// POOL_LOG_DEBUG. A call that another thread has begun before may still succeed uncounted. While
/// this is on, every call with the pool takes its slow path; when it is off it costs nothing.
///
/// Errors: POOL_ERR_INVALID_ARGUMENT (more than this machine counts in a word, where that has 32
/// bits), POOL_ERR_NULL_ARGUMENT, POOL_ERR_STALE_HANDLE.
/// Thread-safety: as the pool's `threading` says, but not in a signal handler.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pool_fail_after(pool: *mut pool_t, successes: u64) -> pool_status_t {
    const CALL: &str = "pool_fail_after";
    status(CALL, || {
        let too_many =
            |_| bad_argument(CALL, Error::InvalidArgument, "successes is more than a word counts");
        let mode = match successes {
            u64::MAX => Mode::Off,
            _ => Mode::After(usize::try_from(successes).map_err(too_many)?),
        };
        handles::fail(UserPointer::new(pool), mode).map_err(|_| bad_handle(CALL, pool))
    })
}
