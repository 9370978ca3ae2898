//! What `MEMORY_POOL_CHECKS` can say: a level, or single switches.
//!
//! ```text
//!   MEMORY_POOL_CHECKS=full                             a level: none, standard, full
//!   MEMORY_POOL_CHECKS=poison,canary,sites:16           some of what full does
//!   MEMORY_POOL_CHECKS=full,quarantine:10000,sites:32   a level, and then another length
//!   MEMORY_POOL_CHECKS=standard,fail:0.01               one allocation in a hundred answers NULL
//!   MEMORY_POOL_CHECKS=passthrough                      every block comes from the heap
//!   MEMORY_POOL_CHECKS=guard                            every block lies alone, by a guard page
//!   MEMORY_POOL_CHECKS=guard:1/5000                     one in so many, at most
//!   MEMORY_POOL_CHECKS=unwatched                        what each pool asks for, and no marks
//! ```
//!
//! Words are read from left to right. A switch alone stands on the standard checks, which every
//! pool with switches makes too. Under a tool that watches memory (`marks`) pools are marked,
//! unless the level is none, standard or unwatched.

#![forbid(unsafe_code)]

use core::str::FromStr;

/// The most frames of a stack that are kept.
pub(crate) const FRAMES_MAX: usize = 32;
const FRAMES: usize = 16;
/// The most blocks that a quarantine holds.
const QUARANTINE_MAX: usize = 1 << 24;
const QUARANTINE: usize = 256;
/// The fewest guarded blocks: one in so many.
const ONE_IN_MAX: u32 = 1_000_000_000;

/// What is found out beyond the standard checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Switches {
    /// Fresh and free blocks hold patterns, so that a write after free is found.
    pub(crate) poison: bool,
    /// Bytes before and after each block are watched, so that a write there is found.
    pub(crate) canary: bool,
    /// How many frames of the stacks that took and gave each block are kept; 0: nothing is.
    pub(crate) sites: usize,
    /// How many blocks come back before one is handed out again; 0: none has to.
    pub(crate) quarantine: usize,
    /// How many of a million allocations fail on purpose.
    pub(crate) fail: u32,
    /// Every block comes from the heap, where other tools see it whole.
    pub(crate) passthrough: bool,
    /// Each block lies alone, with an inaccessible OS page behind it, or one in so many; 0: none.
    pub(crate) guard: u32,
    /// A tool that watches memory is told of each block. It takes the place of poison and canary.
    pub(crate) marks: bool,
}

const MILLION: f64 = 1e6;

impl Switches {
    pub(crate) const NONE: Self = Self {
        poison: false,
        canary: false,
        sites: 0,
        quarantine: 0,
        fail: 0,
        passthrough: false,
        guard: 0,
        marks: false,
    };
    pub(crate) const FULL: Self =
        Self { poison: true, canary: true, sites: FRAMES, quarantine: QUARANTINE, ..Self::NONE };
    pub(crate) const MARKS: Self = Self { marks: true, ..Self::NONE };
    /// For a pool that asks for less, under a tool. A block that came back waits, so that the tool
    /// meets who goes on using it.
    pub(crate) const MARKED: Self = Self { quarantine: QUARANTINE, ..Self::MARKS };

    /// The probability that an allocation fails on purpose.
    pub(crate) fn failing(&self) -> f64 {
        f64::from(self.fail) / MILLION
    }
}

/// What a word, or all of them, ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    None,
    Standard,
    /// What the pool asks for.
    Own,
    Switches(Switches),
}

impl Wish {
    /// `Err`: the first word that is not understood.
    pub(crate) fn read(text: &str) -> Result<Self, &str> {
        text.split(',').map(str::trim).try_fold(Self::Standard, Self::and)
    }

