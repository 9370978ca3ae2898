//! Who took and who gave each block: the stack, the thread, when, and in which order.
//!
//! ```text
//!   notes   │ taken: stack 3, thread, number, time │ given: stack 8, ... │   for each block
//!   stacks  │ hash, 9 frames │ hash, 12 frames │ ...                         each stack once
//! ```
//!
//! Programs take and give their blocks at few places, so stacks are kept once, and found again by
//! their hash. When there is no room for another one, the note says that it is not known.
//!
//! Notes are written by whoever has the block. Who reads while others write may find the parts of
//! two notes beside each other, or a stack of which a part is not there yet; a report of misuse is
//! no worse for it, so nothing here is ordered.

use core::ptr::NonNull;

use crate::base::ids::BlockIndex;
use crate::base::sync::{AtomicU32, AtomicUsize, Ordering};
use crate::host::{sleep, stack, thread};
use crate::inspect::switches::FRAMES_MAX;
use crate::source::memory::Memory;

/// The frames of the library itself, which are kept too: they are left out when a stack is shown.
const OWN_FRAMES_MAX: usize = 12;
/// What a stack takes at most.
pub(crate) const DEPTH_MAX: usize = FRAMES_MAX + OWN_FRAMES_MAX;
/// How many stacks are kept; a power of two.
pub(crate) const STACKS_MAX: usize = 1 << 13;
/// How many places are tried for a stack.
const ATTEMPTS: usize = 64;

/// A stack, and what is known beside it.
#[derive(Clone, Copy)]
pub(crate) struct Site {
    /// The return addresses, the innermost first.
    frames: [usize; DEPTH_MAX],
    depth: usize,
    pub(crate) thread: i32,
    /// The how manieth operation of the pool it was.
    pub(crate) sequence: u64,
    /// By the monotonic clock.
    pub(crate) nanoseconds: u64,
}

impl Site {
    /// Where this thread is.
    pub(crate) fn here(depth: usize) -> Self {
        let mut frames = [0; DEPTH_MAX];
        let depth = stack::capture(&mut frames[..(depth + OWN_FRAMES_MAX).min(DEPTH_MAX)]);
        let (thread, nanoseconds) = (thread::id(), sleep::now());
        Self { frames, depth, thread, sequence: 0, nanoseconds }
    }

    /// Where the signal came from that the caller handles.
    pub(crate) fn interrupted(depth: usize) -> Self {
        let mut frames = [0; DEPTH_MAX];
        let depth = stack::interrupted(&mut frames[..depth.min(DEPTH_MAX)]);
        let (thread, nanoseconds) = (thread::id(), sleep::now());
        Self { frames, depth, thread, sequence: 0, nanoseconds }
    }

    pub(crate) fn frames(&self) -> &[usize] {
        &self.frames[..self.depth]
    }
}

struct Stack {
    /// 0: empty.
    hash: AtomicUsize,
    /// Of the frames; 0: they are just being written.
    depth: AtomicUsize,
    frames: [AtomicUsize; DEPTH_MAX],
}

struct Note {
    stack: AtomicU32,
    thread: AtomicU32,
    sequence: AtomicUsize,
    /// In a word of 32 bits they begin anew after an hour.
    microseconds: AtomicUsize,
}

const NANOSECONDS_A_MICROSECOND: u64 = 1000;

struct Notes {
    taken: Note,
    given: Note,
}

/// What is known of the blocks of a pool.
pub(crate) struct Sites {
    notes: Memory,
    stacks: Memory,
    depth: usize,
    /// Blocks that there are notes for.
    capacity: AtomicUsize,
    sequence: AtomicUsize,
}

/// Which of the two notes of a block.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    Taken,
    Given,
}

