#!/usr/bin/env python3
"""scripts/pack_libraries in an empty prefix: with that folder, LibTorch and a compiler alone, a build without the imaging libraries is
configured and, with --build, made; its tests train on a patch file.

usage: check_packed.py CMAKE SOURCE_FOLDER [--build]
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

CMAKE, SOURCE = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
TARGETS = ["wsi-segment", "wsi_networks", "wsi_test_networks"]
PACKED = r"(fmt|spdlog|oneapi|tbb|yaml-cpp|CLI|nlohmann|gtest|gmock|hdf5|opencv4)/|zlib\.h|zconf\.h"


def run(*command, **more):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, **more)
    assert done.returncode == 0, (command, done.stdout[-3000:], done.stderr[-3000:])
    return done.stdout


def configure(packed, build):
    """CMake looks for nothing in the system's folders."""
    tool = lambda name: shutil.which(name)
    said = run(CMAKE, "-S", SOURCE, "-B", build, "-G", "Ninja", "-C", packed / "libraries.cmake", "-DWSI_IMAGING=OFF",
               "-DCMAKE_IGNORE_PREFIX_PATH=/usr;/", f"-DCMAKE_CXX_COMPILER={tool('g++')}", f"-DCMAKE_C_COMPILER={tool('gcc')}",
               f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}", f"-DCCACHE={tool('ccache') or 'CCACHE-NOTFOUND'}")
    assert re.search(r"slides, pictures and other formats OFF, networks and training ON", said), said
    rules = (build / "build.ninja").read_text()
    outside = set(re.findall(r"\s(/usr/lib/\S+\.(?:so|a)\S*)", rules))
    assert not outside, outside


def check_origin(packed, build):
    """Headers and libraries of what was packed come from there."""
    headers = re.findall(r"^\s+(/usr/include/\S+)", run("ninja", "-C", build, "-t", "deps"), re.M)
    strays = {header for header in headers if re.match(rf"/usr/include/([\w-]+-linux-gnu/)?({PACKED})", header)}
    assert headers and not strays, strays
    for binary in ("wsi-segment", "libwsi_networks.so", "tests/wsi_test_networks"):
        listed = run("ldd", build / binary)
        assert "not found" not in listed, listed
        for name in {file.name for file in packed.rglob("*.so*")}:
            stray = re.search(rf"^\s*{re.escape(name)} => (?!{re.escape(str(packed))})(\S+)", listed, re.M)
            assert not stray, stray.group(0)


def main():
    environment = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch).resolve()
        run(sys.executable, SOURCE / "scripts/pack_libraries", scratch / "made")
        packed, build = scratch / "moved", scratch / "build"
        (scratch / "made").rename(packed)
        configure(packed, build)
        if "--build" in sys.argv:
            run(CMAKE, "--build", build, "-j", "2", "--target", *TARGETS)
            check_origin(packed, build)
            said = run(build / "tests/wsi_test_networks", "--gtest_filter=TrainPatchesTest.*:UNet3Plus*:TinyViT*", env=environment)
            assert "[  PASSED  ]" in said and "a_patch_file_is_all" in said, said
            assert "left out of this build" in run(build / "wsi-segment", "doctor", env=environment)
    print("packed libraries: all well")


if __name__ == "__main__":
    main()
