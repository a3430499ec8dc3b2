#!/usr/bin/env python3
"""How the program behaves on the command line: help, exit codes, one clear line per mistake, signals, full disks.

usage: check_manners.py PROGRAM SLIDE   (the sample slide)
"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import h5py
import numpy as np

from program import FAST, PROGRAM, SLIDE, SMALL_REGIONS, check_all, expect, nuclei, run, write_square


def check_mistakes(out):
    expect(run(cwd=out), 1, "no slide given")
    expect(run("--help", cwd=out), 0)
    assert "Examples" in run("--help", cwd=out).stdout
    expect(run(SLIDE, "-o", "x.shp", cwd=out), 1, "x.shp", ".geojson.gz")
    expect(run(SLIDE, "-o", "none/x.h5", cwd=out), 4, "none", "does not exist")
    expect(run(SLIDE, "-o", "x.h5", "-o", "x.h5", cwd=out), 1, "given twice")
    expect(run("absent.svs", cwd=out), 3, "absent.svs: no such file")
    expect(run(SLIDE, "--set", "separate.thresold=1", cwd=out), 1, "did you mean separate.threshold")
    expect(run(SLIDE, "--memory", "100MiB", "-o", "x.h5", cwd=out), 1, "not enough memory for the batch", "100 MiB", "at least")
    expect(run(SLIDE, "--model", "hovernet", cwd=out), 1, "hovernet", "classical")
    expect(run(SLIDE, "--roi", "absent.geojson", cwd=out), 1, "absent.geojson")
    expect(run("-o", "x.h5", "--set", "separate.h=9", SLIDE, cwd=out), 1, "separate.h")  # the slide may come last
    expect(run("export", SLIDE, "-o", "x.csv", cwd=out), 3, "not an HDF5 file")
    assert not (out / "x.h5").exists()


def interrupted(target, *signals, model=FAST):
    """Starts a run, sends the signals once its first region is there, and returns what it said."""
    process = subprocess.Popen([PROGRAM, SLIDE, "-o", target, "-q", "--threads", "1", *model, *SMALL_REGIONS],
                               stderr=subprocess.PIPE, text=True)
    parts = pathlib.Path(f"{target}.parts")
    while process.poll() is None and not list(parts.glob("*.maps")):
        time.sleep(0.002)
    for name in ("SIGSTOP", *signals, "SIGCONT"):  # stopped, so that several arrive together
        process.send_signal(getattr(signal, name))
    assert process.wait() == 130, process.stderr.read()
    assert not target.exists() and parts.exists()
    return process.stderr.read()


def check_signals(out):
    for name in ("SIGINT", "SIGTERM", "SIGUSR1"):
        target = out / f"{name}.h5"
        assert "resume" in interrupted(target, name)
        expect(run(SLIDE, "-o", target, "-q", *SMALL_REGIONS, cwd=out), 0)
        assert target.exists() and not pathlib.Path(f"{target}.parts").exists()
    a, b = nuclei(out / "SIGINT.h5"), nuclei(out / "SIGTERM.h5")
    assert np.array_equal(a, b)


def check_second_signal(out):
    """It ends the run while the first one's tiles are still being finished, a third one whatever is done; the run can be resumed all the same."""
    said = interrupted(out / "twice.h5", "SIGINT", "SIGTERM")
    assert said == "wsi-segment: interrupted; run the same command again to resume\n", said  # not the word of a run that was drained
    said = interrupted(out / "thrice.h5", "SIGINT", "SIGTERM", "SIGUSR1")
    assert said == "wsi-segment: stopped at once\n", said
    for name in ("twice", "thrice", "never"):
        expect(run(SLIDE, "-o", f"{name}.h5", "-q", *SMALL_REGIONS, cwd=out), 0)
    for name in ("twice", "thrice"):
        assert np.array_equal(nuclei(out / f"{name}.h5"), nuclei(out / "never.h5")), name


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


def check_roi(out):
    write_square(out / "roi.geojson")
    expect(run(SLIDE, "--roi", "roi.geojson", "-o", "roi.h5", "-q", cwd=out), 0)
    x, y = nuclei(out / "roi.h5")
    assert len(x) > 20 and x.min() > 590 and x.max() < 1510 and y.min() > 890 and y.max() < 1910


def commands(*above):
    """Names under Subcommands: in --help."""
    listed = run(*above, "--help", cwd=".").stdout.partition("Subcommands:")[2].partition("Examples:")[0]
    return re.findall(r"^  (\w+) {2,}", listed, flags=re.M)


def check_help(out):
    """Every command teaches by examples of its own, which name options that it has."""
    every = [(name,) for name in commands()]
    assert len(every) >= 13, every
    every += [(*name, below) for name in every for below in commands(*name)]
    assert ("model", "convert") in every
    for name in every:
        options, _, examples = run(*name, "--help", cwd=out).stdout.partition("Examples:")
        own = [line for line in examples.splitlines() if line.startswith(f"  wsi-segment {' '.join(name)}")]
        assert own, name
        for option in re.findall(r"(?<= )--?[a-z][a-z-]*", re.sub(r" (&&|[|>]) .*", "", "\n".join(own))):
            assert re.search(rf"{option}\b", options), (name, option)


def check_without_effect(out):
    """What is asked for in vain is said: refused where only training looks at it, else a warning."""
    for command in ((SLIDE, "-o", "x.h5"), ("batch", SLIDE, "-o", "x"), ("measure", SLIDE, "--nuclei", "n.tif", "-o", "x.h5"),
                    ("patches", "data", "-o", "x.h5"), ("evaluate", "--data", "data", "-o", "x.csv")):
        expect(run(*command, "--set", "network.base=8", cwd=out), 1, "--set network.base=8 has no effect here", "leave it out")
    expect(run(SLIDE, "-o", "x.h5", "--set", "train.epochs=8", cwd=out), 1, "train.epochs=8 has no effect")
    warned = "does not change what is found: model classical looks at the slide's own colours"
    for asked in (("--stain", "reinhard"), ("--set", "stain.method=macenko")):
        done = run(SLIDE, "-o", "warned.h5", "-q", *asked, cwd=out)
        expect(done, 0, warned)
        assert done.stderr.count(warned) == 1, done.stderr
    for asked in ((), ("--stain", "none")):
        assert warned not in run(SLIDE, "-o", "silent.h5", "-q", *asked, cwd=out).stderr


def check_doctor(out):
    """Every library with its version, after it did something; one that cannot is named, and the exit code says so."""
    healthy = run("doctor", cwd=out)
    expect(healthy, 0)
    for name in "OpenSlide libtiff libvips GDAL Arrow SQLite HDF5 zlib TBB OpenCV LibTorch".split():
        assert re.search(rf"^  ok +{name} +\d+\.\d+[^ ]*: [a-z]", healthy.stdout, flags=re.M), (name, healthy.stdout)
    assert healthy.stdout.endswith("\nhealthy\n"), healthy.stdout
    ill = subprocess.run([PROGRAM, "doctor"], capture_output=True, text=True, cwd=out, env={**os.environ, "TMPDIR": str(out / "absent")})
    assert ill.returncode == 4 and re.search(r"^  BAD +OpenSlide", ill.stdout, flags=re.M) and "not healthy" in ill.stdout, ill.stdout


def main():
    with tempfile.TemporaryDirectory() as folder:
        check_all(folder, check_help, check_mistakes, check_without_effect, check_signals, check_second_signal, check_provenance_paths,
                  check_resegment, check_work_mpp, check_unwritable, check_full_disk, check_vanished, check_roi, check_doctor)


if __name__ == "__main__":
    main()
