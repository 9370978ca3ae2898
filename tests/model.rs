//! One battery for every kind of pool: random calls, sound and unsound, against a model that is
//! too simple to be wrong. After each call the pool must count, own, keep and refuse as it does.

mod common;

use std::collections::HashMap;

use common::{TestPool, listen, options};
use memory_pool::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Call {
    Allocate,
    AllocateZeroed,
    AllocateMany(usize),
    Deallocate(usize),
    DeallocateMany(usize),
    DeallocateTwice(usize),
    DeallocateInterior(usize, usize),
    DeallocateNull,
    Trim,
    Grow(usize),
    Reset,
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        8 => Just(Call::Allocate),
        2 => Just(Call::AllocateZeroed),
        2 => (0_usize..9).prop_map(Call::AllocateMany),
        1 => Just(Call::AllocateMany(400)),
        8 => any::<usize>().prop_map(Call::Deallocate),
        2 => (0_usize..9).prop_map(Call::DeallocateMany),
        1 => (0_usize..400).prop_map(Call::DeallocateMany),
        2 => any::<usize>().prop_map(Call::DeallocateTwice),
        2 => any::<(usize, usize)>()
            .prop_map(|(which, into)| Call::DeallocateInterior(which, into)),
        1 => Just(Call::DeallocateNull),
        1 => Just(Call::Trim),
        1 => (0_usize..20).prop_map(Call::Grow),
        1 => Just(Call::Reset),
    ]
}

/// The pool beside its model: which blocks are live, and the byte that fills each.
struct Pair {
    pool: TestPool,
    options: pool_options_t,
    live: HashMap<*mut u8, u8>,
    order: Vec<*mut u8>,
    peak: usize,
    handed_out: u64,
    stamp: u8,
}

impl Pair {
    fn new(options: pool_options_t) -> Self {
        let pool = TestPool::new(&options);
        Self {
            pool,
            options,
            live: HashMap::new(),
            order: vec![],
            peak: 0,
            handed_out: 0,
            stamp: 0,
        }
    }

    fn checked(&self) -> bool {
        self.options.checks != POOL_CHECKS_NONE || self.has_heap()
    }

    fn has_heap(&self) -> bool {
        self.options.on_exhausted == POOL_EXHAUSTED_HEAP
    }

    /// Blocks that can still be had, those that the pool would grow by too.
    fn free(&self) -> usize {
        if self.has_heap() {
            return usize::MAX;
        }
        self.options.capacity.max(self.options.max_capacity) - self.live.len()
    }

    /// A block came: it must be new, aligned, and apart from every other.
    fn came(&mut self, block: *mut u8) {
        assert!(!block.is_null() && block.addr().is_multiple_of(self.pool.alignment()));
        assert!(self.pool.owns(block.cast()));
        self.stamp = self.stamp.wrapping_add(1);
        assert_eq!(self.live.insert(block, self.stamp), None, "a live block was handed out again");
        self.order.push(block);
        self.peak = self.peak.max(self.live.len());
        self.handed_out += 1;
        // SAFETY: the block is ours and has block_size bytes.
        unsafe { block.write_bytes(self.stamp, self.options.block_size) };
    }

    /// What we wrote is in every live block.
    fn live_blocks_are_whole(&self) {
        for (&block, &stamp) in &self.live {
            // SAFETY: the block is ours and has block_size bytes.
            let bytes = unsafe { std::slice::from_raw_parts(block, self.options.block_size) };
            assert!(bytes.iter().all(|&byte| byte == stamp), "a live block lost its content");
        }
    }

    /// A walk meets the live blocks, those of the span and then those of the heap by address.
    fn a_walk_meets_them(&self, heap_blocks: usize) {
        let mut live = match self.pool.live() {
            Ok(live) => live,
            Err(status) => {
                assert!(status == POOL_ERR_UNSUPPORTED && !self.checked());
                assert_ne!(self.options.threading, POOL_THREADS_LOCK_FREE);
                return;
            }
        };
        let (span, heap) = live.split_at(live.len() - heap_blocks);
        assert!(span.is_sorted() && heap.is_sorted());
        let mut expected: Vec<_> = self.live.keys().copied().collect();
        expected.sort_unstable();
        live.sort_unstable();
        assert_eq!(live, expected);
    }

    /// A live block goes back; what we wrote must still be there.
    fn leaves(&mut self, which: usize) -> *mut u8 {
        let block = self.order.swap_remove(which % self.order.len());
        let stamp = self.live.remove(&block).expect("the model's own block");
        // SAFETY: the block is still ours and has block_size bytes.
        let bytes = unsafe { std::slice::from_raw_parts(block, self.options.block_size) };
        assert!(bytes.iter().all(|&byte| byte == stamp), "somebody wrote into a live block");
        block
    }

