#!/usr/bin/env python3
"""Makes docs/performance.md from docs/measurements/*.json, so that no figure is there that nobody measured.

usage: scripts/performance_doc.py [--check]      --check: exit code 1 when the page is not in step with the figures
"""
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs/measurements"
PAGE = ROOT / "docs/performance.md"
INTRO = """# Performance

Made by `scripts/performance_doc.py` from [measurements/](measurements/), where each file names its machine, date and commands; a
test fails when this page is not in step. Model `classical`. CPU time is the kernel's, of the whole process; where other programs ran on
the same cores (see the load averages) it is an upper bound, and wall times say little. `tissue.svs` (all tissue) and `small.svs` come from
`make_slide BS9-HE1_gigapixel.tif 62400 3800 2048 OUT.svs SIDE SIDE`, with SIDE 53248 and 8192; `small.h5` from `small.svs` with
`--keep-maps`.
"""
STEPS = ["separate", "features", "contour", "segment", "resample", "load", "store", "blend", "normalise"]


def span(values, pattern="{:g}"):
    """One value, or the least and the greatest."""
    low, high = pattern.format(min(values)), pattern.format(max(values))
    return low if low == high else f"{low} to {high}"


def own_ns(values):
    return [(run["cpu_s"] - run["decode_cpu_s"]) * 1e9 / values["work_pixels"] for run in values["runs"]]


def slides(found):
    columns = [v for v in found if "work_pixels" in v]
    if not columns:
        return ""

    def per_px(values):
        split = values["cpu_split_s"]
        last = values["runs"][-1]
        rest = last["cpu_s"] - last["decode_cpu_s"] - sum(split.get(step, 0) for step in STEPS)
        return " / ".join(f"{s * 1e9 / values['work_pixels']:.0f}" for s in [*(split.get(step, 0) for step in STEPS), rest])

    rows = [
        ("", [v["slide"] for v in columns]),
        ("what", [v["what"] for v in columns]),
        ("machine, date", [f"{v['machine']}; {v['date']}" for v in columns]),
        ("tiles; work pixels in them", [f"{v['tiles']:,}; {v['work_pixels'] / 1e6:.0f} million" for v in columns]),
        ("nuclei; result file", [f"{v['nuclei']:,}; {v['h5_mb']} MB" for v in columns]),
        ("load average meanwhile", [span([r.get("load_average", 0) for r in v["runs"]]) for v in columns]),
        ("wall time", [span([r["wall_s"] for r in v["runs"]], "{:.0f}") + " s" for v in columns]),
        ("peak resident memory", [span([r["peak_rss_mb"] for r in v["runs"]]) + " MB" for v in columns]),
        ("CPU time; of decoding the same tiles only",
         [span([r["cpu_s"] for r in v["runs"]], "{:.0f}") + "; " + span([r["decode_cpu_s"] for r in v["runs"]], "{:.0f}") + " s"
          for v in columns]),
        ("**the difference per work pixel**", ["**" + span(own_ns(v), "{:.0f}") + " ns**" for v in columns]),
        ("of it, last run: " + " / ".join([*STEPS, "start, fit and writing"]), [per_px(v) + " ns" for v in columns])]
    lines = ["## Whole runs", ""]
    for number, (name, cells) in enumerate(rows):
        lines.append("| " + " | ".join([name, *cells]) + " |")
        if number == 0:
            lines.append("|---" * (len(cells) + 1) + "|")
    return "\n".join(lines) + "\n"


def memory(v):
    rows = "\n".join(f"| {p['slide']} | {p['commit']} | {', '.join(map(str, p['mb']))}{'' if p['whole'] else ' until it was stopped'} |"
                     for p in v["peaks"])
    every = [mb for p in v["peaks"] for mb in p["mb"]]
    w = v["writer"]
    return f"""## Peak memory, every run

From {min(every)} to {max(every)} MB before {w['fixed_in']} (`{v['command']}`; {v['machine']};
{v['date']}). One cause of the difference between
slides was HDF5's cache of chunks, up to 1 MiB for each column of the table, which only many nuclei fill: a program that writes
{w['columns']} columns and nothing else took {w['before']['30000']} MB for 30,000 nuclei and {w['before']['240000']} MB for 240,000. Now every column keeps one chunk:
{w['after']['30000']} MB for 30,000 ({w['date']}). Whole runs since then: the table above.

| slide | commit | MB |
|---|---|---|
{rows}
"""


def separation(v):
    return f"""## Separation against scikit-image

The same maps, {v['pixels'] / 1e6:.1f} million pixels of dense tissue, one thread each, one after the other: {v['cpu_s']:.3f} s of CPU against
{v['cpu_s_scikit_image']:.2f} s of the equivalent chain ({v['cpu_s'] * 1e9 / v['pixels']:.0f} ns per pixel): **{v['ratio']:.0f} times**. {v['nuclei']:,} and
{v['nuclei_scikit_image']:,} nuclei, of which {100 * v['agreement']:.1f} % agree (overlap above one half). `{v['command']}`; {v['machine']}; {v['date']}.
"""


