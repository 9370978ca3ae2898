//! A set of free blocks, as bits: whether a block is in it is never a matter of order.
//!
//! ```text
//!   a group:    64 blocks, a word      │ 1111..1 │ 0100..0 │ 0000..0 │ 1111..1 │ ...
//!   a section:  64 groups, and which   │ with a free block: 1101.. │ whole: 1001.. │ next │
//!   the stack:  sections that have a free block
//! ```
//!
//! The states of a group's blocks share a cache line of the ledger. Whoever wants many blocks gets
//! whole groups first, and whoever wants few gets the remains of others: so each line is written by
//! few threads, however the blocks went from hand to hand, and neighbours are handed out one after
//! the other. Each step takes constant time: a section is looked at by its two words.
//!
//! Memory: 67 words for 4096 blocks, of which those that lie beyond the capacity do not count.
//!
//! B1. The words before `end`, for as many blocks as there may come to be, belong to this set
//!     alone; those of the groups that were added are set up.
//! B2. Everything here is read and written by one thread at a time.
//! B3. The sections with a free block are on the stack, each once; no other is. A section's words
//!     tell of each group whether it is not 0, and whether it is all ones.

use core::cell::Cell;
use core::iter::successors;
use core::ops::Range;
use core::ptr::NonNull;

use crate::base::ids::BlockIndex;

/// How many blocks are in a group.
pub(crate) const GROUP_BLOCKS: usize = u64::BITS as usize;

const SECTION_GROUPS: usize = u64::BITS as usize;
const SECTION_WORDS: usize = HEAD_WORDS + SECTION_GROUPS;
const HEAD_WORDS: usize = 3;
const WITH_FREE: usize = 0;
const WHOLE: usize = 1;
const NEXT: usize = 2;

/// No section.
const NONE: u64 = u64::MAX;

/// Some blocks of a group, from the lowest on.
pub(crate) struct Blocks {
    first: usize,
    bits: u64,
}

impl Blocks {
    pub(crate) fn none() -> Self {
        Self { first: 0, bits: 0 }
    }

    /// The lowest of `bits`, at most `most`.
    fn lowest(group: usize, bits: u64, most: usize) -> Self {
        let first = group * GROUP_BLOCKS;
        if most >= GROUP_BLOCKS {
            return Self { first, bits };
        }
        let rest = (0..most).fold(bits, |rest, _| rest & rest.wrapping_sub(1));
        Self { first, bits: bits & !rest }
    }

    pub(crate) fn len(&self) -> usize {
        self.bits.count_ones() as usize
    }
}

impl Iterator for Blocks {
    type Item = BlockIndex;

    fn next(&mut self) -> Option<BlockIndex> {
        let index = BlockIndex(self.first + self.bits.trailing_zeros() as usize);
        let is_there = self.bits != 0;
        self.bits &= self.bits.wrapping_sub(1);
        is_there.then_some(index)
    }

    /// A whole group is counted through, which takes a fraction of the time.
    fn fold<T, F: FnMut(T, BlockIndex) -> T>(self, start: T, mut add: F) -> T {
        let end = self.first + GROUP_BLOCKS;
        if self.bits == u64::MAX {
            return (self.first..end).map(BlockIndex).fold(start, add);
        }
        let (mut bits, mut sum) = (self.bits, start);
        while bits != 0 {
            sum = add(sum, BlockIndex(self.first + bits.trailing_zeros() as usize));
            bits &= bits - 1;
        }
        sum
    }
}

/// The group of a block, and its bit there.
fn place_of(index: BlockIndex) -> (usize, u64) {
    (group_of(index), 1 << (index.0 % GROUP_BLOCKS))
}

/// The group of a block.
pub(crate) fn group_of(index: BlockIndex) -> usize {
    index.0 / GROUP_BLOCKS
}

/// Which blocks wait in a depot.
pub(crate) struct FreeSet {
    end: NonNull<u64>,
    /// The section on top of the stack.
    top: Cell<u64>,
    count: Cell<usize>,
}

impl FreeSet {
    /// What the set takes for so many blocks.
    pub(crate) fn bytes(blocks: usize) -> usize {
        let groups = blocks.div_ceil(GROUP_BLOCKS);
        (groups + groups.div_ceil(SECTION_GROUPS) * HEAD_WORDS) * size_of::<u64>()
    }

    /// # Safety
    /// * B1.
    pub(crate) unsafe fn new(end: NonNull<u64>) -> Self {
        Self { end, top: Cell::new(NONE), count: Cell::new(0) }
    }

    fn at(&self, place: usize) -> NonNull<u64> {
        // SAFETY: B1, for the word is of blocks that there may come to be.
        unsafe { self.end.sub(place + 1) }
    }

    fn word(&self, place: usize) -> u64 {
        // SAFETY: B1 and B2.
        unsafe { self.at(place).read() }
    }

    fn set_word(&self, place: usize, word: u64) {
        // SAFETY: B1 and B2.
        unsafe { self.at(place).write(word) };
    }

    fn head(&self, section: usize, word: usize) -> u64 {
        self.word(section * SECTION_WORDS + word)
    }

    fn set_head(&self, section: usize, word: usize, value: u64) {
        self.set_word(section * SECTION_WORDS + word, value);
    }

    fn group_place(group: usize) -> usize {
        group / SECTION_GROUPS * SECTION_WORDS + HEAD_WORDS + group % SECTION_GROUPS
    }

