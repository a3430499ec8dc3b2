#!/usr/bin/env python3
"""Sizes of the files that `classical` makes of one slide, and the heap that loading its GeoJSON takes in Java.

The heap is the least -Xmx, to 32 MiB, with which Gson reads the whole tree and JTS checks every polygon. Writes docs/measurements/exports.json.

usage: export_sizes.py PROGRAM SLIDE
"""
import pathlib
import subprocess
import sys
import tempfile

import h5py
from measurement import record

JARS = "/usr/share/java/jts-core.jar:/usr/share/java/gson.jar"
JAVA = pathlib.Path(__file__).resolve().parents[1] / "java"
SUFFIXES = [".h5", ".geojson.gz", ".geojson", ".csv.gz", ".parquet", ".tif", ".labels.tif", ".mask.ome.tif", ".labels.ome.tif", ".gpkg", ".fgb",
            ".db", ".h5ad", ".cellvit.json", ".hovernet.json"]
STEP_MIB = 32


def least_heap_mib(classes, path):
    def loads(mib):
        command = ["java", f"-Xmx{mib}m", "-cp", f"{JARS}:{classes}", "CheckGeoJson", path]
        return subprocess.run(command, capture_output=True).returncode == 0
    too_little, enough = 0, STEP_MIB
    while not loads(enough):
        too_little, enough = enough, enough * 2
    while enough - too_little > STEP_MIB:
        middle = (too_little + enough) // 2 // STEP_MIB * STEP_MIB
        too_little, enough = (too_little, middle) if loads(middle) else (middle, enough)
    return enough


def main():
    program, slide = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as folder:
        outputs = [pathlib.Path(folder) / f"r{suffix}" for suffix in SUFFIXES]
        args = [a for path in outputs for a in ("-o", path)]
        subprocess.run([program, slide, "-q", "--model", "classical", *args], check=True)
        with h5py.File(outputs[0]) as file:
            nuclei = len(file["nuclei/id"])
        subprocess.run(["javac", "-cp", JARS, "-d", folder, JAVA / "CheckGeoJson.java"], check=True)
        record("exports", {"command": f"export_sizes.py wsi-segment {pathlib.Path(slide).name}", "nuclei": nuclei,
                           "files_mb": {suffix: round(path.stat().st_size / 1e6, 1) for suffix, path in zip(SUFFIXES, outputs)},
                           "java_heap_mib": least_heap_mib(folder, outputs[1])})


if __name__ == "__main__":
    main()
