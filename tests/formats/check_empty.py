#!/usr/bin/env python3
"""A slide of glass alone, in every format the program knows: each file is opened by what its users open it with, holds no
nucleus, and has the columns and classes that a full one has.

usage: check_empty.py PROGRAM JAVA_FOLDER
"""
import html.parser
import json
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile

import anndata
import duckdb
import geopandas
import h5py
import numpy as np
import pandas
import pyogrio
import tifffile
from tiatoolbox.annotation.storage import SQLiteStore

PROGRAM, JAVA = sys.argv[1], pathlib.Path(sys.argv[2])
JARS = "/usr/share/java/jts-core.jar:/usr/share/java/gson.jar"
SIZE = 1100
CLASSES = []  # where CheckGeoJson was compiled to
TABLE = {"id", "uuid", "slide", "class", "class_probability", "detection_probability", "at_slide_edge"}


def run(*args, expect=0):
    done = subprocess.run([PROGRAM, *map(str, args)], capture_output=True, text=True, timeout=300)
    assert done.returncode == expect, (args, done.returncode, done.stderr)
    return done


def gdalinfo(path):
    return json.loads(subprocess.run(["gdalinfo", "-json", path], check=True, capture_output=True).stdout)


def check_h5(path):
    with h5py.File(path) as file:
        assert file.attrs["status"] == "complete" and file["summary"].attrs["count"] == 0
        assert file["summary"].attrs["density_per_mm2"] == 0
        assert all(len(column) == 0 for column in file["nuclei"].values()) and len(file["nuclei"]) > 100
        assert list(file["contours/offsets"]) == [0] and file["contours/points"].shape == (0, 2)
        assert np.isnan(file["summary/mean"][:]).all() and not file["labels"][:].any() and not file["mask"][:].any()


def check_geojson(path):
    frame = geopandas.read_file(f"/vsigzip/{path}" if path.suffix == ".gz" else path)
    assert len(frame) == 0
    said = subprocess.run(["java", "-cp", f"{JARS}:{CLASSES[0]}", "CheckGeoJson", path], capture_output=True, text=True)
    assert said.returncode == 0 and " 0 features valid" in said.stdout, said.stdout + said.stderr


def check_csv(path):
    table = pandas.read_csv(path)
    assert len(table) == 0 and TABLE < set(table.columns) and "shape_area_um2" in table


def check_parquet(path):
    table, frame = pandas.read_parquet(path), geopandas.read_parquet(path)
    assert len(table) == len(frame) == 0 and frame.crs is None and TABLE < set(frame.columns)
    assert duckdb.sql(f"SELECT count(*), avg(shape_area_um2) FROM '{path}' WHERE slide <> ''").fetchall() == [(0, None)]


def check_layer(path):
    frame = pyogrio.read_dataframe(path)
    assert len(frame) == 0 and TABLE < set(frame.columns), set(TABLE) - set(frame.columns)
    assert len(geopandas.read_file(path, layer="nuclei")) == 0
    said = subprocess.run(["ogrinfo", "-so", path, "nuclei"], check=True, capture_output=True, text=True).stdout
    assert "Feature Count: 0" in said and "micrometre" in said, said


def check_store(path):
    base = sqlite3.connect(path)
    assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    SQLiteStore.compile_options = staticmethod(lambda: [o for o, in base.execute("PRAGMA compile_options")])
    store = SQLiteStore(path)
    assert len(store) == 0 and store.query((0, 0, SIZE, SIZE)) == {}
    store.close()


def check_anndata(path):
    data = anndata.read_h5ad(path)
    assert data.n_obs == 0 and data.n_vars > 100 and data.obsm["spatial"].shape == (0, 2)
    assert list(data.obs["class"].cat.categories) == ["Nucleus"] and list(data.uns["nan_columns"]) == []
    ((_, library),) = data.uns["spatial"].items()
    assert library["images"]["hires"].min() == 255, "white glass"
    assert anndata.concat([data, data]).n_obs == 0


