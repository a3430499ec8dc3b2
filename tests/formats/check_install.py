#!/usr/bin/env python3
"""The installed program runs from its prefix, also when the prefix was moved and the environment is empty.

usage: check_install.py CMAKE BUILD_DIR SLIDE
"""
import pathlib
import re
import subprocess
import sys
import tempfile

CMAKE, BUILD, SLIDE = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]).resolve()
SYSTEM = ("/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/")


def bare(*command, cwd):
    """Runs with no environment variable at all."""
    done = subprocess.run([*map(str, command)], cwd=cwd, env={}, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, (command, done.returncode, done.stdout, done.stderr)
    return done.stdout


def check_files(prefix):
    share = prefix / "share"
    for path in ("doc/wsi-segment/LICENSE", "doc/wsi-segment/README.md", "doc/wsi-segment/docs/outputs.md"):
        assert (share / path).stat().st_size > 0, path
    for library, licence in (("libopenslide*", "openslide_bin-*/OpenSlide/COPYING*"), ("libtorch_cpu*", "torch-*/LICENSE*"),
                             ("libarrow*", "pyarrow-*/LICENSE*")):
        if list((prefix / "lib").glob(library)):
            assert list((share / "doc/wsi-segment/licences").glob(licence)), licence
    presets = sorted(p.name for p in (pathlib.Path(__file__).parents[2] / "config/presets").iterdir())
    assert sorted(p.name for p in (share / "wsi-segment/presets").iterdir()) == presets


def check_libraries(prefix):
    """Every library is the system's or the prefix's own."""
    listed = bare("/usr/bin/ldd", prefix / "bin/wsi-segment", cwd=prefix)
    for networks in (prefix / "lib").glob("libwsi_networks.so"):
        listed += bare("/usr/bin/ldd", networks, cwd=prefix)
    assert "not found" not in listed, listed
    for library in re.findall(r"=> (/.+?) \(0x", listed):
        inside = pathlib.Path(library).resolve().is_relative_to(prefix.resolve())
        assert inside or library.startswith(SYSTEM), f"{library} is neither of the system nor under the prefix"


def check_networks(prefix, cwd):
    """The library of networks loads: what is missing then is the weights file."""
    if not list((prefix / "lib").glob("libwsi_networks.so")):
        return
    done = subprocess.run([prefix / "bin/wsi-segment", SLIDE, "--model", "absent.safetensors"], cwd=cwd, env={},
                          capture_output=True, text=True, timeout=200)
    assert done.returncode == 1 and "weights file absent.safetensors" in done.stderr, (done.returncode, done.stderr)


def check_presets(prefix, cwd):
    """A preset that only the moved prefix has: the source tree's folder would not know it."""
    program = prefix / "bin/wsi-segment"
    (prefix / "share/wsi-segment/presets/only_here.yaml").write_text("separate:\n  threshold: 0.625\n")
    assert "threshold: 0.625" in bare(program, "config", "--preset", "only_here", cwd=cwd)


def main():
    with tempfile.TemporaryDirectory() as folder:
        first, prefix, work = (pathlib.Path(folder) / name for name in ("first", "moved prefix", "work"))
        subprocess.run([CMAKE, "--install", BUILD, "--prefix", first], check=True, stdout=subprocess.DEVNULL)
        first.rename(prefix)
        work.mkdir()
        check_files(prefix)
        check_libraries(prefix)
        check_presets(prefix, work)
        check_networks(prefix, work)
        program = prefix / "bin/wsi-segment"
        assert bare(program, "doctor", cwd=work).rstrip().endswith("healthy")
        bare(program, SLIDE, "-o", "out.h5", "-o", "out.tif", "-o", "out.geojson.gz", "-o", "out.csv", "-q", cwd=work)
        rows = (work / "out.csv").read_text().count("\n") - 1
        assert rows > 500, rows
        print(f"{rows} nuclei with a moved prefix and an empty environment")


if __name__ == "__main__":
    main()
