#!/usr/bin/env python3
"""CPU time and peak memory of `compare`, `measure` and the neighbours of many nuclei; writes docs/measurements/commands.json.

usage: commands_speed.py BUILD SLIDE [--nuclei 1000000]

compare: a synthetic result of so many nuclei with itself, everything written. measure: the nuclei that a run finds on SLIDE,
given back as labels and as GeoJSON. Neighbours: neighbours_bench on as many synthetic nuclei.
"""
import argparse
import os
import pathlib
import re
import subprocess
import tempfile

import h5py

from measure_run import measured
from measurement import record


def entry(command, nuclei, **more):
    wall, cpu, peak = measured(command, subprocess.DEVNULL)
    return {"nuclei": nuclei, "cpu_s": cpu, "wall_s": wall, "peak_rss_mb": peak, **more}


def measure_entries(program, slide, folder):
    result = folder / "run.h5"
    subprocess.run([program, slide, "-o", result, "-o", folder / "run.labels.tif", "-o", folder / "run.geojson.gz", "-q",
                    "--model", "classical"], check=True)
    with h5py.File(result) as file:
        nuclei = len(file["nuclei/id"])
    return {f"measure {kind}": entry([program, "measure", slide, "--nuclei", folder / kind, "-o", folder / "again.h5", "-q",
                                      "--restart", "--threads", "2"], nuclei, slide=slide.name)
            for kind in ("run.labels.tif", "run.geojson.gz")}


def neighbours_entry(bench, nuclei, folder):
    said = subprocess.run([bench, str(nuclei), folder / "n.h5"], check=True, capture_output=True, text=True).stdout
    wall, cpu, each = map(float, re.search(r"nuclei: ([\d.]+) s, ([\d.]+) s CPU, (\d+) bytes each", said).groups())
    return {"nuclei": nuclei, "cpu_s": cpu, "wall_s": wall, "bytes_each": int(each)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("slide", type=pathlib.Path)
    parser.add_argument("--nuclei", type=int, default=1_000_000)
    options = parser.parse_args()
    program, bench = options.build / "wsi-segment", options.build / "tests/bench"
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        found = measure_entries(program, options.slide, folder)
        made = folder / "made.h5"
        subprocess.run([bench / "make_result", str(options.nuclei), "9", made], check=True)
        outputs = [word for suffix in ("geojson", "csv", "md") for word in ("-o", folder / f"difference.{suffix}")]
        found["compare"] = entry([program, "compare", made, made, *outputs], options.nuclei)
        made.unlink()
        found["neighbours and graph"] = neighbours_entry(bench / "neighbours_bench", options.nuclei, folder)
    record("commands", {"command": f"commands_speed.py build/release {options.slide.name} --nuclei {options.nuclei}",
                        "load_average": round(os.getloadavg()[0], 1), "commands": found})


if __name__ == "__main__":
    main()
