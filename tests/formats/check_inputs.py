#!/usr/bin/env python3
"""What goes in: DICOM folders and files, formats refused by name, flat images too large for memory, masks.

usage: check_inputs.py PROGRAM SLIDE   (the sample slide)
"""
import contextlib
import csv
import os
import pathlib
import pty
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

import h5py
import numpy as np

from slide_files import painted_tissue, write_czi, write_dicom, write_image, write_png

PROGRAM, SLIDE = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
WIDTH, HEIGHT = 2220, 2967  # of the sample slide
FAST = ["--model", "classical", "-q"]
MIB = 1 << 20
PLANTED = 18 * 22  # nuclei of painted_tissue()


def run(*args, cwd, file_limit=None, **environment):
    """The finished program; args[0] may be a command. file_limit: bytes that no file may grow beyond."""
    def setup():
        if file_limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, resource.RLIM_INFINITY))
    fast = [] if args[0] == "info" else FAST
    return subprocess.run([PROGRAM, *map(str, args), *fast], cwd=cwd, capture_output=True, text=True, preexec_fn=setup,
                          timeout=300, env={**os.environ, **environment})


def refused(out, done, code, line):
    """One line, this one; and of the result x.h5 no file and no folder is left."""
    assert done.returncode == code, (done.returncode, done.stderr)
    assert done.stderr == f"wsi-segment: {line}\n", done.stderr
    left = [p.name for p in out.iterdir() if p.name.startswith("x.h5")]
    assert not left, left


def columns(path):
    with h5py.File(path) as file:
        return {name: file["nuclei"][name][:] for name in file["nuclei"] if name != "uuid"}


def check_dicom(out):
    """A folder and each of its files are one slide, with the result that the same pixels have in a PNG."""
    image = painted_tissue()
    folder = out / "dicom"
    folder.mkdir()
    write_dicom(folder / "level0.dcm", image, 0.5, series=2, instance=1)
    write_dicom(folder / "level1.dcm", image[::2, ::2], 1, series=2, instance=2, kind="DERIVED\\PRIMARY\\VOLUME\\RESAMPLED")
    write_dicom(folder / "a_label.dcm", image[:100, :200], 1, series=2, instance=3, kind="ORIGINAL\\PRIMARY\\LABEL\\NONE")
    write_image(out / "flat.png", image)
    for slide in ("dicom", "dicom/level0.dcm", "dicom/level1.dcm", "flat.png"):
        done = run(slide, "-o", "r.h5", "--restart", *(["--slide-mpp", "0.5"] if slide == "flat.png" else []), cwd=out)
        assert (done.returncode, done.stderr) == (0, ""), (slide, done.stderr)
        with h5py.File(out / "r.h5") as file:
            said = [file["slide"].attrs[name] for name in ("vendor", "width_px", "height_px", "mpp_x")]
        assert said == ["flat-png" if slide == "flat.png" else "dicom", 1200, 1000, 0.5], said
        table = columns(out / "r.h5")
        first = table if slide == "dicom" else first
        assert len(table["id"]) == PLANTED and table.keys() == first.keys()
        for name in table:
            assert np.array_equal(table[name], first[name], equal_nan=True), (slide, name)
    refused_dicom(out, folder, image)


def batch_of_dicom(out):
    """Each series is one slide, named by the first of its files, wherever else files lie."""
    shutil.copytree(out / "dicom", out / "slides/a")
    (out / "slides/b").mkdir()
    (out / "slides/a/level1.dcm").rename(out / "slides/b/again.dcm")  # of the same series, but in another folder
    (out / "slides/b/text.dcm").write_text("no DICOM")
    done = run("batch", "slides", "-o", "results", cwd=out)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "slides/b/text.dcm: not a slide" in done.stderr, done.stderr
    rows = list(csv.DictReader(open(out / "results/summary.csv")))
    assert [(r["slide"], r["status"], int(r["nuclei"])) for r in rows] == [
        ("a/a_label.dcm", "complete", PLANTED), ("a/other.dcm", "complete", PLANTED), ("b/again.dcm", "complete", PLANTED),
        ("b/text.dcm", "failed", 0)], rows


def refused_dicom(out, folder, image):
    write_dicom(folder / "other.dcm", image, 0.5, series=3, instance=1)
    refused(out, run("dicom", "-o", "x.h5", cwd=out), 3, "dicom: a folder with more than one DICOM slide (a_label.dcm and other.dcm are "
            "of two); name a file of one of them, or use `wsi-segment batch` for all")
    assert run("dicom/other.dcm", "-o", "r.h5", "--restart", cwd=out).returncode == 0
    batch_of_dicom(out)
    (out / "none").mkdir()
    shutil.copy(SLIDE, out / "none" / "slide.svs")
    refused(out, run("none", "-o", "x.h5", cwd=out), 3, "none: a folder without a DICOM slide; name one slide, or use `wsi-segment batch` "
            "for a folder of slides")


