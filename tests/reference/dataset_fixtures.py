#!/usr/bin/env python3
"""Tiny data sets in the layouts in which CoNSeP, PanNuke, TNBC, DSB 2018 and MoNuSeg are distributed, for
tests/io/datasets_test.cpp: 12 x 10 pixels, one square nucleus of id 1 and a taller one of id 5.

usage: dataset_fixtures.py tests/io/fixtures
"""
import pathlib
import struct
import sys
import zipfile

import numpy as np
import scipy.io
from PIL import Image

RGB = np.arange(10 * 12 * 3, dtype=np.uint32).reshape(10, 12, 3).astype(np.uint8)
IDS = np.zeros((10, 12), np.uint16)
IDS[1:4, 1:4] = 1
IDS[2:7, 6:10] = 5
CLASSES = np.where(IDS == 1, 2, np.where(IDS == 5, 4, 0))


def save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


def with_alpha(rgb):
    return np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])


def consep(root):
    for part, stem, compressed, kind in (("Train", "train_1", True, np.float64), ("Test", "test_1", False, np.int32)):
        save(root / part / "Images" / f"{stem}.png", RGB)
        (root / part / "Labels").mkdir(parents=True, exist_ok=True)
        scipy.io.savemat(root / part / "Labels" / f"{stem}.mat",
                         {"inst_type": np.array([[2.0], [4.0]]), "inst_map": IDS.astype(kind),
                          "type_map": CLASSES.astype(kind), "inst_centroid": np.array([[2.0, 2], [7.5, 4]])},
                         do_compression=compressed)


def pannuke(root):
    images, masks = root / "Fold 1/images/fold1", root / "Fold 1/masks/fold1"
    images.mkdir(parents=True, exist_ok=True)
    masks.mkdir(parents=True, exist_ok=True)
    channels = np.zeros((2, 10, 12, 6))
    channels[1, ..., 1] = np.where(IDS == 1, 3, 0)
    channels[1, ..., 3] = np.where(IDS == 5, 3, 0)  # the same id in another channel is another nucleus
    channels[..., 5] = channels[..., :5].sum(axis=-1) == 0
    np.save(images / "images.npy", np.stack([RGB, RGB]).astype(np.float64))
    np.save(images / "types.npy", np.array(["Breast", "Bile-duct"]))
    np.save(masks / "masks.npy", channels)


def tnbc(root):
    save(root / "Slide_01" / "01_1.png", with_alpha(RGB))
    save(root / "GT_01" / "01_1.png", np.where(IDS > 0, 255, 0).astype(np.uint8))


def dsb(root):
    name = "00ae65c1"
    save(root / name / "images" / f"{name}.png", with_alpha(RGB))
    for i in (1, 5):
        save(root / name / "masks" / f"nucleus{i}.png", np.where(IDS == i, 255, 0).astype(np.uint8))


def aperio_xml(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    squares = [(1.5, 1.5, 4.5, 4.5), (6.5, 2.5, 10.5, 7.5)]  # on MATLAB's grid: pixel centres from 1
    regions = "".join(
        f'<Region Id="{i}" Type="0" Text=""><Attributes/><Vertices>' +
        "".join(f'<Vertex X="{x}" Y="{y}" Z="0"/>' for x, y in ((a, b), (c, b), (c, d), (a, d))) +
        "</Vertices></Region>\n" for i, (a, b, c, d) in enumerate(squares, 1))
    path.write_text('<?xml version="1.0"?>\n<Annotations MicronsPerPixel="0.252500">\n<Annotation Id="1"><Regions>'
                    f'<RegionAttributeHeaders/>\n{regions}</Regions></Annotation>\n</Annotations>\n')


def monuseg(root):
    train, test = root / "MoNuSeg 2018 Training Data", root / "MoNuSegTestData"
    save(train / "Tissue Images" / "TCGA-A7-A13E-01Z-00-DX1.tif", RGB, compression="tiff_lzw")
    aperio_xml(train / "Annotations" / "TCGA-A7-A13E-01Z-00-DX1.xml")
    save(test / "TCGA-2Z-A9J9-01A-01-TS1.tif", RGB, compression="packbits")
    aperio_xml(test / "TCGA-2Z-A9J9-01A-01-TS1.xml")


def roi(points, exact):
    """An ImageJ polygon: whole numbers relative to the box, or exact coordinates behind them (option 128)."""
    left, top = int(min(x for x, _ in points)), int(min(y for _, y in points))
    right, bottom = int(max(x for x, _ in points)), int(max(y for _, y in points))
    header = struct.pack(">4shBBhhhhH", b"Iout", 227, 7, 0, top, left, bottom, right, len(points)).ljust(64, b"\0")
    header = header[:50] + struct.pack(">h", 128 if exact else 0) + header[52:]
    whole = [int(x) - left for x, _ in points] + [int(y) - top for _, y in points]
    body = struct.pack(f">{len(whole)}h", *whole)
    if exact:
        body += struct.pack(f">{len(whole)}f", *[x for x, _ in points], *[y for _, y in points])
    return header + body


def outline_zip(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("b.roi", roi([(6.5, 6.5), (12.5, 6.5), (12.5, 12.5), (6.5, 12.5)], True))
        archive.writestr("a.roi", roi([(3, 3), (9, 3), (9, 9), (3, 9)], False))


if __name__ == "__main__":
    out = pathlib.Path(sys.argv[1])
    for make in (consep, pannuke, tnbc, dsb, monuseg):
        make(out / make.__name__)
    outline_zip(out / "outline.zip")
