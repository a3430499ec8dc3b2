#!/usr/bin/env python3
"""How much of the weights parsers the fuzz corpus runs, when it is replayed as an ordinary test: writes docs/measurements/fuzz_coverage.json.

usage: fuzz_coverage.py      (clang 14 and its llvm-cov)
"""
import pathlib
import re
import subprocess

from measurement import record

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    said = subprocess.run([ROOT / "scripts/fuzz", "--coverage"], check=True, capture_output=True, text=True).stdout
    files = {}
    for line in said.splitlines():
        words = line.split()
        if words and (words[0].endswith(".cpp") or words[0] == "TOTAL"):
            files[words[0]] = {"lines": int(words[7]), "missed": int(words[8])}
    total = files.pop("TOTAL")
    inputs = sum(int(n) for n in re.findall(r"^(\d+) files", said, re.MULTILINE))
    record("fuzz_coverage", {"command": "scripts/fuzz --coverage", "inputs": inputs, "lines": total["lines"], "missed": total["missed"],
                             "share": round(1 - total["missed"] / total["lines"], 4), "files": files})


if __name__ == "__main__":
    main()
