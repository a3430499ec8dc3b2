#!/usr/bin/env python3
"""How long `evaluate` takes for 1,000 images of 512 px with predictions made elsewhere. Writes docs/measurements/evaluate.json.

usage: evaluate_speed.py WSI_SEGMENT [--images 1000] [--record]

Pairs of 16-bit label pictures with some 100 nuclei each, the predictions moved, resized, lost and invented, beside pictures (PNG) of
noise, which cost more to read than tissue. All metrics, per image and pooled, with bootstrap intervals; reading included.
"""
import argparse
import pathlib
import re
import subprocess
import tempfile
import time

import numpy as np
from PIL import Image

from measurement import record

SIDE = 512


def disc(labels, x, y, r, number):
    x0, x1, y0, y1 = max(0, x - r), min(SIDE, x + r + 1), max(0, y - r), min(SIDE, y + r + 1)
    if x0 >= x1 or y0 >= y1:
        return
    rows, columns = np.mgrid[y0:y1, x0:x1]
    labels[y0:y1, x0:x1][(rows - y) ** 2 + (columns - x) ** 2 <= r * r] = number


def pair(random):
    truth, found = np.zeros((SIDE, SIDE), np.uint16), np.zeros((SIDE, SIDE), np.uint16)
    for number in range(1, 101):
        x, y, r = (int(v) for v in (random.integers(SIDE), random.integers(SIDE), random.integers(6, 14)))
        disc(truth, x, y, r, number)
        if random.random() < 0.85:
            dx, dy, dr = (int(v) for v in random.integers(-2, 3, 3))
            disc(found, x + dx, y + dy, r + dr, number)
        if random.random() < 0.15:
            disc(found, int(random.integers(SIDE)), int(random.integers(SIDE)), r, 1000 + number)
    return truth, found


def write_set(folder, images):
    for name in ("set/images", "set/labels", "found"):
        (folder / name).mkdir(parents=True)
    random = np.random.default_rng(3)
    rgb = random.integers(150, 240, (SIDE, SIDE, 3), dtype=np.uint8)
    for i in range(images):
        truth, found = pair(random)
        Image.fromarray(np.roll(rgb, i, 0)).save(folder / f"set/images/{i:04}.png", compress_level=1)
        Image.fromarray(truth).save(folder / f"set/labels/{i:04}.png")
        Image.fromarray(found).save(folder / f"found/{i:04}.png")


def children_cpu_s():
    import resource
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--record", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_set(folder, given.images)
        load = float(pathlib.Path("/proc/loadavg").read_text().split()[0])
        wall, cpu = time.perf_counter(), children_cpu_s()
        subprocess.run([given.program, "evaluate", "--data", folder / "set", "--predictions", folder / "found", "--slide-mpp", "0.25", "-q",
                        "-o", folder / "report.csv", "--threads", "2"], check=True)
        wall, cpu = time.perf_counter() - wall, children_cpu_s() - cpu
        pooled = re.search(r"all,pooled,predictions,(.*)", (folder / "report.csv").read_text()).group(1).split(",")
    values = {"command": "evaluate_speed.py wsi-segment", "images": given.images, "side_px": SIDE, "threads": 2, "load_average": load,
              "true_nuclei": int(pooled[6]), "wall_s": round(wall, 1), "cpu_s": round(cpu, 1)}
    record("evaluate", values) if given.record else print(values)
    return 0 if wall <= 30 * given.images / 1000 else 1


if __name__ == "__main__":
    raise SystemExit(main())
