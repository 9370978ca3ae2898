//! The driver's side of the protocol of benches/peers/native/worker.hpp: a process for each
//! participant, which is asked by a line and answers by lines of a name and numbers.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What is asked for; see `Request` in benches/peers/native/measuring.hpp.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub scenario: &'a str,
    pub block_size: usize,
    pub live: usize,
    pub threads: usize,
    /// Milliseconds to be measured; of `latency`, millions of operations.
    pub amount: f64,
    /// Of patterns and churn: a word is written into each block. In the others it always is.
    pub written: bool,
}

/// The values of an answer by their names; none if the participant can't do that.
pub type Answer = HashMap<String, Vec<f64>>;

/// A process that is alive.
pub struct Worker {
    process: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts it.
    pub fn start(mut command: Command) -> Result<Self, String> {
        // Thread-local variables of libraries that are not made to be opened late need room that
        // the loader sets aside when a process starts.
        command.env("GLIBC_TUNABLES", "glibc.rtld.optional_static_tls=16384");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().map_err(|error| error.to_string())?;
        let requests = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().expect("it was asked for"));
        Ok(Self { process, requests, answers })
    }

    /// Asks, and waits for the answer.
    pub fn ask(&mut self, request: &Request) -> Result<Answer, String> {
        let Request { scenario, block_size, live, threads, amount, written } = request;
        let requests = self.requests.as_mut().expect("open until it is dropped");
        let written = i32::from(*written);
        writeln!(requests, "{scenario} {block_size} {live} {threads} {amount} {written}")
            .map_err(|_| "its program has ended".to_owned())?;
        let mut answer = Answer::new();
        loop {
            let mut line = String::new();
            match self.answers.read_line(&mut line) {
                Ok(0) | Err(_) => return Err("its program ended within".into()),
                Ok(_) if line == ".\n" => return Ok(answer),
                Ok(_) => {}
            }
            let mut words = line.split_whitespace();
            let name = words.next().expect("no line is empty").to_owned();
            let numbers: Result<Vec<f64>, _> = words.map(str::parse).collect();
            answer.insert(name, numbers.map_err(|_| format!("not an answer: {line}"))?);
        }
    }
}

impl Drop for Worker {
    /// It ends at the end of its input.
    fn drop(&mut self) {
        self.requests = None;
        let _ = self.process.wait();
    }
}