    fn apply(&mut self, call: &Call) {
        match *call {
            Call::Allocate | Call::AllocateZeroed => {
                let zeroed = matches!(call, Call::AllocateZeroed);
                let pool = &self.pool;
                let block = if zeroed { pool.take_zeroed() } else { pool.try_take_raw() };
                let block = block.cast::<u8>();
                assert_eq!(block.is_null(), self.free() == 0);
                if !block.is_null() {
                    // SAFETY: the block is ours and has block_size bytes.
                    let bytes =
                        unsafe { std::slice::from_raw_parts(block, self.options.block_size) };
                    assert!(!zeroed || bytes.iter().all(|&byte| byte == 0));
                    self.came(block);
                }
            }
            Call::AllocateMany(count) => {
                let mut blocks = vec![std::ptr::null_mut(); count];
                // SAFETY: room for `count` entries.
                let got = unsafe { pool_allocate_many(self.pool.0, blocks.as_mut_ptr(), count) };
                assert_eq!(got, count.min(self.free()));
                blocks[..got].iter().for_each(|&block| self.came(block.cast()));
            }
            Call::Deallocate(which) if !self.order.is_empty() => {
                let block = self.leaves(which);
                assert_eq!(self.pool.give(block), POOL_OK);
            }
            Call::DeallocateMany(count) => {
                let count = count.min(self.order.len());
                let blocks: Vec<_> = (0..count).map(|which| self.leaves(which).cast()).collect();
                // SAFETY: `count` entries.
                let status = unsafe { pool_deallocate_many(self.pool.0, blocks.as_ptr(), count) };
                assert_eq!(status, POOL_OK);
            }
            Call::DeallocateTwice(which) if self.checked() && !self.order.is_empty() => {
                let block = self.leaves(which);
                assert_eq!(self.pool.give(block), POOL_OK);
                // A heap block is the heap's again, and no block of this pool.
                let again = self.pool.give(block);
                let is_foreign = again == POOL_ERR_FOREIGN_POINTER && self.has_heap();
                assert!(again == POOL_ERR_DOUBLE_FREE || is_foreign);
                assert_eq!(self.pool.check(block.cast()), again);
            }
            Call::DeallocateInterior(which, into) if self.checked() && !self.order.is_empty() => {
                let stride = self.pool.stride();
                let block = self.order[which % self.order.len()];
                let inside = block.wrapping_add(1 + into % (stride - 1));
                assert_eq!(self.pool.give(inside), POOL_ERR_INTERIOR_POINTER);
                assert_eq!(self.pool.check(inside.cast()), POOL_ERR_INTERIOR_POINTER);
            }
            Call::Trim => {
                // SAFETY: NULL is fine.
                assert_eq!(unsafe { pool_trim(self.pool.0, std::ptr::null_mut()) }, POOL_OK);
                self.live_blocks_are_whole();
            }
            Call::Grow(blocks) => {
                let capacity = self.pool.capacity();
                let fits =
                    capacity + blocks <= self.options.capacity.max(self.options.max_capacity);
                assert_eq!(self.pool.grow(blocks) == POOL_OK, fits);
                assert_eq!(self.pool.capacity(), capacity + if fits { blocks } else { 0 });
            }
            Call::Reset => {
                assert_eq!(self.pool.reset(), POOL_OK);
                self.live.clear();
                self.order.clear();
            }
            _ => assert_eq!(self.pool.give(std::ptr::null()), POOL_OK),
        }
    }

    fn agree(&self) {
        let pool = &self.pool;
        assert_eq!(pool.in_use(), self.live.len());
        assert_eq!(pool.validate(), POOL_OK);
        assert!(pool.capacity() >= self.options.capacity);
        let stats = pool.stats();
        assert!(
            stats.peak_in_use >= self.peak && stats.peak_in_use <= pool.capacity().max(self.peak)
        );
        // Without a ledger a safe pool does not know which blocks of a batch were ever used.
        if self.checked() || self.options.threading != POOL_THREADS_SAFE {
            assert_eq!(stats.peak_in_use, self.peak);
        }
        self.a_walk_meets_them(stats.heap_blocks);
        self.live.keys().for_each(|block| assert_eq!(pool.check(block.cast()), POOL_OK));
        let in_span = self.live.len() - stats.heap_blocks;
        assert_eq!(stats.available, pool.capacity() - in_span);
        assert!(stats.heap_blocks == 0 || self.has_heap());
        assert!(self.has_heap() || stats.available <= self.free());
        assert_eq!(stats.allocations, self.handed_out);
        assert_eq!((stats.allocations - stats.deallocations) as usize, self.live.len());
    }
}

/// Found by the battery: the page before one that stayed went, and a link that crosses with it.
#[test]
fn a_page_stays_when_a_link_crosses_from_it_to_one_that_stays() {
    listen();
    for checks in [POOL_CHECKS_NONE, POOL_CHECKS_STANDARD] {
        let max_capacity = 57;
        let mut pair = Pair::new(pool_options_t { max_capacity, checks, ..options(195, 28) });
        let calls = [Call::AllocateMany(400), Call::DeallocateMany(57), Call::Allocate, Call::Trim];
        for call in &calls {
            pair.apply(call);
            pair.agree();
        }
        pair.apply(&Call::AllocateMany(400));
        pair.agree();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_pool_does_what_the_model_does(
        block_size in prop_oneof![1_usize..200, Just(4096_usize)],
        capacity in prop_oneof![3 => 1_usize..40, 1 => 1_usize..400],
        room in prop_oneof![Just(0_usize), 1_usize..60],
        alignment in prop_oneof![Just(0_usize), (0_u32..14).prop_map(|shift| 1 << shift)],
        on_exhausted in prop_oneof![3 => Just(POOL_EXHAUSTED_NULL), 1 => Just(POOL_EXHAUSTED_HEAP)],
        checks in prop_oneof![3 => Just(POOL_CHECKS_STANDARD), 1 => Just(POOL_CHECKS_NONE)],
        threading in prop_oneof![
            Just(POOL_THREADS_SINGLE),
            Just(POOL_THREADS_SAFE),
            Just(POOL_THREADS_LOCK_FREE)
        ],
        calls in prop::collection::vec(call(), 1..120),
    ) {
        prop_assume!(threading != POOL_THREADS_LOCK_FREE || on_exhausted == POOL_EXHAUSTED_NULL);
        listen();
        let max_capacity = if room == 0 { 0 } else { capacity + room };
        let options = options(block_size, capacity);
        let options = pool_options_t {
            max_capacity,
            alignment,
            checks,
            on_exhausted,
            threading,
            ..options
        };
        let mut pair = Pair::new(options);
        for call in &calls {
            pair.apply(call);
            pair.agree();
        }
    }
}
