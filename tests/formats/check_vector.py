#!/usr/bin/env python3
"""GeoPackage, FlatGeobuf and GeoTIFF as GDAL, ogrinfo and geopandas read them; all overlay each other.
usage: check_vector.py PROGRAM MAKE_RESULT"""
import json
import subprocess

import geopandas
import numpy as np
import pyogrio
import tifffile

from exports import check_features, check_polygons, results


def check_layer(result, path):
    frame = pyogrio.read_dataframe(path)
    if result.count:
        frame = frame.sort_values("id", ignore_index=True)  # FlatGeobuf keeps them along a curve
        check_polygons(result, frame.geometry.values.to_numpy(), scale=(result.mpp[0], -result.mpp[1]))
        assert list(frame.id) == list(range(1, result.count + 1)) and list(frame.uuid) == result.table["uuid"]
        assert list(frame["class"]) == result.class_names()
        assert frame.colour[0] == "#ff0000"
        check_features(result, lambda name: frame[name].astype(float))
        assert geopandas.read_file(path, bbox=(0, -50, 50, 0)).shape[0] >= 1, "the spatial index finds nothing"
    assert len(frame) == result.count


def check_ogrinfo(result, path):
    said = subprocess.run(["ogrinfo", "-so", path, "nuclei"], check=True, capture_output=True, text=True).stdout
    assert f"Feature Count: {result.count}" in said and "Geometry: Polygon" in said, said
    assert "micrometre" in said and "y upward" in said, said


def gdalinfo(path):
    return json.loads(subprocess.run(["gdalinfo", "-json", path], check=True, capture_output=True).stdout)


def check_probability(result, path):
    info = gdalinfo(path)
    assert info["metadata"]["IMAGE_STRUCTURE"]["LAYOUT"] == "COG" and info["bands"][0]["type"] == "Byte"
    assert np.array_equal(tifffile.imread(path), result.rasters["probability"])


def check_overlay(result, layer, labels):
    """What GDAL burns of a nucleus' polygon lies on its label, in the files' own coordinates."""
    burnt = labels.with_suffix(".burnt.tif")
    transform, (width, height) = gdalinfo(labels)["geoTransform"], gdalinfo(labels)["size"]
    box = [transform[0], transform[3] + height * transform[5], transform[0] + width * transform[1], transform[3]]
    subprocess.run(["gdal_rasterize", "-q", "-a", "id", "-ot", "UInt32", "-te", *map(str, box), "-ts", str(width), str(height),
                    "-l", "nuclei", layer, burnt], check=True)
    there, here = tifffile.imread(burnt), tifffile.imread(labels)
    both = (there > 0) & (here > 0)
    assert (there[both] == here[both]).all()
    assert both.sum() > 0.9 * (here > 0).sum()


def main():
    with results() as made:
        for result in made:
            labels = result.export(".labels.tif")
            check_probability(result, result.export(".prob.tif"))
            for suffix in (".gpkg", ".fgb"):
                path = result.export(suffix)
                check_layer(result, path)
                check_ogrinfo(result, path)
                if result.count:
                    check_overlay(result, path, labels)
            left = [p for p in result.path.parent.iterdir() if "tmp" in p.name or "journal" in p.name]
            assert not left, left
    print("GeoPackage, FlatGeobuf, probability: GDAL, geopandas, tifffile")


if __name__ == "__main__":
    main()
