//! Numbers that look drawn, and are the same in each run.
//!
//! Source: the generator SplitMix64, by G. Steele, D. Lea and C. Flood, "Fast splittable
//! pseudorandom number generators", OOPSLA 2014.

#![forbid(unsafe_code)]

/// The number of this place in the sequence that the seed begins, from 1 on.
pub(crate) fn draw(seed: u64, place: u64) -> u64 {
    let mixed = seed.wrapping_add(place.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_source() {
        let numbers = [1, 2, 3].map(|place| draw(1_234_567, place));
        let published =
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(numbers, published);
    }
}