impl Sites {
    /// For so many blocks, and as many as there may come to be. `None`: the system gives no memory.
    pub(crate) fn new(depth: usize, capacity: usize, max_capacity: usize) -> Option<Self> {
        let notes = Memory::reserved(max_capacity * size_of::<Notes>())?;
        let stacks = Memory::new(STACKS_MAX * size_of::<Stack>())?;
        let capacity_now = AtomicUsize::new(0);
        let sequence = AtomicUsize::new(0);
        let sites = Self { notes, stacks, depth, capacity: capacity_now, sequence };
        // What the unwinder needs from the heap or the loader it takes now, not in the middle of a
        // program's own allocation.
        let _ = Site::here(depth);
        sites.extend(capacity).then_some(sites)
    }

    /// How many frames of a stack are wanted.
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// Says that there are so many blocks now. `false`: there is no memory for their notes.
    pub(crate) fn extend(&self, capacity: usize) -> bool {
        let done = self.notes.commit(0..capacity * size_of::<Notes>());
        if done {
            // Relaxed: who has a block beyond got it from who made this call.
            self.capacity.fetch_max(capacity, Ordering::Relaxed);
        }
        done
    }

    fn note(&self, index: BlockIndex, event: Event) -> Option<&Note> {
        // Relaxed: as in `extend`.
        if index.0 >= self.capacity.load(Ordering::Relaxed) {
            return None;
        }
        let notes: NonNull<Notes> = self.notes.start().cast();
        // SAFETY: committed for as many blocks, zero at first, and stays as long as the memory.
        let notes = unsafe { &*notes.as_ptr().wrapping_add(index.0) };
        Some(if event == Event::Taken { &notes.taken } else { &notes.given })
    }

    fn stack(&self, place: usize) -> &Stack {
        let stacks: NonNull<Stack> = self.stacks.start().cast();
        // SAFETY: so many stacks, zero at first, stay as long as the memory.
        unsafe { &*stacks.as_ptr().wrapping_add(place % STACKS_MAX) }
    }

    /// Writes down that this thread takes or gives the block.
    pub(crate) fn write(&self, index: BlockIndex, event: Event) {
        let Some(note) = self.note(index, event) else { return };
        let site = Site::here(self.depth);
        // Relaxed, all: see the head of this file.
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed) + 1;
        note.stack.store(self.keep(site.frames()), Ordering::Relaxed);
        note.thread.store(site.thread.cast_unsigned(), Ordering::Relaxed);
        note.sequence.store(sequence, Ordering::Relaxed);
        let microseconds = (site.nanoseconds / NANOSECONDS_A_MICROSECOND) as usize;
        note.microseconds.store(microseconds, Ordering::Relaxed);
    }

    /// What was written down last; `None`: nothing was.
    pub(crate) fn read(&self, index: BlockIndex, event: Event) -> Option<Site> {
        let note = self.note(index, event)?;
        // Relaxed, all: as in `write`.
        let sequence = note.sequence.load(Ordering::Relaxed);
        if sequence == 0 {
            return None;
        }
        let stack = note.stack.load(Ordering::Relaxed);
        let thread = note.thread.load(Ordering::Relaxed).cast_signed();
        // Relaxed: as above.
        let microseconds = note.microseconds.load(Ordering::Relaxed) as u64;
        let nanoseconds = microseconds * NANOSECONDS_A_MICROSECOND;
        let (frames, depth) = self.frames_of(stack);
        Some(Site { frames, depth, thread, sequence: sequence as u64, nanoseconds })
    }

    /// The stack of what was written down last, and its number in order; 0, 0: nothing was.
    pub(crate) fn taken_at(&self, index: BlockIndex) -> (u32, usize) {
        let Some(note) = self.note(index, Event::Taken) else { return (0, 0) };
        // Relaxed, both: as in `write`.
        (note.stack.load(Ordering::Relaxed), note.sequence.load(Ordering::Relaxed))
    }

    /// The frames of a stack, and how many they are.
    pub(crate) fn frames_of(&self, stack: u32) -> ([usize; DEPTH_MAX], usize) {
        let mut frames = [0; DEPTH_MAX];
        let Some(place) = (stack as usize).checked_sub(1) else { return (frames, 0) };
        let kept = self.stack(place);
        // Relaxed, both: see the head of this file; a frame that is not there yet is 0.
        let depth = kept.depth.load(Ordering::Relaxed).min(DEPTH_MAX);
        let written = kept.frames[..depth].iter().map(|frame| frame.load(Ordering::Relaxed));
        let written = written.take_while(|&frame| frame != 0);
        let depth = frames.iter_mut().zip(written).map(|(to, frame)| *to = frame).count();
        (frames, depth)
    }

    /// The number of a stack, which is kept from now on; 0: there is no room.
    fn keep(&self, frames: &[usize]) -> u32 {
        let hash = hash_of(frames);
        let places = (0..ATTEMPTS).map(|attempt| hash.wrapping_add(attempt) % STACKS_MAX);
        for place in places {
            let stack = self.stack(place);
            // Relaxed, both: see the head of this file.
            match stack.hash.compare_exchange(0, hash, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => {
                    for (to, &from) in stack.frames.iter().zip(frames) {
                        // Relaxed: see the head of this file.
                        to.store(from, Ordering::Relaxed);
                    }
                    // Relaxed: as above.
                    stack.depth.store(frames.len(), Ordering::Relaxed);
                    return place as u32 + 1;
                }
                Err(found) if found == hash => return place as u32 + 1,
                Err(_) => {}
            }
        }
        0
    }

    /// Forgets all blocks. Only while nobody else calls.
    pub(crate) fn forget(&self, end: usize) {
        for index in (0..end).map(BlockIndex) {
            for event in [Event::Taken, Event::Given] {
                let note = self.note(index, event);
                // Relaxed: nobody else calls.
                note.into_iter().for_each(|note| note.sequence.store(0, Ordering::Relaxed));
            }
        }
    }

    /// Bytes of memory, for so many blocks.
    pub(crate) fn bytes(&self, capacity: usize) -> usize {
        capacity * size_of::<Notes>() + STACKS_MAX * size_of::<Stack>()
    }
}

