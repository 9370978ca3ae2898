//! Memory from the operating system; the only caller of mmap and its kin.
//!
//! ```text
//!   reserve ─► address space, no access, no memory
//!   commit  ─► readable, writable, zero; memory when first touched
//!   release ─► gone
//! ```

use core::ffi::c_void;
use core::ptr::NonNull;

/// The size of an OS page in bytes, a power of two.
pub(crate) fn page_bytes() -> usize {
    // SAFETY: sysconf reads no memory of ours.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(bytes).unwrap_or(4096)
}

/// Reserves `bytes` of address space; the start is OS-page aligned. `None`: the system refuses.
pub(crate) fn reserve(bytes: usize) -> Option<NonNull<u8>> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping at an address of the kernel's choice touches no memory that exists.
    let start = unsafe { libc::mmap(core::ptr::null_mut(), bytes, libc::PROT_NONE, flags, -1, 0) };
    if start == libc::MAP_FAILED { None } else { NonNull::new(start.cast()) }
}

/// Makes reserved memory readable and writable. `false`: the system refuses to back it.
///
/// # Safety
/// * `start .. start + bytes` was reserved here and is not released.
/// * `start` is OS-page aligned.
pub(crate) unsafe fn commit(start: NonNull<u8>, bytes: usize) -> bool {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: the range is ours by this function's contract; widening access harms no reference.
    unsafe { libc::mprotect(start.as_ptr().cast::<c_void>(), bytes, access) == 0 }
}

/// Gives the memory of committed pages back; they stay readable and writable, and are zero.
/// `false`: the system keeps them as they are, as it does with locked pages.
///
/// # Safety
/// * `start .. start + bytes` was committed here, is whole OS pages, and nothing refers into it.
pub(crate) unsafe fn discard(start: NonNull<u8>, bytes: usize) -> bool {
    // SAFETY: the range is ours and unreferenced by this function's contract.
    unsafe { libc::madvise(start.as_ptr().cast(), bytes, libc::MADV_DONTNEED) == 0 }
}

/// Takes memory for committed pages now, not when they are first touched. `false`: there is none.
///
/// # Safety
/// * `start .. start + bytes` was committed here and is whole OS pages that were not touched yet.
pub(crate) unsafe fn prefault(start: NonNull<u8>, bytes: usize) -> bool {
    // SAFETY: the range is ours by this function's contract; populating changes no byte.
    if unsafe { libc::madvise(start.as_ptr().cast(), bytes, libc::MADV_POPULATE_WRITE) } == 0 {
        return true;
    }
    // Kernels before 5.14 do not know that: write the zero that each page holds.
    for offset in (0..bytes).step_by(page_bytes()) {
        let page = start.as_ptr().wrapping_add(offset);
        // SAFETY: writable by this function's contract, and the byte is zero already.
        unsafe { page.write_volatile(0) };
    }
    true
}

/// Keeps committed pages in memory, out of swap, and takes memory for them now. `false`: the
/// system refuses.
///
/// # Safety
/// * `start .. start + bytes` was committed here and is whole OS pages.
pub(crate) unsafe fn keep_in_memory(start: NonNull<u8>, bytes: usize) -> bool {
    // SAFETY: the range is ours by this function's contract; locking changes no byte.
    unsafe { libc::mlock(start.as_ptr().cast(), bytes) == 0 }
}

/// Makes a range zero: whole OS pages by giving their memory back, the edges by writing.
///
/// # Safety
/// * `start .. start + bytes` was committed here, and nothing refers into it.
pub(crate) unsafe fn clear(start: NonNull<u8>, bytes: usize) {
    let first = start.addr().get();
    let page = page_bytes();
    let (whole, end) = (first.next_multiple_of(page), (first + bytes) / page * page);
    if whole >= end {
        // SAFETY: writable by this function's contract.
        return unsafe { start.write_bytes(0, bytes) };
    }
    // SAFETY: writable by this function's contract; up to the first whole page.
    unsafe { start.write_bytes(0, whole - first) };
    // SAFETY: inside the range.
    let after = unsafe { start.add(end - first) };
    // SAFETY: writable by this function's contract; from the last whole page on.
    unsafe { after.write_bytes(0, first + bytes - end) };
    // SAFETY: inside the range.
    let pages = unsafe { start.add(whole - first) };
    // SAFETY: whole committed pages, and nothing refers into them.
    if !unsafe { discard(pages, end - whole) } {
        // SAFETY: writable by this function's contract.
        unsafe { pages.write_bytes(0, end - whole) };
    }
}

