"""Weakens each memory ordering of the lock-free stack in turn, leaves the tag out, and asks loom.

Every mutant must be killed: a survivor is an ordering that no test needs, or a missing test. Run it
after a change of src/freelist/tagged.rs; it takes a minute and restores the file.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILE = ROOT / "src/freelist/tagged.rs"


def survives(text):
    FILE.write_text(text)
    test = ["cargo", "test", "--quiet", "--test", "loom"]
    return subprocess.run(test, cwd=ROOT, capture_output=True).returncode == 0


def mutants(text):
    for found in re.finditer(r"Ordering::(Acquire|Release|AcqRel)", text):
        line = text.count("\n", 0, found.start()) + 1
        weaker = text[: found.start()] + "Ordering::Relaxed" + text[found.end() :]
        yield f"line {line}: {found.group(1)} made Relaxed", weaker
    yield "no tag", text.replace("(head >> HALF).wrapping_add(1)", "head >> HALF")


def main():
    text = FILE.read_text()
    survivors = 0
    try:
        if not survives(text):
            sys.exit("the tests fail before anything is changed")
        for name, mutant in mutants(text):
            lives = survives(mutant)
            survivors += lives
            print("SURVIVED" if lives else "killed  ", name, flush=True)
    finally:
        FILE.write_text(text)
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main()
