#!/usr/bin/env python3
"""--columns, --simplify, --split, and a full disk, in every format. usage: check_export_options.py PROGRAM MAKE_RESULT"""
import base64
import csv
import gzip
import html
import io
import json
import re
import resource
import subprocess
import sys

import h5py
import numpy as np
import pandas
import pyogrio
import shapely
import skimage.io

from exports import results

ALL = [".labels.ome.tif", ".mask.ome.tif", ".labels.tif", ".prob.tif", ".tif", ".geojson", ".geojson.gz", ".cellvit.json", ".hovernet.json",
       ".csv", ".csv.gz", ".parquet", ".gpkg", ".fgb", ".db", ".h5ad", ".html"]


def check_columns(result):
    chosen = ["feature_11", "shape_area_um2"]
    option = ("--columns", "feature_11,shape_area*,id")
    with open(result.export(".csv", *option), newline="") as file:
        assert next(csv.reader(file))[-3:] == ["on_artefact", *chosen]
    assert list(pyogrio.read_dataframe(result.export(".fgb", *option)).columns[-3:]) == [*chosen, "geometry"]
    feature = json.loads(result.export(".geojson", *option).read_text())["features"][5]
    assert list(feature["properties"]["measurements"])[:2] == ["feature_11", "Area µm^2"]
    features = json.loads(result.export(".geojson").read_text())["features"]
    few = max((f["properties"]["measurements"] for f in features), key=len)  # undefined ones are left out
    assert len(few) == 10 and {"Detection probability", "Class probability", "Area µm^2"} <= set(few), few
    for suffix in (".csv", ".parquet", ".geojson"):
        said = result.export(suffix, "--columns", "shape_aera_um2", name="never", expect=1)
        assert "shape_area_um2" in said and "nearest" in said and said.count("\n") == 1, said


def check_naming(result):
    """Names and units of other tools: in the table, in GeoJSON, in a column file."""
    def header(*option):
        with open(result.export(".csv", *option), newline="") as file:
            return next(csv.reader(file))
    names = header("--naming", "cellprofiler")
    assert {"AreaShape_Solidity", "AreaShape_Eccentricity"} <= set(names) and "uuid" in names
    assert "AreaShape_FormFactor" not in names and "shape_area_um2" not in names
    assert "AreaShape_FormFactor" in header("--naming", "cellprofiler", "--loose-names")
    table = pandas.read_csv(result.export(".csv", "--naming", "cellprofiler", "--columns", "shape_solidity"))
    assert list(table.columns[-2:]) == ["on_artefact", "AreaShape_Solidity"]
    assert np.array_equal(table["AreaShape_Solidity"].astype(np.float32), result.table["shape_solidity"], equal_nan=True)
    densities = pyogrio.read_dataframe(result.export(".gpkg", "--naming", "qupath", "--loose-names"))["Nucleus: Hematoxylin: Mean"]
    expected = result.table["nucleus_H_mean"] / np.log(10)
    assert np.allclose(densities.astype(float), expected, rtol=1e-6, equal_nan=True)
    features = json.loads(result.export(".geojson", "--naming", "qupath").read_text())["features"]
    keys = set().union(*(f["properties"]["measurements"] for f in features))
    assert "Length µm" in keys and "Area µm^2" not in keys, keys
    # Columns of identity under the tool's names, too, from its origin: in tables, and where they are asked for.
    theirs = pandas.read_csv(result.export(".csv", "--naming", "histomicstk"))
    assert np.array_equal(theirs["Label"], result.table["id"])
    assert np.array_equal(theirs["Identifier.CentroidX"].astype(np.float32), (result.table["centroid_x_px"] - 0.5).astype(np.float32))
    assert "Centroid X µm" not in keys
    features = json.loads(result.export(".geojson", "--naming", "qupath", "--columns", "centroid_*_px").read_text())["features"]
    found = np.array([[f["properties"]["measurements"][f"Centroid {axis} µm"] for axis in "XY"] for f in features])
    centre = np.stack([result.table["centroid_x_px"], result.table["centroid_y_px"]], -1)
    assert np.allclose(found, (centre - result.bounds) * result.mpp, rtol=1e-6), "QuPath counts from the corner of the bounds"
    result.export(".csv", "--naming", "imagej", name="never", expect=1)


def check_csv(result):
    table = pandas.read_csv(result.export(".csv.gz"))
    assert list(table["class"]) == result.class_names(), "a comma and quotes in a class name"
    for name in result.schema:
        assert np.array_equal(table[name].astype(np.float32), result.table[name], equal_nan=True), name


