#!/usr/bin/env python3
"""Measures whole runs and what the script in front of the program costs, and writes docs/measurements/<name>.json.

usage: measure_run.py slide NAME BUILD SLIDE [--threads 2] [--runs 1] [--what TEXT] [--set KEY=VALUE ...]
       measure_run.py script NAME BUILD

slide: alternates a run of the program with one of decode_only_bench, which reads the same tiles and does nothing with them.
CPU time and peak memory come from the kernel's account of each child process; what a run needs beyond reading is the
difference, per work pixel of the tiles processed.
script: `--version` ten times through scripts/wsi-segment and ten times directly; medians.
"""
import argparse
import json
import os
import pathlib
import re
import shlex
import statistics
import subprocess
import tempfile
import time

import h5py

from measurement import record

ROOT = pathlib.Path(__file__).resolve().parents[2]


def measured(command, stdout=None):
    """(wall s, CPU s, peak MB) of one child process."""
    start = time.monotonic()
    child = subprocess.Popen(command, stdout=stdout)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{shlex.join(map(str, command))}: exit code {child.returncode}")
    return (round(time.monotonic() - start, 2), round(usage.ru_utime + usage.ru_stime, 2),
            round(usage.ru_maxrss * 1024 / 1e6))


def measure_slide(options):
    with tempfile.TemporaryDirectory() as folder:
        result, said = f"{folder}/out.h5", f"{folder}/decode.txt"
        run = [options.build / "wsi-segment", options.slide, "-o", result, "-q", "--restart", "--threads", str(options.threads)]
        sets = [word for pair in ["model.name=classical", *options.set] for word in ("--set", pair)]
        run += sets
        decode = [options.build / "tests/bench/decode_only_bench", options.slide, str(options.threads)]
        runs = []
        for _ in range(options.runs):
            wall, cpu, peak = measured(run)
            with open(said, "w") as file:
                decode_wall, decode_cpu, _ = measured(decode, file)
            resampling = float(re.search(r"([\d.]+) s of it resampling", pathlib.Path(said).read_text())[1])
            decode_cpu = round(decode_cpu - resampling, 2)  # which a run needs, but decoding does not
            runs.append({"wall_s": wall, "cpu_s": cpu, "peak_rss_mb": peak, "decode_wall_s": decode_wall,
                         "decode_cpu_s": decode_cpu, "load_average": round(os.getloadavg()[0], 1)})
        tiles, pixels = map(int, re.match(r"(\d+) tiles, (\d+) work pixels", pathlib.Path(said).read_text()).groups())
        with h5py.File(result) as file:
            split = json.loads(file["provenance/timings"][()])["cpu_seconds"]
            nuclei = file["nuclei/id"].shape[0]
            tissue_mm2 = round(float(file["summary"].attrs["tissue_mm2"]), 3)
        size_mb = round(os.path.getsize(result) / 1e6, 1)
    name = options.slide.name
    return {"slide": name, "what": options.what, "tiles": tiles, "work_pixels": pixels, "nuclei": nuclei,
            "tissue_mm2": tissue_mm2, "h5_mb": size_mb,
            "commands": {"run": f"wsi-segment {name} -o out.h5 -q --restart --threads {options.threads}{' '.join(['', *sets])}",
                         "decode": f"decode_only_bench {name} {options.threads}"},
            "runs": runs, "cpu_split_s": {k: round(v, 2) for k, v in split.items() if v > 0}}


def measure_script(options):
    times = {}
    for name, program in (("script", ROOT / "scripts/wsi-segment"), ("program", options.build / "wsi-segment")):
        measured([program, "--version"], subprocess.DEVNULL)
    for _ in range(10):
        for name, program in (("script", ROOT / "scripts/wsi-segment"), ("program", options.build / "wsi-segment")):
            start = time.monotonic()
            subprocess.run([program, "--version"], check=True, stdout=subprocess.DEVNULL)
            times.setdefault(name, []).append(time.monotonic() - start)
    return {"commands": {"script": "scripts/wsi-segment --version", "program": "build/release/wsi-segment --version"},
            "median_s": {k: round(statistics.median(v), 4) for k, v in times.items()}, "repeats": 10}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["slide", "script"])
    parser.add_argument("name")
    parser.add_argument("build", type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("slide", nargs="?", type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--what", default="")
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args()
    values = measure_slide(options) if options.kind == "slide" else measure_script(options)
    record(options.name, values)


if __name__ == "__main__":
    main()
