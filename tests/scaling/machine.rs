//! A machine, as far as the model sees it: how long a step takes, and how long a cache line takes
//! from the core that wrote it last to the one that wants it.

/// Picoseconds: whole numbers, so that every computer computes the same.
pub type Time = u64;

pub const NANOSECOND: Time = 1000;

/// Measured, as all here that does not say otherwise, by `cargo bench --bench machine` on two cores
/// of an EPYC of 2023, in a virtual machine: an operation that meets nobody, in a magazine.
pub const OPERATION: Time = 2_200;
/// The same of the lock-free engine.
pub const LOCK_FREE_OPERATION: Time = 5_500;
/// What an exchange of 64 blocks with the depot adds when nobody else was there.
const EXCHANGE: Time = 78 * NANOSECOND;
const EXCHANGED: Time = 64;
/// So many lines that do not wait for each other take the time of one that is waited for.
pub const OVERLAP: Time = 20;
/// A fence on all threads, when no other thread runs.
const FENCE: Time = 540 * NANOSECOND;
/// What a core adds that runs one. Assumed: of the microsecond that one core adds, so much is the
/// sending, which is done core by core; the answers come at the same time.
const FENCE_OF_CORE: Time = 200 * NANOSECOND;
/// Lines that a theft waits for in a magazine: those with its bounds, twice, and with its blocks,
/// and of the depot's array. (A theft from 256 threads is 307 ns a thread, at 72 ns a line.)
const LINES_OF_THEFT: Time = 4;

/// How far cores are from each other that share a cache, or a socket, and others.
pub struct Machine {
    pub near: Time,
    pub socket: Time,
    pub far: Time,
}

/// Cores with one cache, and cores of one socket.
const NEAR_CORES: usize = 8;
const SOCKET_CORES: usize = 64;

/// Two sockets of EPYC 7R13, by <https://github.com/nviennot/core-to-core-latency>. More sockets
/// are taken to be no farther from each other than two are, which is kind.
pub const LARGE: Machine =
    Machine { near: 23 * NANOSECOND, socket: 107 * NANOSECOND, far: 197 * NANOSECOND };

/// Our two cores.
pub const OURS: Machine = Machine { near: 72 * NANOSECOND, ..LARGE };

impl Machine {
    /// What it takes to get a cache line that another core wrote.
    pub fn distance(&self, from: usize, to: usize) -> Time {
        match (from, to) {
            _ if from == to => 0,
            _ if from / NEAR_CORES == to / NEAR_CORES => self.near,
            _ if from / SOCKET_CORES == to / SOCKET_CORES => self.socket,
            _ => self.far,
        }
    }

    /// The same for any of `writers`, each as likely as the next.
    pub fn mean_distance(&self, writers: &[usize], to: usize) -> Time {
        writers.iter().map(|&from| self.distance(from, to)).sum::<Time>() / writers.len() as Time
    }

    /// From each core to any of all.
    pub fn means(&self, cores: usize) -> Vec<Time> {
        let all: Vec<usize> = (0..cores).collect();
        all.iter().map(|&core| self.mean_distance(&all, core)).collect()
    }

    /// A theft from the magazines of all cores: the fence, and the walk.
    pub fn theft(&self, cores: usize) -> (Time, Time) {
        let fence = FENCE + (cores as Time - 1) * FENCE_OF_CORE;
        (fence, cores as Time * LINES_OF_THEFT * self.means(cores)[0])
    }
}

/// The depot of a core, by number.
pub fn near_depot(core: usize) -> usize {
    core / NEAR_CORES
}

/// An exchange of `batch` blocks, without the lines that others wrote: half of it is the lock, half
/// the copying.
pub fn exchange(batch: u64) -> Time {
    EXCHANGE / 2 + EXCHANGE / 2 * batch / EXCHANGED
}

/// The lines of the depot's array that a batch lies in.
pub fn lines_of_numbers(batch: u64) -> u64 {
    (batch * 4).div_ceil(64)
}
