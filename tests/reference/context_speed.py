#!/usr/bin/env python3
"""SAM's time per 256-px tile of a slide in both contexts: each tile upsampled (the paper), or fields at native scale.

usage: context_speed.py CONTEXT_BENCH [--encoder vit_b] [--threads 2] [--repeats 2] [--record]
"""
import argparse
import json
import re
import subprocess
import tempfile


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--encoder", default="vit_b")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--record", action="store_true", help="write docs/measurements")
    o = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        said = subprocess.run([o.program, folder, o.encoder, str(o.threads), str(o.repeats)], check=True, capture_output=True, text=True).stdout
    rows = {mode: (float(s), int(px), float(per)) for mode, s, px, per in
            re.findall(r"(tile|field): ([\d.]+) s for (\d+) px, ([\d.]+) s per tile", said)}
    out = {"command": f"context_speed.py context_bench --encoder {o.encoder} --threads {o.threads} --repeats {o.repeats}",
           "encoder": o.encoder, "threads": o.threads, "repeats": o.repeats,
           **{mode: {"s": s, "core_px": px, "s_per_tile": per} for mode, (s, px, per) in rows.items()},
           "ratio": round(rows["tile"][2] / rows["field"][2], 1)}
    if o.record:
        from measurement import record
        record("context", out)
    else:
        print(json.dumps(out, indent=2))
    return 0 if out["ratio"] >= 12 else 1


if __name__ == "__main__":
    raise SystemExit(main())
