#!/usr/bin/env python3
"""Makes tests/fixtures/nuclei/sample_*: labels of 2,000 nuclei of the sample slide and what HistomicsTK measures on them.

usage: histomicstk_golden.py PROGRAM BENCH SLIDE HISTOMICSTK OUT

PROGRAM finds the nuclei (classical); 2,000 of them, evenly drawn, are kept, none with a hole: it would be filled when it is
read again, unless another nucleus lies there. BENCH: features_slide_bench, which gives the
pixels. HISTOMICSTK: as for features_agreement.py. Densities come from the stain vectors that the program fits, which the
file holds, too: when the fit changes, so do they, and this is to be run again.
"""
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy as np
import tifffile
from scipy import ndimage

import other_tables

NUCLEI = 2000
DIGITS = np.uint32(0xFFFFFFC0)  # of single precision, about 1e-5: noise does not compress


def without_holes(labels):
    boxes = ndimage.find_objects(labels.astype(int))
    return np.array([i for i, box in enumerate(boxes, 1) if ndimage.binary_fill_holes(labels[box] == i).sum() == (labels[box] == i).sum()])


def main(program, bench, slide, folder, out):
    with tempfile.TemporaryDirectory() as temporary:
        result, colours = temporary + "/r.h5", temporary + "/rgb"
        subprocess.run([program, slide, "-o", result, "-q", "--model", "classical"], check=True)
        subprocess.run([bench, slide, result, colours], check=True, stdout=subprocess.DEVNULL)
        rgb = np.fromfile(colours, np.uint8)
        with h5py.File(result) as file:
            labels, stains = file["labels"][:], file["stain/matrix"][:]
    usable = without_holes(labels)
    chosen = usable[np.linspace(0, len(usable) - 1, NUCLEI).astype(int)]
    number = np.zeros(labels.max() + 1, np.uint16)
    number[chosen] = np.arange(1, NUCLEI + 1)
    labels = number[labels]
    nuclear, other = other_tables.densities(rgb.reshape(*labels.shape, 3), stains)
    table, _ = other_tables.histomicstk(folder, labels.astype(int), nuclear.astype(float), other.astype(float))
    assert (table["Label"] == np.arange(1, NUCLEI + 1)).all()
    names = list(other_tables.shared_with_histomicstk())
    columns = np.array([other_tables.their_column(table, name) for name in names], np.float32)
    values = (columns.view(np.uint32) & DIGITS).view(np.float32)
    out = pathlib.Path(out)
    tifffile.imwrite(out / "sample_labels.tif", labels, compression="zlib", predictor=True, rowsperstrip=256)
    np.savez_compressed(out / "sample_histomicstk.npz", names=names, values=values, stains=stains)
    print({f.name: f.stat().st_size for f in out.glob("sample_*")})


if __name__ == "__main__":
    main(*sys.argv[1:])
