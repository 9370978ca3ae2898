//! Loom's atomics under the names that the library asks for, as words in zeroed memory.
//!
//! A magazine is cast from zeroed bytes, but an atomic of loom is larger than its value, and not
//! made of zeros. So a word here holds the number of one of loom's, and 0 stands for one of value 0
//! that is made when it is first asked for: by a thread after which all others come.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

pub(crate) use loom::sync::atomic::Ordering;

macro_rules! words {
    ($($name:ident: $value:ty, $table:ident;)*) => { $(
        thread_local! {
            // Loom runs all threads of a model on one.
            static $table: RefCell<Vec<Rc<loom::sync::atomic::$name>>> = const {
                RefCell::new(vec![])
            };
        }

        #[repr(transparent)]
        #[derive(Debug)]
        pub(crate) struct $name(Cell<$value>);

        // SAFETY: loom runs all threads of a model on one, which changes only inside of its calls.
        unsafe impl Sync for $name {}

        #[allow(dead_code, reason = "not each is used in every way")]
        impl $name {
            pub(crate) fn new(value: $value) -> Self {
                Self(Cell::new(if value == 0 { 0 } else { Self::number_of_new(value) }))
            }

            fn number_of_new(value: $value) -> $value {
                $table.with_borrow_mut(|table| {
                    table.push(Rc::new(loom::sync::atomic::$name::new(value)));
                    table.len().try_into().expect("few")
                })
            }

            fn of_loom(&self) -> Rc<loom::sync::atomic::$name> {
                if self.0.get() == 0 {
                    self.0.set(Self::number_of_new(0));
                }
                $table.with_borrow(|table| Rc::clone(&table[self.0.get() as usize - 1]))
            }

            #[track_caller]
            pub(crate) fn load(&self, order: Ordering) -> $value {
                self.of_loom().load(order)
            }

            #[track_caller]
            pub(crate) fn store(&self, value: $value, order: Ordering) {
                self.of_loom().store(value, order);
            }

            #[track_caller]
            pub(crate) fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.of_loom().compare_exchange(current, new, success, failure)
            }

            /// # Safety
            /// * A word of this kind, or 0, is there for as long as the answer is used.
            pub(crate) unsafe fn from_ptr<'a>(pointer: *mut $value) -> &'a Self {
                // SAFETY: by this function's contract.
                unsafe { &*pointer.cast() }
            }
        }
    )*

        /// Forgets the atomics of the execution before.
        fn forget() {
            $( $table.with_borrow_mut(Vec::clear); )*
        }
    };
}

words! {
    AtomicU8: u8, BYTES;
    AtomicU32: u32, HALVES;
    AtomicUsize: usize, WORDS;
}

loom::thread_local! {
    static NUMBER: Cell<usize> = Cell::new(0);
}

/// Which of the threads this is; 0: none of them.
pub(crate) fn number() -> usize {
    NUMBER.with(Cell::get)
}

/// Says which of the threads this is.
pub(crate) fn enter(number: usize) {
    NUMBER.with(|kept| kept.set(number));
}

/// As the library's, but that the checker sees what it does.
pub(crate) unsafe fn read_alone(word: &AtomicU32) -> u32 {
    word.load(Ordering::Relaxed)
}

pub(crate) unsafe fn write_alone(word: &AtomicU32, value: u32) {
    word.store(value, Ordering::Relaxed);
}

pub(crate) mod barrier {
    //! As little as the two fences may do: each light one and each heavy one are in some order,
    //! what is before the first is seen after the second, and light ones say nothing to each other.
    //!
    //! Two sequentially consistent fences would do more, for they are also fences among the light
    //! ones, and release what is written after them; a light one is nothing to the processor.

    use std::cell::RefCell;
    use std::rc::Rc;
    use std::sync::atomic::AtomicUsize as Count;

    use loom::sync::atomic::{AtomicUsize, Ordering};

    /// How often somebody reached into the magazines of others.
    pub(crate) static HEAVY: Count = Count::new(0);

    thread_local! {
        static MEETINGS: RefCell<Vec<Rc<AtomicUsize>>> = const { RefCell::new(vec![]) };
    }

    fn meet(number: usize) {
        let meeting = MEETINGS.with_borrow(|meetings| Rc::clone(&meetings[number]));
        meeting.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn light() {
        meet(super::number());
    }

    pub(crate) fn heavy() -> bool {
        HEAVY.fetch_add(1, Ordering::Relaxed);
        (1..MEETINGS.with_borrow(Vec::len)).for_each(meet);
        true
    }

    pub(super) fn start(threads: usize) {
        MEETINGS.set((0..=threads).map(|_| Rc::new(AtomicUsize::new(0))).collect());
    }
}

/// Tries what `threads` threads can do, up to so many preemptions; `None`: however many. They are
/// numbered from 1 on.
pub(crate) fn explore(
    threads: usize,
    preemptions: Option<usize>,
    scenario: impl Fn() + Sync + Send + 'static,
) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.max_branches = 10_000;
    builder.check(move || {
        forget();
        barrier::start(threads);
        scenario();
    });
}
