#!/usr/bin/env python3
"""A training step of eU-Net3+ on a CPU: `train`'s against the same step in eager PyTorch, same threads, same run.

usage: training_step_speed.py TRAINING_STEP_BENCH [--base 16] [--batch 8] [--side 256] [--threads 1] [--repeats 3] [--record]

Both start from the same weights and see the same batch: Dice, focal and distance loss, clipping, AdamW, averaged weights, float32,
no dropout. Ours takes 8-bit pixels and ids and makes its targets; PyTorch gets them ready. PyTorch is timed in both memory formats.
The programs take turns; the least CPU time of a step counts (with more threads: the least wall time). The first losses are compared:
a faster step that does something else would be no comparison.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile
import time

import numpy as np
import torch
import torch.nn.functional as F

from measurement import record
from network_speed import network, write

STEPS = 3  # the first one of a process warms up


def discs(batch, side, seed=5):
    """Pictures of dark discs on a light ground, and their ids."""
    random = np.random.default_rng(seed)
    rgb = random.integers(190, 240, (batch, side, side, 3), dtype=np.uint8)
    ids = np.zeros((batch, side, side), np.uint32)
    y, x = np.mgrid[:side, :side]
    for i in range(batch):
        for number in range(1, side * side // 1200):
            cx, cy, r = random.uniform(0, side), random.uniform(0, side), random.uniform(5, 10)
            inside = (x - cx) ** 2 + (y - cy) ** 2 < r * r
            ids[i][inside] = number
            rgb[i][inside] = random.integers(60, 120, (int(inside.sum()), 3))
    return rgb, ids


def loss_of(logits, nucleus, distance):
    truth = torch.cat([1 - nucleus, nucleus], 1)
    p = torch.sigmoid(logits[:, :2])
    overlap, sizes = (p * truth).sum((0, 2, 3)), (p + truth).sum((0, 2, 3))
    dice = (1 - (2 * overlap + 1) / (sizes + 1)).mean()
    log_pt = F.logsigmoid(logits[:, :2] * (2 * truth - 1))
    focal = -((1 - log_pt.exp()) ** 2 * log_pt).mean()
    return 0.5 * dice + 0.5 * focal + F.smooth_l1_loss(torch.sigmoid(logits[:, 2:]), distance, beta=0.1)


class Eager:
    def __init__(self, base, layout, rgb, nucleus, distance):
        self.net = network(base).train().to(memory_format=layout)
        self.images = (torch.from_numpy(rgb).permute(0, 3, 1, 2).float() / 255).contiguous(memory_format=layout)
        self.nucleus, self.distance = nucleus, distance
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=1e-3, weight_decay=1e-4)
        self.averaged = torch.optim.swa_utils.AveragedModel(self.net, avg_fn=lambda a, w, n: a.lerp(w, 0.1))

    def step(self):
        wall, cpu = time.perf_counter(), time.process_time()
        self.optimiser.zero_grad()
        loss = loss_of(self.net(self.images), self.nucleus, self.distance)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1)
        self.optimiser.step()
        self.averaged.update_parameters(self.net)
        return loss.item(), time.perf_counter() - wall, time.process_time() - cpu


def ours(o, folder):
    said = subprocess.run([o.program, f"{folder}/w.safetensors", f"{folder}/patches", *map(str, (o.base, o.batch, o.side, o.threads, STEPS)),
                           f"{folder}/targets"], check=True, capture_output=True, text=True).stdout
    return [[float(x) for x in line.split()] for line in said.splitlines()]


def measure(o, folder):
    torch.set_num_threads(o.threads)
    rgb, ids = discs(o.batch, o.side)
    pathlib.Path(folder, "patches").write_bytes(rgb.tobytes() + ids.tobytes())
    write(f"{folder}/w.safetensors", network(o.base), o.base)
    steps = {"ours": ours(o, folder)}
    distance = torch.from_numpy(np.fromfile(f"{folder}/targets", np.float32).reshape(o.batch, 1, o.side, o.side))
    nucleus = torch.from_numpy((ids > 0).astype(np.float32))[:, None]
    eager = {"channels_last": Eager(o.base, torch.channels_last, rgb, nucleus, distance),
             "contiguous": Eager(o.base, torch.contiguous_format, rgb, nucleus, distance)}
    for name, trainer in eager.items():
        steps[name] = [trainer.step() for _ in range(STEPS)]
    for _ in range(o.repeats - 1):
        for name, trainer in eager.items():
            steps[name] += [trainer.step() for _ in range(STEPS - 1)]
        steps["ours"] += ours(o, folder)
    return {name: {"losses": [s[0] for s in all[:STEPS]], "wall_s": round(min(s[1] for s in all), 3),
                   "cpu_s": round(min(s[2] for s in all), 3)} for name, all in steps.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    for name, value in (("base", 16), ("batch", 8), ("side", 256), ("threads", 1), ("repeats", 3)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--record", action="store_true", help="write docs/measurements")
    o = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(o, folder)
    key = "cpu_s" if o.threads == 1 else "wall_s"
    apart = max(abs(a - b) / b for a, b in zip(found["ours"]["losses"], found["channels_last"]["losses"]))
    out = {"command": f"training_step_speed.py training_step_bench --batch {o.batch} --threads {o.threads} --repeats {o.repeats}",
           "torch": torch.__version__, "base": o.base, "batch": o.batch, "side_px": o.side, "threads": o.threads, "repeats": o.repeats,
           "steps": found, "losses_apart": apart,
           "ratio": {name: round(found[name][key] / found["ours"][key], 2) for name in ("channels_last", "contiguous")}}
    if o.record:
        record("training_step", out)
    else:
        print(json.dumps(out, indent=2))
    return 0 if min(out["ratio"].values()) >= 1 and apart < 1e-3 else 1


if __name__ == "__main__":
    raise SystemExit(main())
