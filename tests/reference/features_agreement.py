#!/usr/bin/env python3
"""The table of a real slide against scikit-image's and HistomicsTK's on the same labels, and both tools' speed.

usage: features_agreement.py BENCH SLIDE RESULT.h5 [HISTOMICSTK] [--nuclei N]

BENCH: build/release/tests/bench/features_slide_bench. RESULT.h5: made from SLIDE at a level's own resolution. HISTOMICSTK:
a folder that holds the package histomicstk (pandas is needed, too); without it only scikit-image is asked. Up to N
(2000) nuclei, evenly drawn. Fails when a value differs: from scikit-image by more than 1e-6, from HistomicsTK, where
docs/features.md says "=", by more than 1e-4; both of max(1, value), moments in pixels.
"""
import argparse
import importlib
import pathlib
import subprocess
import sys
import tempfile
import time
import types
import warnings

import h5py
import numpy as np
import skimage.measure

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from features_golden import single  # noqa: E402

WHITE = 240.0
MOMENTS = ["20", "11", "02", "30", "21", "12", "03"]
STATISTICS = {"Mean": "mean", "Std": "sd", "Min": "min", "Max": "max", "Median": "median", "IQR": "iqr", "MAD": "mad",
              "Skewness": "skewness", "Kurtosis": "kurtosis", "HistEntropy": "hist_entropy", "HistEnergy": "hist_energy"}


def densities(rgb, stains):
    """The program's two densities, in single precision and its order."""
    od = (-np.log((np.arange(256) + 1.0) / WHITE)).astype(np.float32)[rgb]
    unmix = np.linalg.pinv(stains.T)
    return [np.maximum(0, single(v, od)) for v in unmix]


def scikit_image(labels, chosen, um):
    """Columns by scikit-image, one row per chosen label."""
    out = {}
    for p in np.array(skimage.measure.regionprops(labels), dtype=object)[chosen]:
        row = {"shape_area_um2": p.area * um ** 2, "shape_major_axis_um": p.axis_major_length * um,
               "shape_minor_axis_um": p.axis_minor_length * um, "shape_eccentricity": p.eccentricity,
               "shape_orientation_rad": p.orientation, "shape_solidity": p.solidity, "shape_extent": p.extent,
               "shape_convex_area_um2": p.area_convex * um ** 2, "shape_equivalent_diameter_um": p.equivalent_diameter_area * um,
               "shape_euler_number": p.euler_number}
        for pq in MOMENTS:
            row["shape_mu_" + pq] = p.moments_central[int(pq[0]), int(pq[1])]
            row["shape_nu_" + pq] = p.moments_normalized[int(pq[0]), int(pq[1])]
        row |= {f"shape_hu_{k + 1}": v for k, v in enumerate(p.moments_hu)}
        for name, value in row.items():
            out.setdefault(name, []).append(value)
    return {name: np.array(v, float) for name, v in out.items()}


def compare(pairs, table, tolerance, um):
    """pairs: our column -> (their name, their values). Returns the names that differ."""
    bad = []
    for ours, (theirs, expected) in pairs.items():
        found = table(ours)
        if ours.startswith("shape_mu_"):
            found = found / um ** (int(ours[-2]) + int(ours[-1]) + 2)
        both = np.isfinite(found) & np.isfinite(expected)
        worst = np.max(np.abs(found - expected)[both] / np.maximum(1, np.abs(expected[both])), initial=0)
        undefined = int((np.isfinite(found) != np.isfinite(expected)).sum())
        print(f"  {ours:34} {theirs:32} {worst:.1e}" + (f", {undefined} only one defines" if undefined else ""))
        if worst > tolerance:
            bad.append(ours)
    return bad


