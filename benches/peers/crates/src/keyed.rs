//! Pools that answer a key or a guard, which stands before the bytes of the block here.

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::mem::{ManuallyDrop, MaybeUninit, offset_of};
use std::ptr;

use crate::Peer;

/// What it takes to give a block back, and the block.
#[repr(C)]
pub struct Held<Handle, const WORDS: usize> {
    handle: MaybeUninit<Handle>,
    bytes: MaybeUninit<[u64; WORDS]>,
}

impl<Handle, const WORDS: usize> Default for Held<Handle, WORDS> {
    fn default() -> Self {
        Self { handle: MaybeUninit::uninit(), bytes: MaybeUninit::uninit() }
    }
}

impl<Handle, const WORDS: usize> Held<Handle, WORDS> {
    pub(crate) fn hold(&mut self, handle: Handle) -> *mut c_void {
        self.handle.write(handle);
        let whole: *mut Self = self;
        // The bytes, with the right to look at what stands before them.
        whole.wrapping_byte_add(offset_of!(Self, bytes)).cast()
    }

    /// # Safety
    /// * `block` came from `hold` and was not given back.
    pub(crate) unsafe fn handle_of(block: *mut c_void) -> Handle {
        let whole = block.wrapping_byte_sub(offset_of!(Self, bytes)).cast::<Self>();
        // SAFETY: `hold` wrote it.
        unsafe { ptr::read(&raw const (*whole).handle).assume_init() }
    }
}

/// Made for as many as there may be: a block must not move while it is live.
pub(crate) struct Slab<const WORDS: usize>(UnsafeCell<slab::Slab<Held<usize, WORDS>>>);

impl<const WORDS: usize> Peer<WORDS> for Slab<WORDS> {
    const ANY_THREAD: bool = false;
    const GROWS: bool = false;

    fn new(maximum: usize) -> Self {
        Self(UnsafeCell::new(slab::Slab::with_capacity(maximum)))
    }

    fn take(&self) -> *mut c_void {
        // SAFETY: one thread, and no reference outlives a call.
        let slab = unsafe { &mut *self.0.get() };
        let entry = slab.vacant_entry();
        let key = entry.key();
        entry.insert(Held::default()).hold(key)
    }

    unsafe fn give(&self, block: *mut c_void) {
        // SAFETY: as in `take`.
        let slab = unsafe { &mut *self.0.get() };
        // SAFETY: it came from `take`.
        let key = unsafe { Held::<usize, WORDS>::handle_of(block) };
        slab.remove(key);
    }
}

impl<const WORDS: usize> sharded_slab::Clear for Held<usize, WORDS> {
    fn clear(&mut self) {}
}

pub(crate) struct ShardedSlab<const WORDS: usize>(sharded_slab::Pool<Held<usize, WORDS>>);

impl<const WORDS: usize> Peer<WORDS> for ShardedSlab<WORDS> {
    fn new(_: usize) -> Self {
        Self(sharded_slab::Pool::new())
    }

    fn take(&self) -> *mut c_void {
        let Some(mut held) = self.0.create() else { return ptr::null_mut() };
        let key = held.key();
        held.hold(key)
    }

    unsafe fn give(&self, block: *mut c_void) {
        // SAFETY: it came from `take`.
        let key = unsafe { Held::<usize, WORDS>::handle_of(block) };
        self.0.clear(key);
    }
}

/// The guard, which gives back when it is dropped, as plain bytes: its type names its own pool.
type Guard = [usize; size_of::<lockfree_object_pool::LinearReusable<'static, u8>>() / 8];
type Linear<const WORDS: usize> = lockfree_object_pool::LinearObjectPool<Held<Guard, WORDS>>;
type Reusable<'pool, const WORDS: usize> =
    lockfree_object_pool::LinearReusable<'pool, Held<Guard, WORDS>>;

pub(crate) struct LinearObjectPool<const WORDS: usize>(Linear<WORDS>);

impl<const WORDS: usize> Peer<WORDS> for LinearObjectPool<WORDS> {
    fn new(_: usize) -> Self {
        Self(Linear::new(Held::default, |_| {}))
    }

    fn take(&self) -> *mut c_void {
        const { assert!(size_of::<Reusable<'_, WORDS>>() == size_of::<Guard>()) };
        let mut guard = ManuallyDrop::new(self.0.pull());
        // SAFETY: of the same size, and copied but never used twice.
        let bytes = unsafe { ptr::read((&raw const guard).cast::<Guard>()) };
        guard.hold(bytes)
    }

    unsafe fn give(&self, block: *mut c_void) {
        // SAFETY: it came from `take`.
        let bytes = unsafe { Held::<Guard, WORDS>::handle_of(block) };
        // SAFETY: the bytes of a guard that `take` kept from being dropped.
        drop(unsafe { ptr::read((&raw const bytes).cast::<Reusable<'_, WORDS>>()) });
    }
}
