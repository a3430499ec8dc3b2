#!/usr/bin/env python3
"""Every polygon of every format of a real slide, as its readers get it: valid for GEOS, valid for JTS at 0.01 px.

usage: check_polygons.py PROGRAM SLIDE JAVA_FOLDER
"""
import gzip
import json
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import zlib

import geopandas
import h5py
import numpy as np
import pyogrio
import shapely

JAR = "/usr/share/java/jts-core.jar"


def read_geojson(path):
    return [shapely.geometry.shape(f["geometry"]) for f in json.load(gzip.open(path))["features"]]


def read_store(path):
    return [shapely.from_wkb(zlib.decompress(g)) for g, in sqlite3.connect(path).execute("SELECT geometry FROM annotations")]


def read_cells(path):
    return [shapely.Polygon(cell["contour"]) for cell in json.loads(path.read_text())["cells"]]


def read_nuclei(path):
    return [shapely.Polygon(nucleus["contour"]) for nucleus in json.loads(path.read_text())["nuc"].values()]


def read_layer(path):
    return pyogrio.read_dataframe(path).geometry


READERS = {".geojson.gz": read_geojson, ".parquet": lambda p: geopandas.read_parquet(p).geometry, ".gpkg": read_layer,
           ".fgb": read_layer, ".db": read_store, ".cellvit.json": read_cells, ".hovernet.json": read_nuclei}
IN_MICROMETRES = (".gpkg", ".fgb")


def check(out, suffix, mpp, options):
    name = f"r{len(options)}{suffix}"
    subprocess.run([sys.argv[1], "export", out / "r.h5", "-q", "-o", out / name, *options], check=True)
    polygons = np.array(list(READERS[suffix](out / name)), dtype=object)
    bad = ~shapely.is_valid(polygons) | (shapely.area(polygons) == 0)
    assert not bad.any(), (name, bad.sum(), shapely.is_valid_reason(polygons[bad])[0])
    hexadecimal = out / f"{name}.wkb"
    hexadecimal.write_text("\n".join(shapely.to_wkb(polygons, hex=True)))
    scale = 100 / mpp if suffix in IN_MICROMETRES else 100
    subprocess.run(["java", "-Xmx1g", "-cp", f"{JAR}:{out}", "CheckWkb", hexadecimal, str(scale)], check=True)
    return len(polygons)


def main():
    program, slide, java = sys.argv[1:4]
    with tempfile.TemporaryDirectory(prefix="polygons é ") as folder:
        out = pathlib.Path(folder)
        subprocess.run(["javac", "-cp", JAR, "-d", out, pathlib.Path(java) / "CheckWkb.java"], check=True)
        subprocess.run([program, slide, "-q", "--model", "classical", "-o", out / "r.h5"], check=True)
        with h5py.File(out / "r.h5") as file:
            mpp, count = file["slide"].attrs["mpp_x"], int(file["summary"].attrs["count"])
        for suffix in READERS:
            for options in ((), ("--simplify", "1")):
                assert check(out, suffix, mpp, options) == count > 0
        print(f"{count} polygons valid in {len(READERS)} formats")


if __name__ == "__main__":
    main()
