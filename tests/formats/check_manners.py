#!/usr/bin/env python3
"""How the program behaves on the command line: exit codes, one clear line per mistake, signals, full disks, batches.

usage: check_manners.py PROGRAM SLIDE   (the sample slide)
"""
import csv
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np

PROGRAM, SLIDE = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
SMALL_REGIONS = ["--set", "tiling.region_px=512"]
FAST = ["--model", "classical"]  # a network would only make the same manners slower
OTHER_COMMANDS = ("info", "doctor", "config", "export", "resegment", "measure", "compare", "evaluate", "train", "patches")


def with_fast_model(args):
    """The command line with a fast model, where it segments and names none itself."""
    segments = args and args[0] not in OTHER_COMMANDS and "--help" not in args and "--version" not in args
    return [*args, *FAST] if segments and "--model" not in args else list(args)


def run(*args, cwd, limit=None):
    def setup():
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    return subprocess.run([PROGRAM, *with_fast_model(list(map(str, args)))], cwd=cwd, capture_output=True, text=True, preexec_fn=setup, timeout=300)


def expect(done, code, *words):
    assert done.returncode == code, (done.args, done.returncode, done.stderr)
    last = (done.stderr.strip().splitlines() or [""])[-1]
    for word in words:
        assert word in done.stderr, (word, last)
    if code not in (0, 2, 130):
        assert len(done.stderr.strip().splitlines()) <= 2, done.stderr


def nuclei(path):
    with h5py.File(path) as file:
        return file["nuclei/centroid_x_px"][:], file["nuclei/centroid_y_px"][:]


def check_mistakes(out):
    expect(run(cwd=out), 1, "no slide given")
    expect(run("--help", cwd=out), 0)
    assert "Examples" in run("--help", cwd=out).stdout
    expect(run(SLIDE, "-o", "x.shp", cwd=out), 1, "x.shp", ".geojson.gz")
    expect(run(SLIDE, "-o", "none/x.h5", cwd=out), 4, "none", "does not exist")
    expect(run(SLIDE, "-o", "x.h5", "-o", "x.h5", cwd=out), 1, "given twice")
    expect(run("absent.svs", cwd=out), 3, "absent.svs: no such file")
    expect(run(SLIDE, "--set", "separate.thresold=1", cwd=out), 1, "did you mean separate.threshold")
    expect(run(SLIDE, "--memory", "100MiB", "-o", "x.h5", cwd=out), 1, "100 MiB", "at least")
    expect(run(SLIDE, "--model", "hovernet", cwd=out), 1, "hovernet", "classical")
    expect(run(SLIDE, "--roi", "absent.geojson", cwd=out), 1, "absent.geojson")
    expect(run("-o", "x.h5", "--set", "separate.h=9", SLIDE, cwd=out), 1, "separate.h")  # the slide may come last
    expect(run("export", SLIDE, "-o", "x.csv", cwd=out), 3, "not an HDF5 file")
    assert not (out / "x.h5").exists()


def check_signals(out):
    for name in ("SIGINT", "SIGTERM", "SIGUSR1"):
        target = out / f"{name}.h5"
        process = subprocess.Popen([PROGRAM, SLIDE, "-o", target, "-q", "--threads", "1", *FAST, *SMALL_REGIONS],
                                   stderr=subprocess.PIPE, text=True)
        parts = pathlib.Path(f"{target}.parts")
        while process.poll() is None and not list(parts.glob("*.maps")):
            time.sleep(0.002)
        process.send_signal(getattr(signal, name))
        assert process.wait() == 130, process.stderr.read()
        assert not target.exists() and "resume" in process.stderr.read()
        expect(run(SLIDE, "-o", target, "-q", *SMALL_REGIONS, cwd=out), 0)
        assert target.exists() and not parts.exists()
    a, b = nuclei(out / "SIGINT.h5"), nuclei(out / "SIGTERM.h5")
    assert np.array_equal(a, b)


