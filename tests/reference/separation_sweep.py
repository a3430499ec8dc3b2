#!/usr/bin/env python3
"""How good the classical model is on training images with each setting of separation changed alone; writes
docs/measurements/separation_sweep.json. Images held back for validation are never looked at.

usage: separation_sweep.py PROGRAM NUINSSEG [--every 2] [--threads 1]

NUINSSEG: the data set's folder, whose manifest says which images are `train`; every second of them is scored.
"""
import argparse
import csv
import os
import subprocess
import tempfile

from measurement import record

GRIDS = {"threshold": [0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65], "smoothing_um": [0.25, 0.375, 0.5, 0.75, 1.0],
         "h": [0.03, 0.05, 0.08, 0.11, 0.15, 0.2], "min_area_um2": [3, 6, 9, 12, 16, 20],
         "hole_area_um2": [0, 10, 30, 60], "reach_um": [8, 12, 16, 20, 24]}
DEFAULTS = {"threshold": 0.5, "smoothing_um": 0.5, "h": 0.08, "min_area_um2": 6, "hole_area_um2": 30, "reach_um": 16}


def score(options, name, value):
    with tempfile.TemporaryDirectory() as folder:
        report = folder + "/r.csv"
        subprocess.run([options.program, "evaluate", "--data", options.data, "--split", "train", "--every", str(options.every),
                        "--model", "classical", "--threads", str(options.threads), "--set", f"separate.{name}={value}", "-o", report,
                        "-q"], check=True)
        with open(report, newline="") as file:
            row = next(r for r in csv.DictReader(file) if (r["scope"], r["statistic"]) == ("all", "mean"))
    return {"value": value, "pq": round(float(row["pq"]), 4), "aji": round(float(row["aji"]), 4),
            "dice": round(float(row["dice_fg"]), 4)}, int(row["images"]), int(row["truth"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("data")
    parser.add_argument("--every", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    settings = {}
    for name, values in GRIDS.items():
        for value in values:
            found, images, nuclei = score(options, name, value)
            settings.setdefault(name, []).append(found)
            print(name, found, flush=True)
    record("separation_sweep", {"command": f"separation_sweep.py wsi-segment nuinsseg --every {options.every}", "data": "NuInsSeg train",
                                "images": images, "nuclei": nuclei, "load_average": round(os.getloadavg()[0], 1),
                                "defaults": DEFAULTS, "settings": settings})


if __name__ == "__main__":
    main()
