//! What is answered and what is said for each misuse, in each kind of pool, at each place of it:
//! the status and the first line, each to the letter, and whether the program goes on. Every case
//! is a process of its own.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;

use testkit::{library, program, root, scratch};

const MODES: [&str; 3] = ["safe", "single", "lock-free"];
/// The first block, the last one, and one that came by growth.
const INDICES: [usize; 3] = [0, CAPACITY - 1, 5];
const CAPACITY: usize = 4;
const MAX_CAPACITY: usize = 8;
const BLOCK_SIZE: usize = 48;
const PAGE: usize = 4096;

const FOREIGN: i32 = 6;
const INTERIOR: i32 = 7;
const DOUBLE_FREE: i32 = 8;
const CORRUPTED: i32 = 9;
const IN_USE: i32 = 10;

/// A pool, and the block in it that a case is about.
#[derive(Clone, Copy)]
struct At {
    mode: &'static str,
    level: &'static str,
    index: usize,
}

impl At {
    fn is_full(self) -> bool {
        self.level == "full"
    }

    /// With the canary that full checks keep behind each block.
    fn stride(self) -> usize {
        if self.is_full() { 64 } else { 48 }
    }

    fn capacity(self) -> usize {
        if self.index < CAPACITY { CAPACITY } else { MAX_CAPACITY }
    }

    fn block(self) -> String {
        let Self { index, .. } = self;
        format!("block {index} at base+{}", index * self.stride())
    }
}

/// A process, and what is expected of it.
#[derive(Clone)]
struct Case {
    name: &'static str,
    number: isize,
    at: At,
    policy: u32,
    answers: Vec<i32>,
    /// The first line, with addresses as distances from the first block; "": none.
    line: String,
    aborts: bool,
}

impl Case {
    fn new(name: &'static str, number: isize, at: At, answers: &[i32], what: &str) -> Self {
        let line = match what {
            "" => String::new(),
            _ => format!("memory_pool: error: pool \"watched\": {what}"),
        };
        Self { name, number, at, policy: 0, answers: answers.to_vec(), line, aborts: false }
    }

    /// The same in a pool that ends the program at the first misuse.
    fn aborting(mut self) -> Self {
        self.answers.pop();
        Self { policy: 1, aborts: true, ..self }
    }

    fn arguments(&self) -> [String; 6] {
        let At { mode, level, index } = self.at;
        let [number, policy] = [self.number.to_string(), self.policy.to_string()];
        [self.name.into(), number, mode.into(), level.into(), index.to_string(), policy]
    }
}

// --- what is expected ----------------------------------------------------------------------------

fn twice(at: At) -> Vec<Case> {
    let block = at.block();
    let what = format!(
        "{block} is free already (double free); nothing was changed. Deallocate each block once"
    );
    let in_a_batch = format!("entry 2: {what}");
    let never = format!(
        "{block} was never handed out; nothing was changed. Deallocate only what pool_allocate \
         answered"
    );
    let both = [0, DOUBLE_FREE];
    let mut cases = vec![
        Case::new("twice", 0, at, &both, &what),
        Case::new("twice-late", 0, at, &both, &what),
        Case::new("twice-by-threads", 0, at, &both, &what),
        Case::new("twice-in-a-batch", 0, at, &[DOUBLE_FREE], &in_a_batch),
        Case::new("never-handed-out", 0, at, &[DOUBLE_FREE], &never),
    ];
    if at.mode == "safe" {
        cases.push(Case::new("twice-to-a-cache", 0, at, &both, &what));
    }
    cases
}

fn interior(at: At) -> Vec<Case> {
    let offsets = [1, 4, BLOCK_SIZE / 2, BLOCK_SIZE - 1].into_iter();
    let case = |offset: usize| {
        let what = format!(
            "base+{} lies {offset} bytes into {}; nothing was changed. Deallocate the pointer that \
             pool_allocate answered",
            at.index * at.stride() + offset,
            at.block()
        );
        Case::new("interior", offset.cast_signed(), at, &[INTERIOR], &what)
    };
    offsets.map(case).collect()
}

