//! Looking at a pool: its sizes, its figures, whose block a pointer is.

use core::ffi::c_void;
use core::ptr;

use crate::base::error::{Error, pool_status_t};
use crate::base::ids::UserPointer;
use crate::capi::boundary::{STRUCT_SIZES, bad_argument, enter, status, value};
use crate::capi::pool_t;
use crate::pool::Pool;

/// What pool_get_stats tells about a pool. Set `struct_size` before the call.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
#[allow(non_camel_case_types, reason = "the name C sees")]
pub struct pool_stats_t {
    /// Bytes of this struct as the caller knows it; no more are written.
    pub struct_size: usize,
    /// Bytes that the caller may use in each block.
    pub block_size: usize,
    /// Bytes from the start of one block to the start of the next.
    pub stride: usize,
    /// Alignment of every block, in bytes.
    pub alignment: usize,
    /// Blocks there are now.
    pub capacity: usize,
    /// Blocks that the pool may grow to.
    pub max_capacity: usize,
    /// Blocks that are live, those on the heap too.
    pub in_use: usize,
    /// Blocks that are free: capacity - in_use, where no block is on the heap.
    pub available: usize,
    /// The most blocks that were ever live at once; in a pool of several threads at most so many.
    pub peak_in_use: usize,
    /// Blocks handed out since creation.
    pub allocations: u64,
    /// Blocks taken back since creation, those of pool_reset too.
    pub deallocations: u64,
    /// Allocations that found no free block, or failed on purpose.
    pub failures: u64,
    /// Bytes of address space.
    pub reserved_bytes: usize,
    /// Bytes in memory now, in whole OS pages, as the kernel counts.
    pub resident_bytes: usize,
    /// Bytes that the pool takes beside its blocks.
    pub metadata_bytes: usize,
    /// Blocks that are live on the heap.
    pub heap_blocks: usize,
}

impl pool_stats_t {
    fn of(pool: &Pool) -> Self {
        let (layout, figures) = (pool.layout(), pool.figures());
        let counts = figures.counts;
        Self {
            struct_size: size_of::<Self>(),
            block_size: layout.block_size,
            stride: layout.stride,
            alignment: layout.alignment,
            capacity: figures.capacity,
            max_capacity: layout.max_capacity,
            in_use: counts.in_use,
            available: figures.available,
            peak_in_use: counts.peak_in_use,
            allocations: counts.allocations,
            deallocations: counts.deallocations,
            failures: counts.failures,
            reserved_bytes: figures.reserved_bytes,
            resident_bytes: figures.resident_bytes,
            metadata_bytes: figures.metadata_bytes,
            heap_blocks: figures.heap_blocks,
        }
    }
}

/// Fills `*out_stats` with the figures of a pool. The caller sets out_stats->struct_size; of a
/// shorter struct only that part is written, of a longer one the rest becomes zero.
///
/// Errors: POOL_ERR_NULL_ARGUMENT, POOL_ERR_INVALID_ARGUMENT (struct_size is not set),
/// POOL_ERR_STALE_HANDLE.
/// Thread-safety: as the pool's `threading` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pool_get_stats(
    pool: *const pool_t,
    out_stats: *mut pool_stats_t,
) -> pool_status_t {
    const CALL: &str = "pool_get_stats";
    status(CALL, || {
        let pool = enter(CALL, pool)?;
        if out_stats.is_null() {
            return Err(bad_argument(CALL, Error::NullArgument, "out_stats is NULL"));
        }
        // SAFETY: not NULL, so at least the first word is the caller's.
        let struct_size = unsafe { out_stats.cast::<usize>().read_unaligned() };
        if !STRUCT_SIZES.contains(&struct_size) {
            let what = "struct_size of the stats is not set; set it to sizeof(pool_stats_t)";
            return Err(bad_argument(CALL, Error::InvalidArgument, what));
        }
        let stats = pool_stats_t { struct_size, ..pool_stats_t::of(pool) };
        let shared = struct_size.min(size_of::<pool_stats_t>());
        let out = out_stats.cast::<u8>();
        let rest = out.wrapping_add(shared);
        // SAFETY: the caller's struct has `struct_size` bytes, ours has at least `shared`.
        unsafe { ptr::copy_nonoverlapping(ptr::from_ref(&stats).cast(), out, shared) };
        // SAFETY: `shared .. struct_size` is the rest of the caller's struct.
        unsafe { rest.write_bytes(0, struct_size - shared) };
        Ok(())
    })
}

/// Whether `pointer` is the start of a block of this pool, free or live. Any pointer may be
/// asked about; it is not read. Constant time. false for a bad handle, which is logged.
///
/// Thread-safety: as the pool's `threading` says.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn pool_owns(pool: *const pool_t, pointer: *const c_void) -> bool {
    const CALL: &str = "pool_owns";
    value(CALL, false, || enter(CALL, pool).is_ok_and(|pool| pool.owns(UserPointer::new(pointer))))
}

fn size(call: &str, pool: *const pool_t, of: impl FnOnce(&Pool) -> usize) -> usize {
    value(call, 0, || enter(call, pool).map_or(0, of))
}

/// Bytes that the caller may use in each block. 0 for a bad handle, which is logged.
///
/// Thread-safety: any thread, while the pool lives.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn pool_block_size(pool: *const pool_t) -> usize {
    size("pool_block_size", pool, |pool| pool.layout().block_size)
}

/// Bytes from the start of one block to the start of the next. 0 for a bad handle, which is
/// logged.
///
/// Thread-safety: any thread, while the pool lives.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn pool_stride(pool: *const pool_t) -> usize {
    size("pool_stride", pool, |pool| pool.layout().stride)
}

/// Alignment of every block, in bytes. 0 for a bad handle, which is logged.
///
/// Thread-safety: any thread, while the pool lives.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn pool_alignment(pool: *const pool_t) -> usize {
    size("pool_alignment", pool, |pool| pool.layout().alignment)
}

/// How many blocks there are, free and live. 0 for a bad handle, which is logged.
///
/// Thread-safety: as the pool's `threading` says.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn pool_capacity(pool: *const pool_t) -> usize {
    size("pool_capacity", pool, Pool::capacity)
}

/// How many blocks are live, those on the heap too. 0 for a bad handle, which is logged.
///
/// Thread-safety: as the pool's `threading` says.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn pool_in_use(pool: *const pool_t) -> usize {
    size("pool_in_use", pool, Pool::in_use)
}

/// How many blocks are free without growth or the heap. 0 for a bad handle, which is logged.
///
/// Thread-safety: as the pool's `threading` says.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn pool_available(pool: *const pool_t) -> usize {
    size("pool_available", pool, Pool::available)
}

/// Checks every invariant of the pool: its counters, its ledger and its free list. Time in
/// proportion to the blocks that were ever used.
///
/// Errors: POOL_ERR_CORRUPTED (something wrote over the pool's memory; the log says what does
/// not hold), POOL_ERR_NULL_ARGUMENT, POOL_ERR_STALE_HANDLE.
/// Thread-safety: no other call with this pool may be under way.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pool_validate(pool: *mut pool_t) -> pool_status_t {
    const CALL: &str = "pool_validate";
    status(CALL, || enter(CALL, pool)?.validate())
}
