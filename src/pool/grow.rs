//! Growth: more blocks behind the last one. No block moves, nothing is copied or chained.
//!
//! A pool that runs dry grows by an eighth of its capacity, by 64 KiB at least, and to the end of
//! an OS page. So growing to n blocks asks the system a number of times in proportion to log n,
//! and not one block in nine is committed before it is needed. See docs/adr/0005.

use crate::base::error::Refusal;
use crate::pool::core::Core;
use crate::pool::engine::each;
use crate::pool::report::Finding;

const STEP_BYTES_MIN: usize = 64 << 10;

impl Core {
    /// Grows by a step, for an allocation that found no block. `Ok(None)`: there is no more room.
    pub(super) fn grow_when_dry(&self) -> Result<Option<Finding>, Finding> {
        let (from, max_capacity) = (self.capacity(), self.layout.max_capacity);
        if from == max_capacity {
            return Ok(None);
        }
        let step = (from / 8).max(STEP_BYTES_MIN / self.layout.stride).max(1);
        let to = (from + step).min(max_capacity);
        let to = self.span.capacity_of_whole_pages(to).min(max_capacity);
        let refused = |refusal: Refusal| {
            let reason = refusal.reason;
            Finding::GrowthRefused { from, to, reason }
        };
        // Where another thread was first there are more blocks too.
        self.grow_to(from, to).map_err(refused)?;
        Ok(Some(Finding::Grown { capacity: self.capacity() }))
    }

    /// Adds `blocks` to the capacity now, all of them or none. Of two threads that do so at once
    /// each adds its own.
    pub(crate) fn grow(&self, blocks: usize) -> Result<Finding, Refusal> {
        loop {
            let from = self.capacity();
            let to = from.checked_add(blocks).filter(|&to| to <= self.layout.max_capacity);
            let beyond = Refusal::invalid("the pool would grow beyond its max_capacity");
            let to = to.ok_or(beyond)?;
            if self.grow_to(from, to)? {
                return Ok(Finding::Grown { capacity: to });
            }
        }
    }

    /// `false`: there were not `from` blocks any more.
    fn grow_to(&self, from: usize, to: usize) -> Result<bool, Refusal> {
        self.span.commit(to)?;
        let is_extended = each!(&self.engine, engine => engine.extend(from, to));
        self.widen_room();
        Ok(is_extended)
    }
}
