//! What is asked of a pool, in words that can only mean what we can do.

#![forbid(unsafe_code)]

use crate::base::log::{Level, log};
use crate::freelist::tagged;
use crate::host::{env, watcher};
use crate::inspect::switches::{Switches, Wish};
use crate::layout::stride::UNBOUNDED;
use crate::source::Source;
use crate::source::system::System;

/// Who may call a pool; the numbers are `POOL_THREADS_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threading {
    Safe,
    Single,
    LockFree,
}

/// What a pool verifies; the numbers are `POOL_CHECKS_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckLevel {
    Standard,
    None,
    /// Standard, and one block in so many lies alone.
    Sampled(u32),
    /// Standard, and more.
    Watched(Switches),
}

/// What follows a misuse, after its report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnMisuse {
    Return,
    Abort,
}

/// What destruction does with live blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnLeak {
    Warn,
    Refuse,
    Abort,
}

/// What follows when something is wrong with a pool, and what it is called then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    pub(crate) on_misuse: OnMisuse,
    pub(crate) on_leak: OnLeak,
    pub(crate) name: Name,
}

/// A request for a pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Config {
    pub(crate) block_size: usize,
    /// 0: as many as fit, in a buffer.
    pub(crate) capacity: usize,
    /// 0: `capacity`; `UNBOUNDED`: as far as it goes.
    pub(crate) max_capacity: usize,
    /// 0: natural.
    pub(crate) alignment: usize,
    pub(crate) threading: Threading,
    pub(crate) checks: CheckLevel,
    /// Beyond the last block, blocks come from the heap.
    pub(crate) heap_overflow: bool,
    pub(crate) source: Source,
    pub(crate) policy: Policy,
}

impl Config {
    /// A pool of this size, everything else by default.
    pub(crate) fn new(block_size: usize, capacity: usize) -> Self {
        let name = Name::new(b"pool");
        Self {
            block_size,
            capacity,
            max_capacity: 0,
            alignment: 0,
            threading: Threading::Safe,
            checks: CheckLevel::Standard,
            heap_overflow: false,
            source: Source::System(System::PLAIN),
            policy: Policy { on_misuse: OnMisuse::Return, on_leak: OnLeak::Warn, name },
        }
    }

    /// The level of checks once `MEMORY_POOL_CHECKS` has had its say, and a tool that watches
    /// memory, which is told of blocks unless the variable names a level without that. Blocks of
    /// the span and of the heap must be told apart, so with heap overflow the checks are standard
    /// at least.
    pub(crate) fn checks_in_force(&self) -> CheckLevel {
        let read = |value: &str| match Wish::read(value) {
            Ok(Wish::None) => CheckLevel::None,
            Ok(Wish::Standard) => CheckLevel::Standard,
            Ok(Wish::Own) => self.checks,
            Ok(Wish::Switches(switches)) => self.marked(CheckLevel::Watched(switches)),
            Err(word) => {
                log!(
                    Level::Warn,
                    "MEMORY_POOL_CHECKS: \"{}\" is not understood; pool \"{}\" keeps its own \
                     checks. Say none, standard, full, unwatched, or some of poison, canary, \
                     sites:N, quarantine:N, fail:P, guard:1/N, passthrough",
                    Name::new(word.as_bytes()),
                    self.policy.name
                );
                self.marked(self.checks)
            }
        };
        let asked = env::with(c"MEMORY_POOL_CHECKS", read);
        match self.with_guard_if_can_be(asked.unwrap_or_else(|| self.marked(self.checks))) {
            CheckLevel::None if self.heap_overflow => CheckLevel::Standard,
            CheckLevel::Watched(_) if matches!(self.source, Source::Buffer(_)) => {
                log!(
                    Level::Warn,
                    "pool \"{}\" lies in a buffer, where there is no room for canaries, patterns \
                     and sites: its checks are standard",
                    self.policy.name
                );
                CheckLevel::Standard
            }
            checks => checks,
        }
    }

