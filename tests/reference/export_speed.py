#!/usr/bin/env python3
"""Measures every export of a synthetic result, one process each, and writes docs/measurements/NAME.json.

usage: export_speed.py NAME BUILD [--nuclei 1000000] [--features 9]
"""
import argparse
import os
import pathlib
import subprocess
import tempfile

from measure_run import measured
from measurement import record

SUFFIXES = [".geojson.gz", ".parquet", ".csv.gz", ".db", ".h5ad", ".gpkg", ".fgb", ".cellvit.json", ".hovernet.json", ".tif", ".labels.tif",
            ".prob.tif", ".labels.ome.tif", ".mask.ome.tif"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--nuclei", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=9)
    options = parser.parse_args()
    files = {}
    with tempfile.TemporaryDirectory() as folder:
        result = pathlib.Path(folder) / "r.h5"
        subprocess.run([options.build / "tests/bench/make_result", str(options.nuclei), str(options.features), result], check=True)
        for suffix in SUFFIXES:
            path = pathlib.Path(folder) / f"r{suffix}"
            wall, cpu, peak = measured([options.build / "wsi-segment", "export", result, "-q", "-o", path])
            files[suffix] = {"wall_s": wall, "cpu_s": cpu, "peak_rss_mb": peak, "mb": round(path.stat().st_size / 1e6, 1)}
            path.unlink()
            print(suffix, files[suffix], flush=True)
    record(options.name, {"command": f"export_speed.py {options.name} BUILD --nuclei {options.nuclei} --features {options.features}",
                          "nuclei": options.nuclei, "features": options.features, "csv_columns": 14 + options.features,
                          "load_average": round(os.getloadavg()[0], 1), "files": files})


if __name__ == "__main__":
    main()
