//! How long single calls take: percentiles, with what the clock takes subtracted.
//!
//! Many clocks go in steps: a call of 3 ns reads as 0 or as 10 ns on one of 10 ns. Seen often, it
//! is found between the steps: each reading stands for all times within a step, half a step to each
//! side, as is usual for grouped data. So it is done with the readings of the clock alone, and the
//! median of those is subtracted.
//!
//! Percentiles are of the calls while nobody shared the core, as a probe before and after a few of
//! them told (benches/peers/native/slices.hpp); p99.99 of every call is given beside.

use hdrhistogram::Histogram;

use crate::measure::Bench;
use crate::participants::Participant;
use crate::worker::{Answer, Request};

/// The last is the maximum.
pub const PERCENTILES: [f64; 5] = [50.0, 99.0, 99.9, 99.99, 100.0];
/// What p99.99 should be of p50, at most.
pub const TAIL: f64 = 3.0;
/// Where less of the readings was made while nobody shared the core, all of them are taken.
const ENOUGH_ALONE: f64 = 0.05;
pub const BLOCK_SIZE: usize = 64;
/// Blocks that are live.
pub const LIVE: usize = 1000;

/// What the calls of one participant came to, in nanoseconds.
pub struct Latency {
    pub participant: &'static Participant,
    /// How many calls, in millions.
    pub millions: f64,
    /// The percentiles of the calls after the first, while nobody shared the core.
    pub calls: [f64; PERCENTILES.len()],
    /// The part of the calls that these are. 1 if it was so seldom that all were taken.
    pub part_alone: f64,
    /// The same percentiles of every call.
    pub every: [f64; PERCENTILES.len()],
    /// The percentiles of the first allocations, each with the first word written.
    pub first: [f64; PERCENTILES.len()],
    /// The same of the clock alone, of which nothing is subtracted but its own median.
    pub clock: [f64; PERCENTILES.len()],
    /// How many of 10 000 readings of the clock alone lie beyond `TAIL` medians of a call: where it
    /// is one or more, no call's p99.99 is within them.
    pub clock_beyond: f64,
    /// The median of the clock alone, and its step.
    pub overhead: f64,
    pub step: f64,
    /// While they were measured: page faults, and how often others took the processor.
    pub faults: f64,
    pub switches: f64,
}

/// Readings of one kind, added up over all rounds.
struct Readings(Histogram<u64>);

impl Readings {
    fn new() -> Self {
        Self(Histogram::new(3).expect("three digits are fine"))
    }

    /// Adds ticks and times, one after the other.
    fn add(&mut self, pairs: &[f64]) {
        for pair in pairs.chunks_exact(2) {
            self.0.record_n(pair[0] as u64, pair[1] as u64).expect("it grows as it must");
        }
    }

    /// The ticks between two readings that are seen often.
    fn step(&self) -> f64 {
        let often = self.0.len() / 1000;
        let values: Vec<_> = self
            .0
            .iter_recorded()
            .filter(|value| value.count_since_last_iteration() > often)
            .map(|value| value.value_iterated_to())
            .collect();
        values.windows(2).map(|two| two[1] - two[0]).min().unwrap_or(1) as f64
    }

    /// Between the steps; the maximum is one that was read.
    fn percentile(&self, percentile: f64, step: f64) -> f64 {
        if percentile >= 100.0 {
            return self.0.max() as f64;
        }
        let wanted = self.0.len() as f64 * percentile / 100.0;
        let mut below = 0.0;
        for value in self.0.iter_recorded() {
            let times = value.count_since_last_iteration() as f64;
            if below + times >= wanted {
                let within = (wanted - below) / times - 0.5;
                return value.value_iterated_to() as f64 + within * step;
            }
            below += times;
        }
        self.0.max() as f64
    }

    /// How many of 10 000 are longer.
    fn beyond(&self, ticks: f64) -> f64 {
        let longer =
            self.0.iter_recorded().filter(|value| value.value_iterated_to() as f64 > ticks);
        let times: u64 = longer.map(|value| value.count_since_last_iteration()).sum();
        times as f64 * 1e4 / self.0.len().max(1) as f64
    }
}

/// What is added up of one participant.
struct Sum {
    participant: &'static Participant,
    millions: f64,
    /// Every reading.
    calls: Readings,
    clock: Readings,
    /// Those while nobody shared the core.
    calls_alone: Readings,
    clock_alone: Readings,
    first: Readings,
    tick: f64,
    faults: f64,
    switches: f64,
}