def macenko(v):
    return f"""## Macenko's normalisation against torchstain

{v['pixels'] / 1e6:.1f} million pixels, one thread each, torchstain's numpy back end: applying a fit {v['apply_s'] * 1e3:.1f} ms against
{v['apply_s_torchstain'] * 1e3:.0f} ms (**{v['apply_ratio']:.0f} times**; at most {v['grey_levels_apart_most']} grey level apart), fit and application
{v['whole_s'] * 1e3:.0f} ms against {v['whole_s_torchstain'] * 1e3:.0f} ms ({v['whole_ratio']:.1f} times). A slide is fitted once. `{v['command']}`; {v['machine']};
{v['date']}.
"""


def network(v):
    rows = "\n".join(f"| {c['base']} | {c['side_px']} | {c['tiles']} | {c['cpu_s'] / c['tiles']:.3f} | {c['cpu_s_eager'] / c['tiles']:.3f} | "
                     f"**{c['ratio_cpu']:.1f}** | {c['grey_levels_apart']} |" for c in v["cases"])
    return f"""## A network against eager PyTorch

eU-Net3+ (GLU encoder, distance head, random weights), float32, one thread each, one after the other: the pipeline's segmenter, 8-bit pixels
to 8-bit maps, against PyTorch {v['torch']} in channels-last memory, a float batch to logits. CPU time per tile, least of {v['repeats']}; the maps of one
tile are compared. How it is done: [models.md](models.md). `{v['command']}`; {v['machine']}; {v['date']}.

| base width | side, px | tiles | s per tile | PyTorch, s | times as fast | maps apart at most, grey levels |
|---|---|---|---|---|---|---|
{rows}
"""


def network_run(v):
    run, network = v["runs"][-1], v["cpu_split_s"]["segment"]
    rest = run["cpu_s"] - network
    return f"""## A run with a network

{v['slide']}, {v['what']}: {run['cpu_s']:.0f} s of CPU, of which the network {network:.0f} s and everything else, start and
writing included, {rest:.1f} s: **{100 * rest / run['cpu_s']:.0f} %**. {v['tiles']} tiles, {v['nuclei']:,} nuclei; {run['peak_rss_mb']:,} MB at the peak; {run['wall_s']:.0f} s of wall time
at a load average of {run['load_average']}: {run['wall_s'] / v['tissue_mm2']:.1f} s for a mm² of tissue. `{v['commands']['run']}`; {v['machine']}; {v['date']}.
"""


def script(v):
    extra = v["median_s"]["script"] - v["median_s"]["program"]
    return f"""## The script in front of the program

`scripts/wsi-segment --version` takes {v['median_s']['script'] * 1e3:.0f} ms, the program itself {v['median_s']['program'] * 1e3:.0f} ms: {extra * 1e3:.0f} ms more (medians of
{v['repeats']}; {v['machine']}; {v['date']}). On a machine with nothing installed `{v['bare']['command']}` took {v['bare']['seconds'] / 60:.0f} minutes: packages, wheels, build
({v['bare']['machine']}; {v['bare']['date']}; {v['bare']['note']}).
"""


def exports(v):
    rows = "\n".join(f"| `{suffix}` | {size} |" for suffix, size in v["files_mb"].items())
    return f"""## Sizes of exports

{v['nuclei']:,} nuclei of `classical` on BS9, every measurement. Java loads the GeoJSON (Gson the whole tree, as QuPath does, JTS every polygon) with
a heap of {v['java_heap_mib']} MiB or more. `{v['command']}`; {v['machine']}; {v['date']}.

| file | MB |
|---|---|
{rows}
"""


def export_times(v):
    rows = "\n".join(f"| `{suffix}` | {f['cpu_s']:.1f} | {f['wall_s']:.0f} | {f['peak_rss_mb']} | {f['mb']:,.0f} |" for suffix, f in v["files"].items())
    n = v.get("neighbours")
    graph = "" if n is None else (f" Neighbours and graph of as many: {n['wall_s']:.0f} s, {n['cpu_s']:.0f} s of CPU, "
                                  f"{n['bytes_each']} bytes each, {n['peak_rss_mb']:,} MB at the peak of the process.")
    return f"""## Exports of {v['nuclei']:,} nuclei

A synthetic result, outlines of 24 vertices, {v['features']} measurements (GeoJSON: ten with the probabilities), {v['csv_columns']} columns in CSV. One thread, one process per
file.{graph} Load average {v['load_average']}. `{v['command']}`; {v['machine']}; {v['date']}.

| file | CPU s | wall s | peak MB | file MB |
|---|---|---|---|---|
{rows}
"""


