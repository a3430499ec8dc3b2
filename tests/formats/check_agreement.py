#!/usr/bin/env python3
"""2,000 nuclei of the sample slide, measured by the program, against scikit-image on the same labels (1e-6) and against what
HistomicsTK's own package gave for them (1e-4; tests/reference/histomicstk_golden.py), where docs/features.md says "=".

usage: check_agreement.py PROGRAM SLIDE FIXTURES
"""
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy as np
import pandas
import tifffile
from scipy import ndimage

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "reference"))
import other_tables  # noqa: E402

PROGRAM, SLIDE, FIXTURES = (pathlib.Path(a).resolve() for a in sys.argv[1:])


def measured(labels):
    """The program's table, a row per label, the work pixel's size, the stain vectors, and the table as HistomicsTK names it."""
    with tempfile.TemporaryDirectory() as folder:
        out, named = pathlib.Path(folder) / "r.h5", pathlib.Path(folder) / "r.csv"
        subprocess.run([PROGRAM, "measure", SLIDE, "--nuclei", labels, "-o", out, "-q"], check=True)
        subprocess.run([PROGRAM, "export", out, "-o", named, "--naming", "histomicstk", "-q"], check=True)
        theirs = pandas.read_csv(named).sort_values("source", ignore_index=True)
        with h5py.File(out) as file:
            table = {name: column[:].astype(float) for name, column in file["nuclei"].items() if name != "uuid"}
            um = np.sqrt(file["labels"].attrs["mpp_x"] * file["labels"].attrs["mpp_y"])
            stains = file["stain/matrix"][:]
    order = np.argsort(table["source"])
    return {name: column[order] for name, column in table.items()}, um, stains, theirs


def expect(found, tolerance, what):
    for name, (worst, undefined) in found.items():
        assert worst <= tolerance and undefined == 0, (what, name, worst, undefined)
    print(f"{what}: {len(found)} columns, at most {max(worst for worst, _ in found.values()):.1e} apart")


def main():
    labels = tifffile.imread(FIXTURES / "sample_labels.tif").astype(int)
    golden = np.load(FIXTURES / "sample_histomicstk.npz")
    table, um, stains, named = measured(FIXTURES / "sample_labels.tif")
    count = golden["values"].shape[1]
    assert (table["source"] == np.arange(1, count + 1)).all() and labels.max() == count >= 2000
    expect(other_tables.differences(other_tables.scikit_image(labels, np.arange(count), um), table.get, um), 1e-6, "scikit-image")
    assert np.abs(stains - golden["stains"]).max() < 1e-6, "the stain fit has changed: run histomicstk_golden.py again"
    ours, theirs = other_tables.shared_with_histomicstk(), dict(zip(golden["names"], golden["values"].astype(float)))
    assert set(ours) == set(theirs) and len(ours) >= 40
    expect(other_tables.differences({ours[name]: other_tables.in_our_units(name, values, um) for name, values in theirs.items()},
                                    table.get, um), 1e-4, "HistomicsTK")
    # Under its own names, in its own units, counted from the middle of the first pixel: nothing is converted here.
    y, x = np.array(ndimage.center_of_mass(labels > 0, labels, np.arange(1, count + 1))).T
    centre = {"Identifier.CentroidX": x, "Identifier.CentroidY": y}
    expected = {**centre, **theirs, **{f"Identifier.WeightedCentroid{axis}": theirs[f"Identifier.WeightedCentroid{axis}"] +
                                       centre[f"Identifier.Centroid{axis}"] for axis in "XY"}}
    assert set(expected) <= set(named.columns) and (named["Label"] == table["id"]).all(), set(expected) - set(named.columns)
    undefined = named["Shape.FractalDimension"].isna()  # HistomicsTK fits a line through a single count, too
    expected["Shape.FractalDimension"] = np.where(undefined, np.nan, expected["Shape.FractalDimension"])
    expect(other_tables.differences(expected, lambda name: named[name].to_numpy(float), um), 1e-4, "HistomicsTK, as exported")


if __name__ == "__main__":
    main()