fn foreign(at: At) -> Vec<Case> {
    // Those of a page have a canary that rounds them up to two.
    let page_stride = if at.is_full() { 2 * PAGE } else { PAGE };
    let case = |name: &'static str, number, stride, pointer: &str| {
        let end = stride * at.capacity();
        let what = format!(
            "{pointer} is no block of this pool, whose blocks lie from base+0 to base+{end}; \
             nothing was changed. Give it back to where it came from"
        );
        Case::new(name, number, at, &[FOREIGN], &what)
    };
    let edge = |name, pointer: &str| case(name, 0, page_stride, pointer);
    let end = format!("base+{}", page_stride * at.capacity());
    let elsewhere = |name, number| case(name, number, at.stride(), "ADDRESS");
    vec![
        elsewhere("on-the-stack", 0),
        elsewhere("of-the-program", 0),
        elsewhere("of-malloc", 0),
        elsewhere("of-another-pool", BLOCK_SIZE.cast_signed()),
        elsewhere("of-another-pool", 3 * BLOCK_SIZE.cast_signed()),
        elsewhere("of-a-pool-that-is-gone", 0),
        edge("before-the-first", "base-1"),
        edge("behind-the-last", &end),
    ]
}

/// What full checks say of a byte written so far from the start of a live block, when that is given
/// back, or when somebody looks at all of them: what does not reach the start of a block counts as
/// past the end of the one before it.
fn said_of_write(at: At, distance: isize, looked: bool) -> String {
    let is_whole = if looked { "" } else { "; it was taken back" };
    let advice = format!("{is_whole}. Look for who writes beyond a block");
    let past_end = |at: At, offset| {
        let block = at.block();
        format!("{block} was overwritten past its end, {offset} bytes from its start{advice}")
    };
    let block = at.block();
    let before = |count| format!("{block} was overwritten {count} bytes before its start{advice}");
    let count = distance.unsigned_abs();
    match at.index {
        _ if distance > 0 => past_end(at, count),
        0 => before(count),
        _ if looked => {
            let neighbour = At { index: at.index - 1, ..at };
            let more = if count == 1 { " (1 more block is damaged)" } else { "" };
            past_end(neighbour, at.stride() - count) + more
        }
        _ if count == 1 => before(count),
        _ => String::new(),
    }
}

fn writes_beyond(at: At) -> Vec<Case> {
    let end = BLOCK_SIZE.cast_signed();
    let mut cases = vec![];
    for distance in [end, end + 7, -1, -8] {
        let [given, looked] = [false, true].map(|looked| said_of_write(at, distance, looked));
        let answer = if given.is_empty() { 0 } else { CORRUPTED };
        cases.push(Case::new("write-and-give-back", distance, at, &[answer], &given));
        cases.push(Case::new("write-and-validate", distance, at, &[CORRUPTED], &looked));
    }
    cases
}

/// A bit of the first byte, of one in the middle, and of the last; and all bytes.
fn writes_after_free(at: At) -> Vec<Case> {
    const TRUE: i32 = 1;
    let what = |offset: usize, and: &str| {
        format!(
            "{} was overwritten while it was free, {offset} bytes from its start{and}. Look for a \
             use after deallocate",
            at.block()
        )
    };
    let all_the_same = "; it is handed out all the same";
    let mut cases = vec![Case::new("fill-and-take", 0, at, &[0, TRUE], &what(0, all_the_same))];
    for offset in [0, BLOCK_SIZE / 2 + 1, BLOCK_SIZE - 1] {
        let (number, taken, looked) =
            (offset.cast_signed(), what(offset, all_the_same), what(offset, ""));
        cases.push(Case::new("flip-and-take", number, at, &[0, TRUE], &taken));
        cases.push(Case::new("flip-and-validate", number, at, &[0, CORRUPTED], &looked));
    }
    cases
}

