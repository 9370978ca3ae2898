//! Wherever the memory comes from, blocks lie where they must, and an address is a block exactly
//! when one starts there: on the system's memory, guarded or not, in a buffer at any address, and
//! on memory of callbacks with pages of any size.

mod common;

use std::ffi::c_void;
use std::ops::Range;
use std::ptr;

use common::{TestPool, listen, log_lines, options};
use memory_pool::*;
use proptest::prelude::*;

/// Where the memory of a pool shall come from.
#[derive(Clone, Copy, Debug)]
enum From {
    System,
    Guarded,
    /// At this distance from a multiple of 4096, with so many bytes more than it needs.
    Buffer(usize, usize),
    /// With pages of so many bytes; 0 is an OS page.
    Callbacks(usize),
}

fn from() -> impl Strategy<Value = From> {
    prop_oneof![
        Just(From::System),
        Just(From::Guarded),
        (0_usize..4096, 0_usize..200).prop_map(|(at, more)| From::Buffer(at, more)),
        (4_u32..17).prop_map(|shift| From::Callbacks(1 << shift)),
        Just(From::Callbacks(0)),
    ]
}

/// Memory of ours, dirty, on which a pool may live; what lies around it must stay as it is.
struct Area {
    memory: Vec<u8>,
    given: Range<usize>,
    page_bytes: usize,
    committed: Vec<bool>,
    reserved: usize,
    released: usize,
}

const AROUND: u8 = 0xC5;
/// What a ledger calls live.
const DIRT: u8 = 2;

impl Area {
    fn new(page_bytes: usize) -> Self {
        let (memory, committed) = (vec![], vec![]);
        Self { memory, given: 0..0, page_bytes, committed, reserved: 0, released: 0 }
    }

    /// Gives `bytes` at `beyond` bytes from a multiple of `alignment`.
    fn give(&mut self, bytes: usize, alignment: usize, beyond: usize) -> *mut u8 {
        self.memory = vec![AROUND; bytes + beyond + 2 * alignment + 64];
        let start = self.memory.as_ptr().addr();
        let before = (start + 32).next_multiple_of(alignment) + beyond - start;
        self.memory[before..before + bytes].fill(DIRT);
        self.given = start + before..start + before + bytes;
        self.memory[before..].as_mut_ptr()
    }

    /// Also when nothing was given.
    fn is_untouched_around(&self) -> bool {
        let start = self.memory.as_ptr().addr();
        let [first, end] =
            [self.given.start, self.given.end].map(|address| address.saturating_sub(start));
        [&self.memory[..first], &self.memory[end..]].concat().iter().all(|&byte| byte == AROUND)
    }

    /// The pages of a part that a callback was called with.
    fn pages(&self, start: *mut c_void, bytes: usize) -> Range<usize> {
        let first = start.addr() - self.given.start;
        assert!(bytes > 0 && start.addr() + bytes <= self.given.end);
        assert!(first.is_multiple_of(self.page_bytes) && bytes.is_multiple_of(self.page_bytes));
        first / self.page_bytes..(first + bytes) / self.page_bytes
    }

    fn is_committed(&self, block: &Range<usize>) -> bool {
        let page = |address: usize| (address - self.given.start) / self.page_bytes;
        self.committed[page(block.start)..=page(block.end - 1)].iter().all(|&page| page)
    }
}

/// The area that a callback was called for.
///
/// # Safety
/// * `user_data` is that of `with_callbacks`, and no other reference to the area is in use.
unsafe fn area<'call>(user_data: *mut c_void) -> &'call mut Area {
    // SAFETY: by this function's contract.
    unsafe { &mut *user_data.cast::<Area>() }
}

extern "C" fn reserve(user_data: *mut c_void, bytes: usize) -> *mut c_void {
    // SAFETY: the pool calls with what it was given, while the test waits for it.
    let area = unsafe { area(user_data) };
    assert_eq!(area.reserved, area.released);
    area.reserved += 1;
    area.committed = vec![false; bytes / area.page_bytes];
    area.give(bytes, 2 * area.page_bytes, area.page_bytes).cast()
}

extern "C" fn commit(user_data: *mut c_void, start: *mut c_void, bytes: usize) -> bool {
    // SAFETY: as in `reserve`.
    let area = unsafe { area(user_data) };
    let pages = area.pages(start, bytes);
    area.committed[pages].fill(true);
    true
}

extern "C" fn decommit(user_data: *mut c_void, start: *mut c_void, bytes: usize) -> bool {
    // SAFETY: as in `reserve`.
    let area = unsafe { area(user_data) };
    let pages = area.pages(start, bytes);
    assert!(area.committed[pages].iter().all(|&page| page));
    // SAFETY: in `memory`, by `pages`.
    unsafe { start.write_bytes(DIRT, bytes) };
    true
}

extern "C" fn release(user_data: *mut c_void, start: *mut c_void, bytes: usize) {
    // SAFETY: as in `reserve`.
    let area = unsafe { area(user_data) };
    assert_eq!(start.addr()..start.addr() + bytes, area.given);
    area.released += 1;
}

