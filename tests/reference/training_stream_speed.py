#!/usr/bin/env python3
"""How many training samples a second the stream makes, every augmentation on.

usage: training_stream_speed.py TRAINING_STREAM_BENCH [--workers 1 2] [--samples 400] [--record]

Samples per second by the clock, which other programs on the same cores lower, and by CPU time, which they hardly do.
"""
import argparse
import pathlib
import re
import subprocess
import sys

from measurement import record


def measured(bench, workers, samples):
    out = subprocess.run([bench, str(workers), str(samples)], check=True, capture_output=True, text=True).stdout
    wall, cpu_ms, per_core = re.search(r"([\d.]+) samples/s, ([\d.]+) ms of CPU each \(([\d.]+)", out).groups()
    return {"workers": workers, "per_s": float(wall), "cpu_ms": float(cpu_ms), "per_s_and_core": float(per_core)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bench")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--samples", type=int, default=400)
    parser.add_argument("--record", action="store_true")
    given = parser.parse_args()
    runs = []
    load = pathlib.Path("/proc/loadavg").read_text().split()[0]
    for workers in given.workers:
        runs.append(measured(given.bench, workers, given.samples))
        print(runs[-1])
    if given.record:
        command = " ".join(["training_stream_speed.py", pathlib.Path(given.bench).name, *sys.argv[2:]])
        record("training_stream", {"command": command.replace(" --record", ""), "samples": given.samples, "patch_px": 256,
                                   "load_average": float(load), "runs": runs})


if __name__ == "__main__":
    main()
