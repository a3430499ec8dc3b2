#!/usr/bin/env python3
"""Foreground Dice, PQ and AJI of wsi-segment on folders of images with instance labels.

usage: accuracy.py PROGRAM DATA [--reference] [--set key=value ...] [--split train] [--csv FILE]

DATA holds manifest.csv (dataset, stem, split, organ, width, height, mpp, nuclei) and per data set
images/<stem>.jpg and labels/<stem>.png (instance ids, 0 = background). Each image is run as a slide of its own
at the manifest's resolution; outlines are drawn at native size and scored there, mean over images. An image
empty in both counts 1, in one of them 0. --reference adds three columns: classical_reference.py on the same images.
"""
import argparse
import csv
import pathlib
import subprocess
import tempfile

import h5py
import numpy as np
import skimage.draw
import skimage.io

import classical_reference

SETS = {"nuinsseg": "nuinsseg", "consep": "consep_train", "monuseg": "monuseg_train"}


def contingency(truth, found):
    """Sizes of every id and of every overlapping pair; ids made contiguous first."""
    truth = np.unique(truth, return_inverse=True)[1].reshape(truth.shape) if truth.min() == 0 else \
        np.unique(np.concatenate([[0], truth.ravel()]), return_inverse=True)[1][1:].reshape(truth.shape)
    found = np.unique(np.concatenate([[0], found.ravel()]), return_inverse=True)[1][1:].reshape(found.shape)
    pairs, counts = np.unique(truth.ravel().astype(np.int64) << 32 | found.ravel(), return_counts=True)
    return np.bincount(truth.ravel()), np.bincount(found.ravel()), pairs >> 32, pairs & 0xFFFFFFFF, counts


def scores(truth, found):
    """(Dice, PQ, AJI) of one image."""
    if not truth.any() or not found.any():
        equal = float(truth.any() == found.any())
        return equal, equal, equal
    size_t, size_f, t, f, n = contingency(truth, found)
    inside = n[(t > 0) & (f > 0)].sum()
    dice = 2 * inside / (size_t[1:].sum() + size_f[1:].sum())
    keep = (t > 0) & (f > 0)
    t, f, n = t[keep], f[keep], n[keep]
    union = size_t[t] + size_f[f] - n
    iou = n / union
    matched = iou > 0.5
    pq = iou[matched].sum() / (matched.sum() + 0.5 * (len(size_t) - 1 - matched.sum())
                               + 0.5 * (len(size_f) - 1 - matched.sum()))
    order = np.lexsort((-iou, t))
    first = order[np.unique(t[order], return_index=True)[1]]
    lonely_t = np.setdiff1d(np.arange(1, len(size_t)), t[first])
    unused_f = np.setdiff1d(np.arange(1, len(size_f)), f[first])
    aji = n[first].sum() / (union[first].sum() + size_t[lonely_t].sum() + size_f[unused_f].sum())
    return dice, pq, aji


def native_labels(result, shape):
    """A result's outlines drawn on level-0 pixels: a pixel belongs to whose outline its centre is inside."""
    labels = np.zeros(shape, np.int64)
    with h5py.File(result) as file:
        points, offsets = file["contours/points"], file["contours/offsets"][:]
        rings = points[:] * points.attrs["scale"] - 0.5  # pixel centres at whole numbers, as skimage has them
    for i in range(len(offsets) - 1):
        x, y = rings[offsets[i]:offsets[i + 1]].T
        inside = skimage.draw.polygon(y, x, shape)
        labels[inside] = np.where(labels[inside] == 0, i + 1, labels[inside])
    return labels


def chosen(data, split, every):
    """Rows of the manifest by data set; report: NuInsSeg's validation split, all of the others."""
    with open(data / "manifest.csv") as file:
        rows = list(csv.DictReader(file))
    for name, folder in SETS.items():
        wanted = [r for r in rows if r["dataset"] in (name, folder)]
        if split == "report":
            wanted = [r for r in wanted if name != "nuinsseg" or r["split"] == "val"]
        else:
            wanted = [r for r in wanted if name == "nuinsseg" and r["split"] == split]
        if wanted[::every]:
            yield name, data / folder, wanted[::every]


def image_path(folder, row):
    return (folder / "images" / (row["stem"] + ".jpg")).resolve()


def mpp_of(row):
    return float(row["mpp"]) if row["mpp"] else 0.25


def run_program(options, folder, rows, out):
    """Results of the program, one .h5 per image; an image that failed has none."""
    listing = pathlib.Path(out) / "list.csv"
    listing.write_text("\n".join(["slide,slide_mpp"] + [f"{image_path(folder, r)},{mpp_of(r)}" for r in rows]) + "\n")
    settings = [a for s in ["model.name=classical", *options.set] for a in ("--set", s)]
    subprocess.run([options.program, "batch", listing, "-o", out, "-q", *settings], check=False, stderr=subprocess.DEVNULL)


def score_set(options, name, folder, rows):
    """One line per image: its names, three scores per column, nuclei in truth and per column."""
    with tempfile.TemporaryDirectory() as out:
        run_program(options, folder, rows, out)
        for row in rows:
            truth = skimage.io.imread(folder / "labels" / (row["stem"] + ".png")).astype(np.int64)
            result = pathlib.Path(out) / (row["stem"] + ".h5")
            columns = [native_labels(result, truth.shape) if result.exists() else np.zeros_like(truth)]
            if options.reference:
                columns.append(classical_reference.segment(skimage.io.imread(image_path(folder, row))[..., :3], mpp_of(row)))
            yield ([name, row["organ"], row["stem"]], np.concatenate([scores(truth, found) for found in columns]),
                   [len(np.unique(ids[ids > 0])) for ids in (truth, *columns)])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--split", default="report", help="report: NuInsSeg val, all of the others")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--csv")
    parser.add_argument("--reference", action="store_true", help="score classical_reference.py beside the program")
    options = parser.parse_args()
    columns = 2 if options.reference else 1
    print("| data | images |" + " Dice | PQ | AJI |" * columns)
    print("|---|---|" + "---|---|---|" * columns)
    details = []
    for name, folder, rows in chosen(options.data, options.split, options.every):
        lines = list(score_set(options, name, folder, rows))
        means = np.mean([line[1] for line in lines], axis=0)
        print(f"| {name} | {len(lines)} | " + " | ".join(f"{m:.3f}" for m in means) + " |", flush=True)
        details += [[*names, *values, *counts] for names, values, counts in lines]
    if options.csv:
        with open(options.csv, "w", newline="") as file:
            csv.writer(file).writerows(details)


if __name__ == "__main__":
    main()