def check_html(result):
    """A page without anything from elsewhere, whose bars hold every nucleus and whose numbers are the table's."""
    text = result.export(".html").read_text()
    assert f"<th>Nuclei</th><td>{result.count}</td>" in text and "http" not in text
    for name in set(result.class_names()):
        assert html.escape(name, quote=False).replace('"', "&quot;") in text, name
    for flag in ("at_slide_edge", "at_roi_edge", "cut_at_reach", "on_artefact"):
        assert f"<th>{flag}</th><td>{result.table[flag].sum()}</td>" in text, flag
    picture = skimage.io.imread(io.BytesIO(base64.b64decode(re.search("data:image/jpeg;base64,([^\"]+)", text)[1])))
    assert picture.ndim == 3 and picture.std() > 1
    assert text.count("<figure>") == 9 or text.count("<figure>") == 8, text.count("<figure>")
    page = result.export(".html", "--columns", "feature_11,shape_area_um2", name="two").read_text()
    for column in ("feature_11", "shape_area_um2"):
        figure = next(part for part in page.split("<figure>")[1:] if f"<b>{column}</b>" in part)
        values = result.table[column][np.isfinite(result.table[column])].astype(float)
        said = [float(v) for v in re.search("mean (.*?), sd (.*?), from (.*?) to (.*?)<", figure).groups()]
        assert np.allclose(said, [values.mean(), values.std(), values.min(), values.max()], rtol=2e-3), (said, column)
        low, high = max(values.min(), values.mean() - 3 * values.std()), min(values.max(), values.mean() + 3 * values.std())
        bins = np.bincount(np.clip((values - low) / (high - low) * 40, 0, 39).astype(int), minlength=40)
        bars = np.array([float(v) for v in re.findall('height="(.*?)"/>', figure)])
        assert np.allclose(bars, 120 * bins / bins.max(), atol=0.2), column
    assert "undefined for every nucleus" not in text


def check_simplify(result):
    before = pyogrio.read_dataframe(result.export(".gpkg")).geometry.values.to_numpy()
    after = pyogrio.read_dataframe(result.export(".gpkg", "--simplify", "1")).geometry.values.to_numpy()
    assert shapely.is_valid(after).all()
    assert shapely.get_num_coordinates(after).sum() < 0.8 * shapely.get_num_coordinates(before).sum()
    assert max(shapely.hausdorff_distance(before, after)) <= max(result.mpp) + 1e-6


def check_split(result):
    whole = json.loads(result.export(".geojson", name="s").read_text())["features"]
    folder = result.path.parent
    for most in (400, 700):
        result.export(".geojson.gz", "--split", str(most), name="s")
        parts = sorted(folder.glob(f"{result.name} s.part-*.geojson.gz"))
        assert len(parts) == -(-result.count // most), "parts of an earlier run are left"
        assert not (folder / f"{result.name} s.geojson.gz").exists()
        features = [json.load(gzip.open(p))["features"] for p in parts]
        assert all(len(f) == most for f in features[:-1])
        assert sum(features, []) == whole
    result.export(".geojson.gz", name="s")
    assert not list(folder.glob(f"{result.name} s.part-*.gz")), "the parts would be read beside the whole"
    tables = [result.export(".parquet", "--split", "500", name="p")]
    tables = sorted(folder.glob("* p.part-*.parquet"))
    assert pandas.concat([pandas.read_parquet(p) for p in tables]).id.tolist() == list(range(1, result.count + 1))


def check_full_disk(result):
    """A limit on the size of files stands for a full disk; exit code 4, and nothing is left."""
    before = set(result.path.parent.iterdir())
    for suffix in ALL:
        path = result.path.parent / f"full é{suffix}"
        done = subprocess.run([sys.argv[1], "export", result.path, "-q", "-o", path], capture_output=True, text=True, timeout=120,
                              restore_signals=False, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500)))
        assert done.returncode == 4, (suffix, done.returncode, done.stderr)
        assert "cannot" in done.stderr and "full é" in done.stderr, (suffix, done.stderr)
        assert set(result.path.parent.iterdir()) == before, (suffix, set(result.path.parent.iterdir()) - before)


def check_without_maps(result):
    with h5py.File(result.path, "r+") as file:
        del file["probability"]
    assert "--keep-maps" in result.export(".prob.tif", expect=1)


def main():
    with results() as made:
        many, _, none = made
        check_columns(many)
        check_naming(many)
        check_csv(many)
        check_html(many)
        check_simplify(many)
        check_split(many)
        for suffix in ALL:
            none.export(suffix, "--split", "10", "--simplify", "1")
        check_full_disk(many)
        check_without_maps(many)
    print(f"options and a full disk in {len(ALL)} formats")


if __name__ == "__main__":
    main()