    /// The same level, without a guard where there can be none, which is said.
    fn with_guard_if_can_be(&self, checks: CheckLevel) -> CheckLevel {
        let CheckLevel::Watched(switches @ Switches { guard: 1.., .. }) = checks else {
            return checks;
        };
        let others = Switches { guard: 0, ..switches };
        let why_not = match () {
            () if self.threading == Threading::LockFree => {
                "is lock-free, and guarding blocks takes a lock"
            }
            () if matches!(self.source, Source::Buffer(_)) => {
                "lies in a buffer, where it makes no system calls"
            }
            () if switches.passthrough => "has its blocks from the heap",
            () if switches.marks => "is watched by a tool, which sees each use itself",
            () if others == Switches::NONE && switches.guard > 1 => {
                return CheckLevel::Sampled(switches.guard);
            }
            () => return checks,
        };
        let name = self.policy.name;
        log!(Level::Warn, "pool \"{name}\" {why_not}: MEMORY_POOL_CHECKS=guard does nothing here");
        match others {
            Switches::NONE => CheckLevel::Standard,
            Switches::MARKS => CheckLevel::Watched(Switches::MARKED),
            others => CheckLevel::Watched(others),
        }
    }

    /// The same level, and marks where a tool wants them, and blocks can have them.
    fn marked(&self, checks: CheckLevel) -> CheckLevel {
        let most = if self.max_capacity == UNBOUNDED { 0 } else { self.max_capacity };
        let can_be = !matches!(self.source, Source::Buffer(_))
            && self.capacity.max(most) <= tagged::BLOCKS_MAX;
        if !can_be || watcher::find().is_none() {
            return checks;
        }
        CheckLevel::Watched(match checks {
            CheckLevel::Watched(switches) => Switches { marks: true, ..switches },
            CheckLevel::Standard | CheckLevel::Sampled(_) | CheckLevel::None => Switches::MARKED,
        })
    }
}

/// The name of a pool, copied and made fit to print.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name {
    pub(super) bytes: [u8; Self::BYTES],
    pub(super) length: u8,
}

impl Name {
    /// Longer names are cut.
    pub(crate) const BYTES: usize = 47;

    /// Cuts `name` to size and shows control characters and bytes that are not UTF-8 as '?', so
    /// that a name can't forge a log line.
    pub(crate) fn new(name: &[u8]) -> Self {
        let mut copy = Self { bytes: [0; Self::BYTES], length: 0 };
        for chunk in name.utf8_chunks() {
            let broken = if chunk.invalid().is_empty() { "" } else { "?" };
            for character in chunk.valid().chars().chain(broken.chars()) {
                if !copy.push(if character.is_control() { '?' } else { character }) {
                    return copy;
                }
            }
        }
        copy
    }

    fn push(&mut self, character: char) -> bool {
        let length = usize::from(self.length);
        let fits = character.len_utf8() <= Self::BYTES - length;
        if fits {
            self.length += character.encode_utf8(&mut self.bytes[length..]).len() as u8;
        }
        fits
    }

    /// With a NUL at its end, for C.
    pub(crate) fn to_c_string(self) -> [u8; Self::BYTES + 1] {
        let mut text = [0; Self::BYTES + 1];
        text[..Self::BYTES].copy_from_slice(&self.bytes);
        text
    }

    fn as_str(&self) -> &str {
        core::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or("?")
    }
}

impl core::fmt::Display for Name {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl core::fmt::Debug for Name {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_cut_at_a_character() {
        let name = Name::new("é".repeat(40).as_bytes());
        assert_eq!(name.as_str(), "é".repeat(Name::BYTES / 2));
    }

    #[test]
    fn a_name_cannot_forge_a_log_line() {
        assert_eq!(Name::new(b"a\nmemory_pool: \xFFb\x1b[2J").as_str(), "a?memory_pool: ?b?[2J");
    }
}
