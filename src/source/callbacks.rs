//! Memory from the caller's own functions: a shared memory object, a region of a board, a file.

use core::ffi::c_void;
use core::ptr::NonNull;

use crate::base::error::Refusal;

pub(crate) type Reserve = extern "C" fn(*mut c_void, usize) -> *mut c_void;
pub(crate) type Change = extern "C" fn(*mut c_void, *mut c_void, usize) -> bool;
pub(crate) type Release = extern "C" fn(*mut c_void, *mut c_void, usize);

/// The caller's functions, and the word that they are called with. What each must do is said at
/// `pool_source_t`, in `capi/source.rs`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Callbacks {
    pub(crate) user_data: *mut c_void,
    /// Ranges are whole pages of this size, a power of two.
    pub(crate) page_bytes: usize,
    pub(crate) reserve: Reserve,
    /// `None`: what is reserved can be used.
    pub(crate) commit: Option<Change>,
    /// `None`: no memory goes back before the end.
    pub(crate) decommit: Option<Change>,
    /// `None`: there is nothing to do at the end.
    pub(crate) release: Option<Release>,
}

const MISPLACED: Refusal = Refusal::invalid(
    "reserve of the pool_source_t answered memory that is not a multiple of its page_bytes",
);

impl Callbacks {
    /// `Ok(None)`: the caller's function refuses.
    pub(super) fn reserve(&self, bytes: usize) -> Result<Option<NonNull<u8>>, Refusal> {
        let Some(start) = NonNull::new((self.reserve)(self.user_data, bytes)) else {
            return Ok(None);
        };
        if !start.addr().get().is_multiple_of(self.page_bytes)
            || start.addr().get().checked_add(bytes).is_none()
        {
            self.release(start.cast(), bytes);
            return Err(MISPLACED);
        }
        Ok(Some(start.cast()))
    }

    pub(super) fn commit(&self, start: NonNull<u8>, bytes: usize) -> bool {
        let commit = |commit: Change| commit(self.user_data, start.as_ptr().cast(), bytes);
        self.commit.is_none_or(commit)
    }

    pub(super) fn discard(&self, start: NonNull<u8>, bytes: usize) -> bool {
        let decommit = |decommit: Change| decommit(self.user_data, start.as_ptr().cast(), bytes);
        self.decommit.is_some_and(decommit)
    }

    pub(super) fn release(&self, start: NonNull<u8>, bytes: usize) {
        if let Some(release) = self.release {
            release(self.user_data, start.as_ptr().cast(), bytes);
        }
    }
}
