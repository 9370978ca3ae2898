//! Memory from the operating system; the only caller of mmap and its kin.
//!
//! ```text
//!   reserve ─► address space, no access, no memory
//!   commit  ─► readable, writable, zero; memory when first touched
//!   release ─► gone
//! ```

use core::ffi::c_void;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU8, Ordering};

/// The size of an OS page in bytes, a power of two.
pub(crate) fn page_bytes() -> usize {
    // SAFETY: sysconf reads no memory of ours.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(bytes).unwrap_or(4096)
}

/// The size of the huge pages that are asked for.
pub(crate) const HUGE_PAGE_BYTES: usize = 2 << 20;

/// Reserves `bytes` of address space at a multiple of `alignment`, a power of two, and of an OS
/// page. `None`: the system refuses.
pub(crate) fn reserve(bytes: usize, alignment: usize) -> Option<NonNull<u8>> {
    if alignment <= page_bytes() {
        return map(bytes, 0);
    }
    let start = map(bytes.checked_add(alignment)?, 0)?;
    let before = start.addr().get().wrapping_neg() % alignment;
    // SAFETY: `before < alignment`, so inside the mapping.
    let aligned = unsafe { start.add(before) };
    // SAFETY: the end of the aligned range, inside the mapping.
    let end = unsafe { aligned.add(bytes) };
    // SAFETY: what lies before the aligned range is ours, and nothing refers into it.
    unsafe { release(start, before) };
    // SAFETY: as above, for what lies after it.
    unsafe { release(end, alignment - before) };
    Some(aligned)
}

/// As [`reserve`], of huge pages that the administrator set aside for this; they are taken at
/// once. `bytes` is a multiple of theirs. `None`: there are not as many.
pub(crate) fn reserve_huge(bytes: usize) -> Option<NonNull<u8>> {
    map(bytes, libc::MAP_HUGETLB | libc::MAP_HUGE_2MB)
}

fn map(bytes: usize, how: i32) -> Option<NonNull<u8>> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | how;
    // SAFETY: a new mapping at an address of the kernel's choice touches no memory that exists.
    let start = unsafe { libc::mmap(core::ptr::null_mut(), bytes, libc::PROT_NONE, flags, -1, 0) };
    if start == libc::MAP_FAILED { None } else { NonNull::new(start.cast()) }
}

