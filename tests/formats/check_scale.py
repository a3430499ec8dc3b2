#!/usr/bin/env python3
"""How large a pixel is in every raster, as each kind of reader finds out: GDAL and QGIS by the geotransform, ImageJ, QuPath and
OpenSlide by the TIFF resolution tags, Bio-Formats and napari by OME-XML. On pixels that are not square.
usage: check_scale.py PROGRAM MAKE_RESULT"""
import json
import re
import subprocess

import numpy as np
import tifffile

from exports import results

UM_PER_UNIT = {2: 25400.0, 3: 10000.0}  # inch, centimetre
GEOTIFF = (".tif", ".mask.tif", ".labels.tif", ".prob.tif")
OME = (".mask.ome.tif", ".labels.ome.tif")


def um_by_tags(page):
    """µm per pixel as ImageJ, QuPath and OpenSlide compute it."""
    unit = UM_PER_UNIT[int(page.tags["ResolutionUnit"].value)]
    return tuple(unit * page.tags[f"{axis}Resolution"].value[1] / page.tags[f"{axis}Resolution"].value[0] for axis in "XY")


def check_tags(path, um):
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        assert np.allclose(um_by_tags(page), um, rtol=1e-5), (path.name, um_by_tags(page), um)
        # tifffile's own way, as its users ask for it
        assert np.allclose([10000.0 / r for r in page.get_resolution(tifffile.RESUNIT.CENTIMETER)], um, rtol=1e-5), path.name
        return file.ome_metadata, page.geotiff_tags


def check_geotiff(result, path, um):
    _, tags = check_tags(path, um)
    assert np.allclose(tags["ModelPixelScale"][:2], um, rtol=1e-9), tags
    assert np.allclose(tags["ModelTiepoint"], 0), tags
    info = json.loads(subprocess.run(["gdalinfo", "-json", path], check=True, capture_output=True).stdout)
    x0, width, turn_x, y0, turn_y, height = info["geoTransform"]
    assert (x0, turn_x, y0, turn_y) == (0, 0, 0, 0) and np.allclose((width, -height), um, rtol=1e-9), info["geoTransform"]
    assert "micrometre" in info["coordinateSystem"]["wkt"] and "y upward" in info["coordinateSystem"]["wkt"]
    said = info["metadata"][""]
    assert float(said["DOWNSAMPLE"]) == 2 and [int(said[f"BOUNDS_{side}_PX"]) for side in "XY"] == list(result.bounds), said
    # What GDAL says in words: the extent in µm is the frame's size times the size of a pixel.
    text = subprocess.run(["gdalinfo", path], check=True, capture_output=True, text=True).stdout
    x, y = re.search(r"Lower Right \( *([\d.]+), *(-[\d.]+)\)", text).groups()
    assert np.allclose((float(x), -float(y)), (info["size"][0] * um[0], info["size"][1] * um[1]), atol=1e-3), text


def check_ome(path, um):
    xml, _ = check_tags(path, um)
    found = [float(re.search(f'PhysicalSize{axis}="([^"]+)"', xml)[1]) for axis in "XY"]
    assert np.allclose(found, um, rtol=1e-9) and xml.count("µm") == 2, found


def main():
    with results("many", "none") as made:
        for result in made:
            um = tuple(2 * mpp for mpp in result.mpp)  # made at half the slide's resolution
            assert um[0] != um[1]
            for suffix in GEOTIFF:
                check_geotiff(result, result.export(suffix), um)
            for suffix in OME:
                check_ome(result.export(suffix), um)
    print(f"size of a pixel in {len(GEOTIFF) + len(OME)} kinds of raster: GDAL, TIFF tags, OME-XML")


if __name__ == "__main__":
    main()
