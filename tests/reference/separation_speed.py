#!/usr/bin/env python3
"""Separation of touching nuclei: CPU time against the equivalent scikit-image chain on the same maps, one thread each.

usage: separation_speed.py SEPARATE_BENCH RESULT.h5 [--side 2048] [--record]

RESULT.h5 was made with --keep-maps. The chain does what docs/separation.md defines with what scikit-image offers: threshold,
small holes filled, Gaussian on the distance map, h-maxima, watershed, small labels dropped, holes in labels filled. The two
programs run one after the other on the upper left SIDE x SIDE pixels; CPU time of the thread, least of three on both sides.
How well they agree is printed as well: a chain that does something else would be no comparison.
"""
import os

os.environ.update(dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"], "1"))
import argparse
import json
import pathlib
import re
import subprocess
import tempfile
import time

import h5py
import numpy as np
import scipy.ndimage
import skimage.filters
import skimage.measure
import skimage.morphology
import skimage.segmentation

from measurement import record

THRESHOLD, SMOOTHING_UM, H, MIN_AREA_UM2, HOLE_UM2 = 0.5, 0.5, 0.08, 16, 15  # the defaults of separate.*


def remove_below(function, image, size):
    """remove_small_* keep what has `size` pixels or more; the name of the argument changed in scikit-image 0.26."""
    try:
        return function(image, max_size=size - 1)
    except TypeError:
        return function(image, size)


def scikit_image_chain(probability, distance, mpp):
    mask = remove_below(skimage.morphology.remove_small_holes, probability >= round(255 * THRESHOLD),
                        round(HOLE_UM2 / mpp**2) + 1)
    height = skimage.filters.gaussian(distance.astype(np.float32), SMOOTHING_UM / mpp, truncate=2, preserve_range=True)
    # h-maxima by reconstruction, as skimage.morphology.h_maxima does it, and without its integer rounding.
    height = np.where(mask, height + 1, 0).astype(np.float32)
    rebuilt = skimage.morphology.reconstruction(np.maximum(height - 255 * H, 0), height)
    markers = skimage.measure.label((height - rebuilt >= 255 * H - 1e-3) & mask, connectivity=2)
    labels = skimage.segmentation.watershed(-height, markers, connectivity=2, mask=mask)
    labels = remove_below(skimage.morphology.remove_small_objects, labels, round(MIN_AREA_UM2 / mpp**2))
    for label, box in enumerate(scipy.ndimage.find_objects(labels), 1):
        if box is not None:
            piece = labels[box]
            piece[scipy.ndimage.binary_fill_holes(piece == label) & (piece == 0)] = label
    return labels


def least_cpu(function, repeats=3):
    times = []
    for _ in range(repeats):
        start = time.thread_time()
        result = function()
        times.append(time.thread_time() - start)
    return min(times), result


def ours(program, probability, distance, mpp):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name, image in (("p", probability), ("d", distance)):
            (folder / f"{name}.pgm").write_bytes(b"P5 %d %d 255\n" % image.shape[::-1] + image.tobytes())
        said = subprocess.run([program, folder / "p.pgm", folder / "d.pgm", repr(mpp), folder / "labels", "3"],
                              check=True, capture_output=True, text=True).stdout
        labels = np.fromfile(folder / "labels", np.uint32).reshape(probability.shape)
    return float(re.match(r"([\d.]+) s", said).group(1)), labels


def agreement(a, b):
    """Share of the objects of `a` that overlap one of `b` by more than half of both together."""
    pairs, shared = np.unique(np.stack([a[(a > 0) & (b > 0)], b[(a > 0) & (b > 0)]]), axis=1, return_counts=True)
    size_a, size_b = np.bincount(a.ravel()), np.bincount(b.ravel())
    union = size_a[pairs[0]] + size_b[pairs[1]] - shared
    return int((2 * shared > union).sum()) / np.count_nonzero(size_a[1:])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("result")
    parser.add_argument("--side", type=int, default=2048)
    parser.add_argument("--record", action="store_true", help="write docs/measurements")
    options = parser.parse_args()
    with h5py.File(options.result) as file:
        part = np.s_[:options.side, :options.side]
        probability, distance = file["probability"][part], file["distance"][part]
        mpp = float(file["labels"].attrs["mpp_x"]) if "mpp_x" in file["labels"].attrs else 0.5
    our_time, our_labels = ours(options.program, probability, distance, mpp)
    their_time, their_labels = least_cpu(lambda: scikit_image_chain(probability, distance, mpp))
    out = {"command": f"separation_speed.py separate_bench {pathlib.Path(options.result).name} --side {options.side}",
           "pixels": probability.size, "nuclei": len(np.unique(our_labels)) - 1,
           "nuclei_scikit_image": len(np.unique(their_labels)) - 1,
           "agreement": round(agreement(our_labels, their_labels.astype(np.uint32)), 4),
           "cpu_s": our_time, "cpu_s_scikit_image": round(their_time, 3), "ratio": round(their_time / our_time, 1)}
    if options.record:
        record("separation", out)
    else:
        print(json.dumps(out, indent=2))
    return 0 if out["ratio"] >= 10 else 1


if __name__ == "__main__":
    raise SystemExit(main())
