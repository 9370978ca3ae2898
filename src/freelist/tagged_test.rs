//! Tests of `tagged.rs`, in a file of their own because tests/loom.rs takes that file as it is.

use core::ptr::NonNull;

use crate::base::ids::BlockIndex;
use crate::base::sync::{AtomicUsize, Ordering};
use crate::freelist::tagged::{BYTES, TaggedStack};

/// With a table for so many blocks.
fn with_stack(count: usize, body: impl FnOnce(&TaggedStack)) {
    let mut table = vec![0_u128; (BYTES * count).div_ceil(16)];
    let end = NonNull::from(&mut *table).cast::<u128>();
    // SAFETY: the end of the slice.
    let end = unsafe { end.add(table.len()) }.cast();
    // SAFETY: so many zero bytes before `end`, for as long as the body runs.
    body(&unsafe { TaggedStack::new(end) });
}

/// Of which any thread may have one.
struct Shared<'a>(&'a TaggedStack);

// SAFETY: the stack is made for any thread.
unsafe impl Sync for Shared<'_> {}

fn push(stack: &TaggedStack, indices: impl Iterator<Item = usize>) {
    indices.for_each(|index| stack.push(BlockIndex(index)));
}

fn pop(stack: &TaggedStack, count: usize) {
    (0..count).for_each(|_| assert!(stack.pop().is_some()));
}

#[test]
fn a_block_takes_half_a_word_and_two_bytes() {
    assert_eq!(BYTES, size_of::<usize>() / 2 + 2);
}

#[test]
fn the_last_block_in_is_the_first_out_and_the_depth_is_known() {
    with_stack(64, |stack| {
        assert_eq!((stack.pop(), stack.depth_and_changes()), (None, (0, 0)));
        push(stack, [3, 0, 63].into_iter());
        assert_eq!(stack.depth_and_changes(), (3, 3));
        assert!(stack.blocks(10).map(|index| index.0).eq([63, 0, 3]));
        let popped = [63, 0, 3].map(|index| (stack.pop(), index));
        assert!(popped.iter().all(|&(got, index)| got == Some(BlockIndex(index))));
        assert_eq!((stack.pop(), stack.depth_and_changes()), (None, (0, 6)));
    });
}

#[test]
fn a_block_is_live_free_or_untouched() {
    with_stack(64, |stack| {
        assert!(stack.is_untouched(BlockIndex(5)) && !stack.is_live(BlockIndex(5)));
        stack.set_live(BlockIndex(5));
        assert!(stack.is_live(BlockIndex(5)));
        assert!(stack.claim(BlockIndex(5)) && !stack.claim(BlockIndex(5)));
        assert!(stack.is_held(BlockIndex(5)) && !stack.is_live(BlockIndex(5)));
        stack.push(BlockIndex(5));
        assert!(!stack.is_live(BlockIndex(5)) && !stack.is_untouched(BlockIndex(5)));
        assert!(!stack.claim(BlockIndex(5)) && !stack.is_held(BlockIndex(5)));
        assert_eq!(stack.pop(), Some(BlockIndex(5)));
        assert!(stack.is_live(BlockIndex(5)));
        stack.forget(64);
        assert!(stack.is_untouched(BlockIndex(5)));
    });
}

/// Each block has a link and a depth of its own, also the last of an odd number.
#[test]
fn blocks_do_not_share_what_is_known_of_them() {
    for count in 1..40 {
        with_stack(count, |stack| {
            push(stack, 0..count);
            assert!(stack.blocks(count + 1).map(|index| index.0).eq((0..count).rev()));
            for left in (0..count).rev() {
                assert_eq!(stack.pop(), Some(BlockIndex(left)));
                assert_eq!(stack.depth_and_changes().0, left);
            }
            assert!((0..count).all(|index| stack.is_live(BlockIndex(index))));
        });
    }
}

const MANY: usize = 200_000;

