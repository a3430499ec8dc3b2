"""What the checks of the export formats share: synthetic results, the program, the truth as the .h5 has it."""
import contextlib
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy as np
import shapely

COUNTS = {"many": 1500, "one": 1, "none": 0}
IDENTITY = "id uuid centroid_x_px centroid_y_px class class_probability detection_probability".split()


class Result:
    """One result file and the program that exports it. `program make_result` come from the command line."""

    def __init__(self, folder, name):
        self.path = folder / f"{name}.h5"
        self.name, self.count = name, COUNTS[name]
        subprocess.run([sys.argv[2], str(self.count), "12", self.path], check=True)
        with h5py.File(self.path) as file:
            self.schema = file["nuclei"].attrs["feature_columns"].split(",")
            self.table = {n: c[:] for n, c in file["nuclei"].items()}
            self.table["uuid"] = [u.decode() for u in self.table["uuid"]]
            self.classes = {int(i): n.decode() for i, n in zip(file["classes/id"][:], file["classes/name"][:])}
            self.mpp = file["slide"].attrs["mpp_x"], file["slide"].attrs["mpp_y"]
            self.bounds = [file["slide"].attrs[f"bounds_{side}_px"] for side in ("x", "y")]
            self.rasters = {n: file[n][:] for n in ("mask", "labels", "probability")}
            offsets, points = file["contours/offsets"][:], file["contours/points"][:] / 100
        self.polygons = np.array([shapely.Polygon(points[a:b]) for a, b in zip(offsets, offsets[1:])], dtype=object)

    def class_names(self):
        return [self.classes[c] for c in self.table["class"]]

    def export(self, suffix, *options, name="ö ut", expect=0):
        """Exports to a path with a space and a letter outside ASCII; returns it, or what was said on failure."""
        path = self.path.parent / f"{self.name} {name}{suffix}"
        done = subprocess.run([sys.argv[1], "export", self.path, "-q", "-o", path, *options], capture_output=True, text=True)
        assert done.returncode == expect, (suffix, done.returncode, done.stderr)
        return path if expect == 0 else done.stderr


@contextlib.contextmanager
def results(*names):
    with tempfile.TemporaryDirectory(prefix="exports é ") as folder:
        yield [Result(pathlib.Path(folder), name) for name in names or COUNTS]


def check_polygons(result, polygons, scale=(1, 1), shift=(0, 0)):
    """The outlines of the .h5 times `scale` plus `shift`, all valid for GEOS."""
    assert len(polygons) == result.count
    assert shapely.is_valid(polygons).all(), shapely.is_valid_reason(polygons)
    there = shapely.transform(result.polygons, lambda p: p * np.array(scale) + np.array(shift))
    assert shapely.equals_exact(polygons, there, tolerance=1e-6).all()


def check_features(result, column, names=None):
    """column(name) -> values; undefined ones are NaN."""
    for name in names or result.schema:
        assert np.array_equal(np.asarray(column(name), np.float32), result.table[name], equal_nan=True), name
