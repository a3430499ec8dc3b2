#!/usr/bin/env python3
"""Every polygon of every format of real slides, as its readers get it: valid for GEOS, valid for JTS at 0.01 px, and in its
place.

usage: check_polygons.py PROGRAM MAKE_SLIDE SAMPLE_SLIDE JAVA_FOLDER [--data]

Without --data: the sample slide, and a Leica slide made of it, whose bounds do not begin at its corner. With --data: slides
of WSI_TEST_DATA, in parts where they are large; skipped (exit status 77) when that is not set.
"""
import dataclasses
import gzip
import json
import os
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

JARS = "/usr/share/java/jts-core.jar:/usr/share/java/gson.jar"
SKIPPED = 77
MODELS = {"classical": ("--model", "classical"), "network": ()}  # the default is a network


def read_geojson(path):
    return [shapely.geometry.shape(f["geometry"]) for f in json.load(gzip.open(path))["features"]]


def read_store(path):
    return [shapely.from_wkb(zlib.decompress(g)) for g, in sqlite3.connect(path).execute("SELECT geometry FROM annotations")]


def read_cells(path):
    return [shapely.Polygon(cell["contour"]) for cell in json.loads(path.read_text())["cells"]]


def read_nuclei(path):
    return [shapely.Polygon(nucleus["contour"]) for nucleus in json.loads(path.read_text())["nuc"].values()]


def read_layer(path):
    return pyogrio.read_dataframe(path).sort_values("id").geometry


READERS = {".geojson.gz": read_geojson, ".parquet": lambda p: geopandas.read_parquet(p).geometry, ".gpkg": read_layer,
           ".fgb": read_layer, ".db": read_store, ".cellvit.json": read_cells, ".hovernet.json": read_nuclei}
IN_MICROMETRES = (".gpkg", ".fgb")
ON_WHOLE_PIXELS = (".cellvit.json", ".hovernet.json")  # centres at whole numbers


@dataclasses.dataclass
class Case:
    """A slide, which model segments it, other options, and the part that is looked at: x, y, width, height in level-0 px."""
    slide: str
    model: str = "classical"
    options: tuple = ()
    roi: tuple = ()


DATA = [
    Case("openslide-CMU/CMU-1-Small-Region.svs", "network", roi=(300, 600, 1100, 1100)),
    Case("pathologyatlas-BS25/BS25-HE_roi.svs"),
    Case("pathologyatlas-BS25/BS25-CHR_ihc_roi.svs", options=("--stains", "hdab")),
    Case("pathologyatlas-BS9/BS9-HE1_gigapixel.tif", roi=(12000, 12000, 8000, 6000)),
    Case("pathologyatlas-BS13/BS13-HE_roi.tif"),
    Case("pathologyatlas-giardia/giardia_roi.tif"),
    Case("pathologyatlas-parasite/parasite_20x_roi.svs"),
    Case("pathologyatlas-seed/seed-plant_roi.svs"),
    Case("instanseg-instanseg/HE_example.tif"),
]


