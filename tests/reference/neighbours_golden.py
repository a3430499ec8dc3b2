#!/usr/bin/env python3
"""What scipy says about neighbours of nuclei.

usage: neighbours_golden.py make LABELS OUT [HISTOMICSTK]   tests/fixtures/nuclei/neighbours.csv from labels.png
       neighbours_golden.py check RESULT.h5 [HISTOMICSTK]   compares every row and the summary of a result

Centroids are rounded to 1/1024 of a level-0 pixel, as the program does. HISTOMICSTK: a folder that holds the package
histomicstk; its compute_global_cell_graph_features must then agree within 1e-5 too.
"""
import csv
import pathlib
import sys
import types

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial import ConvexHull, Delaunay, Voronoi, cKDTree, distance

STEPS = 1024
RANKS, RADII = [1, 2, 3, 5, 7], [10, 20, 50]


def population(values):
    """Mean, sd, least / largest and disorder without outliers, as HistomicsTK."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    while True:
        mean, sd = values.mean(), values.std()
        keep = abs(values - mean) <= 3 * sd
        if keep.all():
            return {"mean": mean, "sd": sd, "min_max_ratio": values.min() / values.max(), "disorder": sd / (mean + sd)}
        values = values[keep]


def triangle_areas(p, triangles):
    a, b, c = (p[triangles[:, k]] for k in range(3))
    return abs((b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])) / 2


def cells_of(p):
    """Area, perimeter and largest distance of corners of each bounded Voronoi cell, NaN for the others."""
    voronoi = Voronoi(p)
    out = np.full((len(p), 3), np.nan)
    for i, region in enumerate(voronoi.point_region):
        corners = voronoi.regions[region]
        if corners and -1 not in corners:
            hull = ConvexHull(voronoi.vertices[corners])
            out[i] = hull.volume, hull.area, distance.pdist(voronoi.vertices[corners]).max()
    return out


def measure(p):
    """p: [n, 2] in µm. Columns of the table, and the summary."""
    tree = cKDTree(p)
    near = tree.query(p, max(RANKS) + 1)[0]
    out = {f"neighbours_nearest_{k}_um": near[:, k] for k in RANKS}
    for r in RADII:
        out[f"neighbours_count_{r}um"] = tree.query_ball_point(p, r, return_length=True) - 1
    mesh = Delaunay(p)
    edges = np.unique(np.sort(np.concatenate([mesh.simplices[:, k] for k in ([0, 1], [1, 2], [2, 0])]), axis=1), axis=0)
    lengths = np.hypot(*(p[edges[:, 0]] - p[edges[:, 1]]).T)
    areas = triangle_areas(p, mesh.simplices)
    both = np.concatenate([edges[:, 0], edges[:, 1]])
    order = np.argsort(both, kind="stable")
    of_site = np.split(np.tile(lengths, 2)[order], np.searchsorted(both[order], np.arange(1, len(p))))
    corner = mesh.simplices.ravel()
    order = np.argsort(corner, kind="stable")
    around = np.split(np.repeat(areas, 3)[order], np.searchsorted(corner[order], np.arange(1, len(p))))
    for name, f in (("degree", len), ("mean_um", np.mean), ("median_um", np.median), ("min_um", np.min), ("max_um", np.max)):
        out["neighbours_delaunay_" + name] = np.array([f(v) for v in of_site])
    out["neighbours_delaunay_mean_triangle_um2"] = np.array([v.mean() for v in around])
    out["neighbours_delaunay_max_triangle_um2"] = np.array([v.max() for v in around])
    cells = cells_of(p)
    out["neighbours_voronoi_area_um2"] = cells[:, 0]
    graph = coo_array((lengths, edges.T), (len(p), len(p)))
    populations = {k: v for k, v in out.items() if k.startswith(("neighbours_count", "neighbours_nearest")) and
                   k not in ("neighbours_nearest_1_um", "neighbours_nearest_2_um")}
    populations |= {"voronoi_area_um2": cells[:, 0], "voronoi_perimeter_um": cells[:, 1],
                    "voronoi_max_distance_um": cells[:, 2], "delaunay_side_um": lengths, "delaunay_area_um2": areas,
                    "mst_branch_um": minimum_spanning_tree(graph).data}
    summary = {f"{name}_{k}": v for name, values in populations.items() for k, v in population(values).items()}
    return out, summary


def compare_with_histomicstk(folder, p, summary):
    for name in ("histomicstk", "histomicstk.features"):
        module = types.ModuleType(name)
        module.__path__ = [str(pathlib.Path(folder) / name.replace(".", "/"))]
        sys.modules[name] = module
    from histomicstk.features import compute_global_cell_graph_features as theirs
    found = theirs._flatten_to_dict(theirs._compute_global_cell_graph_features(p, RADII, (3, 5, 7)))
    names = {"voronoi_area": "voronoi_area_um2", "voronoi_peri": "voronoi_perimeter_um", "voronoi_max_dist": "voronoi_max_distance_um",
             "delaunay_sides": "delaunay_side_um", "delaunay_area": "delaunay_area_um2", "mst_branches": "mst_branch_um"}
    names |= {f"density_neighbors_in_distance_{i}": f"neighbours_count_{r}um" for i, r in enumerate(RADII)}
    names |= {f"density_distance_for_neighbors_{i}": f"neighbours_nearest_{k}_um" for i, k in enumerate((3, 5, 7))}
    worst = 0
    for a, b in names.items():
        for x, y in (("mean", "mean"), ("stddev", "sd"), ("min_max_ratio", "min_max_ratio"), ("disorder", "disorder")):
            worst = max(worst, abs(found[f"{a}_{x}"] - summary[f"{b}_{y}"]) / max(1, abs(summary[f"{b}_{y}"])))
    print(f"HistomicsTK's graph features: {len(names) * 4} values, largest difference {worst:.1e}")
    if worst > 1e-5:
        raise SystemExit("HistomicsTK says otherwise")


def make(labels, out, histomicstk=None):
    import skimage.io
    import skimage.measure
    coded = skimage.io.imread(labels).astype(int)
    centres = [p.centroid for p in skimage.measure.regionprops(coded[..., 0] + 256 * coded[..., 1])]
    steps = np.round((np.array(centres)[:, ::-1] + 0.5) * STEPS).astype(int)
    rows, summary = measure(steps * (0.25 / STEPS))
    if histomicstk:
        compare_with_histomicstk(histomicstk, steps * (0.25 / STEPS), summary)
    with open(out, "w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["x", "y", *rows])
        for i, (x, y) in enumerate(steps):
            table.writerow([x, y, *("" if np.isnan(v[i]) else f"{v[i]:.8g}" for v in rows.values())])
        for name, value in summary.items():
            table.writerow(["summary", name, f"{value:.8g}"])
    print(len(steps), "nuclei,", len(summary), "numbers about all of them")


def check(result, histomicstk=None):
    import h5py
    with h5py.File(result) as f:
        px = np.stack([f["nuclei/centroid_x_px"][:], f["nuclei/centroid_y_px"][:]], 1)
        um = np.sqrt(f["slide"].attrs["mpp_x"] * f["slide"].attrs["mpp_y"])
        steps = np.floor(px * STEPS + 0.5)
        rows, summary = measure(steps * (um / STEPS))
        worst = {}
        for name, expected in rows.items():
            found = f["nuclei/" + name][:].astype(float)
            differs = np.abs(found - expected) > 1e-5 * np.abs(expected)
            undefined = np.isnan(found) != np.isnan(expected)
            worst[name] = np.nanmax(np.abs(found - expected) / np.maximum(1, np.abs(expected)))
            print(f"{name:40} {worst[name]:.1e}  {int(differs.sum())} differ, {int(undefined.sum())} only one defines")
            if (differs | undefined).any() and "delaunay" not in name:
                raise SystemExit(f"{name} differs")
        for name, expected in summary.items():
            found = f["summary/graph"].attrs[name]
            if abs(found - expected) > 1e-5 * max(1, abs(expected)):
                print("summary", name, found, expected)
        print(len(steps), "nuclei,", len(summary), "numbers about all of them")
        if histomicstk:
            compare_with_histomicstk(histomicstk, steps * (um / STEPS), dict(f["summary/graph"].attrs))


if __name__ == "__main__":
    {"make": make, "check": check}[sys.argv[1]](*sys.argv[2:])
