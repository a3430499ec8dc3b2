"""What the checks of the program's manners share: the program, the sample slide, and what a call of it must come to."""
import json
import pathlib
import resource
import subprocess
import sys

import h5py

PROGRAM, SLIDE = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
SMALL_REGIONS = ["--set", "tiling.region_px=512"]
FAST = ["--model", "classical"]  # a network would only make the same manners slower
OTHER_COMMANDS = ("info", "doctor", "config", "export", "resegment", "measure", "compare", "evaluate", "train", "patches", "report")


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


def write_square(path):
    square = [[600, 900], [1500, 900], [1500, 1900], [600, 1900], [600, 900]]
    json.dump({"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [square]}},
              open(path, "w"))


def check_all(folder, *checks):
    """Each in a folder of its own."""
    for check in checks:
        out = pathlib.Path(folder) / check.__name__
        out.mkdir()
        check(out)
        print(f"{check.__name__[6:].replace('_', ' ')}: well")
