//! Growth: more blocks behind the last one. No block moves, nothing is copied or chained.
//!
//! A pool that runs dry grows by an eighth of its capacity, by 64 KiB at least, and to the end of
//! an OS page. So growing to n blocks asks the system a number of times in proportion to log n,
//! and not one block in nine is committed before it is needed. See docs/adr/0005.

use crate::base::error::Refusal;
use crate::base::log::{Level, log};
use crate::pool::Pool;
use crate::pool::engine::each;

const STEP_BYTES_MIN: usize = 64 << 10;

impl Pool {
    /// Grows by a step, for an allocation that found no block. `false`: there is no more room. A
    /// refusal is logged.
    pub(crate) fn grow_when_dry(&self) -> Result<bool, Refusal> {
        let (capacity, max_capacity) = (self.capacity(), self.layout.max_capacity);
        if capacity == max_capacity {
            return Ok(false);
        }
        let step = (capacity / 8).max(STEP_BYTES_MIN / self.layout.stride).max(1);
        let wanted = (capacity + step).min(max_capacity);
        let wanted = self.span.capacity_of_whole_pages(wanted).min(max_capacity);
        self.grow_to(wanted).inspect_err(|refusal| {
            log!(
                Level::Warn,
                "pool \"{}\" can't grow from {capacity} to {wanted} blocks: {}",
                self.name(),
                refusal.reason
            );
        })?;
        Ok(true)
    }

    /// Adds `blocks` to the capacity now, all of them or none.
    pub(crate) fn grow(&self, blocks: usize) -> Result<(), Refusal> {
        let wanted = self.capacity().checked_add(blocks);
        match wanted.filter(|&wanted| wanted <= self.layout.max_capacity) {
            Some(wanted) => self.grow_to(wanted),
            None => Err(Refusal::invalid("the pool would grow beyond its max_capacity")),
        }
    }

    fn grow_to(&self, capacity: usize) -> Result<(), Refusal> {
        self.span.commit(capacity)?;
        each!(&self.engine, engine => engine.set_capacity(capacity));
        log!(Level::Debug, "pool \"{}\" grew to {capacity} blocks", self.name());
        Ok(())
    }
}