def encoder(v):
    return f"""## SAM's image encoder against segment-anything

{v['encoder']} at {v['px']} px, random weights, fp32, {v['threads']} thread{'s' if v['threads'] > 1 else ''} each, in turns: {v['wall_s']:.1f} s and
{v['peak_rss_mib']:,} MiB at the peak against {v['wall_s_segment_anything']:.1f} s and {v['peak_rss_mib_segment_anything']:,} MiB: **{v['ratio']:.2f} times** as
fast (CPU time of a process: {v['cpu_s']:.1f} and {v['cpu_s_segment_anything']:.1f} s). The embeddings differ by {v['difference']:.1e} of the largest value.
`{v['command']}`; {v['machine']}; {v['date']}.
"""


def features(v):
    theirs = v["histomicstk"]
    rows = "\n".join(f"| {g['groups']} | {g['columns']} | {g['nuclei_per_s']:,} |" for g in v["groups"])
    return f"""## The table of nuclei against HistomicsTK

{v['slide']}: {v['nuclei']:,} nuclei of {v['pixels_each']} pixels at {v['mpp']} µm/px, one thread, CPU time, load average {v['load_average']}; everything but
Zernike moments and neighbours. On the same labels in the same run `compute_nuclei_features` of HistomicsTK {theirs['version']} ({theirs['columns']} columns) measured
{theirs['nuclei_per_s']} nuclei per second: **{theirs['ratio']} times** slower. On {v['compared']:,} of them {v['scikit_image']['columns']} columns are at most {v['scikit_image']['difference']:.0e} of the value
from scikit-image's, {theirs['columns_shared']} at most {theirs['difference']:.0e} from HistomicsTK's and Haralick's {v['mahotas']['columns']} at most {v['mahotas']['difference']:.0e} from
mahotas {v['mahotas']['version']} (of the column's median or 1, the lesser, where the value is less). `{v['command']}`;
{v['machine']}; {v['date']}.

| groups | columns | nuclei per second |
|---|---|---|
{rows}
"""


def commands(v):
    found = v["commands"]
    rows = "\n".join(f"| {name}{', ' + c['slide'] if 'slide' in c else ''} | {c['nuclei']:,} | {c['cpu_s']:.1f} | {c['wall_s']:.0f} | "
                     f"{c['peak_rss_mb'] if 'peak_rss_mb' in c else str(c['bytes_each']) + ' bytes per nucleus'} |" for name, c in found.items())
    return f"""## `measure`, `compare`, neighbours

`measure`: all features of nuclei found by a run, from its labels and its polygons, reading the slide included. `compare`: a synthetic
result with itself, all outputs. Neighbours: columns' writing included. Load average {v['load_average']}: wall times say little. `{v['command']}`;
{v['machine']}; {v['date']}.

| what | nuclei | CPU s | wall s | peak MB |
|---|---|---|---|---|
{rows}
"""


def training_stream(v):
    speeds = "; ".join(f"{r['per_s']:.0f} samples per second with {r['workers']} worker{'s' if r['workers'] > 1 else ''} ({r['cpu_ms']:.0f} ms of CPU each)" for r in v["runs"])
    return f"""## The stream of training patches

Augmented patches of {v['patch_px']} px: {speeds}. Load average {v['load_average']}. `{v['command']}`; {v['machine']}; {v['date']}.
"""


def training_step(v):
    found, key = v["steps"], "cpu_s" if v["threads"] == 1 else "wall_s"
    threads = "one thread, CPU time" if v["threads"] == 1 else f"{v['threads']} threads, wall time"
    return f"""## A training step

eU-Net3+ b = {v['base']}, {v['batch']} patches of {v['side_px']} px, {threads}, the least of {2 * v['repeats'] + 1}: {found['ours'][key]:.2f} s; eager PyTorch {v['torch']}
{found['channels_last'][key]:.2f} s in channels-last order and {found['contiguous'][key]:.2f} s in its usual order, in turns: **{min(v['ratio'].values()):.2f} times** as fast as the
better one. Ours makes its targets as well; the losses differ by {v['losses_apart']:.1e}. `{v['command']}`; {v['machine']}; {v['date']}.
"""


def evaluate(v):
    return f"""## `evaluate`

{v['images']:,} images of {v['side_px']} px with {v['true_nuclei']:,} true nuclei, predictions read from files, all metrics, {v['threads']} cores: **{v['wall_s']:.0f} s**
({v['cpu_s']:.0f} s of CPU), reading included. Load average {v['load_average']}. `{v['command']}`; {v['machine']}; {v['date']}.
"""