def check_cellvit(path):
    cells = json.loads(path.read_text())
    assert cells["cells"] == [] and cells["type_map"] == {"1": "Nucleus"} and cells["wsi_metadata"]["base_mpp"] == 0.5


def check_hovernet(path):
    assert json.loads(path.read_text())["nuc"] == {}


class Words(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.words = []

    def handle_data(self, data):
        self.words.append(data.strip())


def check_html(path):
    page = Words()
    page.feed(path.read_text())
    at = page.words.index("Nuclei")
    assert page.words[at + 1] == "0" and "undefined for every nucleus" in page.words, page.words


def check_geotiff(path):
    info = gdalinfo(path)
    assert info["metadata"]["IMAGE_STRUCTURE"]["LAYOUT"] == "COG" and info["size"] == [SIZE, SIZE]
    assert not tifffile.imread(path).any()
    if path.name.endswith(("empty.tif", "mask.tif")):
        assert info["metadata"][""]["CLASS_1"] == "Nucleus" and info["bands"][0]["colorTable"]


def check_ometiff(path):
    with tifffile.TiffFile(path) as file:
        assert file.is_ome and len(file.series[0].levels) > 1
        assert file.series[0].shape == (SIZE, SIZE) and not file.series[0].asarray().any()


READERS = {".h5": check_h5, ".geojson": check_geojson, ".geojson.gz": check_geojson, ".csv": check_csv, ".csv.gz": check_csv,
           ".parquet": check_parquet, ".gpkg": check_layer, ".fgb": check_layer, ".db": check_store, ".h5ad": check_anndata,
           ".cellvit.json": check_cellvit, ".hovernet.json": check_hovernet, ".html": check_html, ".tif": check_geotiff,
           ".mask.tif": check_geotiff, ".labels.tif": check_geotiff, ".prob.tif": check_geotiff,
           ".mask.ome.tif": check_ometiff, ".labels.ome.tif": check_ometiff}


def check_all(folder, name):
    for suffix, check in READERS.items():
        check(folder / f"{name}{suffix}")


def outputs(folder, name, *without):
    return [argument for suffix in READERS if suffix not in without for argument in ("-o", folder / f"{name}{suffix}")]


def main():
    known = re.search(r"Outputs by suffix: (.*)\.\n", run("--help").stdout)[1].split()
    assert set(known) == set(READERS), set(known) ^ set(READERS)
    with tempfile.TemporaryDirectory(prefix="empty é ") as name:
        out = pathlib.Path(name)
        CLASSES.append(out)
        subprocess.run(["javac", "-cp", JARS, "-d", out, JAVA / "CheckGeoJson.java"], check=True)
        slide = out / "glass é.tif"
        tifffile.imwrite(slide, np.full((SIZE, SIZE, 3), 244, np.uint8), tile=(256, 256), photometric="rgb", compression="zlib")
        run(slide, "-q", "--slide-mpp", "0.5", "--model", "classical", *outputs(out, "empty"))
        check_all(out, "empty")
        # The same later, from the .h5 alone, in parts and with other options.
        (out / "later").mkdir()
        run("export", out / "empty.h5", "-q", *outputs(out / "later", "empty", ".h5"), "--split", "10", "--simplify", "1")
        for suffix in set(READERS) - {".h5"}:
            READERS[suffix](out / "later" / f"empty{suffix}")
        # Another tool found nothing.
        (out / "none.geojson").write_text('{"type": "FeatureCollection", "features": []}')
        run("measure", slide, "--nuclei", out / "none.geojson", "-q", "--slide-mpp", "0.5", "-o", out / "measured.h5", "-o", out / "measured.parquet")
        check_parquet(out / "measured.parquet")
        assert "source" in pandas.read_parquet(out / "measured.parquet").columns
    print(f"no nuclei in {len(READERS)} formats: each opened by its readers")


if __name__ == "__main__":
    main()
