#!/usr/bin/env python3
"""Runs the program on every file of a folder of slides, damaged ones included, and compares exit code and everything it says
with outcomes.tsv: path, options, exit code, the complete lines of stderr (" | " between two, {slide} for the path), - for none.

usage: check_outcomes.py PROGRAM OUTCOMES [--record]     the slides: $WSI_TEST_DATA/slides

Each run has little memory and time, so that a lying header or a loop fails; nothing may be left behind by a failure.
--record writes what was seen, for a person to read, into OUTCOMES: a row without options for every file, and the rows with
options that are there already.
"""
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

# Of address space, of which a run on a sound slide takes less than 1 GiB: a header that claims 2 GiB for a tile has no room.
MEMORY = 1536 << 20
SECONDS = 120
SKIPPED = 77
NOTHING = "-"
HEADER = """\
# path	options	exit code	every line the user sees, - for none, {slide} for the path; seen with OpenSlide 4.0.1
# made by: WSI_TEST_DATA=FOLDER tests/formats/check_outcomes.py PROGRAM tests/formats/outcomes.tsv --record
"""


def limit():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def run(program, slide, options, folder):
    """Exit code, everything said, and the names of what was left."""
    done = subprocess.run([program, slide, "-q", "--threads", "2", "--model", "classical", "-o", folder / "r.h5", *options],
                          capture_output=True, text=True, timeout=SECONDS, preexec_fn=limit)
    lines = [re.sub(r"^\d\d:\d\d:\d\d ", "", line).replace(str(slide), "{slide}") for line in done.stderr.strip().splitlines()]
    return str(done.returncode), " | ".join(lines) or NOTHING, sorted(p.name for p in folder.iterdir())


def is_slide(path):
    return path.is_file() and path.suffix not in (".md", ".tsv") and path.name != "LICENSE"


def read_table(path):
    """(path, options) -> (exit code, lines)."""
    rows = [line.rstrip("\n").split("\t") for line in open(path, encoding="utf-8") if line[0] != "#"]
    return {(name, options): (code, lines) for name, options, code, lines in rows}


def main():
    program, table = sys.argv[1], pathlib.Path(sys.argv[2])
    if "WSI_TEST_DATA" not in os.environ:
        print("WSI_TEST_DATA is not set: the folder with the real slides")
        return SKIPPED
    slides = pathlib.Path(os.environ["WSI_TEST_DATA"]) / "slides"
    expected = read_table(table)
    files = {(str(p.relative_to(slides)), NOTHING) for p in slides.rglob("*") if is_slide(p)}
    seen, wrong = {}, 0
    for case in sorted(files | expected.keys()):
        path, options = case
        with tempfile.TemporaryDirectory() as name:
            code, lines, left = run(program, slides / path, options.split() if options != NOTHING else [], pathlib.Path(name))
        seen[case] = code, lines
        if seen[case] != expected.get(case) or left != (["r.h5"] if code in ("0", "2") else []):
            wrong += 1
            print(f"{path} {options}: exit {code}, left {left}: {lines}\n    expected {expected.get(case, 'a row in the table')}")
    if "--record" in sys.argv:
        table.write_text(HEADER + "".join("\t".join(case + seen[case]) + "\n" for case in seen), encoding="utf-8")
    print(f"{len(seen)} runs, {wrong} with another outcome than recorded")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
