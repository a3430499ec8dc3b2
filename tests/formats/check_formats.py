#!/usr/bin/env python3
"""Runs the program on a slide and opens every file it writes with what its readers use.

usage: check_formats.py PROGRAM SLIDE JAVA_FOLDER
"""
import csv
import gzip
import json
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy as np
import shapely
import shapely.geometry

# Every data set and group the documentation promises, with its attributes.
CONTRACT = {
    "/": "format format_version program_version results_version status".split(),
    "/slide": "path vendor width_px height_px mpp_x mpp_y mpp_source bounds_x_px bounds_y_px bounds_width_px "
              "bounds_height_px quickhash".split(),
    "/stain": ["source", "reason"], "/stain/matrix": [], "/stain/max_concentration": [], "/stain/background_rgb": [],
    "/tissue": ["mpp"],
    "/classes/id": [], "/classes/name": [], "/classes/colour": [],
    "/mask": ["mpp_x", "mpp_y", "downsample", "offset"], "/labels": ["mpp_x", "mpp_y", "downsample", "offset"],
    "/contours/offsets": [], "/contours/points": ["scale"],
    "/summary": ["count", "tissue_mm2", "density_per_mm2"], "/summary/feature": [], "/summary/median": [],
    "/failed_tiles/message": [],
    "/provenance/config": [], "/provenance/model": [], "/provenance/timings": [], "/provenance/command": [],
}


def check_hdf5(path):
    with h5py.File(path) as file:
        for name, attributes in CONTRACT.items():
            for attribute in attributes:
                assert attribute in file[name].attrs, f"{name} lacks {attribute}"
        count = int(file["summary"].attrs["count"])
        for name, column in file["nuclei"].items():
            assert len(column) == count, name
            assert column.attrs["unit"] and column.attrs["description"], name
            assert isinstance(column.attrs["unit"], str), "text attributes must come as str, not as bytes"
        ids = file["nuclei/id"][:]
        assert np.array_equal(ids, np.arange(1, count + 1))
        labels, mask = file["labels"][:], file["mask"][:]
        assert np.array_equal(np.unique(labels[labels > 0]), ids), "every id is painted"
        assert np.array_equal(labels > 0, mask > 0)
        area = np.bincount(labels.ravel(), minlength=count + 1)[1:] * file["labels"].attrs["downsample"] ** 2
        assert np.allclose(area, file["nuclei/shape_area_px"][:], rtol=1e-6), "areas are the labels' areas"
        feature = [n.decode() for n in file["summary/feature"][:]]
        for i, name in enumerate(feature):
            values = file["nuclei/" + name][:].astype(np.float64)
            values = values[~np.isnan(values)]
            assert np.isclose(file["summary/median"][i], np.median(values), rtol=1e-6), name
            assert np.isclose(file["summary/quartile1"][i], np.percentile(values, 25), rtol=1e-6), name
            assert np.isclose(file["summary/sd"][i], values.std(), rtol=1e-6, atol=1e-9), name
        return count


def check_geojson(path, count):
    features = json.load(gzip.open(path))["features"]
    assert len(features) == count
    polygons = [shapely.geometry.shape(f["geometry"]) for f in features]
    bad = [p for p in polygons if not p.is_valid or p.area == 0]
    assert not bad, shapely.is_valid_reason(bad[0])
    tree = shapely.STRtree(polygons)
    pairs = tree.query(polygons, predicate="overlaps")
    for a, b in pairs.T:
        assert a == b or polygons[a].intersection(polygons[b]).area < 0.05, "two contours overlap"
    return len(pairs.T)


def micrometres_per_work_pixel(path):
    """By the slide's own resolution and the ratio of sizes, not by what the rasters claim."""
    with h5py.File(path) as file:
        return file["slide"].attrs["mpp_x"] * round(file["slide"].attrs["width_px"] / file["labels"].shape[1])


def check_tiff(path, mpp, expect_colours):
    info = json.loads(subprocess.run(["gdalinfo", "-json", path], check=True, capture_output=True).stdout)
    assert info["metadata"]["IMAGE_STRUCTURE"]["LAYOUT"] == "COG"
    transform = info["geoTransform"]
    assert transform[1] > 0 and abs(transform[5] + transform[1]) < 1e-6 and transform[0] == transform[3] == 0
    assert abs(transform[1] - mpp) < 0.01 * mpp, (transform[1], mpp)
    assert "micrometre" in info["coordinateSystem"]["wkt"]
    band = info["bands"][0]
    assert band["block"] == [512, 512]
    if max(info["size"]) > 512:
        assert band["overviews"], "no overviews"
    if expect_colours:
        assert band["colorTable"]["entries"][1][:3] == [160, 90, 160]
        assert info["metadata"][""]["CLASS_1"] == "Nucleus"


def main():
    program, slide, java = sys.argv[1:4]
    with tempfile.TemporaryDirectory(prefix="formats é ") as folder:
        out = pathlib.Path(folder)
        files = [out / n for n in ("r.h5", "r.geojson.gz", "r.csv.gz", "r.tif", "r.labels.tif")]
        subprocess.run([program, slide, "-q", "--model", "classical", *[a for f in files for a in ("-o", f)]], check=True)
        count = check_hdf5(files[0])
        check_geojson(files[1], count)
        rows = list(csv.reader(gzip.open(files[2], "rt")))
        assert len(rows) == count + 1 and all(len(r) == len(rows[0]) for r in rows)
        check_tiff(files[3], micrometres_per_work_pixel(files[0]), True)
        check_tiff(files[4], micrometres_per_work_pixel(files[0]), False)
        again = out / "again.geojson.gz"
        subprocess.run([program, "export", files[0], "-q", "-o", again], check=True)
        assert again.read_bytes() == files[1].read_bytes(), "export later gives other bytes"
        jars = "/usr/share/java/jts-core.jar:/usr/share/java/gson.jar"
        subprocess.run(["javac", "-cp", jars, "-d", out, pathlib.Path(java) / "CheckGeoJson.java"], check=True)
        subprocess.run(["java", "-Xmx1g", "-cp", f"{jars}:{out}", "CheckGeoJson", files[1]], check=True)
        print(f"{count} nuclei in 5 formats opened")


if __name__ == "__main__":
    main()
