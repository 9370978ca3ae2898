//! Memory of the caller's: callbacks that give it, or a buffer that a pool lives in.

use core::ffi::c_void;
use core::ptr;

use crate::base::error::{Error, Refusal, pool_status_t};
use crate::capi::boundary::{STRUCT_SIZES, bad_argument, refused, status};
use crate::capi::options::pool_options_t;
use crate::host::os;
use crate::layout::inside::HEADER_ALIGNMENT;
use crate::pool;
use crate::source::callbacks::{Callbacks, Change, Release, Reserve};

/// Functions of the caller's that give a pool its memory. They are called while a pool is created,
/// grows, is trimmed and is destroyed, by the thread that does so, and never by pool_allocate of
/// a pool that does not grow. They must not call this library, and not fork. The struct is copied;
/// what `user_data` points to must stay as long as the pool.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[allow(non_camel_case_types, reason = "the name C sees")]
pub struct pool_source_t {
    /// Bytes of this struct as the caller knows it: sizeof(pool_source_t).
    pub struct_size: usize,
    /// The first argument of every call.
    pub user_data: *mut c_void,
    /// All ranges start at a multiple of this and are a multiple of this long, in bytes: a power of
    /// two, from 16 up. 0: an OS page.
    pub page_bytes: usize,
    /// Answers the start of `bytes` of address space for one pool, or NULL to refuse. Required.
    pub reserve: Option<extern "C" fn(user_data: *mut c_void, bytes: usize) -> *mut c_void>,
    /// Makes a part of it readable and writable, whatever stands in it; false refuses. Parts that
    /// are so already may come again. NULL: all of it is so from the start.
    pub commit:
        Option<extern "C" fn(user_data: *mut c_void, start: *mut c_void, bytes: usize) -> bool>,
    /// Gives the memory behind a part back (pool_trim). The part stays readable and writable;
    /// anything may stand in it then. false: it was kept, with what stands in it. NULL: none goes
    /// back.
    pub decommit:
        Option<extern "C" fn(user_data: *mut c_void, start: *mut c_void, bytes: usize) -> bool>,
    /// Takes back what `reserve` gave, all of it. NULL: there is nothing to do.
    pub release: Option<extern "C" fn(user_data: *mut c_void, start: *mut c_void, bytes: usize)>,
}

impl pool_source_t {
    /// # Safety
    /// * `source` points to as many readable bytes as its first word says.
    pub(super) unsafe fn callbacks(source: *const Self) -> Result<Callbacks, Refusal> {
        // SAFETY: by this function's contract the first word is readable.
        let struct_size = unsafe { source.cast::<usize>().read_unaligned() };
        if !STRUCT_SIZES.contains(&struct_size) || struct_size < size_of::<Self>() {
            return Err(Refusal::invalid(
                "struct_size of the source is not set; set it to sizeof(pool_source_t)",
            ));
        }
        if struct_size > size_of::<Self>() {
            return Err(Refusal::unsupported(
                "the source is of a later version of this library; struct_size says so",
            ));
        }
        // SAFETY: as many bytes are readable, and every field may have any bit pattern.
        let Self { user_data, page_bytes, reserve, commit, decommit, release, .. } =
            unsafe { source.read_unaligned() };
        let page_bytes = if page_bytes == 0 { os::page_bytes() } else { page_bytes };
        if !page_bytes.is_power_of_two() || !PAGE_BYTES.contains(&page_bytes) {
            return Err(Refusal::invalid(
                "page_bytes of the source must be a power of two from 16 to 1 GiB, or 0",
            ));
        }
        let reserve: Reserve = reserve.ok_or(Refusal::invalid("reserve of the source is NULL"))?;
        let (commit, decommit): (Option<Change>, Option<Change>) = (commit, decommit);
        let release: Option<Release> = release;
        Ok(Callbacks { user_data, page_bytes, reserve, commit, decommit, release })
    }
}

/// A buffer that any pool fits into.
const SOMEWHERE: *mut c_void = ptr::without_provenance_mut(HEADER_ALIGNMENT);
const ENOUGH: usize = isize::MAX as usize;

const PAGE_BYTES: core::ops::RangeInclusive<usize> = 16..=1 << 30;

/// How large a `buffer` must be for the pool that `options` describe, wherever it lies: stored in
/// `*out_bytes`. A buffer of so many bytes will do, and one byte less is refused. `checks` make no
/// difference; `buffer` and `buffer_bytes` are not looked at. For a constant expression there is
/// POOL_STATIC_BYTES.
///
/// Errors: as pool_create_with; POOL_ERR_INVALID_ARGUMENT also for a capacity of 0 and for a
/// max_capacity of SIZE_MAX.
/// Thread-safety: any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pool_bytes_needed(
    options: *const pool_options_t,
    out_bytes: *mut usize,
) -> pool_status_t {
    const CALL: &str = "pool_bytes_needed";
    status(CALL, || {
        if options.is_null() || out_bytes.is_null() {
            return Err(bad_argument(CALL, Error::NullArgument, "an argument is NULL"));
        }
        // SAFETY: not NULL, so a pool_options_t as its struct_size says.
        let options = unsafe { pool_options_t::read(options) };
        let bytes = options
            .map(|options| pool_options_t { buffer: SOMEWHERE, buffer_bytes: ENOUGH, ..options })
            // SAFETY: its name and its source are as they must be.
            .and_then(|options| unsafe { options.config() })
            .and_then(|config| pool::bytes_needed(&config))
            .map_err(|refusal| refused(CALL, refusal))?;
        // SAFETY: not NULL, so a place of the caller's for a size.
        unsafe { out_bytes.write_unaligned(bytes) };
        Ok(())
    })
}
