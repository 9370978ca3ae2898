//! Everyone in turn: A B C A B C, so that a change of the machine's speed meets all alike.

use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use crate::participants::Participant;
use crate::programs::Programs;
use crate::scenario::Scenario;
use crate::worker::{Answer, Worker};

/// The part of a turn for which a thread may be kept waiting by others, and for which it must have
/// had its core for itself.
pub const DISTURBED: f64 = 0.1;
/// Where the pages of a process happen to lie in the caches stays as it is until it ends; so the
/// turns of a participant are those of several.
const TURNS_OF_A_PROCESS: usize = 3;
/// Between a disturbed turn and the next attempt: others may be done by then.
const PAUSE: Duration = Duration::from_millis(20);
/// For how long a scenario of one thread repeats turns that others disturb. That all of two have
/// their cores for themselves is as seldom as the square.
const PATIENCE: Duration = Duration::from_secs(5);

/// The turns of one participant.
pub struct Row {
    pub participant: &'static Participant,
    /// What each turn came to, in the unit of the scenario.
    pub turns: Vec<f64>,
    /// A second figure, where there is one: bytes that are kept when all was given back.
    pub kept: Vec<f64>,
}

/// What a scenario came to.
pub struct Table {
    pub scenario: Scenario,
    /// Those who can do it.
    pub rows: Vec<Row>,
    /// The part of the turns that others disturbed.
    pub disturbed: f64,
    /// Who failed, and how.
    pub failures: Vec<String>,
}

/// A participant in a scenario, while it is measured.
struct Contestant {
    row: Row,
    worker: Option<Worker>,
}

/// What is measured with.
pub struct Bench<'a> {
    pub programs: &'a Programs,
    pub bar: &'a ProgressBar,
    pub patient: bool,
}

impl Bench<'_> {
    /// A worker; it ends when it is dropped.
    pub fn worker(&self, participant: &Participant) -> Result<Worker, String> {
        Worker::start(self.programs.command(participant)?)
    }

    /// Says what it is at: beside the bar, or in a line if the terminal has none.
    pub fn say(&self, what: String) {
        if self.bar.is_hidden() {
            eprintln!("{:>5.0?} {what}", self.bar.elapsed());
        }
        self.bar.set_message(what);
    }

    /// Measures a scenario.
    pub fn measure(&self, scenario: Scenario, participants: &[&'static Participant]) -> Table {
        let mut table = Table { scenario, rows: vec![], disturbed: 0.0, failures: vec![] };
        let mut contestants: Vec<_> = participants
            .iter()
            .filter(|one| table.scenario.is_for(one))
            .map(|&participant| Contestant {
                row: Row { participant, turns: vec![], kept: vec![] },
                worker: None,
            })
            .collect();
        let mut patience = match (self.patient, table.scenario.threads) {
            (false, _) => Duration::ZERO,
            (true, 1) => PATIENCE,
            (true, _) => 4 * PATIENCE,
        };
        let (mut turns, mut disturbed) = (0, 0);
        self.say(table.scenario.title());
        for _ in 0..table.scenario.turns {
            contestants.retain_mut(|one| match self.turn(&table.scenario, one, &mut patience) {
                Ok(None) => false,
                Ok(Some(was_disturbed)) => {
                    turns += 1;
                    disturbed += usize::from(was_disturbed);
                    true
                }
                Err(why) => {
                    let (name, id) = (one.row.participant.name, table.scenario.id());
                    table.failures.push(format!("{name} in {id}: {why}"));
                    false
                }
            });
            self.bar.inc(1);
        }
        table.disturbed = f64::from(disturbed as u32) / f64::from(turns.max(1) as u32);
        table.rows = contestants.into_iter().map(|one| one.row).collect();
        table
    }

    /// A turn, repeated while it is disturbed and there is patience left. Answers whether it was,
    /// or nothing if the participant can't do that.
    fn turn(
        &self,
        scenario: &Scenario,
        one: &mut Contestant,
        patience: &mut Duration,
    ) -> Result<Option<bool>, String> {
        let mut answer = self.ask(scenario, one)?;
        while is_disturbed(&answer, scenario.amount) && !patience.is_zero() {
            let start = Instant::now();
            std::thread::sleep(PAUSE);
            let again = self.ask(scenario, one)?;
            if disturbance(&again, scenario.amount) < disturbance(&answer, scenario.amount) {
                answer = again;
            }
            *patience = patience.saturating_sub(start.elapsed());
        }
        let value = |name: &str| answer.get(name).and_then(|numbers| numbers.first()).copied();
        let Some(figure) = value("nanoseconds").or(value("beside")) else { return Ok(None) };
        one.row.turns.push(figure);
        one.row.kept.extend(value("kept"));
        Ok(Some(is_disturbed(&answer, scenario.amount)))
    }

    fn ask(&self, scenario: &Scenario, one: &mut Contestant) -> Result<Answer, String> {
        let mut worker = match one.worker.take() {
            Some(worker) => worker,
            None => self.worker(one.row.participant)?,
        };
        let answer = worker.ask(&scenario.request())?;
        let next = one.row.turns.len() + 1;
        if !scenario.is_fresh() && !next.is_multiple_of(TURNS_OF_A_PROCESS) {
            one.worker = Some(worker);
        }
        Ok(answer)
    }
}

/// Above 1: too much.
fn disturbance(answer: &Answer, milliseconds: f64) -> f64 {
    let value = |name: &str| answer.get(name).and_then(|numbers| numbers.first()).copied();
    let waited = value("waited").unwrap_or(0.0) / (milliseconds.max(10.0) * 1e6);
    let alone = value("alone").unwrap_or(1.0);
    (waited / DISTURBED).max(DISTURBED / alone)
}

fn is_disturbed(answer: &Answer, milliseconds: f64) -> bool {
    disturbance(answer, milliseconds) > 1.0
}