def check_refused_formats(out):
    """By name, with what converts them; a CZI that is not JPEG XR is not told so."""
    converts = "convert it to OME-TIFF with bioformats2raw and raw2ometiff --rgb"
    (out / "a.vsi").write_bytes(b"II*\0" + bytes(100))
    (out / "a.iSyntax").write_bytes(b"<?xml version='1.0'?><DataObject ObjectType='DPUfsImport'>")
    write_czi(out / "a.czi", compression=4)
    refused(out, run("a.vsi", "-o", "x.h5", cwd=out), 3, f"a.vsi: Olympus VSI cannot be read; {converts}")
    refused(out, run("a.iSyntax", "-o", "x.h5", cwd=out), 3,
            "a.iSyntax: Philips iSyntax cannot be read; convert it to TIFF with Philips' own export")
    refused(out, run("a.czi", "-o", "x.h5", cwd=out), 3, f"a.czi: Zeiss CZI compressed with JPEG XR cannot be read; {converts}")
    write_czi(out / "b.czi", compression=0)
    assert "JPEG XR" not in run("b.czi", "-o", "y.h5", cwd=out).stderr


def large_rows(tile, width, height):
    """Tissue in the middle of glass."""
    glass, margin = b"\xff" * (3 * width), (width - tile.shape[1]) // 2
    for y in range(height):
        row = tile[y - 4000] if 4000 <= y < 4000 + len(tile) else None
        yield glass if row is None else b"\xff" * (3 * margin) + row.tobytes() + b"\xff" * (3 * (width - margin - len(row)))


