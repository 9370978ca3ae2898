//! Tests of `tagged.rs`, in a file of their own because tests/loom.rs takes that file as it is.

use core::ptr::NonNull;

use crate::base::ids::BlockIndex;
use crate::base::sync::{AtomicUsize, Ordering};
use crate::freelist::tagged::TaggedStack;

fn with_stack(words: &mut [AtomicUsize], body: impl FnOnce(&TaggedStack)) {
    let end = NonNull::from(words).cast::<AtomicUsize>();
    // SAFETY: the end of the slice.
    let end = unsafe { end.add(64) };
    // SAFETY: 64 zero words before `end`, for as long as the body runs.
    body(&unsafe { TaggedStack::new(end) });
}

fn words() -> [AtomicUsize; 64] {
    [const { AtomicUsize::new(0) }; 64]
}

#[test]
fn the_last_block_in_is_the_first_out_and_the_depth_is_known() {
    with_stack(&mut words(), |stack| {
        assert_eq!((stack.pop(), stack.depth_and_changes()), (None, (0, 0)));
        for index in [3, 0, 63] {
            stack.push(BlockIndex(index));
        }
        assert_eq!(stack.depth_and_changes(), (3, 3));
        assert!(stack.blocks(10).map(|index| index.0).eq([63, 0, 3]));
        let popped = [63, 0, 3].map(|index| (stack.pop(), index));
        assert!(popped.iter().all(|&(got, index)| got == Some(BlockIndex(index))));
        assert_eq!((stack.pop(), stack.depth_and_changes()), (None, (0, 6)));
    });
}

#[test]
fn a_block_is_live_free_or_untouched() {
    with_stack(&mut words(), |stack| {
        assert!(stack.is_untouched(BlockIndex(5)) && !stack.is_live(BlockIndex(5)));
        stack.set_live(BlockIndex(5));
        assert!(stack.is_live(BlockIndex(5)));
        stack.push(BlockIndex(5));
        assert!(!stack.is_live(BlockIndex(5)) && !stack.is_untouched(BlockIndex(5)));
        assert_eq!(stack.pop(), Some(BlockIndex(5)));
        assert!(stack.is_live(BlockIndex(5)));
        stack.forget(64);
        assert!(stack.is_untouched(BlockIndex(5)));
    });
}

#[test]
fn threads_that_pop_and_push_lose_nothing_and_share_nothing() {
    let mut words = words();
    with_stack(&mut words, |stack| {
        struct Shared<'a>(&'a TaggedStack);
        // SAFETY: the stack is made for any thread.
        unsafe impl Sync for Shared<'_> {}
        let owners = [const { AtomicUsize::new(0) }; 64];
        (0..64).for_each(|index| stack.push(BlockIndex(index)));
        let shared = Shared(stack);
        std::thread::scope(|scope| {
            for me in 1..=4 {
                let (shared, owners) = (&shared, &owners);
                scope.spawn(move || {
                    for _ in 0..20_000 {
                        let Some(index) = shared.0.pop() else { continue };
                        let owner = &owners[index.0];
                        // Relaxed, both: a block has one owner, which is what is asserted.
                        assert_eq!(owner.swap(me, Ordering::Relaxed), 0);
                        assert_eq!(owner.swap(0, Ordering::Relaxed), me);
                        shared.0.push(index);
                    }
                });
            }
        });
        let mut all: Vec<_> = std::iter::from_fn(|| stack.pop()).map(|i| i.0).collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..64));
    });
}
