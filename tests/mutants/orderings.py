"""Weakens each memory ordering that threads meet at in turn, leaves steps out, and asks loom.

Every mutant must be killed: a survivor is an ordering that no test needs, or a missing test. Run it
after a change of the files below; it takes minutes and restores them. An argument chooses among the
mutants by a part of their names.
"""

import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Which tests look at a file, the quickest first.
TESTS = {
    "src/freelist/tagged.rs": ["loom"],
    "src/cache/magazine.rs": ["loom_magazine", "loom_safe"],
    "src/cache/magazines.rs": ["loom_safe"],
    "src/pool/safe.rs": ["loom_safe", "shuttle"],
    "src/pool/sleepers.rs": ["loom_waiting"],
    "src/inspect/quarantine.rs": ["loom_quarantine"],
    "src/pool/wait.rs": ["loom_waiting"],
    "src/pool/waiters.rs": ["loom_waiting"],
}

# What is not an ordering: a name, the file, what stands there, and what is put in its place.
FAULTS = [
    ("no tag", "src/freelist/tagged.rs", "head.wrapping_add(1)", "head"),
    ("the owner has no fence", "src/cache/magazine.rs", "barrier::light();", ""),
    (
        "the owner does not say that it is busy",
        "src/cache/magazine.rs",
        "self.coming.store(next, Ordering::Relaxed);",
        "",
    ),
    (
        "the owner does not look at what is forbidden",
        "src/cache/magazine.rs",
        "if next & self.forbidden.load(Ordering::Relaxed) == 0 {",
        "if next & (OPERATION / 2) == 0 {",
    ),
    ("the thief does not close", "src/pool/safe.rs", "all().for_each(Magazine::close);", "all();"),
    ("the thief has no fence", "src/pool/safe.rs", "if !barrier::heavy() {", "if false {"),
    (
        "the thief does not wait until the owner is idle",
        "src/pool/safe.rs",
        "!magazine.is_idle()",
        "magazine.count() == usize::MAX",
    ),
    (
        "magazines are looked at while they are open",
        "src/pool/safe.rs",
        "self.depot.has_open() && self.gather()",
        "self.magazines.all().any(|magazine| magazine.count() > 0) && self.gather()",
    ),
    (
        "nobody asks who was under way",
        "src/inspect/quarantine.rs",
        "self.begun.load(Ordering::Relaxed) == done",
        "true",
    ),
    ("nobody steals", "src/pool/safe.rs", "if self.steal() {", "if false {"),
    ("who gives back has no fence", "src/pool/sleepers.rs", "barrier::light();", ""),
    (
        "the turn stays",
        "src/pool/sleepers.rs",
        "self.turn.fetch_add(1, Ordering::Release);",
        "",
    ),
    ("nobody is woken", "src/pool/sleepers.rs", "sleep::wake(&raw const self.turn);", ""),
    ("who waits has no fence", "src/pool/wait.rs", "= barrier::heavy();", "= true;"),
    ("who waits is not counted", "src/pool/wait.rs", "engine.sleepers().arrive();", ""),
    (
        "the turn is read after the look at the stack",
        "src/pool/wait.rs",
        "engine.sleepers().sleep(turn, deadline_of());",
        "engine.sleepers().sleep(engine.sleepers().turn(), deadline_of()); let _ = turn;",
    ),
    (
        "whoever is in line takes a block",
        "src/pool/wait.rs",
        "if waiter.is_front() {",
        "if true {",
    ),
    (
        "who leaves does not tell who is first now",
        "src/pool/wait.rs",
        "self.waiters.remove(&waiter);\n        self.waiters.tell_front();",
        "self.waiters.remove(&waiter);",
    ),
    (
        "who is first is not told",
        "src/pool/waiters.rs",
        "waiter.word.store(what,",
        "let _ = (what,",
    ),
]


def run_test(test, *more):
    command = ["cargo", "test", "--quiet", "--test", test, *more]
    environment = {**os.environ, "RUST_BACKTRACE": "0"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True).returncode == 0


def survives(file, text):
    (ROOT / file).write_text(text)
    for test in TESTS[file]:
        if not run_test(test, "--no-run"):
            sys.exit(f"a mutant of {file} does not compile")
        if not run_test(test):
            return False
    return True


def weaker_orderings(file, text):
    strong = r"Ordering::(Acquire|Release|AcqRel|SeqCst)"
    for found in re.finditer(rf"\bfence\({strong}\);|{strong}", text):
        line = text.count("\n", 0, found.start()) + 1
        is_fence = found.group(0).startswith("fence")
        change, instead = ("left out", "") if is_fence else ("made Relaxed", "Ordering::Relaxed")
        weaker = text[: found.start()] + instead + text[found.end() :]
        yield f"{file}:{line}: {found.group(0)} {change}", weaker


def mutants(file, text):
    yield from weaker_orderings(file, text)
    for name, _, there, instead in (fault for fault in FAULTS if fault[1] == file):
        if there not in text:
            sys.exit(f"{name}: {file} does not have: {there}")
        yield f"{file}: {name}", text.replace(there, instead)


def main():
    chosen = sys.argv[1] if len(sys.argv) > 1 else ""
    survivors = 0
    for file in TESTS:
        text = (ROOT / file).read_text()
        try:
            if not survives(file, text):
                survivors += 1
                print(f"{file}: the tests fail before anything is changed")
                continue
            for name, mutant in mutants(file, text):
                if chosen in name:
                    began = time.monotonic()
                    lives = survives(file, mutant)
                    survivors += lives
                    seconds = round(time.monotonic() - began)
                    print("SURVIVED" if lives else "killed  ", name, f"({seconds}s)", flush=True)
        finally:
            (ROOT / file).write_text(text)
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main()