/// A pool, its memory, and the blocks that are live, each with its stamp in every byte.
struct Subject {
    pool: TestPool,
    area: Box<Area>,
    from: From,
    checks: u32,
    block_size: usize,
    blocks: Vec<*mut u8>,
}

impl Subject {
    fn new(from: From, mut options: pool_options_t) -> Self {
        let page_bytes = if let From::Callbacks(1..) = from { from_pages(from) } else { 4096 };
        let mut area = Box::new(Area::new(page_bytes));
        let source = pool_source_t {
            struct_size: size_of::<pool_source_t>(),
            user_data: ptr::from_mut(&mut *area).cast(),
            page_bytes: from_pages(from),
            reserve: Some(reserve),
            commit: Some(commit),
            decommit: Some(decommit),
            release: Some(release),
        };
        match from {
            From::System => {}
            From::Guarded => options.flags = POOL_GUARD_PAGES,
            From::Buffer(at, more) => {
                let mut bytes = 0;
                // SAFETY: both are of the right type.
                assert_eq!(unsafe { pool_bytes_needed(&options, &raw mut bytes) }, POOL_OK);
                options.buffer_bytes = bytes + more;
                options.buffer = area.give(bytes + more, 4096, at).cast();
            }
            From::Callbacks(_) => options.source = &source,
        }
        let (checks, block_size) = (options.checks, options.block_size);
        Self { pool: TestPool::new(&options), area, from, checks, block_size, blocks: vec![] }
    }

    /// Takes `count` blocks more.
    fn take(&mut self, count: usize) {
        for _ in 0..count {
            let block = self.pool.take();
            let stamp = self.blocks.len() as u8;
            // SAFETY: the block is ours and has block_size bytes.
            unsafe { block.write_bytes(stamp, self.block_size) };
            self.blocks.push(block);
        }
    }

    /// Aligned, apart, counted, where they should be, and as they were left.
    fn blocks_are_sound(&self) {
        let (stride, alignment) = (self.pool.stride(), self.pool.alignment());
        let mut starts: Vec<usize> = self.blocks.iter().map(|block| block.addr()).collect();
        starts.sort_unstable();
        assert!(starts.windows(2).all(|pair| pair[1] - pair[0] >= stride));
        assert!(starts.iter().all(|start| start.is_multiple_of(alignment)));
        assert_eq!(self.pool.in_use(), starts.len());
        for (number, block) in self.blocks.iter().enumerate() {
            // SAFETY: the block is ours and has block_size bytes.
            let bytes = unsafe { std::slice::from_raw_parts(*block, self.block_size) };
            assert!(bytes.iter().all(|&byte| byte == number as u8), "somebody wrote into it");
            let range = block.addr()..block.addr() + stride;
            match self.from {
                From::System | From::Guarded => {}
                From::Buffer(..) => self.is_inside(&range),
                From::Callbacks(_) => {
                    self.is_inside(&range);
                    assert!(self.area.is_committed(&range));
                }
            }
        }
        assert_eq!(self.pool.validate(), POOL_OK);
    }

    fn is_inside(&self, block: &Range<usize>) {
        assert!(self.area.given.start <= block.start && block.end <= self.area.given.end);
    }

    /// Whether an address is a block, and what comes of giving it back where none starts.
    fn agrees_on(&self, address: usize, blocks: &Range<usize>, stride: usize) {
        let offset = address.wrapping_sub(blocks.start);
        let inside = blocks.contains(&address);
        let starts = inside && offset.is_multiple_of(stride);
        let pointer = ptr::without_provenance(address);
        assert_eq!(self.pool.owns(pointer), starts, "offset {offset:#x}");
        if !starts && address != 0 && self.checks == POOL_CHECKS_STANDARD {
            let expected =
                if inside { POOL_ERR_INTERIOR_POINTER } else { POOL_ERR_FOREIGN_POINTER };
            assert_eq!(self.pool.give(pointer.cast()), expected, "offset {offset:#x}");
            log_lines();
        }
    }

    /// Every address of a small pool and around it, and a share of those of a larger one.
    fn addresses_agree(&self, sample: &[usize]) {
        let (stride, capacity) = (self.pool.stride(), self.pool.capacity());
        let first = self.blocks.iter().map(|block| block.addr()).min().expect("a block");
        let blocks = first..first + stride * capacity;
        for address in first - 300..(blocks.end + 300).min(first + 2000) {
            let starts = blocks.contains(&address) && (address - first).is_multiple_of(stride);
            assert_eq!(self.pool.owns(ptr::without_provenance(address)), starts);
        }
        for &word in sample {
            let block = first + word % (capacity + 2) * stride;
            for address in [block - 1, block, block + 1, block + word % stride, word] {
                self.agrees_on(address, &blocks, stride);
            }
        }
        let (before, end) = (first.wrapping_sub(stride), blocks.end);
        for address in [first - 1, before, end, end - 1, 0, usize::MAX, usize::MAX / 2] {
            self.agrees_on(address, &blocks, stride);
        }
    }