    fn and(self, word: &str) -> Result<Self, &str> {
        let mut switches = match self {
            Self::Switches(switches) => switches,
            Self::None | Self::Standard | Self::Own => Switches::NONE,
        };
        let (name, number) = match word.split_once(':') {
            Some((name, number)) => (name, Some(number)),
            None => (word, None),
        };
        match (name, number) {
            ("none", None) => return Ok(Self::None),
            ("standard", None) => return Ok(Self::Standard),
            ("unwatched", None) => return Ok(Self::Own),
            ("full", None) => switches = Switches::FULL,
            ("poison", None) => switches.poison = true,
            ("canary", None) => switches.canary = true,
            ("passthrough", None) => switches.passthrough = true,
            ("guard", None) => switches.guard = 1,
            ("guard", Some(number)) => switches.guard = one_in(number).ok_or(word)?,
            ("sites", number) => switches.sites = between(number, FRAMES, FRAMES_MAX, word)?,
            ("quarantine", number) => {
                switches.quarantine = between(number, QUARANTINE, QUARANTINE_MAX, word)?;
            }
            ("fail", Some(number)) => switches.fail = millionths(number).ok_or(word)?,
            _ => return Err(word),
        }
        Ok(Self::Switches(switches))
    }
}

/// A probability, from 0 to 1.
fn millionths(number: &str) -> Option<u32> {
    let probability = f64::from_str(number).ok()?;
    (0.0..=1.0).contains(&probability).then_some((probability * MILLION) as u32)
}

/// The N of "1/N", from 1 to what is the most.
fn one_in(number: &str) -> Option<u32> {
    let number = u32::from_str(number.strip_prefix("1/")?).ok()?;
    (1..=ONE_IN_MAX).contains(&number).then_some(number)
}

/// The number that was given, from 0 to `most`, or the usual one.
fn between<'word>(
    number: Option<&str>,
    usual: usize,
    most: usize,
    word: &'word str,
) -> Result<usize, &'word str> {
    let Some(number) = number else { return Ok(usual) };
    usize::from_str(number).ok().filter(|&number| number <= most).ok_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn switches(text: &str) -> Switches {
        match Wish::read(text) {
            Ok(Wish::Switches(switches)) => switches,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for word in ["", "fulll", "sites:33", "sites:-1", "sites:x", "poison:1", "fail", "fail:2"] {
            assert_eq!(Wish::read(word), Err(word));
        }
        let rates = ["1/0", "5", "", "1/", "/5", "2/5", "1/-1", "1/1000000001", "1/x", "1/5/5"];
        for word in rates.map(|rate| format!("guard:{rate}")) {
            assert_eq!(Wish::read(&word), Err(word.as_str()));
        }
        assert_eq!(Wish::read("poison,guess"), Err("guess"));
        assert_eq!(Wish::read("quarantine:16777217"), Err("quarantine:16777217"));
    }

    #[test]
    fn levels_are_read() {
        assert_eq!(Wish::read("none"), Ok(Wish::None));
        assert_eq!(Wish::read("standard"), Ok(Wish::Standard));
        assert_eq!(Wish::read("unwatched"), Ok(Wish::Own));
        assert_eq!(switches("full"), Switches::FULL);
    }

    #[test]
    fn switches_add_up_from_left_to_right() {
        assert_eq!(switches("poison"), Switches { poison: true, ..Switches::NONE });
        let both = Switches { canary: true, sites: 4, ..Switches::NONE };
        assert_eq!(switches("canary, sites:4"), both);
        assert_eq!(switches("full,quarantine:9"), Switches { quarantine: 9, ..Switches::FULL });
        assert_eq!(switches("quarantine:9,full"), Switches::FULL);
        assert_eq!(switches("sites").sites, 16);
        assert_eq!(switches("fail:0.01").fail, 10_000);
        assert!(switches("passthrough").passthrough && !switches("full").passthrough);
        assert_eq!(switches("full,fail:1").fail, 1_000_000);
        assert_eq!(switches("guard"), Switches { guard: 1, ..Switches::NONE });
        assert_eq!(switches("guard:1/1").guard, 1);
        assert_eq!(switches("guard:1/1000000000").guard, 1_000_000_000);
        assert_eq!(switches("full,guard:1/5000"), Switches { guard: 5000, ..Switches::FULL });
        assert_eq!(switches("guard,full").guard, 0);
        assert_eq!(Wish::read("full,none"), Ok(Wish::None));
    }
}