/// Of all frames together, never 0.
///
/// Source: G. Fowler, L. C. Noll, K.-P. Vo, "FNV-1a", over words and not bytes.
fn hash_of(frames: &[usize]) -> usize {
    let mix = |hash: u64, &frame: &usize| {
        let mixed = (hash ^ frame as u64).wrapping_mul(0x0000_0100_0000_01B3);
        mixed ^ (mixed >> 29)
    };
    frames.iter().fold(0xCBF2_9CE4_8422_2325, mix) as usize | 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_the_last_write_counts() {
        let sites = Sites::new(4, 2, 2).expect("memory");
        let read = |index, event| sites.read(BlockIndex(index), event);
        assert!(read(0, Event::Taken).is_none());
        sites.write(BlockIndex(0), Event::Taken);
        sites.write(BlockIndex(1), Event::Given);
        sites.write(BlockIndex(0), Event::Taken);
        let taken = read(0, Event::Taken).expect("written");
        assert_eq!((taken.sequence, taken.thread), (3, thread::id()));
        assert!(!taken.frames().is_empty() && taken.frames().iter().all(|&frame| frame != 0));
        assert!(read(1, Event::Taken).is_none() && read(2, Event::Taken).is_none());
        sites.forget(2);
        assert!(read(0, Event::Taken).is_none());
    }

    #[test]
    fn a_stack_is_kept_once_and_there_is_an_end_to_their_number() {
        let sites = Sites::new(4, 1, 1).expect("memory");
        let first = sites.keep(&[1, 2, 3]);
        assert!(first > 0);
        assert_eq!(sites.keep(&[1, 2, 3]), first);
        assert_eq!(sites.frames_of(first).0[..3], [1, 2, 3]);
        assert_ne!(sites.keep(&[1, 2, 4]), first);
        let kept = (0..2 * STACKS_MAX).filter(|&frame| sites.keep(&[frame, 9]) != 0).count();
        assert!((STACKS_MAX / 2..=STACKS_MAX).contains(&kept), "{kept}");
    }
}
