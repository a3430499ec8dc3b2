#!/usr/bin/env python3
"""Nuclei in the files of other tools, written here as those tools write them, measured by the program, and compared with
the result that they came from.

usage: check_measure.py PROGRAM SLIDE   (the sample slide)
"""
import gzip
import json
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import uuid
import zlib

import h5py
import numpy as np
import shapely
import shapely.geometry
import tifffile
from scipy import ndimage
from scipy.spatial import cKDTree

PROGRAM, SLIDE = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
MPP = 0.499  # of the sample slide
MOORE = [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)]


def run(*args, cwd, code=0):
    done = subprocess.run([PROGRAM, *map(str, args)], cwd=cwd, capture_output=True, text=True, timeout=300)
    assert done.returncode == code, (args, done.returncode, done.stderr)
    return done


def border(mask):
    """Centres of the border pixels in turn, as OpenCV's findContours gives them (Moore's walk)."""
    mask = np.pad(mask, 1)
    y, x = np.argwhere(mask)[0]
    start, at, side, walk = (x, y), (x, y), 6, []
    while True:
        walk.append((at[0] - 1, at[1] - 1))
        for turn in range(8):
            k = (side + 6 + turn) % 8 if walk[1:] else turn
            nx, ny = at[0] + MOORE[k][0], at[1] + MOORE[k][1]
            if mask[ny, nx]:
                at, side = (nx, ny), k
                break
        else:
            return walk
        if at == start and len(walk) > 1:
            return walk


def first_result(out):
    run(SLIDE, "-o", "first.h5", "-o", "first.labels.tif", "-o", "first.geojson.gz", "-q", "--model", "classical", cwd=out)
    with h5py.File(out / "first.h5") as file:
        first = {name: column[:] for name, column in file["nuclei"].items()}
        first["tissue_around"] = tissue_around(file, first)
        return file["labels"][:], first


def tissue_around(file, nuclei):
    """How far each centroid is from the end of the tissue, in the mask's cells of 8 µm."""
    tissue = np.pad(file["tissue"][:] > 0, 1, constant_values=True)  # the slide's own end is none
    distance = ndimage.distance_transform_edt(tissue)[1:-1, 1:-1]
    cell = file["tissue"].attrs["cell_work_px"] * file["labels"].attrs["downsample"]
    at = [np.minimum((nuclei[f"centroid_{axis}_px"] / cell).astype(int), distance.shape[k] - 1) for k, axis in ((0, "y"), (1, "x"))]
    return distance[at[0], at[1]]


def measure(out, nuclei, name, *args):
    run("measure", SLIDE, "--nuclei", nuclei, "-o", name, "-q", *args, cwd=out)
    with h5py.File(out / name) as file:
        return {n: column[:] for n, column in file["nuclei"].items()}, file["classes/name"][:].tolist()


FEATURES_EQUAL = 1e-6
INSIDE = 3  # cells


def expect_same(first, again, share, what):
    """All columns of at least `share` of the nuclei are the same, and of all inside of the tissue. At its end a run takes
    what it did not read for white, and rings and contours meet nuclei that it left out, their centre being off the tissue."""
    assert len(again["id"]) == len(first["id"]), (what, len(again["id"]), len(first["id"]))
    names = [n for n in first if n.split("_")[0] in ("shape", "nucleus", "ring", "edge", "centroid", "bbox", "neighbour")]
    assert len(names) > 100, len(names)
    same = np.ones(len(first["id"]), bool)
    for name in names:
        same &= np.isclose(first[name], again[name], rtol=FEATURES_EQUAL, atol=0, equal_nan=True)
    assert same.mean() >= share, (what, same.mean())
    inside = first["tissue_around"] > INSIDE
    assert inside.mean() > 0.9 and same[inside].all(), (what, inside.mean(), np.nonzero(inside & ~same)[0] + 1)
    print(f"{what}: {same.sum()} of {len(same)} nuclei have the same {len(names)} values")


