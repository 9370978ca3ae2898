//! Pools and allocators of crates.io behind one table of C functions, which
//! benches/peers/native/crates.cpp calls.
//!
//! Where a crate answers a key or a guard instead of an address, it is kept before the bytes of the
//! block, as a program would keep it beside its data.

mod general;
mod keyed;
mod managed;

use std::ffi::{CStr, c_char, c_void};

/// A pool of blocks of `8 * WORDS` bytes.
pub(crate) trait Peer<const WORDS: usize>: Sized {
    /// Any thread may call.
    const ANY_THREAD: bool = true;
    /// A program makes it; it is not there from the start.
    const IS_MADE: bool = true;
    /// It can begin small.
    const GROWS: bool = true;

    /// Makes one for at most so many live blocks.
    fn new(maximum: usize) -> Self;
    /// Takes a block; null if there is none.
    fn take(&self) -> *mut c_void;
    /// Gives back what `take` answered.
    ///
    /// # Safety
    /// * `block` is live.
    unsafe fn give(&self, block: *mut c_void);
}

/// A peer for one size, as C sees it.
#[repr(C)]
pub struct Table {
    create: extern "C" fn(usize) -> *mut c_void,
    destroy: unsafe extern "C" fn(*mut c_void),
    take: unsafe extern "C" fn(*mut c_void) -> *mut c_void,
    give: unsafe extern "C" fn(*mut c_void, *mut c_void),
    any_thread: bool,
    is_made: bool,
    grows: bool,
}

extern "C" fn create<const WORDS: usize, P: Peer<WORDS>>(maximum: usize) -> *mut c_void {
    Box::into_raw(Box::new(P::new(maximum))).cast()
}

unsafe extern "C" fn destroy<P>(peer: *mut c_void) {
    // SAFETY: it came from `create` of the same table.
    drop(unsafe { Box::from_raw(peer.cast::<P>()) });
}

unsafe extern "C" fn take<const WORDS: usize, P: Peer<WORDS>>(peer: *mut c_void) -> *mut c_void {
    // SAFETY: it came from `create` of the same table.
    unsafe { &*peer.cast::<P>() }.take()
}

unsafe extern "C" fn give<const WORDS: usize, P: Peer<WORDS>>(
    peer: *mut c_void,
    block: *mut c_void,
) {
    // SAFETY: it came from `create` of the same table.
    let peer = unsafe { &*peer.cast::<P>() };
    // SAFETY: `block` came from `take` of the same peer.
    unsafe { peer.give(block) };
}

const fn table<const WORDS: usize, P: Peer<WORDS>>() -> &'static Table {
    &Table {
        create: create::<WORDS, P>,
        destroy: destroy::<P>,
        take: take::<WORDS, P>,
        give: give::<WORDS, P>,
        any_thread: P::ANY_THREAD,
        is_made: P::IS_MADE,
        grows: P::GROWS,
    }
}

fn table_of<const WORDS: usize>(name: &CStr) -> Option<&'static Table>
where
    managed::Managed<WORDS>: Peer<WORDS>,
{
    Some(match name.to_bytes() {
        b"slab" => table::<WORDS, keyed::Slab<WORDS>>(),
        b"sharded-slab" => table::<WORDS, keyed::ShardedSlab<WORDS>>(),
        b"lockfree-object-pool" => table::<WORDS, keyed::LinearObjectPool<WORDS>>(),
        b"heapless" => table::<WORDS, managed::Managed<WORDS>>(),
        b"snmalloc-rs" => table::<WORDS, general::SnMalloc>(),
        b"mimalloc" => table::<WORDS, general::MiMalloc>(),
        _ => return None,
    })
}

/// The table of a crate for blocks of a size; null if there is none.
///
/// # Safety
/// * `name` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn peer_table(name: *const c_char, block_size: usize) -> *const Table {
    // SAFETY: a string by this function's contract.
    let name = unsafe { CStr::from_ptr(name) };
    let table = match block_size {
        16 => table_of::<2>(name),
        64 => table_of::<8>(name),
        256 => table_of::<32>(name),
        4096 => table_of::<512>(name),
        _ => None,
    };
    table.map_or(std::ptr::null(), std::ptr::from_ref)
}
