#!/usr/bin/env python3
"""Odd nuclei, odd names of files, and files that are damaged, of a newer version or of something else: rows that hold, or one
clear line and the right exit status, from the program itself.

usage: check_bad_input.py PROGRAM SLIDE MAKE_RESULT   (the sample slide)
"""
import csv
import gzip
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile

import anndata
import h5py
import numpy as np
import pandas
import pyogrio
import shapely
import tifffile

from check_measure import odd_labels
from check_polygons import READERS as POLYGONS

PROGRAM, SLIDE, MAKE_RESULT = (pathlib.Path(a).resolve() for a in sys.argv[1:4])
SUFFIXES = ("geojson geojson.gz csv csv.gz parquet gpkg fgb db h5ad html tif mask.tif labels.tif mask.ome.tif labels.ome.tif "
            "cellvit.json hovernet.json").split()
TABLES = ".csv .csv.gz .parquet .gpkg .fgb .h5ad .db".split()
ODD_FOLDER = "Ωdd „quoted\" ' %20 #1 & 日本"
WIDTH, HEIGHT = 2220, 2967  # of the sample slide


def run(*args, cwd, code=0):
    done = subprocess.run([PROGRAM, *map(str, args)], cwd=cwd, capture_output=True, text=True, timeout=300)
    assert done.returncode == code, (args, done.returncode, done.stderr)
    return done


def refuse(*args, cwd, code, words):
    """One line on stderr that holds `words`."""
    said = run(*args, cwd=cwd, code=code).stderr.strip()
    assert len(said.splitlines()) == 1 and all(word in said for word in words), (args, said)
    return said


def outputs(name, suffixes=SUFFIXES):
    return [argument for suffix in suffixes for argument in ("-o", f"{name}.{suffix}")]


# ---- odd nuclei -------------------------------------------------------------------------------------------------------

def read_table(path):
    """The table as its readers get it, in the order of ids."""
    suffix = "".join(path.suffixes[-2:]) if path.suffix == ".gz" else path.suffix
    if suffix in (".csv", ".csv.gz"):
        table = pandas.read_csv(path)
    elif suffix == ".parquet":
        table = pandas.read_parquet(path)
    elif suffix == ".h5ad":
        data = anndata.read_h5ad(path)
        table = data.obs.assign(uuid=data.obs_names)
    elif suffix == ".db":
        rows = sqlite3.connect(path).execute("SELECT key, properties FROM annotations").fetchall()
        table = pandas.DataFrame([{"uuid": key, **json.loads(text)} for key, text in rows])
    else:
        table = pyogrio.read_dataframe(path)
    return table.sort_values("id", ignore_index=True)


def check_slide_and_source(folder, truth, name, slide):
    """Every table says which slide a row is of, and which nucleus of the other tool's file."""
    for suffix in TABLES:
        table = read_table(folder / f"{name}{suffix}")
        assert list(table.uuid) == [u.decode() for u in truth["uuid"]], suffix
        assert list(table.slide) == [slide] * len(table), (suffix, set(table.slide))
        if "source" in truth:
            assert list(table.source) == list(truth["source"]), suffix
        else:
            assert "source" not in table, suffix
    head = json.loads((folder / f"{name}.geojson").read_text())["wsi-segment"]
    assert head["slide"] == slide and head["mpp_x"] > 0, head
    assert json.loads((folder / f"{name}.cellvit.json").read_text())["wsi_metadata"]["slide"] == slide


def check_edges(folder, source):
    """CellViT's word for nuclei at the slide's corners, and for all others."""
    cells = json.loads((folder / "odd.cellvit.json").read_text())["cells"]
    at_edge = {int(source[i]): cell["edge_information"] for i, cell in enumerate(cells) if cell["edge_position"]}
    assert at_edge == {9: {"position": [1, 0, 0, 1], "edge_patches": [[0, -1], [-1, -1], [-1, 0]]},
                       10: {"position": [0, 1, 1, 0], "edge_patches": [[0, 1], [1, 1], [1, 0]]}}, at_edge
    assert all("edge_information" not in cell for cell in cells if not cell["edge_position"])


