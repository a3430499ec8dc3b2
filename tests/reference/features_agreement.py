#!/usr/bin/env python3
"""The table of a real slide against scikit-image's and HistomicsTK's on the same labels, and both tools' speed in one run.

usage: features_agreement.py BENCH SLIDE RESULT.h5 [HISTOMICSTK] [--mahotas] [--nuclei N] [--record]

BENCH: build/release/tests/bench/features_slide_bench. RESULT.h5: made from SLIDE at a level's own resolution. HISTOMICSTK:
a folder that holds the package histomicstk (site-packages after pip install --no-deps histomicstk; pandas is needed, too);
without it only scikit-image is asked. --mahotas: asks mahotas (on PYTHONPATH) about Haralick's columns. Up to N (2000) nuclei, evenly drawn, are compared; the speed is that of all, one thread
each, CPU time. Fails when a value differs: from scikit-image by more than 1e-6, from HistomicsTK, where docs/features.md says
"=", and mahotas by more than 1e-4; of the value, or of the column's median or 1, the lesser of them, where that is more;
moments in pixels.
"""
import os

os.environ.update(dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"], "1"))
import argparse
import pathlib
import re
import subprocess
import tempfile

import h5py
import numpy as np
import skimage

import other_tables
from measurement import record


def bench(options):
    """What the program says about its speed, and the work frame's pixels."""
    with tempfile.TemporaryDirectory() as folder:
        colours = folder + "/rgb"
        report = subprocess.run([options.bench, options.slide, options.result, colours], check=True,
                                capture_output=True, text=True).stdout
        return report, np.fromfile(colours, np.uint8)


def groups(report):
    found = re.findall(r"^(.*?)\s+(\d+) columns\s+(\d+) nuclei/s", report, re.MULTILINE)
    return [{"groups": name, "columns": int(columns), "nuclei_per_s": int(speed)} for name, columns, speed in found]


def show(title, found, tolerance):
    """Prints the differences; returns the names of what is too far away."""
    print(title)
    for name, (worst, undefined) in found.items():
        print(f"  {name:34} {worst:.1e}" + (f", {undefined} only one defines" if undefined else ""))
    return [name for name, (worst, undefined) in found.items() if worst > tolerance or undefined]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bench")
    parser.add_argument("slide")
    parser.add_argument("result")
    parser.add_argument("histomicstk", nargs="?")
    parser.add_argument("--mahotas", action="store_true", help="compare Haralick's columns with mahotas'")
    parser.add_argument("--nuclei", type=int, default=2000)
    parser.add_argument("--record", action="store_true", help="write docs/measurements")
    options = parser.parse_args()
    report, rgb = bench(options)
    print(report, end="")
    file = h5py.File(options.result)
    labels = file["labels"][:].astype(int)
    um = np.sqrt(file["labels"].attrs["mpp_x"] * file["labels"].attrs["mpp_y"])
    nuclear, other = other_tables.densities(rgb.reshape(*labels.shape, 3), file["stain/matrix"][:])
    count = len(file["nuclei/id"])
    chosen = np.unique(np.linspace(0, count - 1, min(count, options.nuclei)).astype(int))

    def table(name):
        return file["nuclei/" + name][:].astype(float)[chosen]

    found = other_tables.differences(other_tables.scikit_image(labels, chosen, um), table, um)
    bad = show(f"{len(chosen)} of {count} nuclei, scikit-image {skimage.__version__}:", found, 1e-6)
    out = {"command": f"features_agreement.py features_slide_bench {pathlib.Path(options.slide).name} result.h5 histomicstk",
           "load_average": round(os.getloadavg()[0], 1), "slide": pathlib.Path(options.slide).name, "nuclei": count,
           "pixels_each": round(int((labels > 0).sum()) / count), "mpp": round(float(um), 3), "groups": groups(report),
           "compared": len(chosen), "scikit_image": {"version": skimage.__version__, "columns": len(found),
                                                     "difference": max(worst for worst, _ in found.values())}}
    if options.histomicstk:
        theirs, seconds = other_tables.histomicstk(options.histomicstk, labels, nuclear.astype(float), other.astype(float))
        found = other_tables.differences({ours: other_tables.in_our_units(name, other_tables.their_column(theirs, name)[chosen], um)
                                          for name, ours in other_tables.shared_with_histomicstk().items()}, table, um)
        bad += show(f"{count} nuclei, HistomicsTK:", found, 1e-4)
        version = next(pathlib.Path(options.histomicstk).glob("histomicstk-*.dist-info")).name.split("-")[1].removesuffix(".dist")
        ours = out["groups"][-1]["nuclei_per_s"]
        out["histomicstk"] = {"version": version, "columns": theirs.shape[1], "nuclei_per_s": round(count / seconds, 1),
                              "ratio": round(ours * seconds / count), "columns_shared": len(found),
                              "difference": max(worst for worst, _ in found.values())}
        print(out["histomicstk"])
    if options.mahotas:
        import mahotas
        found = other_tables.differences(other_tables.mahotas(labels, chosen, nuclear), table, um)
        bad += show(f"{len(chosen)} nuclei, mahotas {mahotas.__version__}:", found, 1e-4)
        out["mahotas"] = {"version": mahotas.__version__, "columns": len(found), "difference": max(worst for worst, _ in found.values())}
    if bad:
        raise SystemExit("differ: " + ", ".join(bad))
    if options.record:
        record("features", out)


if __name__ == "__main__":
    main()
