#!/usr/bin/env python3
"""Nuclei found per mm² where there are none: on bare glass and on a slide of another kingdom. Writes docs/measurements/false_nuclei.json.

usage: false_nuclei.py BUILD GLASS_SLIDE OTHER_SLIDE [--pen small_dicom_wsm.dcm] [--model NAME ...]

Glass: the largest square of GLASS_SLIDE, of at most 2 mm, that lies 0.2 mm or more from all tissue, given as --roi. OTHER_SLIDE (a plant): all its tissue.
Pen: a stroke on bare glass in a DICOM overview, shown as if it were at 0.25 µm per pixel: all of the picture.
"""
import argparse
import io
import json
import pathlib
import subprocess
import tempfile

import h5py
import numpy as np
from PIL import Image
from scipy.ndimage import binary_dilation

from measurement import record

LEAST_DISTANCE_UM = 200
MOST_SIDE_UM = 2000


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
    n = min(int(side[y, x]), round(MOST_SIDE_UM / mpp))
    scale = mpp / level0_mpp
    return [round((x - n + 1) * scale), round((y - n + 1) * scale), int(n * scale)], (n * mpp) ** 2 * 1e-6


def pen_picture(dicom, path):
    """Writes the stroke left of the tissue as a picture; mm² at 0.25 µm per pixel."""
    data = pathlib.Path(dicom).read_bytes()
    frames = data.split(b"\xff\xd8\xff")[1:]  # JPEG, 500 x 500, column by column
    stroke = Image.open(io.BytesIO(b"\xff\xd8\xff" + frames[0])).convert("RGB").crop((0, 230, 230, 500))
    stroke.save(path)
    return stroke.width * stroke.height * 0.25e-3 ** 2


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("glass", type=pathlib.Path)
    parser.add_argument("other", type=pathlib.Path)
    parser.add_argument("--pen", type=pathlib.Path)
    parser.add_argument("--model", nargs="+", default=["eunet3plus", "classical"])
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        result, roi = f"{folder}/out.h5", f"{folder}/glass.geojson"
        run(options, options.glass, result, "classical")
        (x, y, n), area = glass_square(result)
        ring = [[x, y], [x + n, y], [x + n, y + n], [x, y + n], [x, y]]
        pathlib.Path(roi).write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
        shown = [(options.glass, "glass", area, ["--roi", roi]), (options.other, "no animal", None, [])]
        if options.pen:
            pen = pathlib.Path(folder, "pen.png")
            shown.append((pen, "pen", pen_picture(options.pen, pen), ["--slide-mpp", "0.25"]))
        for model in options.model:
            for slide, what, mm2, more in shown:
                run(options, slide, result, model, *more)
                with h5py.File(result) as file:
                    found = file["nuclei/id"].shape[0]
                    mm2 = mm2 or float((file["tissue"][()] > 0).sum()) * float(file["tissue"].attrs["mpp"]) ** 2 * 1e-6
                rows.append({"model": model, "slide": slide.name, "what": what, "mm2": round(mm2, 4), "nuclei": found,
                             "per_mm2": round(found / mm2, 1)})
    record("false_nuclei", {"glass_square_level0_px": [x, y, n], "least_distance_um": LEAST_DISTANCE_UM, "rows": rows})


if __name__ == "__main__":
    main()