def larger_encoder(v):
    return f"""{v['encoder']} at {v['px']} px likewise, {v['threads']} threads each, its weights mapped: {v['wall_s']:.1f} s and {v['peak_rss_mib']:,} MiB at the peak against
{v['wall_s_segment_anything']:.1f} s and {v['peak_rss_mib_segment_anything']:,} MiB ({v['cpu_s']:.0f} and {v['cpu_s_segment_anything']:.0f} s of CPU): {v['ratio']:.2f} times as fast; the
embeddings differ by {v['difference']:.1e} of the largest value. `{v['command']}`; {v['machine']}; {v['date']}.
"""


def context(v):
    tile, field = v["tile"], v["field"]
    return f"""SAM's share of a tile of 256 px ({v['encoder']}, {v['threads']} threads, preparation included): {tile['s_per_tile']:.1f} s where every tile is upsampled (`network.context =
tile`, {tile['s']:.1f} s for {tile['core_px']} px of the slide), {field['s_per_tile']:.2f} s with fields ({field['s']:.1f} s for {field['core_px']} px): **{v['ratio']:.0f} times** less.
`{v['command']}`; {v['machine']}; {v['date']}.
"""


def workers(v):
    return f"""{v['tiles']} tiles of {v['side_px']} px, b = {v['base']}, on LibTorch's layers: {v['wall_s_workers']:.1f} s by {v['workers']} workers of one thread (as a run does it, so that a tile's
bytes depend on nothing else), {v['wall_s_threads']:.1f} s by one worker of {v['workers']} threads: workers are **{v['ratio']:.2f} times** as fast. With kernels of our own, which have one
thread: {v['wall_s_own_kernels']:.1f} s. `{v['command']}`; {v['machine']}; {v['date']}.
"""


def gpu(v):
    tiles = v["segmenter"]["tiles_per_s"]
    rows = "\n".join(f"| {precision} | " + " | ".join(f"{rates[batch]:.0f}" for batch in ("1", "8", "32")) + " |" for precision, rates in tiles.items())
    area = v["segmenter"]["core_px"] ** 2 / 1e6
    best = max(rate for rates in tiles.values() for rate in rates.values())
    encoders = ", ".join(f"{name} {1e3 * s['fp32']:.0f} ms in fp32 and {1e3 * s['bf16']:.0f} in bf16" for name, s in v["encoder"]["s"].items())
    steps = "; ".join(f"b = {r['bases']} {r['s_per_step']:.2f} s" + (f" with {r['beside']} other{'s' if r['beside'] > 1 else ''} beside it" if r["beside"] else " alone")
                      for r in v["training"]["runs"])
    waits = [r["waited_percent"] for r in v["training"]["runs"]]
    tests = v["tests"]
    return f"""## On a GPU

{v['machine']}, LibTorch {v['libtorch']}, {v['date']}, commit {v['commit']}; built without the imaging libraries, so no whole slide. Tests on the
device: {tests['maps']}; a training step's loss within {tests['first_loss_apart']:.0e} of the CPU's, after four steps of Adam within
{100 * tests['later_losses_apart']:.1f} % (cuDNN used TF32, which fp32 training no longer allows).

Tiles of {v['segmenter']['core_px']} px ({v['segmenter']['input_px']} with halo) per second with the shipped network, 8-bit pixels to 8-bit maps, by precision and tiles per pass;
the best is {best * area:.0f} million work pixels per second (`{v['segmenter']['command']}`):

| | 1 | 8 | 32 |
|---|---|---|---|
{rows}

One 1024-px image through SAM's encoder, random weights: {encoders} (`{v['encoder']['command']}`).

Training steps, bf16, {v['training']['batch']} patches of {v['training']['side_px']} px: {steps}. Trainers waited for patches {min(waits)} to {max(waits)} % of the time.
"""


def page():
    read = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
    parts = [INTRO, slides([v for name, v in read.items() if name != "network_run"])]
    for name, make in (("features", features), ("memory", memory), ("separation", separation), ("macenko", macenko), ("network", network),
                       ("workers", workers), ("network_run", network_run), ("encoder", encoder), ("encoder_vit_l", larger_encoder),
                       ("encoder_vit_h", larger_encoder), ("context", context), ("script", script), ("exports", exports), ("million", export_times), ("ten_million", export_times), ("commands", commands),
                       ("training_stream", training_stream), ("training_step", training_step), ("evaluate", evaluate), ("gpu", gpu)):
        if name in read:
            parts.append(make(read[name]))
    return "\n".join(part for part in parts if part)


def main():
    if "--check" in sys.argv[1:]:
        if PAGE.read_text() == page():
            return 0
        print("docs/performance.md is not in step with docs/measurements: run scripts/performance_doc.py")
        return 1
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