def on_terminal(*args, cwd, stop_at=None):
    """Exit code and what a run shows on a terminal; it is interrupted once it shows `stop_at`."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([PROGRAM, *args], cwd=cwd, stderr=theirs) as process:
        os.close(theirs)
        text = ""
        with contextlib.suppress(OSError):  # the other end is closed
            while piece := os.read(ours, 4096):
                text += piece.decode()
                if stop_at and stop_at in text:
                    process.send_signal(signal.SIGINT)
                    stop_at = None
    os.close(ours)
    return process.returncode, text


def check_large_image(out):
    """More pixels than are held in memory: the same nuclei as in the small image, and what a scratch folder can do."""
    tile, width, height = painted_tissue(), 10000, 9000  # 258 MiB
    write_png(out / "large.png", large_rows(tile, width, height), width, height)
    write_image(out / "small.png", np.pad(tile, ((400, 400), (400, 400), (0, 0)), constant_values=255))
    slide = ("large.png", "--slide-mpp", "0.5")
    done = run("small.png", *slide[1:], "-o", "small.h5", cwd=out)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    code, shown = on_terminal(*slide, "-o", "large.h5", "--model", "classical", cwd=out)
    assert code == 0 and "large.png: unpack " in shown, shown
    assert len(columns(out / "large.h5")["id"]) == len(columns(out / "small.h5")["id"]) == PLANTED
    assert not (out / "large.h5.parts").exists()
    code, shown = on_terminal(*slide, "-o", "x.h5", "--model", "classical", cwd=out, stop_at=": unpack ")
    assert code == 130 and "interrupted; run the same command again" in shown and not list(out.glob("x.h5*")), shown
    never_unpacked(out, slide, width, height)
    full = run(*slide, "-o", "x.h5", cwd=out, file_limit=100 * MIB)
    assert full.returncode == 4 and full.stderr == (
        "wsi-segment: cannot write a scratch file in x.h5.parts for the 257 MiB of pixels of large.png: File too large; free disk space "
        "there, or choose another folder: that of the result, or TMPDIR for commands without one\n"), full.stderr
    assert not list(out.glob("x.h5*"))
    (out / "file").write_text("")
    for folder, said in (("absent", "there is no folder for temporary files: "), ("file", "there is no folder for temporary files: ")):
        done = run("info", *slide, cwd=out, TMPDIR=str(out / folder))
        assert done.returncode == 4 and said in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr


def never_unpacked(out, slide, width, height):
    """What is refused or done already is told before a large image goes to disk: here no file could grow."""
    done = run(*slide, "-o", "large.h5", cwd=out, file_limit=1000)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr  # complete
    write_png(out / "dark.png", (bytes((0, 0, 9 * (y % 20 == 0))) * width for y in range(height)), width, height)
    write_png(out / "grey.png", (bytes((y % 200,)) * 3 * width for y in range(height)), width, height)
    for name, options, said in (
            ("dark.png", slide[1:], "the ground is black: a fluorescence slide; "), ("grey.png", slide[1:], "greyscale (one band); "),
            ("large.png", ("--slide-mpp", "5"), "is too coarse to see nuclei; "), ("large.png", (), "--slide-mpp")):
        done = run(name, *options, "-o", "x.h5", cwd=out, file_limit=1000)
        assert said in done.stderr, (name, options, done.stderr)
        refused(out, done, 3, done.stderr.removeprefix("wsi-segment: ").rstrip())


def write_masks(out):
    """half.png: the left half, and nothing else; the others are of no use."""
    half = np.random.default_rng(1).integers(0, 100, (297, 222), np.uint8)  # dark, and hard to compress
    half[:, :111] = 255
    write_image(out / "half.png", half)
    write_image(out / "all.png", np.full((100, 75), 255, np.uint8))  # off by what rounding explains
    write_image(out / "wide.png", np.full((222, 297), 255, np.uint8))
    write_image(out / "black.png", np.full((297, 222), 1, np.uint8))
    (out / "empty.png").write_bytes(b"")
    (out / "text.png").write_text("no image")
    (out / "cut.png").write_bytes((out / "half.png").read_bytes()[:-200])


def check_mask(out):
    """Nuclei only where the mask is white, all of them; a mask that cannot be meant is refused before anything is written."""
    write_masks(out)
    for name in ("half", "all"):
        done = run(SLIDE, "--mask", f"{name}.png", "-o", f"{name}.h5", cwd=out)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
    half, whole = columns(out / "half.h5"), columns(out / "all.h5")
    cell = 8 / 0.499
    inside = whole["centroid_x_px"] < WIDTH / 2
    assert half["centroid_x_px"].max() <= WIDTH / 2 + cell and half["centroid_x_px"].max() > WIDTH / 2 - 4 * cell
    assert inside.sum() > 1000 and (~inside).sum() > 1000 and abs(len(half["id"]) / inside.sum() - 1) < 0.1
    no = (SLIDE, "-o", "x.h5", "--mask")
    refused(out, run(*no, "wide.png", cwd=out), 1, f"the mask wide.png of 297 x 222 pixels has another shape than {SLIDE} of {WIDTH} x {HEIGHT}: "
            "it is stretched over the whole slide and must have its ratio of sides, within 1 %; is it of another slide, or of a part of this one?")
    refused(out, run(*no, "black.png", cwd=out), 1, f"the mask black.png selects nothing of {SLIDE}: no pixel is brighter than 127 of 255; "
            "paint what is to be looked at white")
    refused(out, run(*no, "absent.png", cwd=out), 1, "the mask absent.png: no such file")
    for name in ("empty.png", "text.png", "cut.png"):
        done = run(*no, name, cwd=out)
        assert done.stderr.count("\n") == 1, done.stderr
        refused(out, done, 1, done.stderr.strip().removeprefix("wsi-segment: "))
        assert f"cannot read the mask {name}: " in done.stderr, done.stderr


def check_mask_dir(out):
    """Of several slides each has its own mask, by its place or its name; one without a mask fails alone."""
    (out / "slides/a").mkdir(parents=True)
    (out / "masks/a").mkdir(parents=True)
    for name in ("a/one.svs", "two.svs", "three.svs"):
        shutil.copy(SLIDE, out / "slides" / name)
    left = np.zeros((297, 222), np.uint8)
    left[:, :111] = 255
    write_image(out / "masks/a/one.png", left)
    write_image(out / "masks/one.png", 255 - left)  # of no slide: a/one.png is nearer
    write_image(out / "masks/two.png", 255 - left)
    args = ("batch", "slides", "-o", "results", "--mask-dir")
    done = run(*args, "masks", cwd=out)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.endswith("no mask for slides/three.svs in --mask-dir: expected masks/three.png; paint one, or run this slide apart\n"), done.stderr
    rows = {r["slide"]: r["status"] for r in csv.DictReader(open(out / "results/summary.csv"))}
    assert list(rows.values()) == ["complete", "failed", "complete"], rows
    assert columns(out / "results/a/one.h5")["centroid_x_px"].max() < WIDTH / 2 + 20
    assert columns(out / "results/two.h5")["centroid_x_px"].min() > WIDTH / 2 - 20
    assert not list((out / "results").glob("three*"))
    (out / "masks/three.png").write_bytes(b"")
    done = run(*args, "masks", cwd=out)
    assert done.returncode == 2 and "cannot read the mask masks/three.png: " in done.stderr and not list((out / "results").glob("three*"))
    done = run("batch", "slides", "-o", "results2", "--mask-dir", "absent", cwd=out)
    assert done.returncode == 1 and done.stderr == "wsi-segment: --mask-dir absent: no such folder\n", done.stderr
    assert not (out / "results2").exists()


def main():
    with tempfile.TemporaryDirectory() as folder:
        for check in (check_refused_formats, check_dicom, check_large_image, check_mask, check_mask_dir):
            out = pathlib.Path(folder) / check.__name__
            out.mkdir()
            check(out)
            print(f"{check.__name__[6:].replace('_', ' ')}: well")


if __name__ == "__main__":
    main()
