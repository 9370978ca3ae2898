//! The end of a pool, and what happens to blocks that are still live.

use core::fmt;

use crate::base::error::Error;
use crate::base::ids::{BlockIndex, UserPointer};
use crate::base::log::{Level, log};
use crate::host::process;
use crate::pool::Pool;
use crate::pool::config::OnLeak;
use crate::pool::handles;

/// Ends the pool under `handle`, unless live blocks and its policy keep it.
pub(crate) fn destroy(handle: UserPointer) -> Result<(), Error> {
    let pool = handles::find(handle).ok_or(Error::StaleHandle)?;
    if pool.is_waited_for() {
        let name = pool.name();
        log!(Level::Error, "pool \"{name}\" not destroyed: threads wait for a block of it");
        return Err(Error::InUse);
    }
    if pool.in_use() > 0 {
        pool.leak()?;
    }
    // Looked up anew: a callback may have destroyed the pool while it heard of the leak.
    let pool = handles::remove(handle)?;
    // Calls of other threads are misuse now; those that had begun do no harm any more.
    pool.hold(|core| core.engine.close_magazines());
    pool.take_words_back();
    pool.end_caches();
    log!(Level::Debug, "pool \"{}\" destroyed", pool.name());
    Ok(())
}

impl Pool {
    /// Does what the policy says about live blocks; `Err` keeps the pool.
    fn leak(&self) -> Result<(), Error> {
        let (on_leak, reporter, live) =
            (self.policy.on_leak, self.reporter(), LiveBlocks::of(self));
        // Before a callback may end the pool.
        let groups = self.groups();
        match on_leak {
            OnLeak::Warn => {
                let what = format_args!("destroyed with {live}: their memory is gone");
                reporter.tell_leak(live.address, Level::Warn, what, &groups);
                Ok(())
            }
            OnLeak::Refuse => {
                let what = format_args!("not destroyed: it has {live}. Deallocate them first");
                reporter.tell_leak(live.address, Level::Error, what, &groups);
                Err(Error::InUse)
            }
            OnLeak::Abort => {
                let what = format_args!("destroyed with {live}: aborting");
                reporter.tell_leak(live.address, Level::Error, what, &groups);
                process::abort()
            }
        }
    }
}

/// "3 live blocks (index 0, 7, 9)": how many, and the first of them where they are known.
struct LiveBlocks {
    count: usize,
    shown: usize,
    first: [BlockIndex; Self::SHOWN],
    /// Of the first that is known; 0: none is.
    address: usize,
}

impl LiveBlocks {
    const SHOWN: usize = 8;

    fn of(pool: &Pool) -> Self {
        let mut first = [BlockIndex(0); Self::SHOWN];
        let (shown, address) = pool.first_live(&mut first);
        Self { count: pool.in_use(), shown, first, address }
    }
}

impl fmt::Display for LiveBlocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, shown, .. } = *self;
        write!(f, "{count} live block{}", if count == 1 { "" } else { "s" })?;
        for (place, index) in self.first[..shown].iter().enumerate() {
            write!(f, "{}{index}", if place == 0 { " (index " } else { ", " })?;
        }
        f.write_str(match shown {
            0 => "",
            _ if shown < count => ", ...)",
            _ => ")",
        })
    }
}
