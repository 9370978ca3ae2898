//! The box pools of heapless: one for each type, there from the start, with memory that a program
//! gives them and never has back.

use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::Mutex;

use heapless::box_pool;
use heapless::pool::boxed::{Box as Boxed, BoxBlock};

use crate::Peer;
use crate::keyed::Held;

/// A box as plain bytes: a pointer and a tag. Its type names the block that it is kept in.
type Pointer = [usize; 2];

/// The pool of a size, if there is one.
pub(crate) struct Managed<const WORDS: usize>;

macro_rules! managed {
    ($words:literal, $pool:ident) => {
        box_pool!($pool: Held<Pointer, $words>);

        impl Peer<$words> for Managed<$words> {
            const IS_MADE: bool = false;
            const GROWS: bool = false;

            fn new(maximum: usize) -> Self {
                static GIVEN: Mutex<usize> = Mutex::new(0);
                let mut given = GIVEN.lock().expect("no panic");
                let more = maximum.saturating_sub(*given);
                let blocks: Vec<_> = (0..more).map(|_| BoxBlock::new()).collect();
                blocks.leak().iter_mut().for_each(|block| $pool.manage(block));
                *given += more;
                Self
            }

            fn take(&self) -> *mut c_void {
                const { assert!(size_of::<Boxed<$pool>>() == size_of::<Pointer>()) };
                let Ok(boxed) = $pool.alloc(Held::default()) else { return ptr::null_mut() };
                let mut boxed = ManuallyDrop::new(boxed);
                // SAFETY: of the same size, and copied but never used twice.
                let bytes = unsafe { ptr::read((&raw const boxed).cast::<Pointer>()) };
                boxed.hold(bytes)
            }

            unsafe fn give(&self, block: *mut c_void) {
                // SAFETY: it came from `take`.
                let bytes = unsafe { Held::<Pointer, $words>::handle_of(block) };
                // SAFETY: the bytes of a box that `take` kept from being dropped.
                drop(unsafe { ptr::read((&raw const bytes).cast::<Boxed<$pool>>()) });
            }
        }
    };
}

managed!(2, Blocks16);
managed!(8, Blocks64);
managed!(32, Blocks256);
managed!(512, Blocks4096);