    fn group(&self, group: usize) -> u64 {
        self.word(Self::group_place(group))
    }

    /// How many blocks are in it.
    pub(crate) fn count(&self) -> usize {
        self.count.get()
    }

    /// Whether a block, of a group that was added, is in it.
    pub(crate) fn holds(&self, index: BlockIndex) -> bool {
        let (group, bit) = place_of(index);
        self.group(group) & bit != 0
    }

    /// Adds groups to those that blocks can be of, with none of their blocks.
    pub(crate) fn add_groups(&self, groups: Range<usize>) {
        for group in groups {
            if group % SECTION_GROUPS == 0 {
                let section = group / SECTION_GROUPS;
                (0..HEAD_WORDS).for_each(|word| self.set_head(section, word, 0));
            }
            self.set_word(Self::group_place(group), 0);
        }
    }

    /// Takes the lowest blocks of some group, up to `most`; there is one.
    pub(crate) fn take(&self, most: usize) -> Blocks {
        let section = self.top.get() as usize;
        let (with_free, whole) = (self.head(section, WITH_FREE), self.head(section, WHOLE));
        let wanted = if most < GROUP_BLOCKS { with_free & !whole } else { whole };
        let nth = if wanted == 0 { with_free } else { wanted }.trailing_zeros();
        let group = section * SECTION_GROUPS + nth as usize;
        let free = self.group(group);
        let taken = Blocks::lowest(group, free, most);
        let rest = free & !taken.bits;
        self.count.set(self.count() - taken.len());
        self.set_word(Self::group_place(group), rest);
        self.set_head(section, WHOLE, whole & !(1 << nth));
        if rest == 0 {
            let with_free = with_free & !(1 << nth);
            self.set_head(section, WITH_FREE, with_free);
            if with_free == 0 {
                self.top.set(self.head(section, NEXT));
            }
        }
        taken
    }

    /// Adds all blocks of the group of one of them.
    pub(crate) fn put_group_of(&self, index: BlockIndex) {
        self.put(group_of(index), u64::MAX);
    }

    /// Adds blocks; those that follow each other in one group at once.
    pub(crate) fn put_all(&self, blocks: impl Iterator<Item = BlockIndex>) {
        let (mut group, mut bits) = (0, 0);
        for index in blocks {
            let (its_group, bit) = place_of(index);
            if its_group != group {
                self.put(group, bits);
                (group, bits) = (its_group, 0);
            }
            bits |= bit;
        }
        self.put(group, bits);
    }

    fn put(&self, group: usize, bits: u64) {
        let place = Self::group_place(group);
        let before = self.word(place);
        let after = before | bits;
        self.set_word(place, after);
        self.count.set(self.count() + (after & !before).count_ones() as usize);
        let (section, bit) = (group / SECTION_GROUPS, 1 << (group % SECTION_GROUPS));
        if before == 0 && after != 0 {
            let with_free = self.head(section, WITH_FREE);
            self.set_head(section, WITH_FREE, with_free | bit);
            if with_free == 0 {
                self.set_head(section, NEXT, self.top.replace(section as u64));
            }
        }
        if after == u64::MAX {
            self.set_head(section, WHOLE, self.head(section, WHOLE) | bit);
        }
    }

    /// The blocks that are in it, of those below `end`, in order.
    pub(crate) fn blocks(&self, end: usize) -> impl Iterator<Item = BlockIndex> {
        (0..end).map(BlockIndex).filter(|&index| self.holds(index))
    }

    fn sections(end: usize) -> Range<usize> {
        0..end.div_ceil(GROUP_BLOCKS * SECTION_GROUPS)
    }

    /// Puts the sections with the lowest addresses on top, of the blocks below `end`.
    pub(crate) fn sort(&self, end: usize) {
        self.top.set(NONE);
        for section in Self::sections(end).rev() {
            if self.head(section, WITH_FREE) != 0 {
                self.set_head(section, NEXT, self.top.replace(section as u64));
            }
        }
    }

    /// Whether B3 holds for the blocks below `end`, and as many are here as were counted.
    pub(crate) fn is_sound(&self, end: usize) -> bool {
        let sections = Self::sections(end);
        let below = |section: &u64| *section < sections.end as u64;
        let next = |&section: &u64| Some(self.head(section as usize, NEXT)).filter(below);
        // More than there are: the stack goes in circles.
        let listed = successors(Some(self.top.get()).filter(below), next).take(sections.end + 1);
        let has_free = |&section: &usize| self.head(section, WITH_FREE) != 0;
        let groups = 0..end.div_ceil(GROUP_BLOCKS);
        let is_told = |group: usize| {
            let told =
                |word| self.head(group / SECTION_GROUPS, word) >> (group % SECTION_GROUPS) & 1 == 1;
            let bits = self.group(group);
            told(WITH_FREE) == (bits != 0) && told(WHOLE) == (bits == u64::MAX)
        };
        let bits = groups.clone().map(|group| self.group(group).count_ones() as usize);
        bits.sum::<usize>() == self.count()
            && groups.clone().all(is_told)
            && listed.map(|section| section as usize).filter(has_free).count()
                == sections.clone().filter(has_free).count()
    }

    /// Takes all blocks out, and all groups.
    pub(crate) fn clear(&self) {
        self.top.set(NONE);
        self.count.set(0);
    }
}
