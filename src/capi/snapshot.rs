//! A picture of a pool, for people and for programs.

use core::ffi::{c_char, c_void};

use crate::base::error::{Error, pool_status_t};
use crate::capi::boundary::{bad_argument, enter, refused, status};
use crate::capi::pool_t;
use crate::pool::snapshot::Format;

/// For a terminal of 80 columns: figures, a map of characters, the pages that a trim can't give
/// back, and who allocated the live blocks.
pub const POOL_SNAPSHOT_TEXT: u32 = 0;
/// For programs: the same as one JSON object in UTF-8, every block in it, as runs of such as are
/// alike. Its keys are in docs/debugging.md.
pub const POOL_SNAPSHOT_JSON: u32 = 1;
/// For a browser: one page that needs nothing beside it.
pub const POOL_SNAPSHOT_HTML: u32 = 2;

/// Receives the next `count` bytes of what is written, which end with no NUL; false: no more. It
/// may call the library itself, also with the same pool. It must not throw: the program would end.
#[allow(non_camel_case_types, reason = "the name C sees")]
pub type pool_write_callback_t =
    Option<extern "C" fn(user_data: *mut c_void, bytes: *const c_char, count: usize) -> bool>;

/// Writes a picture of the pool at this moment, in a format of POOL_SNAPSHOT_*: its figures, what
/// every block does, which OS pages hold a live block, and with POOL_CHECKS_FULL who allocated the
/// live ones. `write` is called with piece after piece until all is written or it answers false,
/// which is no error: who says so knows.
///
/// All is looked at before the first call of `write`, which may then do with the pool what it
/// likes, also destroy it; no lock is held meanwhile. A block is live, free, cached (free, and kept
/// for one thread), quarantined (came back, and waits to be free) or untouched. What other threads
/// allocate or give back just then may be shown as before or after; each block is counted once all
/// the same. Time in proportion to the blocks, and for the time of the call two bytes for each that
/// was ever used, from the system.
///
/// Errors, before any call of `write`: POOL_ERR_INVALID_ARGUMENT (no such format),
/// POOL_ERR_OUT_OF_MEMORY (also where there is no system to ask), POOL_ERR_NULL_ARGUMENT,
/// POOL_ERR_STALE_HANDLE.
/// Thread-safety: as the pool's `threading` says, but not in a signal handler; in a lock-free pool
/// pool_trim may not be under way.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pool_write_snapshot(
    pool: *mut pool_t,
    format: u32,
    write: pool_write_callback_t,
    user_data: *mut c_void,
) -> pool_status_t {
    const CALL: &str = "pool_write_snapshot";
    status(CALL, || {
        let pool = enter(CALL, pool)?;
        let write =
            write.ok_or_else(|| bad_argument(CALL, Error::NullArgument, "write is NULL"))?;
        let format = match format {
            POOL_SNAPSHOT_TEXT => Format::Text,
            POOL_SNAPSHOT_JSON => Format::Json,
            POOL_SNAPSHOT_HTML => Format::Html,
            _ => {
                let what = "format is none of POOL_SNAPSHOT_TEXT, _JSON and _HTML";
                return Err(bad_argument(CALL, Error::InvalidArgument, what));
            }
        };
        let picture = pool.picture().map_err(|refusal| refused(CALL, refusal))?;
        picture.write(format, &mut |bytes| write(user_data, bytes.as_ptr().cast(), bytes.len()));
        Ok(())
    })
}
