#!/usr/bin/env python3
"""Runs the program on every file of a folder of slides, damaged ones included, and compares exit code and the complete
message with outcomes.tsv (path, exit code, regular expression on the last line of stderr).

usage: check_outcomes.py PROGRAM SLIDES OUTCOMES

Each run has little memory and time, so that a lying header or a loop fails; nothing may be left behind by a failure.
"""
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

MEMORY = 6 << 30  # address space, of which libraries reserve most
SECONDS = 120


def limit():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def run(program, slide, folder):
    done = subprocess.run([program, slide, "-q", "--model", "classical", "-o", folder / "r.h5"], capture_output=True, text=True,
                          timeout=SECONDS, preexec_fn=limit)
    last = (done.stderr.strip().splitlines() or [""])[-1]
    return done.returncode, last


def main():
    program, slides, table = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
    wrong = 0
    cases = [line.rstrip("\n").split("\t") for line in open(table, encoding="utf-8") if line.strip() and line[0] != "#"]
    for path, code, pattern in cases:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            got, message = run(program, slides / path, folder)
            left = sorted(p.name for p in folder.iterdir() if not p.name.endswith(".parts"))
            expected_files = ["r.h5"] if got in (0, 2) else []
            if got != int(code) or not re.search(pattern, message) or left != expected_files or \
                    (got not in (0, 2) and str(path.split("/")[-1]) not in message):
                wrong += 1
                print(f"{path}: exit {got} (expected {code}), {left}, message: {message}")
    print(f"{len(cases)} files, {wrong} with another outcome than recorded")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