def histomicstk(folder, labels, nucleus, cytoplasm):
    """Its whole table and the seconds of CPU time it took. Only the modules it needs are loaded."""
    warnings.simplefilter("ignore")  # it still uses scikit-image's old names
    for name in ("histomicstk", "histomicstk.features", "histomicstk.segmentation", "histomicstk.segmentation.label",
                 "histomicstk.cli", "histomicstk.cli.utils"):
        module = types.ModuleType(name)
        module.__path__ = [str(pathlib.Path(folder) / name.replace(".", "/"))]
        sys.modules[name] = module
    label = sys.modules["histomicstk.segmentation.label"]
    sys.modules["histomicstk.segmentation"].label = label
    sys.modules["histomicstk.cli"].utils = sys.modules["histomicstk.cli.utils"]
    for function in ("dilate_xor", "trace_object_boundaries"):
        setattr(label, function, getattr(importlib.import_module("histomicstk.segmentation.label." + function), function))
    compute = importlib.import_module("histomicstk.features.compute_nuclei_features").compute_nuclei_features
    begin = time.process_time()
    table = compute(labels, im_nuclei=nucleus, im_cytoplasm=cytoplasm)
    return table, time.process_time() - begin


def shared_with_histomicstk():
    same = {"Orientation.Orientation": "shape_orientation_rad", "Size.Area": "shape_area_um2",
            "Size.ConvexHullArea": "shape_convex_area_um2", "Size.MajorAxisLength": "shape_major_axis_um",
            "Size.MinorAxisLength": "shape_minor_axis_um", "Shape.Eccentricity": "shape_eccentricity",
            "Shape.EquivalentDiameter": "shape_equivalent_diameter_um", "Shape.Extent": "shape_extent",
            "Shape.FractalDimension": "shape_fractal_dimension", "Shape.MinorMajorAxisRatio": "shape_axis_ratio",
            "Shape.Solidity": "shape_solidity"}
    same |= {f"Shape.HuMoments{k}": f"shape_hu_{k}" for k in range(1, 8)}
    same |= {f"Shape.WeightedHuMoments{k}": f"nucleus_H_hu_{k}" for k in range(1, 8)}
    same |= {"Nucleus.Intensity." + a: "nucleus_H_" + b for a, b in STATISTICS.items()}
    same |= {"Nucleus.Gradient.Mag." + a: "nucleus_H_gradient_" + STATISTICS[a]
             for a in ("Mean", "Std", "Skewness", "Kurtosis", "HistEntropy", "HistEnergy")}
    return same


def in_our_units(theirs, values, um):
    power = {"Size.Area": 2, "Size.ConvexHullArea": 2, "Size.MajorAxisLength": 1, "Size.MinorAxisLength": 1,
             "Shape.EquivalentDiameter": 1}.get(theirs, 0)
    values = np.asarray(values, float) * um ** power
    return np.where(values == 0, np.nan, values) if theirs == "Shape.FractalDimension" else values


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bench")
    parser.add_argument("slide")
    parser.add_argument("result")
    parser.add_argument("histomicstk", nargs="?")
    parser.add_argument("--nuclei", type=int, default=2000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        colours = folder + "/rgb"
        report = subprocess.run([options.bench, options.slide, options.result, colours], check=True,
                                capture_output=True, text=True).stdout
        rgb = np.fromfile(colours, np.uint8)
    print(report, end="")
    file = h5py.File(options.result)
    labels = file["labels"][:].astype(int)
    um = np.sqrt(file["labels"].attrs["mpp_x"] * file["labels"].attrs["mpp_y"])
    nuclear, other = densities(rgb.reshape(*labels.shape, 3), file["stain/matrix"][:])
    count = len(file["nuclei/id"])
    chosen = np.unique(np.linspace(0, count - 1, min(count, options.nuclei)).astype(int))

    def table(name):
        return file["nuclei/" + name][:].astype(float)[chosen]

    print(f"{len(chosen)} of {count} nuclei, scikit-image {skimage.__version__}:")
    bad = compare({k: ("", v) for k, v in scikit_image(labels, chosen, um).items()}, table, 1e-6, um)
    if options.histomicstk:
        theirs, seconds = histomicstk(options.histomicstk, labels, nuclear.astype(float), other.astype(float))
        print(f"{count} nuclei, HistomicsTK:")
        bad += compare({ours: (name, in_our_units(name, theirs[name].to_numpy()[chosen], um))
                        for name, ours in shared_with_histomicstk().items()}, table, 1e-4, um)
        ours = float(report.split("everything")[1].split("columns")[1].split()[0])
        print(f"HistomicsTK {count / seconds:.0f} nuclei/s of CPU time, this program {ours:.0f}: {ours * seconds / count:.0f} times as many")
    if bad:
        raise SystemExit("differ: " + ", ".join(bad))


if __name__ == "__main__":
    main()