def expect_close(first, again, what, area, shape):
    """Formats that round: medians of relative differences of matched nuclei, and no bias of the area."""
    tree = cKDTree(np.c_[again["centroid_x_px"], again["centroid_y_px"]])
    distance, at = tree.query(np.c_[first["centroid_x_px"], first["centroid_y_px"]])
    good = distance < 2
    assert good.mean() > 0.98, (what, good.mean())
    at = at[good]
    ratio = again["shape_area_um2"][at] / first["shape_area_um2"][good]
    assert abs(np.median(ratio) - 1) < area, (what, np.median(ratio))
    report = []
    for name in ("shape_perimeter_um", "shape_major_axis_um", "nucleus_H_mean", "ring_E_mean"):
        difference = np.median(np.abs(again[name][at] / first[name][good] - 1))
        assert difference < shape, (what, name, difference)
        report.append(f"{name} {difference:.4f}")
    print(f"{what}: area {np.median(ratio):.4f} of what it was, median differences: {', '.join(report)}")


def check_our_own_formats(out, first):
    for nuclei in ("first.labels.tif", "first.geojson.gz"):
        again, _ = measure(out, nuclei, f"{nuclei}.h5")
        expect_same(first, again, 0.995, nuclei)


def check_cellvit_and_hovernet(out, labels, first):
    """Contours at level 0 through the centres of border pixels."""
    cells, nuc = [], {}
    fine = np.kron(labels, np.ones((2, 2), labels.dtype)) if first["shape_area_px"].size else labels
    step = int(round(float(first["shape_area_px"][0]) / (labels == 1).sum()) ** 0.5)
    fine = labels if step == 1 else fine
    boxes = ndimage.find_objects(fine.astype(np.int64))
    for i, box in enumerate(boxes, 1):
        contour = [[int(x + box[1].start), int(y + box[0].start)] for x, y in border(fine[box] == i)]
        cells.append({"bbox": [[box[0].start, box[1].start], [box[0].stop, box[1].stop]], "contour": contour,
                      "centroid": np.mean(contour, 0).tolist(), "type": 1 + i % 2, "type_prob": 0.5})
        nuc[str(i)] = {"contour": contour, "type": i % 2, "type_prob": 0.25}
    names = {"1": "Neoplastic", "2": "Inflammatory"}
    (out / "cells.json").write_text(json.dumps({"wsi_metadata": {}, "type_map": names, "cells": cells}))
    (out / "hover.json").write_text(json.dumps({"mag": None, "nuc": nuc}))
    again, classes = measure(out, "cells.json", "cells.h5")
    assert classes == [b"Inflammatory", b"Neoplastic"] and set(again["class_probability"]) == {0.5}, classes
    expect_close(first, again, "CellViT", 0.02, 0.03)
    again, classes = measure(out, "hover.json", "hover.h5")
    assert classes == [b"Type 1", b"Type 0"], classes
    expect_close(first, again, "HoVer-Net", 0.02, 0.03)


def check_annotation_store(out, first):
    store = sqlite3.connect(out / "nuclei.db")
    store.executescript("""CREATE TABLE metadata (key TEXT UNIQUE, value TEXT);
        CREATE TABLE annotations(id INTEGER PRIMARY KEY, key TEXT UNIQUE, objtype TEXT, cx FLOAT NOT NULL,
        cy FLOAT NOT NULL, geometry BLOB, properties TEXT, area FLOAT NOT NULL)""")
    store.executemany("INSERT INTO metadata VALUES(?, ?)", [("version", '"1.0.1"'), ("compression", '"zlib"')])
    for i, feature in enumerate(json.load(gzip.open(out / "first.geojson.gz"))["features"]):
        shape = shapely.geometry.shape(feature["geometry"])
        store.execute("INSERT INTO annotations VALUES(?, ?, 'Polygon', ?, ?, ?, ?, ?)",
                      (None, str(uuid.uuid4()), shape.centroid.x, shape.centroid.y, zlib.compress(shape.wkb, 9),
                       json.dumps({"type": "Lymphocyte" if i % 2 else "Tumour, solid", "prob": 0.75}), shape.area))
    store.execute("INSERT INTO annotations VALUES(NULL, 'p', 'Point', 5, 5, NULL, '{}', 0)")
    store.commit()
    store.close()
    again, classes = measure(out, "nuclei.db", "store.h5")
    expect_same(first, again, 0.995, "AnnotationStore")
    assert sorted(classes) == [b"Lymphocyte", b"Tumour, solid"] and set(again["class_probability"]) == {0.75}