    /// All but some are given back, to the pool and by it.
    fn trimmed_blocks_can_be_had_again(&mut self, remain: usize) {
        let remain = remain % (self.blocks.len() + 1);
        let count = self.blocks.split_off(remain).into_iter();
        let count = count.map(|block| assert_eq!(self.pool.give(block), POOL_OK)).count();
        // SAFETY: NULL is fine.
        assert_eq!(unsafe { pool_trim(self.pool.0, ptr::null_mut()) }, POOL_OK);
        self.blocks_are_sound();
        self.take(count);
        assert!(self.pool.try_take_raw().is_null());
    }

    /// A block is live, and then it is not.
    fn double_frees_are_found(&mut self, sample: &[usize]) {
        for &word in sample {
            let place = word % self.blocks.len();
            let block = self.blocks[place];
            assert_eq!(self.pool.give(block), POOL_OK);
            if self.checks == POOL_CHECKS_STANDARD {
                assert_eq!(self.pool.give(block), POOL_ERR_DOUBLE_FREE);
                log_lines();
            }
            assert!(self.pool.owns(block.cast()));
            assert_eq!(self.pool.take(), block);
            // SAFETY: the block is ours and has block_size bytes.
            unsafe { block.write_bytes(place as u8, self.block_size) };
        }
    }
}

fn from_pages(from: From) -> usize {
    if let From::Callbacks(page_bytes) = from { page_bytes } else { 0 }
}

fn alignment() -> impl Strategy<Value = usize> {
    prop_oneof![3 => Just(0_usize), 4 => (0_u32..13).prop_map(|s| 1 << s), 1 => Just(1 << 16)]
}

fn checks() -> impl Strategy<Value = u32> {
    prop_oneof![4 => Just(POOL_CHECKS_STANDARD), 1 => Just(POOL_CHECKS_NONE)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn blocks_lie_where_they_must_and_are_known_by_their_address(
        from in from(),
        block_size in prop_oneof![4 => 1_usize..200, 1 => Just(4096_usize), 1 => 200_usize..6000],
        alignment in alignment(),
        capacity in 1_usize..40,
        room in prop_oneof![Just(0_usize), 1_usize..100],
        by_call in any::<usize>(),
        checks in checks(),
        threading in 0_u32..3,
        sample in prop::collection::vec(any::<usize>(), 12),
    ) {
        listen();
        // A lock-free pool grows on memory of the system only.
        let grows = threading != POOL_THREADS_LOCK_FREE
            || matches!(from, From::System | From::Guarded);
        let room = if grows { room } else { 0 };
        let (max_capacity, by_call) = (capacity + room, by_call % (room + 1));
        let options = options(block_size, capacity);
        let options = pool_options_t { alignment, max_capacity, checks, threading, ..options };
        let mut subject = Subject::new(from, options);
        prop_assert_eq!(subject.pool.capacity(), capacity);
        prop_assert_eq!(subject.pool.available(), capacity);
        subject.take(capacity);
        subject.blocks_are_sound();
        subject.addresses_agree(&sample[..4]);

        prop_assert_eq!(subject.pool.grow(by_call), POOL_OK);
        prop_assert_eq!(subject.pool.capacity(), capacity + by_call);
        subject.take(by_call);
        subject.blocks_are_sound();
        subject.addresses_agree(&sample[4..8]);

        subject.take(room - by_call);
        prop_assert!(subject.pool.try_take_raw().is_null());
        prop_assert_eq!(subject.pool.capacity(), max_capacity);
        subject.blocks_are_sound();
        subject.addresses_agree(&sample[8..]);
        subject.double_frees_are_found(&sample);
        subject.trimmed_blocks_can_be_had_again(sample[0]);
        subject.blocks_are_sound();

        let Subject { pool, area, .. } = subject;
        drop(pool);
        prop_assert!(area.is_untouched_around());
        prop_assert_eq!(area.released, area.reserved);
    }

    /// Strides and counts up to 1 GiB of blocks, few of which are touched.
    #[test]
    fn addresses_are_exact_over_the_whole_range(
        guarded: bool,
        bits in 0_u32..30,
        below in any::<usize>(),
        share in 1_usize..=64,
        unbounded: bool,
        sample in prop::collection::vec(any::<usize>(), 40),
    ) {
        listen();
        let block_size = (1 << bits) + below % (1 << bits);
        let capacity = (((1 << 30) / block_size.max(8)) / share).max(1);
        let max_capacity = if unbounded { usize::MAX } else { capacity * share };
        let from = if guarded { From::Guarded } else { From::System };
        let mut options = pool_options_t { max_capacity, ..options(block_size, capacity) };
        options.checks = POOL_CHECKS_STANDARD;
        let mut subject = Subject::new(from, options);
        subject.blocks.push(subject.pool.take());
        subject.addresses_agree(&sample);
        prop_assert_eq!(subject.pool.give(subject.blocks[0]), POOL_OK);
    }
}
