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
        let refused =
            |refusal: Refusal| Finding::GrowthRefused { from, to, reason: refusal.reason };
        self.grow_to(to).map(Some).map_err(refused)
    }

    /// Adds `blocks` to the capacity now, all of them or none.
    pub(crate) fn grow(&self, blocks: usize) -> Result<Finding, Refusal> {
        let wanted = self.capacity().checked_add(blocks);
        match wanted.filter(|&wanted| wanted <= self.layout.max_capacity) {
            Some(wanted) => self.grow_to(wanted),
            None => Err(Refusal::invalid("the pool would grow beyond its max_capacity")),
        }
    }

    fn grow_to(&self, capacity: usize) -> Result<Finding, Refusal> {
        self.span.commit(capacity)?;
        each!(&self.engine, engine => engine.set_capacity(capacity));
        Ok(Finding::Grown { capacity })
    }
}