def check_labels_of_others(out, labels, first):
    """Gaps in the numbers, another compression, 16 bits; a mask of one value."""
    spread = (labels * 7).astype(np.uint32)
    tifffile.imwrite(out / "gaps.tif", spread, tile=(256, 256), compression="zlib")
    again, _ = measure(out, "gaps.tif", "gaps.h5")
    expect_same(first, again, 0.995, "labels with gaps")
    assert set(again["source"]) == set(np.unique(spread)) - {0}
    tifffile.imwrite(out / "mask.tif", np.where(labels > 0, 255, 0).astype(np.uint8))
    again, _ = measure(out, "mask.tif", "mask.h5")
    pieces = ndimage.find_objects(ndimage.label(labels > 0)[0])
    nuclei = sum(max(p[0].stop - p[0].start, p[1].stop - p[1].start) * MPP <= 128 for p in pieces)
    assert abs(len(again["id"]) - nuclei) <= 0.01 * nuclei, (len(again["id"]), nuclei)


ODD_FORMATS = "h5 csv geojson.gz parquet gpkg fgb db h5ad tif labels.tif html mask.ome.tif cellvit.json hovernet.json".split()


def odd_labels(shape):
    """Label -> pixels that a row must have. In pieces: the largest one stays; a hole is filled."""
    labels, y, x = np.zeros(shape, np.uint16), *np.mgrid[:shape[0], :shape[1]]
    labels[100, 100] = 1
    labels[200, 100:130] = 2
    labels[220:250, 100] = 3
    labels[300 + np.arange(12), 100 + np.arange(12)] = 4  # hangs together by corners alone
    labels[(np.hypot(y - 400, x - 400) < 12) & (np.hypot(y - 400, x - 400) > 6)] = 5
    labels[500:508, 100:108] = 6
    labels[508:516, 108:116] = 7  # touches 6 at a corner
    labels[np.hypot(y - 900, x - 900) < 126] = 8  # as large as is taken
    labels[:5, :6] = 9
    labels[-5:, -6:] = 10
    area = {k: int((labels == k).sum()) for k in range(1, 11)}
    return labels, area | {4: 1, 5: int((np.hypot(y - 400, x - 400) < 12).sum())}


def check_odd_nuclei(out, shape):
    """One pixel, lines, a ring, a corner that two share, the slide's corners, the largest: a row each, valid in every format."""
    labels, area = odd_labels(shape)
    tifffile.imwrite(out / "odd.tif", labels, compression="zlib")
    outputs = [argument for suffix in ODD_FORMATS for argument in ("-o", f"odd.{suffix}")]
    run("measure", SLIDE, "--nuclei", "odd.tif", *outputs, "-q", cwd=out)
    with h5py.File(out / "odd.h5") as file:
        table = {n: column[:] for n, column in file["nuclei"].items()}
    found = dict(zip(table["source"].tolist(), np.round(table["shape_area_um2"] / MPP ** 2).astype(int).tolist()))
    assert found == area, (found, area)
    assert all(np.isfinite(v).sum() + np.isnan(v).sum() == len(v) for v in table.values() if v.dtype.kind == "f")
    for name in ("shape_perimeter_um", "shape_solidity", "shape_circularity", "shape_max_caliper_um", "nucleus_H_mean", "ring_E_mean"):
        assert np.isfinite(table[name]).all(), (name, table[name])
    features = json.load(gzip.open(out / "odd.geojson.gz"))["features"]
    assert len(features) == len(area) and all(shapely.geometry.shape(f["geometry"]).is_valid for f in features)
    for suffix in ODD_FORMATS:
        assert (out / f"odd.{suffix}").stat().st_size > 0, suffix


