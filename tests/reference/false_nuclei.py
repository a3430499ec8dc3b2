#!/usr/bin/env python3
"""Nuclei found per mm² where there are none: on bare glass and on a slide of another kingdom. Writes docs/measurements/false_nuclei.json.

usage: false_nuclei.py BUILD GLASS_SLIDE OTHER_SLIDE [--model NAME ...]

Glass: the largest square of GLASS_SLIDE that lies 0.2 mm or more from all tissue, given as --roi. OTHER_SLIDE (a plant): all its tissue.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

import h5py
import numpy as np
from scipy.ndimage import binary_dilation

from measurement import record

LEAST_DISTANCE_UM = 200


def run(options, slide, out, model, *more):
    subprocess.run([options.build / "wsi-segment", slide, "-o", out, "-q", "--restart", "--model", model, *more], check=True)


def glass_square(result):
    """(x, y, side) in level-0 pixels, and mm², of the largest square far from tissue."""
    with h5py.File(result) as file:
        tissue, mpp = file["tissue"][()] > 0, float(file["tissue"].attrs["mpp"])
        level0_mpp = float(file["slide"].attrs["mpp_x"])
    reach = round(LEAST_DISTANCE_UM / mpp)
    near = binary_dilation(tissue, iterations=reach)  # city-block distance
    # Largest square of free cells by its lower right corner.
    side = np.zeros(near.shape, int)
    for y in range(near.shape[0]):
        for x in range(near.shape[1]):
            if not near[y, x]:
                side[y, x] = 1 if x == 0 or y == 0 else 1 + min(side[y - 1, x], side[y, x - 1], side[y - 1, x - 1])
    y, x = np.unravel_index(side.argmax(), side.shape)
    n = int(side[y, x])
    scale = mpp / level0_mpp
    return [round((x - n + 1) * scale), round((y - n + 1) * scale), int(n * scale)], (n * mpp) ** 2 * 1e-6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("glass", type=pathlib.Path)
    parser.add_argument("other", type=pathlib.Path)
    parser.add_argument("--model", nargs="+", default=["eunet3plus", "classical"])
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        result, roi = f"{folder}/out.h5", f"{folder}/glass.geojson"
        run(options, options.glass, result, "classical")
        (x, y, n), area = glass_square(result)
        ring = [[x, y], [x + n, y], [x + n, y + n], [x, y + n], [x, y]]
        pathlib.Path(roi).write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
        for model in options.model:
            for slide, what, more in ((options.glass, "glass", ["--roi", roi]), (options.other, "no animal", [])):
                run(options, slide, result, model, *more)
                with h5py.File(result) as file:
                    found = file["nuclei/id"].shape[0]
                    mm2 = area if more else float((file["tissue"][()] > 0).sum()) * float(file["tissue"].attrs["mpp"]) ** 2 * 1e-6
                rows.append({"model": model, "slide": slide.name, "what": what, "mm2": round(mm2, 2), "nuclei": found,
                             "per_mm2": round(found / mm2, 1)})
    record("false_nuclei", {"glass_square_level0_px": [x, y, n], "least_distance_um": LEAST_DISTANCE_UM, "rows": rows})


if __name__ == "__main__":
    main()
