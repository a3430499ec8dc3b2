#!/usr/bin/env python3
"""Macenko's normalisation of an 8-bit RGB image: CPU time against torchstain's numpy back end, one thread each.

usage: macenko_speed.py STAIN_BENCH SLIDE-OR-IMAGE [--x 0] [--y 0] [--side 2048] [--record]      (needs: pip install torchstain)

Two comparisons: the application of a fit that is there already, which is what a slide's tiles cost, and fit plus application
(torchstain's normalize()). Reads with tifffile or imageio; the two programs run one after the other on the same pixels; CPU
time of the thread, least of three on both sides. Both outputs are compared: a faster one that does something else would be no
comparison.
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

import imageio.v3 as iio
import numpy as np
from torchstain.numpy.normalizers import NumpyMacenkoNormalizer

from measurement import record

WHITE, BETA, ALPHA = 240, 0.15, 1


def least_cpu(function, repeats=3):
    times = []
    for _ in range(repeats):
        start = time.thread_time()
        result = function()
        times.append(time.thread_time() - start)
    return min(times), result


class Applied(NumpyMacenkoNormalizer):
    """torchstain's normalize() cut in two: its own private steps, with the fit kept from one call to the next."""

    def learn(self, image):
        self.stains, _, self.most = self._NumpyMacenkoNormalizer__compute_matrices(image.reshape(-1, 3), WHITE, ALPHA, BETA)

    def apply(self, image):
        density = -np.log((image.reshape(-1, 3).astype(float) + 1) / WHITE)
        amounts = self._NumpyMacenkoNormalizer__find_concentration(density, self.stains)
        amounts = np.divide(amounts, np.divide(self.most, self.maxCRef)[:, np.newaxis])
        out = np.multiply(WHITE, np.exp(-self.HERef.dot(amounts)))
        out[out > 255] = 255
        return np.reshape(out.T, image.shape).astype(np.uint8)


def ours(program, image):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "in.ppm").write_bytes(b"P6 %d %d 255\n" % image.shape[1::-1] + image.tobytes())
        said = subprocess.run([program, folder / "in.ppm", folder / "out.ppm", "3"], check=True, capture_output=True,
                              text=True).stdout
        out = np.frombuffer((folder / "out.ppm").read_bytes()[-image.size:], np.uint8).reshape(image.shape)
    fit, transfer, fitted = re.search(r"fit ([\d.]+) s, transfer ([\d.]+) s, .*fitted (\d)", said).groups()
    if fitted != "1":
        raise SystemExit("no stains found on this image")
    stains = np.array([[float(v) for v in line.split()] for line in said.splitlines()[:2]])
    return float(fit), float(transfer), stains[:, :3].T, stains[:, 3], out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("image")
    parser.add_argument("--x", type=int, default=0)
    parser.add_argument("--y", type=int, default=0)
    parser.add_argument("--side", type=int, default=2048)
    parser.add_argument("--record", action="store_true", help="write docs/measurements")
    options = parser.parse_args()
    image = iio.imread(options.image)[options.y:options.y + options.side, options.x:options.x + options.side, :3]
    image = np.ascontiguousarray(image)
    fit, transfer, stains, most, out = ours(options.program, image)
    normaliser = Applied()
    whole_time, whole = least_cpu(lambda: normaliser.normalize(image, stains=False)[0])
    normaliser.learn(image)
    apply_time, applied = least_cpu(lambda: normaliser.apply(image))
    if not np.array_equal(whole, applied):
        raise SystemExit("torchstain's normalize() is no longer what this script takes apart")
    # The fits differ by definition: torchstain takes the 99th percentile over all pixels, ours over stained ones. The transfers
    # are compared with the same fit.
    normaliser.stains, normaliser.most = stains, most
    difference = np.abs(out.astype(int) - normaliser.apply(image))
    result = {"command": f"macenko_speed.py stain_bench {pathlib.Path(options.image).name} --side {options.side}",
              "pixels": image.shape[0] * image.shape[1], "apply_s": transfer, "apply_s_torchstain": round(apply_time, 4),
              "apply_ratio": round(apply_time / transfer, 1), "whole_s": round(fit + transfer, 4),
              "whole_s_torchstain": round(whole_time, 4), "whole_ratio": round(whole_time / (fit + transfer), 1),
              "grey_levels_apart_mean": round(float(difference.mean()), 3), "grey_levels_apart_most": int(difference.max())}
    if options.record:
        record("macenko", result)
    else:
        print(json.dumps(result, indent=2))
    return 0 if result["apply_ratio"] >= 10 else 1


if __name__ == "__main__":
    raise SystemExit(main())
