#!/usr/bin/env python3
"""Measures every export of a synthetic result, one process each, and writes docs/measurements/NAME.json.

usage: export_speed.py NAME BUILD [--nuclei 1000000] [--features 9] [--only .parquet,.csv.gz] [--neighbours]

--only: these suffixes. --neighbours: neighbours and graph of as many nuclei, their columns' writing included.
"""
import argparse
import os
import pathlib
import re
import subprocess
import tempfile

from measure_run import measured
from measurement import record

SUFFIXES = [".geojson.gz", ".parquet", ".csv.gz", ".db", ".h5ad", ".gpkg", ".fgb", ".cellvit.json", ".hovernet.json", ".tif", ".labels.tif",
            ".prob.tif", ".labels.ome.tif", ".mask.ome.tif"]


def neighbours(bench, nuclei, folder):
    said = folder / "said.txt"
    with open(said, "w") as file:
        _, _, peak = measured([bench, str(nuclei), folder / "n.h5"], file)
    wall, cpu, each = map(float, re.search(r"nuclei: ([\d.]+) s, ([\d.]+) s CPU, (\d+) bytes each", said.read_text()).groups())
    (folder / "n.h5").unlink()
    return {"wall_s": wall, "cpu_s": cpu, "bytes_each": int(each), "peak_rss_mb": peak}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--nuclei", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=9)
    parser.add_argument("--only", type=lambda text: text.split(","), default=SUFFIXES)
    parser.add_argument("--neighbours", action="store_true")
    options = parser.parse_args()
    files, more = {}, {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        if options.neighbours:
            more["neighbours"] = neighbours(options.build / "tests/bench/neighbours_bench", options.nuclei, folder)
            print(more, flush=True)
        result = folder / "r.h5"
        subprocess.run([options.build / "tests/bench/make_result", str(options.nuclei), str(options.features), result], check=True)
        for suffix in options.only:
            path = folder / f"r{suffix}"
            wall, cpu, peak = measured([options.build / "wsi-segment", "export", result, "-q", "-o", path])
            files[suffix] = {"wall_s": wall, "cpu_s": cpu, "peak_rss_mb": peak, "mb": round(path.stat().st_size / 1e6, 1)}
            path.unlink()
            print(suffix, files[suffix], flush=True)
    record(options.name, {"command": f"export_speed.py {options.name} BUILD --nuclei {options.nuclei} --features {options.features}" +
                                     " --neighbours" * options.neighbours +
                                     (f" --only {','.join(options.only)}" if options.only != SUFFIXES else ""),
                          "nuclei": options.nuclei, "features": options.features, "csv_columns": 19 + options.features, **more,
                          "load_average": round(os.getloadavg()[0], 1), "files": files})


if __name__ == "__main__":
    main()