class Checker:
    def __init__(self, program, java, out):
        self.program, self.out = program, out
        subprocess.run(["javac", "-cp", JARS, "-d", out, *pathlib.Path(java).glob("*.java")], check=True)

    def java(self, *args):
        done = subprocess.run(["java", "-Xmx2g", "-cp", f"{JARS}:{self.out}", *map(str, args)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    def segment(self, case, slide):
        if case.roi:
            x, y, width, height = case.roi
            json.dump(shapely.geometry.mapping(shapely.box(x, y, x + width, y + height)), open(self.out / "roi.geojson", "w"))
        options = [*MODELS[case.model], *case.options, *(("--roi", self.out / "roi.geojson") if case.roi else ())]
        result = self.out / "r.h5"
        result.unlink(missing_ok=True)
        subprocess.run([self.program, slide, "-q", "-o", result, *options], check=True)
        return result

    def export(self, suffixes, *options):
        """Files of these formats, written at once; one measurement is enough to look at outlines."""
        files = {suffix: self.out / f"é {len(options)}{suffix}" for suffix in suffixes}
        outputs = [argument for path in files.values() for argument in ("-o", path)]
        subprocess.run([self.program, "export", self.out / "r.h5", "-q", "--columns", "shape_area_um2", *outputs, *options], check=True)
        return files

    def check(self, result):
        """Number of nuclei, checked in every format as they are and simplified."""
        with h5py.File(result) as file:
            slide, count = dict(file["slide"].attrs), int(file["summary"].attrs["count"])
            offsets, points = file["contours/offsets"][:], file["contours/points"][:] / 100
        truth = np.array([shapely.Polygon(points[a:b]) for a, b in zip(offsets, offsets[1:])], dtype=object)
        for_java, expected = [], 0
        for options in ((), ("--simplify", "1"), ("--frame", "level0")):
            # The frame is QuPath's alone, and another one only where the slide has bounds.
            if "level0" not in options:
                files = self.export(READERS, *options)
            elif slide["bounds_x_px"] > 0:
                files = self.export([".geojson.gz"], *options)
            else:
                continue
            expected += len(files) * count
            for suffix, path in files.items():
                polygons = np.array(list(READERS[suffix](path)), dtype=object)
                assert len(polygons) == count, (path, len(polygons), count)
                bad = ~shapely.is_valid(polygons) | (shapely.area(polygons) == 0)
                assert not bad.any(), (path, bad.sum(), shapely.is_valid_reason(polygons[bad])[0])
                check_place(suffix, polygons, truth, slide, options)
                text = self.out / f"{path.name}.{len(for_java)}.wkb"
                text.write_text("".join(line + "\n" for line in shapely.to_wkb(polygons, hex=True)))
                for_java += [text, 100 / slide["mpp_x"] if suffix in IN_MICROMETRES else 100]
            self.java("CheckGeoJson", files[".geojson.gz"])
        checked = int(self.java("CheckWkb", *for_java))
        assert checked == expected, (checked, expected)
        return count


def check_place(suffix, polygons, truth, slide, options):
    """Outlines are where the result has them, but for the format's own frame and what --simplify and whole pixels allow."""
    scale, shift, most = np.array([1, 1]), np.array([0, 0]), 0.005
    if suffix in IN_MICROMETRES:
        scale = np.array([slide["mpp_x"], -slide["mpp_y"]])
        most *= slide["mpp_x"]
    elif suffix in ON_WHOLE_PIXELS:
        shift, most = np.array([-0.5, -0.5]), 2
    elif suffix == ".geojson.gz" and "level0" not in options:
        shift = -np.array([slide["bounds_x_px"], slide["bounds_y_px"]])
    if "--simplify" in options:
        most += 1
    there = shapely.transform(truth, lambda p: p * scale + shift)
    far = shapely.hausdorff_distance(polygons, there) > most
    if suffix in ON_WHOLE_PIXELS:  # a tail thinner than a pixel goes, a neck of one costs a nucleus its smaller part
        assert far.mean() < 0.04, (suffix, options, far.mean())
        kept = shapely.area(shapely.intersection(polygons, there)) / shapely.area(there)
        lost = (kept < 0.5) & (shapely.area(there) >= 100)  # an outline through pixel centres halves what is a few pixels thin
        assert lost.mean() < 0.001, (suffix, options, np.flatnonzero(lost))  # three parts, two necks
    else:
        assert not far.any(), (suffix, options, np.flatnonzero(far))


def slide_with_bounds(make_slide, sample, out):
    """A Leica collection in which the scan begins at (300, 200)."""
    path = out / "bounds é.scn"
    subprocess.run([make_slide, sample, "0", "0", "2048", path, "2000", "1500"], check=True, stdout=subprocess.DEVNULL)
    return path


def main():
    program, make_slide, sample, java = sys.argv[1:5]
    folder = os.environ.get("WSI_TEST_DATA")
    data = "--data" in sys.argv
    if data and not folder:
        print("WSI_TEST_DATA is not set: the real slides are missing")
        return SKIPPED
    counts = {}
    with tempfile.TemporaryDirectory(prefix="polygons é ") as temporary:
        out = pathlib.Path(temporary)
        checker = Checker(program, java, out)
        cases = DATA if data else [Case(sample), Case(slide_with_bounds(make_slide, sample, out))]
        for case in cases:
            slide = pathlib.Path(folder) / "slides" / case.slide if data else pathlib.Path(case.slide).resolve()
            result = checker.segment(case, slide)
            if str(slide).endswith(".scn"):
                with h5py.File(result) as file:
                    assert [file["slide"].attrs[f"bounds_{side}_px"] for side in "xy"] == [300, 200]
            counts[slide.name] = checker.check(result)
            print(f"{slide.name}, {case.model}: {counts[slide.name]} nuclei", flush=True)
    assert all(counts.values()), counts
    print(f"{sum(counts.values())} nuclei of {len(counts)} slides: valid and in place in {len(READERS)} formats, whole and simplified")
    return 0


if __name__ == "__main__":
    sys.exit(main())