def strings(file):
    """Every text of a result file, attributes and datasets."""
    found = []
    file.visititems(lambda name, item: found.extend(
        [str(v) for v in item.attrs.values()] +
        ([str(item[()])] if isinstance(item, h5py.Dataset) and item.dtype.kind in "SO" else [])))
    return "\n".join(found)


def check_provenance_paths(out):
    """With --no-provenance-paths no text of the result names a folder or the host, also after a run without it."""
    folder = out / "Patient 17" / "scans"
    folder.mkdir(parents=True)
    shutil.copy(SLIDE, folder / "one.svs")
    (out / "settings.yaml").write_text("separate:\n  h: 0.1\n")
    args = (folder / "one.svs", "-o", out / "one.h5", f"--config={out}/settings.yaml", "-q")
    expect(run(*args, cwd=out), 0)
    with h5py.File(out / "one.h5") as file:
        assert "Patient 17/scans" in strings(file) and os.uname().nodename in file["provenance/host"][()].decode()
    expect(run(*args, "--no-provenance-paths", cwd=out), 0)
    with h5py.File(out / "one.h5") as file:
        texts, host = strings(file), json.loads(file["provenance/host"][()])
        command = file["provenance/command"][()].decode()
    for part in ("Patient", "scans", str(out), str(PROGRAM.parent)):
        assert part not in texts, part
    assert "node" not in host and os.uname().nodename not in host.values()
    assert command == "wsi-segment one.svs -o one.h5 --config=settings.yaml -q --no-provenance-paths --model classical", command


def check_resegment(out):
    """From kept maps: the same nuclei, other ones with other settings; the slide may have moved."""
    shutil.copy(SLIDE, out / "one.svs")
    expect(run("one.svs", "-o", "first.h5", "--keep-maps", "-q", cwd=out), 0)
    expect(run("resegment", "first.h5", "-o", "again.h5", "-q", cwd=out), 0)
    (out / "away").mkdir()
    (out / "one.svs").rename(out / "away" / "two.svs")
    expect(run("resegment", "first.h5", "-o", "moved.h5", "-q", cwd=out), 1, "one.svs, is not there", "--slide")
    expect(run("resegment", "first.h5", "-o", "moved.h5", "-q", "--slide", "away/two.svs", "--set", "separate.h=0.3", cwd=out), 0)
    x, y = nuclei(out / "first.h5")
    assert np.array_equal((x, y), nuclei(out / "again.h5")) and len(nuclei(out / "moved.h5")[0]) != len(x)
    expect(run("resegment", "again.h5", "-o", "x.h5", "--slide", "away/two.svs", cwd=out), 1, "--keep-maps")
    expect(run("resegment", "first.h5", "-o", "first.h5", cwd=out), 1, "is the result itself")
    expect(run("resegment", "first.h5", "-o", "x.h5", "--set", "model.work_mpp=1", cwd=out), 1, "model.work_mpp=1", "separate.*")
    assert "Examples" in run("resegment", "--help", cwd=out).stdout


def check_work_mpp(out):
    """Another working resolution, and a model that does not know it."""
    expect(run(SLIDE, "-o", "coarse.h5", "--work-mpp", "1", "--model", "classical", "-q", cwd=out), 0)
    with h5py.File(out / "coarse.h5") as file:
        assert abs(file["labels"].attrs["mpp_x"] - 1) < 0.05 and len(file["nuclei/id"]) > 100
    expect(run(SLIDE, "-o", "x.h5", "--work-mpp", "5", cwd=out), 1, "model.work_mpp", "0 to 4")


def as_nobody():
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)


