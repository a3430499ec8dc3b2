#!/usr/bin/env python3
"""Foreground Dice, PQ and AJI of wsi-segment on folders of images with instance labels.

usage: accuracy.py PROGRAM DATA [--set key=value ...] [--split train] [--csv FILE]

DATA holds manifest.csv (dataset, stem, split, organ, width, height, mpp, nuclei) and per data set
images/<stem>.jpg and labels/<stem>.png (instance ids, 0 = background). Each image is run as a slide of its own
at the manifest's resolution; results are brought to native size and scored there, mean over images. An image
empty in both counts 1, in one of them 0.
"""
import argparse
import collections
import csv
import pathlib
import subprocess
import tempfile

import h5py
import numpy as np
import skimage.io

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
    """Labels of a result at level-0 size, nearest neighbour."""
    with h5py.File(result) as file:
        labels, step = file["labels"][:], file["labels"].attrs["downsample"]
    y = np.minimum(((np.arange(shape[0]) + 0.5) / step).astype(int), labels.shape[0] - 1)
    x = np.minimum(((np.arange(shape[1]) + 0.5) / step).astype(int), labels.shape[1] - 1)
    return labels[np.ix_(y, x)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--split", default="report", help="report: NuInsSeg val, all of the others")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--csv")
    options = parser.parse_args()
    rows = list(csv.DictReader(open(options.data / "manifest.csv")))
    table = collections.defaultdict(list)
    details = []
    for name, folder in SETS.items():
        wanted = [r for r in rows if r["dataset"] in (name, folder)]
        if options.split == "report":
            wanted = [r for r in wanted if name != "nuinsseg" or r["split"] == "val"]
        else:
            wanted = [r for r in wanted if name == "nuinsseg" and r["split"] == options.split]
        wanted = wanted[::options.every]
        if not wanted:
            continue
        with tempfile.TemporaryDirectory() as out:
            lines = ["slide,slide_mpp"]
            for row in wanted:
                image = (options.data / folder / "images" / (row["stem"] + ".jpg")).resolve()
                lines.append(f"{image},{float(row['mpp']) if row['mpp'] else 0.25}")
            listing = pathlib.Path(out) / "list.csv"
            listing.write_text("\n".join(lines) + "\n")
            subprocess.run([options.program, "batch", listing, "-o", out, "-q",
                            *[a for s in options.set for a in ("--set", s)]], check=False,
                           stderr=subprocess.DEVNULL)
            for row in wanted:
                truth = skimage.io.imread(options.data / folder / "labels" / (row["stem"] + ".png")).astype(np.int64)
                result = pathlib.Path(out) / (row["stem"] + ".h5")
                found = native_labels(result, truth.shape) if result.exists() else np.zeros_like(truth)
                s = scores(truth, found)
                table[name].append(s)
                details.append([name, row["organ"], row["stem"], *s, len(np.unique(truth)) - 1, len(np.unique(found)) - 1])
    print("| data | images | Dice | PQ | AJI |\n|---|---|---|---|---|")
    for name, values in table.items():
        dice, pq, aji = np.mean(values, axis=0)
        print(f"| {name} | {len(values)} | {dice:.3f} | {pq:.3f} | {aji:.3f} |")
    if options.csv:
        with open(options.csv, "w", newline="") as file:
            csv.writer(file).writerows(details)


if __name__ == "__main__":
    main()