/// Asks for huge pages where they fit. `false`: the system has none to give.
///
/// # Safety
/// * `start .. start + bytes` was reserved here and is not released.
pub(crate) unsafe fn advise_huge(start: NonNull<u8>, bytes: usize) -> bool {
    // SAFETY: the range is ours by this function's contract; advice changes no byte.
    unsafe { libc::madvise(start.as_ptr().cast(), bytes, libc::MADV_HUGEPAGE) == 0 }
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

/// Makes committed pages as they were when they were reserved: nobody may touch them, and they take
/// no memory. One mapping with what is reserved around them, so that the system has no more to
/// count. `false`: the system refuses, as it may where it counts too many mappings.
///
/// # Safety
/// * `start .. start + bytes` was committed here, is whole OS pages, and nothing refers into it.
pub(crate) unsafe fn uncommit(start: NonNull<u8>, bytes: usize) -> bool {
    let (place, none) = (start.as_ptr().cast::<c_void>(), libc::PROT_NONE);
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
    // SAFETY: the range is ours and unreferenced by this function's contract.
    if unsafe { libc::mmap(place, bytes, none, flags, -1, 0) } != libc::MAP_FAILED {
        return true;
    }
    // SAFETY: as above.
    unsafe { libc::mprotect(place, bytes, none) == 0 }
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
/// * `start .. start + bytes` was committed here and is whole OS pages.
pub(crate) unsafe fn prefault(start: NonNull<u8>, bytes: usize) -> bool {
    // SAFETY: the range is ours by this function's contract; populating changes no byte.
    if unsafe { libc::madvise(start.as_ptr().cast(), bytes, libc::MADV_POPULATE_WRITE) } == 0 {
        return true;
    }
    // Kernels before 5.14 do not know that: write the zero that each page holds, unless another
    // thread, which committed the same pages first, has written something else.
    for offset in (0..bytes).step_by(page_bytes()) {
        let page = start.as_ptr().wrapping_add(offset);
        // SAFETY: writable by this function's contract.
        let first = unsafe { AtomicU8::from_ptr(page) };
        // Relaxed, both: nothing is handed over.
        let _ = first.compare_exchange(0, 0, Ordering::Relaxed, Ordering::Relaxed);
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

/// Ends a reservation and everything in it. `false`: the system keeps the addresses, which it does
/// when it would have to count more mappings than it allows; their memory is given back.
///
/// # Safety
/// * `start .. start + bytes` was reserved here, is whole OS pages, and is not released yet.
/// * Nothing refers into the range any more.
pub(crate) unsafe fn release(start: NonNull<u8>, bytes: usize) -> bool {
    // SAFETY: the range is ours and unreferenced by this function's contract.
    if bytes == 0 || unsafe { libc::munmap(start.as_ptr().cast(), bytes) } == 0 {
        return true;
    }
    // SAFETY: as above.
    let _ = unsafe { discard(start, bytes) };
    false
}

/// How many bytes of the range are in memory, in whole OS pages, as the kernel counts. `None`: it
/// does not say.
///
/// # Safety
/// * `start .. start + bytes` is reserved, `start` is OS-page aligned.
pub(crate) unsafe fn resident_bytes(start: NonNull<u8>, bytes: usize) -> Option<usize> {
    const PAGES_AT_ONCE: usize = 1024;
    let page = page_bytes();
    let mut residency = [0_u8; PAGES_AT_ONCE];
    let mut pages_resident = 0;
    for offset in (0..bytes).step_by(PAGES_AT_ONCE * page) {
        let chunk = (bytes - offset).min(PAGES_AT_ONCE * page);
        let from = start.as_ptr().wrapping_add(offset);
        // SAFETY: the range is mapped by this function's contract; the kernel writes one byte an
        // OS page, and `chunk` is at most as many pages as `residency` has bytes.
        if unsafe { libc::mincore(from.cast(), chunk, residency.as_mut_ptr()) } != 0 {
            return None;
        }
        let pages = chunk.div_ceil(page);
        pages_resident += residency[..pages].iter().filter(|&&byte| byte & 1 == 1).count();
    }
    Some(pages_resident * page)
}

#[cfg(test)]
#[expect(clippy::multiple_unsafe_ops_per_block, reason = "one reason covers the whole test")]
mod tests {
    use super::*;

    #[test]
    fn reserved_memory_is_free_and_committed_memory_is_zero() {
        let bytes = 16 * page_bytes();
        let start = reserve(bytes, 1).expect("64 KiB of address space");
        // SAFETY: reserved above, released once, and the slice is gone by then.
        unsafe {
            assert_eq!(resident_bytes(start, bytes), Some(0));
            assert!(commit(start, bytes));
            assert_eq!(resident_bytes(start, bytes), Some(0));
            let memory = core::slice::from_raw_parts_mut(start.as_ptr(), bytes);
            memory[page_bytes()] = 7;
            assert!(memory[..page_bytes()].iter().all(|&byte| byte == 0));
            let resident = resident_bytes(start, bytes).expect("the kernel knows");
            assert!((1..=2).contains(&(resident / page_bytes())));
            assert!(discard(start, bytes));
            assert_eq!(*start.as_ptr().add(page_bytes()), 0);
            assert!(release(start, bytes));
        }
    }

    #[test]
    fn a_reservation_can_be_aligned_beyond_an_os_page() {
        let start = reserve(3 * page_bytes(), HUGE_PAGE_BYTES).expect("address space");
        assert_eq!(start.addr().get() % HUGE_PAGE_BYTES, 0);
        // SAFETY: reserved above, whole OS pages.
        unsafe {
            assert!(commit(start, 3 * page_bytes()));
            start.write_bytes(1, 3 * page_bytes());
            assert!(release(start, 3 * page_bytes()));
        }
    }

    #[test]
    fn what_no_machine_has_is_refused() {
        assert_eq!(reserve(isize::MAX as usize & !4095, 1), None);
        assert_eq!(reserve(usize::MAX, 1 << 20), None);
    }
}