def check_unwritable(out):
    """A folder and a file that may not be written; root may write everything, so as somebody else."""
    root = os.getuid() == 0
    if root and subprocess.run([PROGRAM, "--version"], preexec_fn=as_nobody, capture_output=True).returncode != 0:
        print("unwritable: skipped, the program cannot be run by another user here")
        return
    (out / "shut").mkdir(mode=0o555)
    (out / "open").mkdir()
    (out / "open").chmod(0o777)
    (out / "open" / "kept.h5").write_text("mine")
    (out / "open" / "kept.h5").chmod(0o444)
    for folder in (out, out.parent):
        folder.chmod(0o755)
    for target, words in (("shut/x.h5", ("cannot write into", "shut", "writable folder")), ("open/kept.h5", ("cannot replace", "kept.h5"))):
        done = subprocess.run([PROGRAM, SLIDE, "-o", out / target], cwd=out, capture_output=True, text=True, timeout=300,
                              preexec_fn=as_nobody if root else None)
        expect(done, 4, *words)
    assert (out / "open" / "kept.h5").read_text() == "mine" and not list((out / "shut").iterdir())


def check_full_disk(out):
    done = run(SLIDE, "-o", out / "full.h5", "-q", cwd=out, limit=1 << 20)
    expect(done, 4, "full.h5", "free disk space")
    assert not (out / "full.h5").exists()
    expect(run(SLIDE, "-o", out / "full.h5", "-q", cwd=out), 0)


def check_vanished(out):
    copy = out / "copy.svs"
    shutil.copy(SLIDE, copy)
    process = subprocess.Popen([PROGRAM, copy, "-o", out / "gone.h5", "-q", "--threads", "1", *FAST, *SMALL_REGIONS],
                               stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not pathlib.Path(f"{out}/gone.h5.parts/journal.json").exists():
        time.sleep(0.002)
    with open(copy, "r+b") as file:  # reads fail from now on
        file.truncate(4096)
    copy.rename(out / "away.svs")
    code = process.wait()
    assert code in (0, 4), process.stderr.read()  # 0: everything was cached before it went
    shutil.copy(SLIDE, copy)  # back again: the run goes on
    expect(run(copy, "-o", out / "gone.h5", "-q", *SMALL_REGIONS, cwd=out), 0)


def check_batch(out):
    folder = out / "slides" / "a"
    folder.mkdir(parents=True)
    shutil.copy(SLIDE, folder / "one.svs")
    shutil.copy(SLIDE, out / "slides" / "two.svs")
    (out / "slides" / "bad.svs").write_bytes(b"this is not a slide")
    args = ("batch", "slides", "-o", "results", "--format", "h5,csv", "-q")
    expect(run(*args, cwd=out), 2, "bad.svs")
    rows = list(csv.DictReader(open(out / "results" / "summary.csv")))
    assert [r["status"] for r in rows] == ["complete", "failed", "complete"], rows
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
    check_list(out)
    expect(run("batch", "slides/bad.svs", "-o", "results3", "-q", cwd=out), 3)


def check_list(out):
    """A CSV: files are named from where it lies; every column is heeded; an unknown one is named."""
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


def write_square(path):
    square = [[600, 900], [1500, 900], [1500, 1900], [600, 1900], [600, 900]]
    json.dump({"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [square]}},
              open(path, "w"))


def check_roi(out):
    write_square(out / "roi.geojson")
    expect(run(SLIDE, "--roi", "roi.geojson", "-o", "roi.h5", "-q", cwd=out), 0)
    x, y = nuclei(out / "roi.h5")
    assert len(x) > 20 and x.min() > 590 and x.max() < 1510 and y.min() > 890 and y.max() < 1910


def main():
    with tempfile.TemporaryDirectory() as folder:
        for check in (check_mistakes, check_signals, check_provenance_paths, check_resegment, check_work_mpp, check_unwritable, check_full_disk, check_vanished, check_batch, check_roi):
            out = pathlib.Path(folder) / check.__name__
            out.mkdir()
            check(out)
            print(f"{check.__name__[6:].replace('_', ' ')}: well")
    assert subprocess.run([PROGRAM, "doctor"], capture_output=True, cwd=os.getcwd()).returncode == 0


if __name__ == "__main__":
    main()
