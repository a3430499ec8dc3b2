#!/usr/bin/env python3
"""What is done, skipped and done again, in batches and of one slide without .h5; shards; the tables of all slides.

usage: check_batch.py PROGRAM SLIDE   (the sample slide)
"""
import csv
import json
import shutil
import tempfile

import h5py
import numpy as np
import pyarrow.parquet

from program import SLIDE, check_all, expect, nuclei, run, write_square
from slide_files import painted_tissue, write_image

BRIEF = ("--set", "features.brief=true")  # faster
STATISTICS = "mean sd minimum quartile1 median quartile3 maximum defined".split()


def folder_of_slides(out):
    """slides/a/one.svs and slides/two.svs, which are good, and slides/bad.svs."""
    (out / "slides" / "a").mkdir(parents=True)
    shutil.copy(SLIDE, out / "slides" / "a" / "one.svs")
    shutil.copy(SLIDE, out / "slides" / "two.svs")
    (out / "slides" / "bad.svs").write_bytes(b"this is not a slide")


def rows(path):
    with open(path) as file:
        return list(csv.DictReader(file))


def check_folder(out):
    """A bad slide stops no other; what is complete is left alone."""
    folder_of_slides(out)
    args = ("batch", "slides", "-o", "results", "--format", "h5,csv", "-q", *BRIEF)
    expect(run(*args, cwd=out), 2, "bad.svs")
    assert [r["status"] for r in rows(out / "results" / "summary.csv")] == ["complete", "failed", "complete"]
    before = (out / "results" / "a" / "one.h5").stat().st_mtime_ns
    expect(run(*args, cwd=out), 2)
    assert (out / "results" / "a" / "one.h5").stat().st_mtime_ns == before
    assert (out / "results" / "two.csv").exists()
    seen = []
    for shard in ("0/3", "1/3", "2/3"):
        listed = run("batch", "slides", "-o", "results", "--dry-run", "--shard", shard, cwd=out)
        seen += [line.split(" -> ")[0] for line in listed.stdout.splitlines()]
    assert sorted(seen) == sorted(["slides/a/one.svs", "slides/bad.svs", "slides/two.svs"]), seen
    summary = (out / "results" / "summary.md").read_text()
    assert summary.startswith("# 3 slides, 2 without problems") and "| bad.svs | " in summary, summary
    expect(run("batch", "slides/bad.svs", "-o", "results3", "-q", cwd=out), 3)
    expect(run("batch", "slides", "-o", "results3", "--format", "h5,shp", cwd=out), 1, "shp", ".geojson.gz")


def check_list(out):
    """A CSV: files are named from where it lies; every column is heeded; an unknown one is named."""
    folder_of_slides(out)
    write_square(out / "slides" / "roi.geojson")
    (out / "slides" / "list.csv").write_text("slide,roi,slide_mpp,model\na/one.svs,roi.geojson,,\ntwo.svs,,0.45,classical\n")
    expect(run("batch", "slides/list.csv", "-o", "results4", "-q", cwd=out), 0)
    x, _ = nuclei(out / "results4" / "one.h5")
    assert len(x) > 20 and x.min() > 590 and x.max() < 1510
    with h5py.File(out / "results4" / "two.h5") as file:
        assert file["slide"].attrs["mpp_x"] == 0.45
    (out / "slides" / "list.csv").write_text("slide,model\ntwo.svs,hovernet\n")
    expect(run("batch", "slides/list.csv", "-o", "results5", "-q", cwd=out), 3, "hovernet")
    (out / "slides" / "list.csv").write_text("slide,mpp\ntwo.svs,0.5\n")
    expect(run("batch", "slides/list.csv", "-o", "results6", "-q", cwd=out), 1, "unknown column `mpp`", "slide_mpp")


def check_without_h5(out):
    """Only files for viewers: skipped all the same, and redone when one is missing or asked for otherwise."""
    folder_of_slides(out)
    (out / "slides" / "bad.svs").unlink()
    one, two = (out / "results" / f"{name}.geojson.gz" for name in ("a/one", "two"))

    def statuses(*options):
        expect(run("batch", "slides", "-o", "results", "--format", "geojson.gz", "-q", *BRIEF, *options, cwd=out), 0)
        return [r["status"] for r in rows(out / "results" / "summary.csv")]

    assert statuses() == ["complete"] * 2
    first = rows(out / "results" / "summary.csv")
    times = [f.stat().st_mtime_ns for f in (one, two)]
    assert statuses() == ["already_complete"] * 2
    assert times == [f.stat().st_mtime_ns for f in (one, two)]
    for key in ("slide", "nuclei", "tissue_mm2", "density_per_mm2", "failed_blocks"):
        assert [r[key] for r in first] == [r[key] for r in rows(out / "results" / "summary.csv")], key
    left = sorted(str(f.relative_to(out / "results")) for f in (out / "results").rglob("*") if f.is_file())
    assert left == ["a/one.finished.json", "a/one.geojson.gz", "slides.parquet", "summary.csv", "summary.md", "two.finished.json", "two.geojson.gz"], left
    two.write_bytes(two.read_bytes()[:-100])
    assert statuses() == ["already_complete", "complete"]
    one.unlink()
    assert statuses() == ["complete", "already_complete"]
    assert statuses("--restart") == ["complete"] * 2
    for setting in ("separate.h=0.2", "features.ring_um=3"):
        assert statuses("--set", setting) == ["complete"] * 2
        assert statuses("--set", setting) == ["already_complete"] * 2
    assert statuses("--columns", "shape_area_um2") == ["complete"] * 2
    assert statuses("--columns", "shape_area_um2", "--split", "1000") == ["complete"] * 2
    assert statuses("--columns", "shape_area_um2", "--split", "1000") == ["already_complete"] * 2
    (out / "results" / "two.finished.json").write_text("{")
    assert statuses("--columns", "shape_area_um2", "--split", "1000") == ["already_complete", "complete"]