fn leaks(at: At) -> Vec<Case> {
    let count = at.capacity();
    let mut cases = vec![];
    for (live, policy) in [0, 1, 3, count].into_iter().flat_map(|n| [0, 1, 2].map(|p| (n, p))) {
        let indices: Vec<String> = (count - live..count).map(|index| index.to_string()).collect();
        let blocks = if live == 1 { "block" } else { "blocks" };
        let blocks = format!("{live} live {blocks} (index {})", indices.join(", "));
        let (level, what, answers) = match policy {
            0 => ("warn", format!("destroyed with {blocks}: their memory is gone"), vec![0]),
            1 => {
                let what = format!("not destroyed: it has {blocks}. Deallocate them first");
                ("error", what, vec![IN_USE])
            }
            _ => ("error", format!("destroyed with {blocks}: aborting"), vec![]),
        };
        let case = Case::new("leak", live.cast_signed(), at, &[0], "");
        let line = format!("memory_pool: {level}: pool \"watched\" {what}");
        let leaking = Case { line, answers, aborts: policy == 2, ..case.clone() };
        cases.push(Case { policy, ..if live == 0 { case } else { leaking } });
    }
    cases
}

fn cases() -> Vec<Case> {
    let mut cases = vec![];
    for (mode, level) in MODES.into_iter().flat_map(|m| ["standard", "full"].map(|l| (m, l))) {
        for index in INDICES {
            let at = At { mode, level, index };
            let mut misuses = [twice(at), interior(at), foreign(at)].concat();
            if at.is_full() {
                misuses.extend([writes_beyond(at), writes_after_free(at)].concat());
            }
            if index == CAPACITY - 1 {
                let said = misuses.iter().filter(|case| !case.line.is_empty()).cloned();
                cases.extend(said.map(Case::aborting));
            } else {
                cases.extend(leaks(at));
            }
            cases.extend(misuses);
        }
    }
    cases
}

// --- what happens --------------------------------------------------------------------------------

fn build(name: &str, folder: &Path) -> PathBuf {
    let source = root().join("tests/reports").join(name).with_extension("c");
    program::build(&source, library::release(), program::LINKAGES[0], folder)
}

/// Without a PATH no other program is asked for the lines, which are no matter here.
fn run<'word>(program: &Path, arguments: impl IntoIterator<Item = &'word str>) -> Output {
    testkit::output(Command::new(program).args(arguments).env_clear())
}