def check_bad_files(out):
    whole = (out / "first.geojson.gz").read_bytes()
    (out / "cut.geojson.gz").write_bytes(whole[:len(whole) // 2])
    assert "truncated" in run("measure", SLIDE, "--nuclei", "cut.geojson.gz", "-o", "x.h5", cwd=out, code=1).stderr
    features = json.loads(gzip.decompress(whole))
    for feature in features["features"]:  # another slide: everything lies outside
        feature["geometry"]["coordinates"] = [[[x + 1e5, y] for x, y in feature["geometry"]["coordinates"][0]]]
    (out / "away.geojson").write_text(json.dumps(features))
    line = run("measure", SLIDE, "--nuclei", "away.geojson", "-o", "x.h5", "-q", cwd=out, code=1).stderr
    assert "off the slide" in line and "--frame" in line and len(line.strip().splitlines()) == 1, line
    bow = [[100, 100], [220, 120], [220, 100], [100, 120], [100, 100]]
    (out / "bow.geojson").write_text(json.dumps({"type": "Feature", "properties": {}, "geometry":
                                                 {"type": "Polygon", "coordinates": [bow]}}))
    done = run("measure", SLIDE, "--nuclei", "bow.geojson", "-o", "bow.h5", "-o", "bow.geojson.gz", "-o", "bow.csv", cwd=out)
    assert "1 nuclei crossed themselves" in done.stderr, done.stderr
    shape = shapely.geometry.shape(json.load(gzip.open(out / "bow.geojson.gz"))["features"][0]["geometry"])
    assert shape.is_valid and 300 < shape.area < 1500
    result = (out / "first.h5").read_bytes()
    (out / "cut.h5").write_bytes(result[:len(result) // 2])
    (out / "newer.h5").write_bytes(result)
    with h5py.File(out / "newer.h5", "r+") as file:
        file.attrs["format_version"] = 99
    for args in (("compare", "first.h5"), ("resegment",), ("export",)):
        output = () if args[0] == "compare" else ("-o", "x.csv")
        for bad, words in (("cut.h5", "truncated"), ("newer.h5", "format version 99 is newer")):
            assert words in run(*args, bad, *output, cwd=out, code=3).stderr, (args, bad)
    assert not (out / "x.h5").exists() and not (out / "x.csv").exists()
    assert "Examples" in run("measure", "--help", cwd=out).stdout


def check_compare(out):
    run(SLIDE, "-o", "other.h5", "-q", "--model", "classical", "--set", "separate.threshold=0.7", cwd=out)
    text = run("compare", "first.h5", "first.h5", cwd=out).stdout
    assert "PQ 1.0000, F1 1.0000, SQ 1.0000, Dice 1.0000" in text and "\n0 of " in text, text
    run("compare", "first.h5", "other.h5", "-o", "d.geojson.gz", "-o", "d.csv", "-o", "d.md", cwd=out)
    table = dict(line.split(",", 1) for line in (out / "d.csv").read_text().splitlines())
    assert float(table["shape_area_um2"].split(",")[2]) < 0, "a higher threshold gives smaller nuclei"
    features = json.load(gzip.open(out / "d.geojson.gz"))["features"]
    names = {f["properties"]["classification"]["name"] for f in features}
    assert "Only in A" in names and all(shapely.geometry.shape(f["geometry"]).is_valid for f in features), names
    assert "# A: first.h5" in (out / "d.md").read_text()
    with h5py.File(out / "other.h5", "r+") as file:
        file["slide"].attrs["quickhash"] = "another"
    assert "different slides" in run("compare", "first.h5", "other.h5", cwd=out, code=1).stderr
    assert "Examples" in run("compare", "--help", cwd=out).stdout


def main():
    with tempfile.TemporaryDirectory(prefix="measure é ") as folder:
        out = pathlib.Path(folder)
        labels, first = first_result(out)
        check_our_own_formats(out, first)
        check_annotation_store(out, first)
        check_cellvit_and_hovernet(out, labels, first)
        check_labels_of_others(out, labels, first)
        check_odd_nuclei(out, labels.shape)
        check_bad_files(out)
        check_compare(out)
    print(f"{len(first['id'])} nuclei measured again from seven files")


if __name__ == "__main__":
    main()
