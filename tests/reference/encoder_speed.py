#!/usr/bin/env python3
"""SAM's image encoder: time and peak memory against segment-anything (PyPI, unpacked to a folder), random weights, equal threads.

usage: encoder_speed.py ENCODER_BENCH SEGMENT_ANYTHING_FOLDER [--encoder vit_b] [--px 1024] [--threads 1] [--repeats 2] [--record]

Each program is a process of its own; they take turns, REPEATS times each. The embeddings are compared as well. Time is the least wall
time of a forward pass, and the process's CPU time per pass, which other programs on the machine disturb less.
"""
import argparse
import json
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time

SHAPES = {"vit_b": (768, 12, 12, (2, 5, 8, 11)), "vit_l": (1024, 24, 16, (5, 11, 17, 23)), "vit_h": (1280, 32, 16, (7, 15, 23, 31))}


def reference(folder, encoder, px, threads, weights, pair):
    """In a child process: makes or takes the weights, one pass, prints what it took."""
    import torch
    from safetensors.torch import load_file, save_file
    from sam_golden import image_encoder

    torch.set_num_threads(threads)
    dim, depth, heads, blocks = SHAPES[encoder]
    network = image_encoder(folder)(img_size=px, embed_dim=dim, depth=depth, num_heads=heads, use_rel_pos=True, window_size=14,
                                    global_attn_indexes=blocks, out_chans=256,
                                    norm_layer=lambda d: torch.nn.LayerNorm(d, eps=1e-6)).eval()
    torch.manual_seed(1)
    if not pathlib.Path(weights).exists():
        with torch.no_grad():
            for p in network.parameters():
                p.copy_(torch.randn_like(p) * (p[0].numel() ** -0.5 if p.dim() > 1 else 0.1) + (p.dim() == 1))
        save_file({f"image_encoder.{k}": v for k, v in network.state_dict().items()}, weights)
    network.load_state_dict({k.removeprefix("image_encoder."): v for k, v in load_file(weights).items()})
    image = torch.randn(1, 3, px, px)
    cpu, start = time.process_time(), time.perf_counter()
    with torch.inference_mode():
        embedding = network(image)
    took, cpu = time.perf_counter() - start, time.process_time() - cpu
    if not pathlib.Path(pair).exists():
        save_file({"image": image, "embedding": embedding.contiguous()}, pair)
    print(json.dumps({"wall_s": took, "cpu_s": cpu, "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def ours(program, encoder, px, threads, weights, pair):
    said = subprocess.run([program, weights, encoder, str(px), str(threads), "1", pair], check=True, capture_output=True, text=True).stdout
    best, peak, cpu, difference = re.search(r"best ([\d.]+) s, peak (\d+) MiB, cpu ([\d.]+) s\ndifference (\S+)", said).groups()
    return {"wall_s": float(best), "cpu_s": float(cpu), "peak_rss_mib": int(peak), "difference": float(difference)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("folder")
    parser.add_argument("--encoder", default="vit_b")
    parser.add_argument("--px", type=int, default=1024)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--record", action="store_true", help="write docs/measurements")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        weights, pair = f"{scratch}/weights.safetensors", f"{scratch}/pair.safetensors"
        theirs, own = [], []
        for _ in range(options.repeats):
            call = [sys.executable, __file__, "--child", options.folder, options.encoder, str(options.px), str(options.threads), weights, pair]
            theirs.append(json.loads(subprocess.run(call, check=True, capture_output=True, text=True).stdout))
            own.append(ours(options.program, options.encoder, options.px, options.threads, weights, pair))
    least = lambda runs, key: round(min(run[key] for run in runs), 2)
    out = {"command": f"encoder_speed.py encoder_bench segment_anything --encoder {options.encoder} --px {options.px} "
                      f"--threads {options.threads} --repeats {options.repeats}",
           "encoder": options.encoder, "px": options.px, "threads": options.threads,
           "difference": max(run["difference"] for run in own),
           "wall_s": least(own, "wall_s"), "wall_s_segment_anything": least(theirs, "wall_s"),
           "cpu_s": least(own, "cpu_s"), "cpu_s_segment_anything": least(theirs, "cpu_s"),
           "peak_rss_mib": max(run["peak_rss_mib"] for run in own),
           "peak_rss_mib_segment_anything": round(max(run["peak_rss_mib"] for run in theirs)),
           "ratio": round(least(theirs, "wall_s") / least(own, "wall_s"), 2)}
    if options.record:
        from measurement import record
        record("encoder" if options.encoder == "vit_b" else f"encoder_{options.encoder}", out)
    else:
        print(json.dumps(out, indent=2))


if __name__ == "__main__":
    if sys.argv[1] == "--child":
        folder, encoder, px, threads, weights, pair = sys.argv[2:]
        reference(folder, encoder, int(px), int(threads), weights, pair)
    else:
        main()