/// The first line, with addresses near the first block as distances from it.
fn first_line(stderr: &[u8], base: i64) -> String {
    let text = String::from_utf8_lossy(stderr);
    let near = -64..=(2 * PAGE * MAX_CAPACITY) as i64;
    let words = text.lines().next().unwrap_or_default().split(' ').map(|word| {
        let Some(digits) = word.strip_prefix("0x") else { return word.to_owned() };
        let number = digits.trim_end_matches(|c: char| !c.is_ascii_hexdigit());
        let tail = &digits[number.len()..];
        let distance = i64::from_str_radix(number, 16).expect("an address") - base;
        let is_near = near.contains(&distance);
        if is_near { format!("base{distance:+}{tail}") } else { format!("ADDRESS{tail}") }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// What is not as expected; `None`: all is.
fn complaint(program: &Path, case: &Case) -> Option<String> {
    const ABORTED: i32 = 6;
    let arguments = case.arguments();
    let output = run(program, arguments.iter().map(String::as_str));
    let stdout = String::from_utf8_lossy(&output.stdout);
    let base = stdout.lines().next().and_then(|line| line.strip_prefix("base 0x"));
    let base = base.and_then(|digits| i64::from_str_radix(digits, 16).ok()).unwrap_or(0);
    let mut expected: Vec<_> = case.answers.iter().map(|n| format!("answer {n}")).collect();
    expected.extend((!case.aborts).then(|| "survived".to_owned()));
    let line = first_line(&output.stderr, base);
    let signal = output.status.signal();
    let is_as_expected = stdout.lines().skip(1).eq(expected.iter())
        && line == case.line
        && signal == case.aborts.then_some(ABORTED);
    (!is_as_expected).then(|| {
        format!("{arguments:?}: {signal:?}\n{stdout}{line}\nbut not {expected:?}\n{}", case.line)
    })
}

#[test]
fn every_misuse_has_its_status_and_its_line_in_every_pool() {
    let program = build("reports", &scratch("reports"));
    let cases = cases();
    assert!(cases.len() >= 700, "{}", cases.len());
    let (rest, complaints) = (Mutex::new(cases.iter()), Mutex::new(vec![]));
    let next = || rest.lock().expect("nobody panics").next();
    let work = || {
        while let Some(case) = next() {
            complaints.lock().expect("nobody panics").extend(complaint(&program, case));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let complaints = complaints.into_inner().expect("nobody panics");
    let shown = &complaints[..complaints.len().min(5)];
    assert!(
        complaints.is_empty(),
        "{} of {}:\n{}",
        complaints.len(),
        cases.len(),
        shown.join("\n")
    );
}

// --- handles -------------------------------------------------------------------------------------

/// Functions that are called with no handle.
const WITHOUT_HANDLE: [&str; 7] = [
    "pool_bytes_needed",
    "pool_create",
    "pool_create_with",
    "pool_options_init",
    "pool_set_log_callback",
    "pool_status_string",
    "pool_version",
];
/// Functions that answer a status.
const WITH_STATUS: [&str; 17] = [
    "pool_allocate_wait",
    "pool_cache_deallocate",
    "pool_cache_destroy",
    "pool_check_block",
    "pool_deallocate",
    "pool_deallocate_many",
    "pool_destroy",
    "pool_fail_after",
    "pool_for_each_live",
    "pool_get_stats",
    "pool_grow",
    "pool_log_live",
    "pool_reset",
    "pool_set_report_callback",
    "pool_trim",
    "pool_validate",
    "pool_write_snapshot",
];

/// What a function answers, and says, for a handle of that kind.
fn expected_of(function: &str, kind: &str) -> (i32, String) {
    let is_cache = function.starts_with("pool_cache_") && function != "pool_cache_create";
    let what = match (kind, is_cache) {
        ("null", _) if function.ends_with("_destroy") => return (0, String::new()),
        ("null", false) => "the pool is NULL; check what pool_create answered",
        ("null", true) => "the cache is NULL; check what pool_cache_create answered",
        (_, false) => "ADDRESS is no live pool; it was destroyed, or never was a pool",
        (_, true) => {
            "ADDRESS is no live cache; it was destroyed, or its pool was, or it never was one"
        }
    };
    let status = if kind == "null" { 1 } else { 11 };
    let answer = if WITH_STATUS.contains(&function) { status } else { 0 };
    // It is that call, and what follows a block.
    let function = if function == "pool_allocate_zeroed" { "pool_allocate" } else { function };
    (answer, format!("memory_pool: error: {function}: {what}\n"))
}

#[test]
fn every_function_answers_a_handle_that_is_none() {
    let program = build("handles", &scratch("handles"));
    let mut functions: BTreeSet<String> = library::declared();
    functions.retain(|function| !WITHOUT_HANDLE.contains(&function.as_str()));
    assert!(functions.len() >= 30, "{functions:?}");
    for function in &functions {
        for kind in ["null", "stale", "garbage", "block"] {
            let output = run(&program, [function.as_str(), kind]);
            let (answer, line) = expected_of(function, kind);
            let stdout = String::from_utf8_lossy(&output.stdout);
            assert_eq!(stdout, format!("answer {answer}\n"), "{function} {kind}");
            let said = String::from_utf8_lossy(&output.stderr);
            let words = said.split(' ').map(|w| if w.starts_with("0x") { "ADDRESS" } else { w });
            assert_eq!(words.collect::<Vec<_>>().join(" "), line, "{kind}");
        }
    }
}
