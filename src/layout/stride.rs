//! From what the caller asks (`block_size`, `alignment`) to what a block takes (`stride`).
//!
//! ```text
//!   ├─ block_size: the caller's ─┤ padding │
//!   ├────────────── stride ────────────────┤   stride = max(block_size, link), up to alignment
//! ```
//!
//! | asked: block_size, alignment | stride | alignment of every block |
//! |------------------------------|--------|--------------------------|
//! | 64, natural                  | 64     | 64                       |
//! | 100, natural                 | 100    | 4                        |
//! | 24, 16                       | 32     | 16                       |
//! | 1, natural                   | 8      | 8 (a free block holds a link of 8 bytes) |
//! | 8192, natural                | 8192   | 4096 (natural stops at an OS page)       |
//!
//! Natural alignment is the largest power of two that divides the stride, so it costs no byte. It
//! is always enough for an array element of `block_size` bytes, because `sizeof(T)` is a multiple
//! of `alignof(T)`.

#![forbid(unsafe_code)]

use crate::base::error::Refusal;
use crate::layout::inside;

/// The largest alignment that can be asked for: 1 GiB, the largest page of common hardware.
pub(crate) const ALIGNMENT_MAX: usize = 1 << 30;

/// Where natural alignment stops: the smallest OS page of common hardware, so that no machine
/// gives a block another alignment.
pub(crate) const NATURAL_ALIGNMENT_MAX: usize = 4096;

/// As a maximal capacity: as far as it goes.
pub(crate) const UNBOUNDED: usize = usize::MAX;

/// The longest span of an unbounded pool: half of the address space that a process commonly has.
const REACH_BYTES: usize = 1 << 46;

const TOO_LARGE: Refusal =
    Refusal::invalid("capacity x stride does not fit in the address space; ask for less");

const TOO_MANY: Refusal = Refusal::invalid(
    "a pool of several threads numbers its blocks in half a word; ask for fewer, or for one owner",
);

const TOO_SMALL: Refusal = Refusal::invalid(
    "buffer_bytes is too small for the pool; pool_bytes_needed and POOL_STATIC_BYTES say how \
     many it takes",
);

/// What is asked about the blocks of a pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub(crate) block_size: usize,
    /// 0: natural.
    pub(crate) alignment: usize,
    pub(crate) capacity: usize,
    /// 0: `capacity`. [`UNBOUNDED`]: as far as it goes.
    pub(crate) max_capacity: usize,
    /// What the engine keeps inside a free block.
    pub(crate) link_bytes: usize,
    /// What is watched behind each block: it widens the stride and changes nothing else.
    pub(crate) canary_bytes: usize,
    /// What the engine keeps beside each block, in a buffer.
    pub(crate) side_bytes: usize,
    /// As many blocks as the engine can tell apart.
    pub(crate) blocks_max: usize,
    /// The bytes of the buffer that everything must fit into, if there is one. Then a capacity of
    /// 0, or a greatest one of [`UNBOUNDED`], is what fits.
    pub(crate) room: Option<usize>,
}

/// The size, stride and alignment of every block of a pool, and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) block_size: usize,
    pub(crate) stride: usize,
    pub(crate) alignment: usize,
    /// Blocks that are there from the start.
    pub(crate) capacity: usize,
    /// Blocks that there may come to be.
    pub(crate) max_capacity: usize,
    /// Whether fewer than `max_capacity` will do.
    unbounded: bool,
}

impl Layout {
    pub(crate) fn new(request: &Request) -> Result<Self, Refusal> {
        let Request { block_size, alignment, link_bytes, side_bytes, room, .. } = *request;
        if block_size == 0 {
            return Err(Refusal::invalid("block_size is 0; ask for at least 1 byte"));
        }
        if alignment != 0 && !alignment.is_power_of_two() {
            return Err(Refusal::invalid("alignment must be a power of two, or 0 for natural"));
        }
        if alignment > ALIGNMENT_MAX {
            return Err(Refusal::invalid("alignment is above 1 GiB"));
        }
        let stride = block_size
            .max(link_bytes)
            .checked_next_multiple_of(alignment.max(1))
            .filter(|&stride| stride <= isize::MAX as usize)
            .ok_or(TOO_LARGE)?;
        let natural = (1 << stride.trailing_zeros()).min(NATURAL_ALIGNMENT_MAX);
        let alignment = if alignment == 0 { natural } else { alignment };
        let stride = match request.canary_bytes {
            0 => stride,
            bytes => block_size
                .checked_add(bytes)
                .and_then(|bytes| bytes.checked_next_multiple_of(alignment))
                .filter(|&stride| stride <= isize::MAX as usize)
                .ok_or(TOO_LARGE)?,
        };
        let reach = match room {
            None => REACH_BYTES / stride,
            Some(bytes) => inside::capacity_within(stride, alignment, side_bytes, bytes),
        };
        let reach = reach.min(request.blocks_max);
        let (capacity, max_capacity) = Self::capacities(request, reach)?;
        if max_capacity > request.blocks_max {
            return Err(TOO_MANY);
        }
        // isize::MAX: the longest range that pointer arithmetic is defined over.
        if stride.checked_mul(max_capacity).is_none_or(|bytes| bytes > isize::MAX as usize) {
            return Err(TOO_LARGE);
        }
        let unbounded = request.max_capacity == UNBOUNDED && room.is_none();
        Ok(Self { block_size, stride, alignment, capacity, max_capacity, unbounded })
    }