def check_one_slide_without_h5(out):
    """As in a batch: left alone while slide, settings, options and files are what they were, else run anew."""
    (out / "b").mkdir()
    image = painted_tissue()
    write_image(out / "s.png", image)
    files = [out / "one.geojson.gz", out / "b/one.csv"]

    def left_alone(*options, outputs=files):
        before = [f.exists() and f.stat().st_mtime_ns for f in outputs]
        named = [word for f in outputs for word in ("-o", f.relative_to(out))]
        done = run("s.png", "--slide-mpp", "0.5", *named, *options, cwd=out)
        expect(done, 0)
        same = before == [f.stat().st_mtime_ns for f in outputs]
        assert same == ("is already complete" in done.stderr), done.stderr
        assert not list(out.glob("*.parts"))
        return same

    assert not left_alone() and left_alone()
    assert sorted(json.loads((out / "one.finished.json").read_text())["files"]) == ["b/one.csv", "one.geojson.gz"]
    assert not left_alone(outputs=[out / "one.cellvit.json"]) and left_alone(), "the record knows only the last outputs"
    for options in (["--set", "separate.h=0.2"], ["--columns", "shape_*"], ["--work-mpp", "0.6"]):
        assert not left_alone(*options) and left_alone(*options), options
    files[0].write_bytes(files[0].read_bytes()[:-1])
    assert not left_alone(*options) and left_alone(*options)
    files[1].unlink()
    assert not left_alone(*options)
    image[0, 0] = 0
    write_image(out / "s.png", image)  # another slide
    assert not left_alone(*options) and left_alone(*options)
    assert not left_alone("--restart", *options)


def check_shards(out):
    """Each writes tables of its own; a run without --shard, which finds all done, the whole ones."""
    folder_of_slides(out)
    args = ("batch", "slides", "-o", "results", "-q", *BRIEF)
    for i in range(3):
        code = run(*args, "--shard", f"{i}/3", cwd=out).returncode
        assert code in (0, 2, 3), code  # 0 also where no slide falls to it
    results = out / "results"
    assert not list(results.glob("summary.csv")) and not list(results.glob("slides.parquet"))
    parts = [r["slide"] for i in range(3) for f in results.glob(f"summary.shard-{i}-of-3.csv") for r in rows(f)]
    assert sorted(parts) == ["a/one.svs", "bad.svs", "two.svs"], parts
    for ending in ("summary.shard-*-of-3.md", "slides.shard-*-of-3.parquet"):
        assert len(list(results.glob(ending))) == len(list(results.glob("summary.shard-*-of-3.csv"))) >= 1
    expect(run(*args, cwd=out), 2, "bad.svs")
    assert [r["status"] for r in rows(results / "summary.csv")] == ["already_complete", "failed", "already_complete"]


def check_slides_table(out):
    """slides.parquet: a row per slide with every number of its /summary, from the .h5 or from the record; null where there is none."""
    folder_of_slides(out)
    for folder, formats in (("with", "h5"), ("without", "csv.gz")):
        expect(run("batch", "slides", "-o", folder, "--format", formats, "-q", cwd=out), 2)
    table = pyarrow.parquet.read_table(out / "with" / "slides.parquet")
    assert table.column_names[:8] == "slide status nuclei tissue_mm2 density_per_mm2 failed_blocks seconds message".split()
    assert table.column("slide").to_pylist() == ["a/one.svs", "bad.svs", "two.svs"]
    with h5py.File(out / "with" / "two.h5") as file:
        summary = file["summary"]
        expected = {f"{name.decode()}_{s}": summary[s][i] for i, name in enumerate(summary["feature"][:]) for s in STATISTICS}
        expected |= {f"{group}_{name}": value for group in ("graph", "flags") for name, value in summary[group].attrs.items()}
        expected |= {"nuclei": summary.attrs["count"], "tissue_mm2": summary.attrs["tissue_mm2"]}
    assert len(expected) > 500 and set(expected) <= set(table.column_names)
    assert len(table.column_names) == len(expected) + 6
    good = table.slice(2, 1).to_pylist()[0]
    for name, value in expected.items():
        assert good[name] == value if np.isfinite(value) else good[name] is None, (name, good[name], value)
    bad = table.slice(1, 1).to_pylist()[0]
    assert bad["status"] == "failed" and "bad.svs" in bad["message"] and bad["nuclei"] is None and bad["shape_area_um2_mean"] is None
    other = pyarrow.parquet.read_table(out / "without" / "slides.parquet")
    drop = ["seconds"]
    assert other.drop_columns(drop).equals(table.drop_columns(drop))
    # A record of other features: the union of the columns.
    path = out / "without" / "two.finished.json"
    record = json.loads(path.read_text())
    assert record["aggregates"].pop("shape_area_um2_mean") and record["aggregates"].setdefault("later_mean", 7.5)
    path.write_text(json.dumps(record))
    expect(run("batch", "slides", "-o", "without", "--format", "csv.gz", "-q", cwd=out), 2)
    union = pyarrow.parquet.read_table(out / "without" / "slides.parquet")
    assert union.column("later_mean").to_pylist() == [None, None, 7.5]
    assert [v is None for v in union.column("shape_area_um2_mean").to_pylist()] == [False, True, True]


def main():
    with tempfile.TemporaryDirectory() as folder:
        check_all(folder, check_folder, check_list, check_without_h5, check_one_slide_without_h5, check_shards, check_slides_table)


if __name__ == "__main__":
    main()
