#!/usr/bin/env python3
"""Reads a result file with h5py alone: the table, one outline, densities. usage: 05_read_result.py OUT.h5 (needs h5py)"""
import sys

import h5py
import numpy as np


def main(path):
    with h5py.File(path) as file:
        nuclei = file["nuclei"]
        area = nuclei["shape_area_um2"]
        print(f"{area.size} nuclei on {file['summary'].attrs['tissue_mm2']:.3f} mm2 of tissue, status {file.attrs['status']}")
        for name, column in nuclei.items():
            if column.dtype.kind in "fiu" and column.size:
                print(f"  {name:28} {np.nanmedian(column[:]):12.4g} {column.attrs['unit']}")

        # Outline of nucleus 1: level-0 pixels. Its area in pixels times mpp_x * mpp_y is its area in um2.
        points, offsets = file["contours/points"], file["contours/offsets"]
        ring = points[offsets[0]:offsets[1]] * points.attrs["scale"]
        x, y = ring[:, 0], ring[:, 1]
        inside_px = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
        slide = file["slide"].attrs
        # The outline is smoothed, the table counts pixels: close, not equal.
        print(f"nucleus 1: outline {inside_px * slide['mpp_x'] * slide['mpp_y']:.2f} um2, table {area[0]:.2f} um2")

        # The label image holds the same nuclei: the number of pixels of each id, counted.
        ids = np.bincount(file["labels"][:].ravel())
        assert len(ids) == area.size + 1 and (ids[1:] > 0).all()


if __name__ == "__main__":
    main(sys.argv[1])