/// Ends a reservation and everything in it.
///
/// # Safety
/// * `start` and `bytes` are those of one `reserve`, not yet released.
/// * Nothing refers into the range any more.
pub(crate) unsafe fn release(start: NonNull<u8>, bytes: usize) {
    // SAFETY: the range is ours and unreferenced by this function's contract. munmap of a whole
    // mapping of ours cannot fail.
    let _ = unsafe { libc::munmap(start.as_ptr().cast(), bytes) };
}

/// How many bytes of the range are in memory, in whole OS pages, as the kernel counts.
///
/// # Safety
/// * `start .. start + bytes` is reserved, `start` is OS-page aligned.
pub(crate) unsafe fn resident_bytes(start: NonNull<u8>, bytes: usize) -> usize {
    const PAGES_AT_ONCE: usize = 1024;
    let page = page_bytes();
    let mut residency = [0_u8; PAGES_AT_ONCE];
    let mut pages_resident = 0;
    for offset in (0..bytes).step_by(PAGES_AT_ONCE * page) {
        let chunk = (bytes - offset).min(PAGES_AT_ONCE * page);
        let from = start.as_ptr().wrapping_add(offset);
        // SAFETY: the range is mapped by this function's contract; the kernel writes one byte an
        // OS page, and `chunk` is at most as many pages as `residency` has bytes.
        if unsafe { libc::mincore(from.cast(), chunk, residency.as_mut_ptr()) } == 0 {
            let pages = chunk.div_ceil(page);
            pages_resident += residency[..pages].iter().filter(|&&byte| byte & 1 == 1).count();
        }
    }
    pages_resident * page
}

/// Zeroed memory for bookkeeping, given back when dropped.
pub(crate) struct Memory {
    start: NonNull<u8>,
    bytes: usize,
}

impl Memory {
    /// `None`: the system refuses.
    pub(crate) fn new(bytes: usize) -> Option<Self> {
        let start = reserve(bytes)?;
        let memory = Self { start, bytes };
        // SAFETY: just reserved; it starts on an OS page.
        unsafe { commit(start, bytes) }.then_some(memory)
    }

    /// The first byte, on an OS page.
    pub(crate) fn start(&self) -> NonNull<u8> {
        self.start
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: reserved in `new`; who uses `start` keeps the `Memory`.
        unsafe { release(self.start, self.bytes) };
    }
}

#[cfg(test)]
#[expect(clippy::multiple_unsafe_ops_per_block, reason = "one reason covers the whole test")]
mod tests {
    use super::*;

    #[test]
    fn reserved_memory_is_free_and_committed_memory_is_zero() {
        let bytes = 16 * page_bytes();
        let start = reserve(bytes).expect("64 KiB of address space");
        // SAFETY: reserved above, released once, and the slice is gone by then.
        unsafe {
            assert_eq!(resident_bytes(start, bytes), 0);
            assert!(commit(start, bytes));
            assert_eq!(resident_bytes(start, bytes), 0);
            let memory = core::slice::from_raw_parts_mut(start.as_ptr(), bytes);
            memory[page_bytes()] = 7;
            assert!(memory[..page_bytes()].iter().all(|&byte| byte == 0));
            assert!((1..=2).contains(&(resident_bytes(start, bytes) / page_bytes())));
            assert!(discard(start, bytes));
            assert_eq!(*start.as_ptr().add(page_bytes()), 0);
            release(start, bytes);
        }
    }

    #[test]
    fn what_no_machine_has_is_refused() {
        assert_eq!(reserve(isize::MAX as usize & !4095), None);
    }
}