def check_odd_nuclei(out):
    """One pixel, lines, a ring with a hole, two that touch at a corner, the largest there can be, labels with gaps."""
    folder = out / ODD_FOLDER
    folder.mkdir()
    labels, _ = odd_labels((HEIGHT, WIDTH))
    tifffile.imwrite(folder / "odd ñ.tif", labels * 3000, compression="zlib")
    run("measure", SLIDE, "--nuclei", "odd ñ.tif", "-o", "odd.h5", *outputs("odd"), "-q", cwd=folder)
    with h5py.File(folder / "odd.h5") as file:
        truth = {n: c[:] for n, c in file["nuclei"].items()}
    truth["source"] = truth["source"].astype(int)
    assert sorted(truth["source"]) == [3000 * k for k in range(1, 11)]
    check_slide_and_source(folder, truth, "odd", SLIDE.name)
    check_edges(folder, truth["source"] // 3000)
    for suffix, read in POLYGONS.items():
        polygons = np.array(list(read(folder / f"odd{suffix}")), dtype=object)
        assert len(polygons) == 10 and shapely.is_valid(polygons).all() and (shapely.area(polygons) > 0).all(), suffix
        assert not shapely.get_num_interior_rings(polygons).any(), suffix
    by_source = dict(zip(truth["source"] // 3000, POLYGONS[".parquet"](folder / "odd.parquet")))
    assert by_source[6].intersection(by_source[7]).area < 0.05, "two that touch at a corner share nothing"
    assert 0.4 < by_source[1].area <= 1, by_source[1].area


def check_names_of_files(out):
    """Everything that takes a path, in a folder whose name holds what shells, URLs and SQL give a meaning to."""
    folder = out / ODD_FOLDER
    shutil.copy(SLIDE, folder / "a slide é.svs")
    square = shapely.geometry.mapping(shapely.box(600, 900, 1100, 1500))
    (folder / "roi ß.geojson").write_text(json.dumps(square))
    tifffile.imwrite(folder / "mask ø.tif", np.full((300, 222), 255, np.uint8))
    (folder / "settings ü.yaml").write_text("separate:\n  h: 0.1\n")
    run("a slide é.svs", "-q", "--model", "classical", "--roi", "roi ß.geojson", "--config", "settings ü.yaml", "--log", "log å.txt",
        "-o", "r ï.h5", *outputs("r ï", [*SUFFIXES, "prob.tif"]), cwd=folder)
    with h5py.File(folder / "r ï.h5") as file:
        truth = {n: c[:] for n, c in file["nuclei"].items()}
    assert len(truth["id"]) > 20 and (folder / "log å.txt").exists()
    check_slide_and_source(folder, truth, "r ï", "a slide é.svs")
    for suffix in ("geojson.gz", "cellvit.json", "hovernet.json", "db", "labels.tif"):
        run("measure", "a slide é.svs", "--nuclei", f"r ï.{suffix}", "-q", "-o", f"again {suffix}.h5", cwd=folder)
        with h5py.File(folder / f"again {suffix}.h5") as file:
            assert abs(len(file["nuclei/id"]) - len(truth["id"])) <= 1, suffix
    run("compare", "r ï.h5", "again labels.tif.h5", "-o", "compare ë.md", "-q", cwd=folder)
    run("report", "r ï.h5", "-o", "report ò.html", "-q", cwd=folder)
    run("resegment", "r ï.h5", "-o", "resegmented ì.h5", "-q", cwd=folder)
    run("batch", ".", "-o", "results ù", "--format", "h5,csv", "--roi", "roi ß.geojson", "-q", "--model", "classical", cwd=folder, code=2)
    assert (folder / "results ù" / "a slide é.csv").exists()


# ---- results that are none --------------------------------------------------------------------------------------------

def commands_on(bad):
    return (("export", bad, "-o", "x.csv"), ("compare", "whole.h5", bad), ("compare", bad, "whole.h5"), ("report", bad, "-o", "x.html"),
            ("resegment", bad, "-o", "x.h5", "--slide", SLIDE))


def refused_everywhere(out, bad, *words):
    for args in commands_on(bad):
        said = refuse(*args, "-q", cwd=out, code=3, words=(bad, *words))
        assert "Internal" not in said and "HDF5: " not in said, said
    assert not list(out.glob("x.*")), "nothing may be left"


def check_results(out):
    """Truncated at any place, of a newer version, of another program, with parts missing."""
    subprocess.run([MAKE_RESULT, "600", "10", out / "whole.h5"], check=True)
    whole = (out / "whole.h5").read_bytes()
    for part in (0.001, 0.02, 0.3, 0.5, 0.9, 0.999):
        (out / "cut.h5").write_bytes(whole[:int(len(whole) * part)])
        refused_everywhere(out, "cut.h5", "truncated")
    (out / "empty.h5").write_bytes(b"")
    refused_everywhere(out, "empty.h5", "truncated")
    (out / "text.h5").write_text("no HDF5 at all\n" * 100)
    refused_everywhere(out, "text.h5", "not an HDF5 file")
    with h5py.File(out / "other.h5", "w") as file:
        file["coords"] = np.zeros((5, 2))  # as CLAM writes them
    refused_everywhere(out, "other.h5", "not a result of wsi-segment")
    run("export", "whole.h5", "-o", "table.h5ad", "-q", cwd=out)
    (out / "table.h5ad").rename(out / "anndata.h5")
    refused_everywhere(out, "anndata.h5", "not a result of wsi-segment")

    def damaged(name, change):
        shutil.copy(out / "whole.h5", out / name)
        with h5py.File(out / name, "r+") as file:
            change(file)
        return name
    refused_everywhere(out, damaged("newer.h5", lambda f: f.attrs.__setitem__("format_version", 7)), "format version 7 is newer", "newer wsi-segment")
    refused_everywhere(out, damaged("open.h5", lambda f: f.attrs.__delitem__("status")), "unfinished")
    for group in ("nuclei", "contours", "slide", "stain", "tissue", "classes", "labels", "summary", "failed_tiles"):
        refused_everywhere(out, damaged("less.h5", lambda f: f.__delitem__(group)), group)
    for data in ("nuclei/class", "contours/points", "nuclei/uuid"):
        bad = damaged("less.h5", lambda f: f.__delitem__(data))
        refuse("export", bad, "-o", "x.csv", "-q", cwd=out, code=3, words=(data.split("/")[-1],))
        assert not list(out.glob("x.*")), "nothing may be left"
    refuse("export", "absent.h5", "-o", "x.csv", cwd=out, code=3, words=("absent.h5: no such file",))


def check_columns(out):
    """A name that does not exist is refused in every table with the nearest ones, before anything is written."""
    for suffix in (*TABLES, ".geojson", ".geojson.gz", ".html"):
        refuse("export", "whole.h5", "-o", f"x{suffix}", "--columns", "shape_solidty", "-q", cwd=out, code=1,
               words=("'shape_solidty'", "nearest: shape_solidity"))
    refuse(SLIDE, "-o", "x.h5", "-o", "x.csv", "--columns", "nucleus_H_maen", "-q", cwd=out, code=1, words=("nearest: nucleus_H_mean",))
    assert not list(out.glob("x.*"))
    run("export", "whole.h5", "-o", "y.csv", "--columns", "slide,uuid,shape_solidity", "-q", cwd=out)
    assert next(csv.reader(open(out / "y.csv")))[-1] == "shape_solidity"


# ---- files of other tools ---------------------------------------------------------------------------------------------

def ring(x, y, side=24):
    return [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]


def bow(x, y):
    return [[x, y], [x + 60, y + 12], [x + 60, y], [x, y + 12], [x, y]]


def geojson(rings):
    return {"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"objectType": "detection"}, "geometry": {"type": "Polygon", "coordinates": [r]}} for r in rings]}


def cellvit(rings):
    return {"wsi_metadata": {}, "type_map": {"1": "A"}, "cells": [{"contour": r[:-1], "type": 1, "type_prob": 0.5} for r in rings]}


def hovernet(rings):
    return {"mag": None, "nuc": {str(i): {"contour": r[:-1], "type": 1, "type_prob": 0.5} for i, r in enumerate(rings, 1)}}


def measured(out, name, content):
    """Number of rows, what was said, and the polygons that QuPath would get."""
    (out / name).write_text(content if isinstance(content, str) else json.dumps(content))
    done = run("measure", SLIDE, "--nuclei", name, "-q", "--restart", "-o", "m.h5", "-o", "m.geojson", cwd=out)
    features = json.loads((out / "m.geojson").read_text())["features"]
    polygons = [shapely.geometry.shape(f["geometry"]) for f in features]
    assert all(p.is_valid and p.area > 0 for p in polygons), name
    return polygons, done.stderr


def check_foreign(out):
    good = [ring(100 + 40 * i, 100) for i in range(12)]
    for write, name in ((geojson, "f.geojson"), (cellvit, "c.json"), (hovernet, "h.json")):
        polygons, said = measured(out, name, write([*good, bow(400, 500)]))
        assert len(polygons) == 13, (name, said)
        # Half a pixel wider, which is what other tools' contours are, the two halves hang together.
        assert ("1 nuclei crossed themselves" in said) == (write is geojson), (name, said)
        # Half off the slide: cut at its end. Wholly off: left out and counted.
        half = [ring(-12, 300), ring(WIDTH - 12, 400), ring(500, HEIGHT - 12), ring(-12, -12)]
        polygons, said = measured(out, name, write([*good, *half]))
        assert len(polygons) == 16 and all(p.within(shapely.box(-1, -1, WIDTH + 1, HEIGHT + 1)) for p in polygons), (name, said)
        polygons, said = measured(out, name, write([*good, ring(-500, 10), ring(WIDTH + 10, 10), ring(1e9, 1e9), ring(10, -1e300)]))
        assert len(polygons) == 12 and "4 of 16 nuclei left out" in said and "off the slide" in said, (name, said)
        every = refuse_measure(out, name, write([ring(x - 5000, 10) for x in range(0, 1000, 40)]), "25 of 25 nuclei cannot be used", "25 off the slide", "--frame")
        assert "at most 5 %" in every
        refuse_measure(out, name, json.dumps(write(good))[:-30], "truncated or not JSON", name)
        # Records that are no nuclei: counted, the first one told, the others kept.
        for odd in ([], [[5, 5]], [["a", "b"], ["c", "d"], ["e", "f"]], [[1], [2], [3]], [None, None, None]):
            polygons, said = measured(out, name, write([*good, odd]))
            assert len(polygons) == 12 and said.count("\n") <= 2, (name, odd, said)
    refuse_measure(out, "far.geojson", json.dumps(geojson(good)).replace("100,", "1e999,", 1), "far.geojson", "1e999")
    refuse_measure(out, "nan.geojson", json.dumps(geojson(good)).replace("100,", "NaN,", 1), "nan.geojson", "truncated or not JSON")
    for name, content in (("null.json", "null"), ("number.json", "3"), ("text.json", '"cells"'), ("empty.json", ""), ("object.json", "{}"),
                          ("deep.json", "[" * 5000 + "]" * 5000), ("bytes.json", "\udcff\udcfe")):
        (out / name).write_bytes(content.encode(errors="surrogateescape"))
        refuse("measure", SLIDE, "--nuclei", name, "-q", "-o", "x.h5", cwd=out, code=1, words=(name,))
    (out / "cut.geojson.gz").write_bytes(gzip.compress(json.dumps(geojson(good)).encode())[:-20])
    refuse("measure", SLIDE, "--nuclei", "cut.geojson.gz", "-q", "-o", "x.h5", cwd=out, code=1, words=("cut.geojson.gz", "truncated"))
    assert not list(out.glob("x.*"))


def refuse_measure(out, name, content, *words):
    (out / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return refuse("measure", SLIDE, "--nuclei", name, "-q", "--restart", "-o", "x.h5", cwd=out, code=1, words=words)


def main():
    with tempfile.TemporaryDirectory(prefix="bad input é ") as folder:
        for check in (check_odd_nuclei, check_names_of_files, check_results, check_columns, check_foreign):
            os.makedirs(pathlib.Path(folder) / "all", exist_ok=True)
            check(pathlib.Path(folder) / "all")
            print(f"{check.__name__[6:].replace('_', ' ')}: well", flush=True)


if __name__ == "__main__":
    main()