impl Sum {
    fn new(participant: &'static Participant) -> Self {
        let [calls, clock, calls_alone, clock_alone, first] = [(); 5].map(|()| Readings::new());
        Self {
            participant,
            millions: 0.0,
            calls,
            clock,
            calls_alone,
            clock_alone,
            first,
            tick: 0.0,
            faults: 0.0,
            switches: 0.0,
        }
    }

    /// Whether there was something to add.
    fn add(&mut self, answer: &Answer, millions: f64) -> bool {
        let readings = [
            ("calls", &mut self.calls),
            ("clock", &mut self.clock),
            ("calls_alone", &mut self.calls_alone),
            ("clock_alone", &mut self.clock_alone),
            ("first", &mut self.first),
        ];
        if !answer.contains_key("calls") {
            return false;
        }
        readings.into_iter().for_each(|(name, sum)| sum.add(&answer[name]));
        self.tick = answer["tick"][0];
        self.faults += answer["faults"][0];
        self.switches += answer["switches"][0];
        self.millions += millions;
        true
    }

    fn finish(self) -> Latency {
        let part = self.calls_alone.0.len() as f64 / self.calls.0.len().max(1) as f64;
        let (calls, clock, part_alone) = if part < ENOUGH_ALONE {
            (&self.calls, &self.clock, 1.0)
        } else {
            (&self.calls_alone, &self.clock_alone, part)
        };
        let step = clock.step();
        let overhead = clock.percentile(50.0, step);
        let nanoseconds = |readings: &Readings| {
            PERCENTILES.map(|percentile| {
                (readings.percentile(percentile, step) - overhead).max(0.0) * self.tick
            })
        };
        let percentiles = nanoseconds(calls);
        Latency {
            participant: self.participant,
            millions: self.millions,
            calls: percentiles,
            part_alone,
            every: nanoseconds(&self.calls),
            first: nanoseconds(&self.first),
            clock: nanoseconds(clock),
            clock_beyond: clock.beyond(overhead + TAIL * percentiles[0] / self.tick),
            overhead: overhead * self.tick,
            step: step * self.tick,
            faults: self.faults,
            switches: self.switches,
        }
    }
}

impl Bench<'_> {
    /// Measures so many millions of calls of each, those that are measured longest ten times as
    /// many, in rounds. A round has a process of its own: its first
    /// allocations are the first.
    pub fn latencies(
        &self,
        participants: &[&'static Participant],
        rounds: usize,
        millions: f64,
        longest: f64,
    ) -> (Vec<Latency>, Vec<String>) {
        let mut failures = vec![];
        let mut sums: Vec<_> = participants
            .iter()
            .filter(|one| !one.is_for_containers())
            .map(|one| Sum::new(one))
            .collect();
        for round in 0..rounds {
            self.say(format!("latency, round {} of {rounds}", round + 1));
            sums.retain_mut(|sum| {
                let is_longest = sum.participant.is_measured_longest();
                let amount = if is_longest { longest } else { millions } / rounds as f64;
                let request = Request {
                    scenario: "latency",
                    block_size: BLOCK_SIZE,
                    live: LIVE,
                    threads: 1,
                    amount,
                    written: true,
                };
                let answer = self.worker(sum.participant).and_then(|mut one| one.ask(&request));
                match answer {
                    Ok(answer) => sum.add(&answer, amount),
                    Err(why) => {
                        failures.push(format!("{} in latency: {why}", sum.participant.name));
                        false
                    }
                }
            });
            self.bar.inc(1);
        }
        (sums.into_iter().map(Sum::finish).collect(), failures)
    }
}

#[cfg(test)]
mod tests {
    use super::Readings;

    #[test]
    fn a_time_between_two_steps_of_the_clock_is_found() {
        let mut readings = Readings::new();
        // 36 ticks, on a clock of 26 ticks a step: 26 in 16 of 26 readings, else 52.
        readings.add(&[26.0, 1600.0, 52.0, 1000.0]);
        assert_eq!(readings.step(), 26.0);
        let median = readings.percentile(50.0, 26.0);
        assert!((30.0..40.0).contains(&median), "{median}");
        assert_eq!(readings.percentile(100.0, 26.0), 52.0);
    }

    #[test]
    fn readings_beyond_a_limit_are_counted_of_ten_thousand() {
        let mut readings = Readings::new();
        readings.add(&[26.0, 1600.0, 52.0, 300.0, 400.0, 100.0]);
        assert_eq!([26.0, 52.0, 400.0].map(|limit| readings.beyond(limit)), [2000.0, 500.0, 0.0]);
    }
}
