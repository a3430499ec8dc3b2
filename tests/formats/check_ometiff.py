#!/usr/bin/env python3
"""OME-TIFF as tifffile reads it: OME-XML, levels in SubIFDs, every level made of pixels of the one below.
usage: check_ometiff.py PROGRAM MAKE_RESULT"""
import xml.etree.ElementTree

import numpy as np
import tifffile

from exports import results

OME = "{http://www.openmicroscopy.org/Schemas/OME/2016-06}"


def check_file(result, path, raster, dtype):
    with tifffile.TiffFile(path) as file:
        assert file.is_ome and file.is_bigtiff
        (series,) = file.series
        assert series.axes == "YX" and series.dtype == dtype
        assert np.array_equal(series.asarray(), result.rasters[raster])
        page = file.pages[0]
        assert page.is_tiled and page.tile[:2] == (512, 512) and page.compression.name in ("ADOBE_DEFLATE", "DEFLATE")
        levels = [level.asarray() for level in series.levels]
        if max(levels[0].shape) > 512:
            assert len(levels) > 1 and page.subifds, "no levels"
        for finer, coarser in zip(levels, levels[1:]):
            h, w = coarser.shape
            candidates = np.stack([finer[i::2, j::2][:h, :w] for i in (0, 1) for j in (0, 1)
                                   if finer[i::2, j::2].shape[0] >= h and finer[i::2, j::2].shape[1] >= w])
            assert (coarser == candidates).any(axis=0).all(), "a level holds values that are not in the one below"
        xml_root = xml.etree.ElementTree.fromstring(file.ome_metadata)
    pixels = xml_root.find(f".//{OME}Pixels").attrib
    assert float(pixels["PhysicalSizeX"]) == 0.5 and pixels["PhysicalSizeXUnit"] == "µm" and pixels["Type"] == np.dtype(dtype).name
    if raster == "mask":
        names = {int(m.get("K")): m.text for m in xml_root.iter(f"{OME}M")}
        assert names == result.classes


def main():
    with results() as made:
        for result in made:
            check_file(result, result.export(".mask.ome.tif"), "mask", "uint8")
            check_file(result, result.export(".labels.ome.tif"), "labels", "uint32")
    print("OME-TIFF: tifffile")


if __name__ == "__main__":
    main()
