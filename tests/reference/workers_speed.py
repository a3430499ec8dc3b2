#!/usr/bin/env python3
"""W workers of one torch thread against one worker of W threads: eU-Net3+ on LibTorch's layers, and on kernels of our own.

usage: workers_speed.py WORKERS_BENCH [--base 16] [--side 640] [--tiles 4] [--workers 2] [--repeats 3] [--record]
"""
import argparse
import json
import re
import subprocess


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    for name, default in (("base", 16), ("side", 640), ("tiles", 4), ("workers", 2), ("repeats", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--record", action="store_true", help="write docs/measurements")
    o = parser.parse_args()
    said = subprocess.run([o.program, *map(str, (o.base, o.side, o.tiles, o.workers, o.repeats))], check=True, capture_output=True,
                          text=True).stdout
    workers, threads, own = (float(x) for x in re.findall(r"([\d.]+) s", said))
    out = {"command": f"workers_speed.py workers_bench --base {o.base} --side {o.side} --tiles {o.tiles} --workers {o.workers} --repeats {o.repeats}",
           "base": o.base, "side_px": o.side, "tiles": o.tiles, "workers": o.workers, "repeats": o.repeats,
           "wall_s_workers": workers, "wall_s_threads": threads, "wall_s_own_kernels": own, "ratio": round(threads / workers, 2)}
    if o.record:
        from measurement import record
        record("workers", out)
    else:
        print(json.dumps(out, indent=2))


if __name__ == "__main__":
    main()
