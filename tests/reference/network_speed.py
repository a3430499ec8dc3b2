#!/usr/bin/env python3
"""eU-Net3+ on a CPU: the pipeline's segmenter against the same network in eager PyTorch, channels last, same threads.

usage: network_speed.py NETWORK_BENCH [--threads 1 2] [--repeats 3] [--record]

Random weights are written in our format and loaded by both. Ours takes 8-bit pixels and gives 8-bit maps; PyTorch takes a
float batch that is ready and gives logits. The two programs run one after the other, several times; least CPU time of the
whole process and least wall time on both sides (with one thread CPU time, with more wall time says what a user waits for).
Both answers are compared: a faster one that says something else would be no comparison.
"""
import argparse
import json
import pathlib
import re
import subprocess
import tempfile
import time

import numpy as np
import torch
from safetensors.torch import save_file

from measurement import record
from network_golden import UNet3Plus

CASES = [(32, 256, 4), (16, 256, 4), (16, 640, 2)]  # base width, side of a tile, tiles


def network(base):
    torch.manual_seed(base)
    net = UNet3Plus(base, 2, glu=True, blur=True, distance=True)
    for module in net.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight)
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 1.5)
    for head in (net.outconv1, net.distance):  # logits of the size that trained networks give, so that maps do not saturate
        head.weight.data.mul_(0.05)
    return net.eval().to(memory_format=torch.channels_last)


def write(path, net, base):
    notes = {"network.architecture": "eunet3plus", "network.base": str(base), "network.activation": "glu",
             "network.place": "encoder", "network.blur_pool": "true", "network.distance": "true"}
    save_file({k: v.contiguous() for k, v in net.state_dict().items()}, path, notes)


def eager(net, images):
    wall, cpu = time.perf_counter(), time.process_time()
    logits = net(images)
    return time.perf_counter() - wall, time.process_time() - cpu, logits


def ours(program, weights, side, tiles, threads, maps):
    said = subprocess.run([program, weights, *map(str, (side, tiles, threads, 1)), maps], check=True, capture_output=True,
                          text=True).stdout
    return [float(x) for x in re.findall(r"([\d.]+) s", said)]


def levels_apart(raw, net, side):
    """Largest difference of the 8-bit maps, in grey levels, and the share of pixels that are equal."""
    rgb = torch.from_numpy(raw[:3 * side * side].reshape(1, side, side, 3)).permute(0, 3, 1, 2)
    says = torch.sigmoid(net(rgb.float() / 255)[0]).numpy()
    expected = np.stack([(says[1] + 1 - says[0]) / 2, says[2]])
    apart = np.abs(raw[3 * side * side:].reshape(2, side, side).astype(int) - np.round(255 * expected).astype(int))
    return int(apart.max()), float((apart == 0).mean())


def compare(program, base, side, tiles, threads, repeats):
    torch.set_num_threads(threads)
    net, least = network(base), {"ours": [1e9, 1e9], "eager": [1e9, 1e9]}
    images = torch.rand(tiles, 3, side, side).to(memory_format=torch.channels_last)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        weights, maps = f"{folder}/w.safetensors", f"{folder}/maps"
        write(weights, net, base)
        eager(net, images)
        for _ in range(repeats):
            for name, times in (("ours", ours(program, weights, side, tiles, threads, maps)), ("eager", eager(net, images)[:2])):
                least[name] = [min(a, b) for a, b in zip(least[name], times)]
        apart, equal = levels_apart(np.fromfile(maps, np.uint8), net, side)
    (our_wall, our_cpu), (wall, cpu) = least["ours"], least["eager"]
    return {"base": base, "side_px": side, "tiles": tiles, "threads": threads, "wall_s": round(our_wall, 3),
            "cpu_s": round(our_cpu, 3), "wall_s_eager": round(wall, 3), "cpu_s_eager": round(cpu, 3),
            "ratio": round(cpu / our_cpu if threads == 1 else wall / our_wall, 2), "ratio_cpu": round(cpu / our_cpu, 2),
            "grey_levels_apart": apart, "share_equal": round(equal, 5)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--record", action="store_true", help="write docs/measurements")
    options = parser.parse_args()
    rows = [compare(options.program, *case, threads, options.repeats) for case in CASES for threads in options.threads]
    out = {"command": f"network_speed.py network_bench --threads {' '.join(map(str, options.threads))} --repeats {options.repeats}",
           "repeats": options.repeats, "torch": torch.__version__, "cases": rows}
    if options.record:
        record("network", out)
    else:
        print(json.dumps(out, indent=2))
    return 0 if min(row["ratio"] for row in rows) >= 1.4 else 1


if __name__ == "__main__":
    raise SystemExit(main())
