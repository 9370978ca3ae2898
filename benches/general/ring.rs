//! A queue of pointers from one thread to one other, made to cost little beside an allocator.
//!
//! Each side counts on a cache line of its own and remembers what it last read of the other's, so
//! that lines change hands only when a side runs out of slots. It then looks away for a moment: a
//! side that waited for one slot at a time would take the line from the other at each block.

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many pointers can be under way.
pub const SLOTS: usize = 2048;

/// Alone on its cache line, and on the next, which some processors fetch with it.
#[repr(align(128))]
struct Counter(AtomicUsize);

/// The queue.
pub struct Ring {
    slots: Box<[UnsafeCell<*mut c_void>]>,
    sent: Counter,
    received: Counter,
}

// SAFETY: a slot is written by the sender while it lies outside of received..sent, and read by the
// receiver while it lies inside; the counters hand it over.
unsafe impl Sync for Ring {}

/// The side that sends. There must be one of a ring.
#[repr(align(128))]
pub struct Sender<'ring> {
    ring: &'ring Ring,
    sent: usize,
    received: usize,
}

/// The side that receives. There must be one of a ring.
#[repr(align(128))]
pub struct Receiver<'ring> {
    ring: &'ring Ring,
    sent: usize,
    received: usize,
}

// SAFETY: pointers are passed on and not followed.
unsafe impl Send for Sender<'_> {}
// SAFETY: as above.
unsafe impl Send for Receiver<'_> {}

impl Ring {
    /// An empty ring.
    pub fn new() -> Self {
        let counter = || Counter(AtomicUsize::new(0));
        let slots = (0..SLOTS).map(|_| UnsafeCell::new(std::ptr::null_mut())).collect();
        Self { slots, sent: counter(), received: counter() }
    }

    /// Its two sides.
    pub fn sides(&mut self) -> (Sender<'_>, Receiver<'_>) {
        let ring = &*self;
        let (sent, received) = (ring.sent.now(), ring.received.now());
        (Sender { ring, sent, received }, Receiver { ring, sent, received })
    }
}

impl Counter {
    fn now(&self) -> usize {
        // Acquire: with the Release of `publish`; what the other side did to the slot is done.
        self.0.load(Ordering::Acquire)
    }

    fn publish(&self, count: usize) {
        // Release: with the Acquire of `now`.
        self.0.store(count, Ordering::Release);
    }

    /// Waits until it is no longer `seen`. Who has waited in vain for long lets others run: the
    /// other side may have no processor.
    #[cold]
    fn other_than(&self, seen: usize) -> usize {
        for attempt in 0.. {
            (0..32).for_each(|_| std::hint::spin_loop());
            let now = self.now();
            if now != seen {
                return now;
            }
            if attempt % 16 == 15 {
                std::thread::yield_now();
            }
        }
        unreachable!("it waits for ever");
    }
}

impl Sender<'_> {
    /// Sends a pointer, when there is room for it.
    #[inline(always)]
    pub fn send(&mut self, block: *mut c_void) {
        if self.sent - self.received == SLOTS {
            self.received = self.ring.received.other_than(self.received);
        }
        let slot = self.ring.slots[self.sent % SLOTS].get();
        // SAFETY: outside of received..sent, so it is the sender's.
        unsafe { slot.write(block) };
        self.sent += 1;
        self.ring.sent.publish(self.sent);
    }
}

impl Receiver<'_> {
    /// Waits for a pointer.
    #[inline(always)]
    pub fn receive(&mut self) -> *mut c_void {
        if self.sent == self.received {
            self.sent = self.ring.sent.other_than(self.sent);
        }
        let slot = self.ring.slots[self.received % SLOTS].get();
        // SAFETY: inside of received..sent, so it is the receiver's.
        let block = unsafe { slot.read() };
        self.received += 1;
        self.ring.received.publish(self.received);
        block
    }
}