    /// How many blocks there are, and may come to be, where `reach` is as far as it goes.
    fn capacities(request: &Request, reach: usize) -> Result<(usize, usize), Refusal> {
        let Request { capacity, max_capacity, room, .. } = *request;
        if room.is_some() && reach == 0 {
            return Err(TOO_SMALL);
        }
        let capacity = match (capacity, room) {
            (0, None) => return Err(Refusal::invalid("capacity is 0; ask for at least 1 block")),
            (0, Some(_)) if max_capacity != 0 => reach.min(max_capacity),
            (0, Some(_)) => reach,
            (asked, _) => asked,
        };
        let max_capacity = match max_capacity {
            0 => capacity,
            UNBOUNDED => reach.max(capacity),
            bounded if bounded < capacity => {
                return Err(Refusal::invalid("max_capacity is below capacity; raise it, or say 0"));
            }
            bounded => bounded,
        };
        if room.is_some() && max_capacity > reach {
            Err(TOO_SMALL)
        } else {
            Ok((capacity, max_capacity))
        }
    }

    /// The bytes from the start of the first block to the end of the last there may come to be.
    pub(crate) fn span_bytes_max(&self) -> usize {
        self.stride * self.max_capacity
    }

    /// Asks for half as much room to grow, if that is less and will do; `false`: it will not.
    pub(crate) fn ask_for_less(&mut self) -> bool {
        let less = (self.max_capacity / 2).max(self.capacity);
        let will_do = self.unbounded && less < self.max_capacity;
        if will_do {
            self.max_capacity = less;
        }
        will_do
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ANY: Request = Request {
        block_size: 1,
        alignment: 0,
        capacity: 1,
        max_capacity: 0,
        link_bytes: 8,
        canary_bytes: 0,
        side_bytes: 1,
        blocks_max: usize::MAX,
        room: None,
    };

    fn request(block_size: usize, alignment: usize, capacity: usize) -> Request {
        Request { block_size, alignment, capacity, ..ANY }
    }

    fn layout(block_size: usize, alignment: usize) -> (usize, usize) {
        let layout = Layout::new(&request(block_size, alignment, 10)).expect("sound");
        (layout.stride, layout.alignment)
    }

    #[test]
    fn the_table_at_the_top_is_true() {
        assert_eq!(layout(64, 0), (64, 64));
        assert_eq!(layout(100, 0), (100, 4));
        assert_eq!(layout(24, 16), (32, 16));
        assert_eq!(layout(1, 0), (8, 8));
        assert_eq!(layout(8192, 0), (8192, 4096));
    }

    #[test]
    fn a_canary_widens_the_stride_and_nothing_else() {
        for (size, alignment, with_canary) in [(64, 0, 128), (24, 0, 32), (1, 0, 16), (20, 0, 28)] {
            let plain = request(size, alignment, 10);
            let watched = Request { canary_bytes: 8, ..plain };
            let [plain, watched] = [plain, watched].map(|one| Layout::new(&one).expect("sound"));
            assert_eq!(watched, Layout { stride: with_canary, ..plain });
        }
    }

    #[test]
    fn what_overflows_is_refused() {
        for (size, capacity) in
            [(usize::MAX, 1), (1 << 32, 1 << 32), (16, usize::MAX), (8, 1 << 60), (1 << 62, 2)]
        {
            let refusal = Layout::new(&request(size, 0, capacity)).expect_err("too large");
            assert_eq!(refusal, Refusal::invalid(refusal.reason));
        }
        assert!(Layout::new(&request(usize::MAX, 64, 1)).is_err());
    }

    #[test]
    fn alignment_must_be_a_power_of_two_up_to_a_gibibyte() {
        for alignment in [3, 24, 1 << 31, 1 << 63, usize::MAX] {
            assert!(Layout::new(&request(64, alignment, 1)).is_err(), "{alignment}");
        }
        assert!(Layout::new(&request(64, ALIGNMENT_MAX, 1)).is_ok());
    }

    #[test]
    fn an_unbounded_pool_reaches_far_and_asks_for_less_until_capacity() {
        for size in [1, 24, 64, 100, 4096, 1_000_003] {
            let unbounded = Request { max_capacity: UNBOUNDED, ..request(size, 0, 3) };
            let mut layout = Layout::new(&unbounded).expect("sound");
            assert!(layout.span_bytes_max() > 1 << 42, "{layout:?}");
            while layout.ask_for_less() {}
            assert_eq!(layout.max_capacity, 3);
        }
        let mut fixed = Layout::new(&request(64, 0, 100)).expect("sound");
        assert!(!fixed.ask_for_less());
    }

    proptest! {
        #[test]
        fn every_block_is_aligned_and_large_enough(
            size in 1_usize..10_000, shift in 0_u32..14, natural: bool
        ) {
            let asked = if natural { 0 } else { 1 << shift };
            let (stride, alignment) = layout(size, asked);
            prop_assert!(stride >= size.max(8));
            prop_assert_eq!(stride % alignment, 0);
            prop_assert!(asked == 0 || alignment == asked);
            prop_assert!(stride < size.max(8) + asked.max(1));
        }
    }
}
