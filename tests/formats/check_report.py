#!/usr/bin/env python3
"""`report`: the page of one result, and the page of a folder of results with a row per slide.
usage: check_report.py PROGRAM MAKE_RESULT"""
import base64
import html.parser
import io
import pathlib
import resource
import shutil
import subprocess
import sys
import urllib.parse

import h5py
import numpy as np
import skimage.io

from exports import results

PROGRAM = pathlib.Path(sys.argv[1]).resolve()


class Table(html.parser.HTMLParser):
    """Rows of cells as text; links and pictures of each row."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.links, self.pictures = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "tr":
            self.rows.append([])
            self.links.append(None)
            self.pictures.append(None)
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "a":
            self.links[-1] = attributes["href"]
        elif tag == "img" and self.pictures:
            self.pictures[-1] = attributes["src"]

    def handle_data(self, data):
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip()


def run(*args, cwd, code=0, **options):
    done = subprocess.run([PROGRAM, "report", *map(str, args)], cwd=cwd, capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == code, (args, done.returncode, done.stderr)
    return done.stderr


def check_one(result):
    """The same bytes as the export; options of exports count."""
    folder = result.path.parent
    run(result.path, "-o", "one ä.html", "-q", cwd=folder)
    assert (folder / "one ä.html").read_bytes() == result.export(".html").read_bytes()
    run("-o", "two.html", "-q", "--columns", "shape_area_um2,feature_11", result.path, cwd=folder)
    assert (folder / "two.html").read_text().count("<figure>") == 2


def make_batch(many, one, none, folder):
    """As `batch` leaves it: a folder in a folder, a page beside one result, other files around."""
    (folder / "sub é" / "late.h5.parts").mkdir(parents=True)
    (folder / "sub é" / "late.csv.parts").mkdir()
    (folder / "sub é" / "late.csv.parts" / "result.h5").write_bytes(b"of a run that goes on")
    shutil.copy(many.path, folder / "sub é" / "50% & <b> #1.h5")
    shutil.copy(one.path, folder / "a.h5")
    shutil.copy(none.path, folder / "b.h5")
    run(one.path, "-o", folder / "a.html", "-q", cwd=folder)
    (folder / "summary.csv").write_text("slide\n")
    with h5py.File(folder / "b.h5", "r+") as file:
        file.attrs["status"] = "complete_with_failures"
        del file["failed_tiles"]
        group = file.create_group("failed_tiles")
        for name in ("row", "column", "level"):
            group[name] = np.array([1, 2], np.int64)
        for name in ("kind", "message"):
            group[name] = np.array([b"<torn>", b"decode"], dtype=h5py.string_dtype("utf-8", 8))


def check_row(table, at, result, folder):
    row = table.rows[at]
    assert row[2] == str(result.count)
    with h5py.File(result.path) as file:
        summary = dict(file["summary"].attrs)
    assert row[3:5] == [f"{summary['tissue_mm2']:.3f}", f"{summary['density_per_mm2']:.0f}"], (row, summary)
    area = result.table["shape_area_um2"]
    area = area[np.isfinite(area)].astype(float)
    if len(area):
        said = [float(v) for v in row[5].split(" / ")]
        assert np.allclose(said, np.percentile(area, [25, 50, 75]), atol=0.06), (said, row)
    for name in set(result.class_names()):
        assert f"{name} {result.class_names().count(name)}" in row[6], row[6]
    assert (folder / urllib.parse.unquote(table.links[at])).exists(), table.links[at]
    picture = skimage.io.imread(io.BytesIO(base64.b64decode(table.pictures[at].split(",")[1])))
    assert max(picture.shape[:2]) <= 160 and picture.ndim == 3
    return picture


def check_batch(many, one, none):
    folder = many.path.parent / "results ö"
    make_batch(many, one, none, folder)
    run("results ö", "-o", "results ö/page.html", "-q", cwd=folder.parent)
    text = (folder / "page.html").read_text()
    table = Table(text)
    assert [row[1] for row in table.rows[1:-1]] == ["a.h5", "b.h5", "sub é/50% & <b> #1.h5"], table.rows
    assert "http" not in text and "<b> #1" not in text, "names are escaped"
    check_row(table, 1, one, folder)
    assert table.links[1] == "a.html" and table.links[2] == "b.h5", "its own page where there is one"
    check_row(table, 2, none, folder)
    assert table.rows[2][7] == "2" and "first failure: <torn>" in table.rows[2][8], table.rows[2]
    assert check_row(table, 3, many, folder).std() > 5
    assert table.rows[-1][1:3] == ["Slides: 3", str(many.count + 1)]
    # Elsewhere: links still lead to the files. The same again: the same bytes, and the page is no result.
    (folder.parent / "elsewhere").mkdir()
    run(folder, "-o", folder.parent / "elsewhere" / "p.html", "-q", cwd="/")
    check_row(Table((folder.parent / "elsewhere" / "p.html").read_text()), 3, many, folder.parent / "elsewhere")
    run("results ö/", "-o", "results ö/page.html", "-q", cwd=folder.parent)
    assert (folder / "page.html").read_text() == text
    return folder


def check_mistakes(folder):
    """A damaged result costs its row; none at all, a wrong suffix, a full disk: one line, nothing written."""
    (folder / "cut.h5").write_bytes((folder / "a.h5").read_bytes()[:5000])
    said = run(".", "-o", "damaged.html", "-q", cwd=folder, code=2)
    assert said.count("\n") == 1 and "cut.h5" in said and "truncated" in said, said
    table = Table((folder / "damaged.html").read_text())
    assert table.rows[3][1] == "cut.h5" and "truncated" in table.rows[3][2] and "files not readable: 1" in table.rows[-1][-1]
    (folder / "bad").mkdir()
    shutil.copy(folder / "cut.h5", folder / "bad")
    for arguments, code, words in ((("bad", "-o", "x.html"), 3, "truncated"), (("sub é/late.h5.parts", "-o", "x.html"), 1, "holds no .h5"),
                                   (("absent", "-o", "x.html"), 3, "no such file"), (("a.h5", "-o", "x.csv"), 1, "is written as .html"),
                                   ((".", "-o", "none/x.html"), 4, "does not exist")):
        said = run(*arguments, "-q", cwd=folder, code=code)
        assert said.count("\n") == 1 and words in said, (arguments, said)
    said = run(".", "-o", "x.html", "-q", cwd=folder, code=4, restore_signals=False,
               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500)))
    assert "x.html" in said and not list(folder.glob("x.*")), said
    assert "Examples" in subprocess.run([sys.argv[1], "report", "--help"], capture_output=True, text=True).stdout


def check_memory(many, folder):
    """Ten times the nuclei take no more memory."""
    peaks = []
    for count in (20_000, 200_000):
        batch = folder / f"of {count}"
        batch.mkdir()
        subprocess.run([sys.argv[2], str(count), "10", batch / "r.h5"], check=True)
        log = subprocess.run(["/usr/bin/env", "python3", "-c", "import resource, subprocess, sys\nsubprocess.run(sys.argv[1:], check=True)\n"
                              "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)", sys.argv[1], "report", batch, "-o", batch / "p.html", "-q"],
                             check=True, capture_output=True, text=True).stdout
        peaks.append(int(log) / 1024)
    assert peaks[1] < peaks[0] + 40, peaks
    return peaks


def main():
    with results() as made:
        many, one, none = made
        check_one(many)
        folder = check_batch(many, one, none)
        check_mistakes(folder)
        peaks = check_memory(many, folder.parent)
    print(f"report: one result, a batch, mistakes; {peaks[0]:.0f} and {peaks[1]:.0f} MiB for 20,000 and 200,000 nuclei")


if __name__ == "__main__":
    main()