/// Nobody looks, and so nobody makes a note but the calls themselves.
#[test]
fn a_stack_deeper_than_its_words_say_is_as_deep_as_it_was_made() {
    with_stack(MANY, |stack| {
        push(stack, 0..MANY);
        assert_eq!(stack.depth_and_changes(), (MANY, MANY));
        pop(stack, 150_000);
        assert_eq!(stack.depth_and_changes(), (50_000, 350_000));
        push(stack, 50_000..MANY);
        pop(stack, MANY);
        assert_eq!(stack.depth_and_changes(), (0, 700_000));
    });
}

#[test]
fn the_depth_is_exact_at_every_step_over_what_its_words_can_say() {
    with_stack(MANY, |stack| {
        let mut changes = 0;
        for middle in [256, 1 << 15, 1 << 16, 3 << 15, 1 << 17, 3 << 16] {
            let depth = stack.depth_and_changes().0;
            push(stack, depth..middle - 3);
            changes += middle - 3 - depth;
            for _ in 0..1000 {
                for index in middle - 3..middle + 3 {
                    stack.push(BlockIndex(index));
                    changes += 1;
                    assert_eq!(stack.depth_and_changes(), (index + 1, changes));
                }
                for left in (middle - 3..middle + 3).rev() {
                    pop(stack, 1);
                    changes += 1;
                    assert_eq!(stack.depth_and_changes(), (left, changes));
                }
            }
        }
    });
}

#[test]
fn who_leaves_the_stack_empty_leaves_no_depth() {
    with_stack(MANY, |stack| {
        push(stack, 0..MANY);
        stack.drop_all();
        assert_eq!(stack.depth_and_changes(), (0, MANY));
        push(stack, 0..70_000);
        assert_eq!(stack.depth_and_changes(), (70_000, MANY + 70_000));
        stack.forget(MANY);
        assert_eq!(stack.depth_and_changes(), (0, MANY + 70_000));
        assert!((0..MANY).all(|index| stack.is_untouched(BlockIndex(index))));
    });
}

/// A thread that was put to sleep between its change and its note: the 256th, and one that is so
/// long ago that the tag looks as if it were to come.
#[test]
fn a_note_that_comes_late_is_dropped() {
    with_stack(MANY, |stack| {
        push(stack, 0..33_000);
        stack.note(256, 256);
        stack.note((1 << 30) + 33_000, 5);
        push(stack, 33_000..34_000);
        assert_eq!(stack.depth_and_changes(), (34_000, 34_000));
    });
}

#[test]
fn threads_that_pop_and_push_lose_nothing_and_share_nothing() {
    with_stack(64, |stack| {
        let owners = [const { AtomicUsize::new(0) }; 64];
        push(stack, 0..64);
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

/// Three threads take as many as they can get and give them back; one looks.
#[test]
fn a_deep_stack_that_threads_change_is_never_seen_deeper_than_it_can_be() {
    const EACH: usize = 40_000;
    const THREADS: usize = 3;
    with_stack(MANY, |stack| {
        push(stack, 0..MANY);
        let (shared, working) = (Shared(stack), AtomicUsize::new(THREADS));
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                let (shared, working) = (&shared, &working);
                scope.spawn(move || {
                    for _ in 0..4 {
                        let mine: Vec<_> = (0..EACH).filter_map(|_| shared.0.pop()).collect();
                        mine.into_iter().for_each(|index| shared.0.push(index));
                    }
                    // Relaxed: nothing is handed over.
                    working.fetch_sub(1, Ordering::Relaxed);
                });
            }
            let mut before = MANY;
            // Relaxed: as above.
            while working.load(Ordering::Relaxed) > 0 {
                let (depth, changes) = stack.depth_and_changes();
                assert!((MANY - THREADS * EACH..=MANY).contains(&depth), "{depth}");
                assert!(depth % 2 == changes % 2 && changes >= before);
                before = changes;
            }
        });
        assert_eq!(stack.depth_and_changes(), (MANY, MANY + THREADS * 4 * 2 * EACH));
    });
}
