#!/usr/bin/env python3
"""Makes tests/fixtures/nuclei: labels of a real image, a crop of its colours, and what other tools measure on them.

usage: features_golden.py IMAGE LABELS X Y SIDE OUT [HISTOMICSTK [CENTROSOME]]

IMAGE, LABELS: of one H&E image. Nuclei that the image cuts, that are not 4-connected or have holes are dropped. OUT
gets labels.png (RGB: R + 256 G = id), image.png (the SIDE pixels square at X, Y) and golden.csv: shape of all nuclei by
scikit-image's regionprops; of those well inside the crop intensity by numpy and scipy, Canny by scikit-image, Haralick
restated here from mahotas' formulae, all on this program's densities in its single precision. HISTOMICSTK: a folder
that holds the package histomicstk; its own compute_*_features must then agree within 1e-4 where docs/features.md says
"=". CENTROSOME: a folder that holds CellProfiler's package centrosome; Zernike moments and the radial distribution by its
functions must then agree, too. One work pixel is one micrometre here.
"""
import csv
import itertools
import math
import pathlib
import sys
import types
import warnings

import numpy as np
import scipy.ndimage as ndi
import scipy.stats
import skimage.feature
import skimage.filters
import skimage.graph
import skimage.io
import skimage.measure
from scipy.spatial import ConvexHull

STAINS = np.array([[0.5626, 0.7201, 0.4062], [0.2159, 0.8012, 0.5581]])  # kReferenceHe
WHITE = 240.0
RING_PX = 4
MARGIN = 6
LEVELS = 32
MOST_DENSITY = np.float32(2.5)
CANNY_LOW, CANNY_HIGH = 0.05, 0.1
MOMENTS = ["20", "11", "02", "30", "21", "12", "03", "13", "22", "31", "23", "32", "33"]
CHANNELS = ["H", "E", "residual", "R", "G", "B", "grey"]


def single(vectors, od):
    """Products and sums in single precision, in the program's order."""
    v = vectors.astype(np.float32)
    return (v[0] * od[..., 0] + v[1] * od[..., 1]) + v[2] * od[..., 2]


def channels(rgb):
    table = (-np.log((np.arange(256) + 1.0) / WHITE)).astype(np.float32)
    od = table[rgb]
    unmix = np.linalg.pinv(STAINS.T)
    normal = np.cross(STAINS[0], STAINS[1])
    normal /= np.linalg.norm(normal)
    planes = {"H": np.maximum(0, single(unmix[0], od)), "E": np.maximum(0, single(unmix[1], od)),
              "residual": single(normal, od)}
    for k, name in enumerate("RGB"):
        planes[name] = rgb[..., k].astype(np.float32)
    weights = rgb.astype(int) @ np.array([2125, 7154, 721])
    planes["grey"] = ((weights + 5000) // 10000).astype(np.float32)
    return planes


def histogram_features(v):
    p = np.histogram(v, bins=10)[0] / len(v)
    return scipy.stats.entropy(p), (p ** 2).sum()


def intensity(v):
    v = v.astype(float)
    entropy, energy = histogram_features(v)
    return {"mean": v.mean(), "sd": v.std(), "min": v.min(), "max": v.max(), "sum": v.sum(), "range": np.ptp(v),
            "median": np.median(v), "mean_median_diff": v.mean() - np.median(v), "quartile1": np.percentile(v, 25),
            "quartile3": np.percentile(v, 75), "iqr": scipy.stats.iqr(v), "mad": np.median(np.abs(v - np.median(v))), "skewness": scipy.stats.skew(v),
            "kurtosis": scipy.stats.kurtosis(v), "hist_entropy": entropy, "hist_energy": energy}


def gradient(plane, mask):
    gy, gx = np.gradient(plane)
    v = np.sqrt(gx ** 2 + gy ** 2)[mask].astype(float)
    entropy, energy = histogram_features(v)
    return {"mean": v.mean(), "sd": v.std(), "skewness": scipy.stats.skew(v), "kurtosis": scipy.stats.kurtosis(v),
            "hist_entropy": entropy, "hist_energy": energy}


def canny(plane, mask):
    """scikit-image's crests, linked within the nucleus only. Its Sobel is eight times a derivative."""
    crests = [skimage.feature.canny(plane, 1, 8 * t, 8 * t, mode="nearest") & mask for t in (CANNY_LOW, CANNY_HIGH)]
    linked, count = ndi.label(crests[0], np.ones((3, 3)))
    return np.isin(linked, np.unique(linked[crests[1]])).astype(bool)[crests[0]].sum() if count else 0


def entropy2(p):
    p = p[p > 0]
    return -(p * np.log2(p)).sum()


def haralick(plane, mask, least=np.float32(0), most=MOST_DENSITY):
    """mahotas.features.texture.haralick's formulae on pairs that lie in the mask; mean and range of four directions."""
    grey = ((np.clip(plane, least, most) - least) * (np.float32(LEVELS - 1) / (most - least)) + np.float32(0.5)).astype(int)
    rows = []
    y, x = np.nonzero(mask)
    padded = np.pad(mask, 1)
    for dy, dx in [(0, 1), (1, -1), (1, 0), (1, 1)]:
        pair = padded[y + 1 + dy, x + 1 + dx]
        a, b = grey[y[pair], x[pair]], grey[y[pair] + dy, x[pair] + dx]
        p = np.zeros((LEVELS, LEVELS))
        np.add.at(p, (a, b), 1)
        p += p.T.copy()
        if not p.sum():
            continue
        p /= p.sum()
        k = np.arange(LEVELS)
        px = p.sum(0)
        plus = np.array([p[::-1].trace(o) for o in range(1 - LEVELS, LEVELS)])
        minus = np.array([p.trace(o) + (p.trace(-o) if o else 0) for o in range(LEVELS)])
        mean = (k * px).sum()
        variance = (k ** 2 * px).sum() - mean ** 2
        hx, hxy = entropy2(px), entropy2(p)
        outer = np.outer(px, px)
        hxy1 = -(p[p > 0] * np.log2(outer[p > 0])).sum()
        hxy2 = entropy2(outer)
        k2 = np.arange(2 * LEVELS - 1)
        rows.append([(p ** 2).sum(), (k ** 2 * minus).sum(),
                     ((np.outer(k, k) * p).sum() - mean ** 2) / variance if variance > 1e-12 else np.nan,
                     variance, (minus / (1 + k ** 2)).sum(), (k2 * plus).sum(),
                     (k2 ** 2 * plus).sum() - (k2 * plus).sum() ** 2, entropy2(plus), hxy, minus.var(), entropy2(minus),
                     (hxy - hxy1) / hx if hx > 1e-12 else np.nan,
                     np.sqrt(max(0, 1 - np.exp(-2 * (hxy2 - hxy))))])
    names = ["asm", "contrast", "correlation", "sum_of_squares", "idm", "sum_average", "sum_variance", "sum_entropy",
             "entropy", "difference_variance", "difference_entropy", "imc1", "imc2"]
    out = {}
    for k, name in enumerate(names):
        column = np.array(rows)[:, k]
        out[name + "_mean"], out[name + "_range"] = column.mean(), np.ptp(column)
    return out


def box_dimension(mask):
    """HistomicsTK's _fractal_dimension, NaN where it is not defined."""
    sizes, counts, size = [], [], 4
    while size <= min(mask.shape):
        sums = np.add.reduceat(np.add.reduceat(mask.astype(int), np.arange(0, mask.shape[0], size), axis=0),
                               np.arange(0, mask.shape[1], size), axis=1)
        sizes.append(size)
        counts.append(((sums > 0) & (sums < size * size)).sum())
        size *= 2
    if len(sizes) < 2 or 0 in counts:
        return np.nan
    return -np.polyfit(np.log(sizes), np.log(counts), 1)[0]


def enclosing_circle(points):
    """Smallest circle through two or three of the points that holds all."""
    best = None
    for size in (2, 3):
        for some in itertools.combinations(points, size):
            a, b = np.array(some[0]), np.array(some[1])
            centre = (a + b) / 2
            if size == 3:
                m = 2 * np.array([b - a, np.array(some[2]) - a])
                if abs(np.linalg.det(m)) < 1e-9:
                    continue
                centre = a + np.linalg.solve(m, (m ** 2).sum(1) / 4)
            r = np.hypot(*(a - centre))
            if (np.hypot(*(points - centre).T) <= r + 1e-9).all() and (best is None or r < best[1]):
                best = centre, r
    return best


def zernike(mask):
    """CellProfiler's AreaShape_Zernike: sums over pixels in the smallest circle around their centres, over its area."""
    points = np.argwhere(mask)
    centre, r = enclosing_circle(points[ConvexHull(points).vertices])
    y, x = ((points - centre) / r).T
    out = {}
    for n in range(10):
        for m in range(n % 2, n + 1, 2):
            radial = sum((-1) ** k * math.factorial(n - k) / (math.factorial(k) * math.factorial((n + m) // 2 - k) *
                         math.factorial((n - m) // 2 - k)) * np.hypot(x, y) ** (n - 2 * k) for k in range((n - m) // 2 + 1))
            out[f"shape_zernike_{n}_{m}"] = abs((radial * np.exp(1j * m * np.arctan2(x, y))).sum()) / (np.pi * r * r)
    return out


def radial(plane, mask):
    """CellProfiler's RadialDistribution, four bins."""
    edge = ndi.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    centre = np.unravel_index(edge.argmax(), edge.shape)
    walk = skimage.graph.MCP_Geometric(np.where(mask, 1.0, -1)).find_costs([centre])[0]
    y, x = np.nonzero(mask)
    bins = (walk[mask] / (walk[mask] + edge[mask] + 0.001) * 4).astype(int)
    wedges = (y > centre[0]) + 2 * (x > centre[1]) + 4 * (abs(y - centre[0]) > abs(x - centre[1]))
    v = plane[mask].astype(float)
    out = {}
    for b in range(4):
        own = bins == b
        out[f"fraction_{b + 1}"] = v[own].sum() / v.sum()
        out[f"mean_{b + 1}"] = v[own].mean() / v.mean() if own.any() else np.nan
        means = [v[own & (wedges == w)].mean() for w in range(8) if (own & (wedges == w)).any()]
        out[f"cv_{b + 1}"] = np.std(means) / np.mean(means) if means else np.nan
    return out


def weighted(plane, mask):
    p = skimage.measure.regionprops(mask.astype(np.uint8), intensity_image=plane.astype(float))[0]
    out = {f"nucleus_H_hu_{k + 1}": v for k, v in enumerate(p.moments_weighted_hu)}
    out["nucleus_H_centroid_dy_um"], out["nucleus_H_centroid_dx_um"] = np.subtract(p.centroid_weighted, p.centroid)
    out["nucleus_H_mass_displacement_um"] = np.hypot(*np.subtract(p.centroid_weighted, p.centroid))
    return out


def shape(p):
    radius = ndi.distance_transform_edt(np.pad(p.image, 1))[1:-1, 1:-1][p.image]
    out = {"shape_area_um2": p.area, "shape_major_axis_um": p.axis_major_length, "shape_minor_axis_um": p.axis_minor_length,
           "shape_eccentricity": p.eccentricity, "shape_orientation_rad": p.orientation, "shape_solidity": p.solidity,
           "shape_equivalent_diameter_um": p.equivalent_diameter_area, "shape_convex_area_um2": p.area_convex,
           "shape_extent": p.extent, "shape_mean_radius_um": radius.mean(), "shape_median_radius_um": np.median(radius),
           "shape_max_radius_um": radius.max(), "shape_fractal_dimension": box_dimension(p.image),
           "shape_box_area_um2": p.area_bbox, "shape_euler_number": p.euler_number, **zernike(p.image)}
    for name in ("box_area_um2", "convex_area_um2", "equivalent_diameter_um", "mean_radius_um", "median_radius_um", "max_radius_um"):
        out["shape_" + name.replace("um2", "px").replace("um", "px")] = out["shape_" + name]
    for order in MOMENTS:
        out["shape_mu_" + order] = p.moments_central[int(order[0]), int(order[1])]
        out["shape_nu_" + order] = p.moments_normalized[int(order[0]), int(order[1])]
    for k in range(7):
        out[f"shape_hu_{k + 1}"] = p.moments_hu[k]
    return out


def ring_of(labels, own):
    """Within RING_PX of the nucleus and in no nucleus."""
    y, x = np.mgrid[-RING_PX:RING_PX + 1, -RING_PX:RING_PX + 1]
    return ndi.binary_dilation(own, x * x + y * y <= RING_PX * RING_PX) & (labels == 0)


def measure(labels, rgb, x, y):
    """Rows of all nuclei; colours only of those that have MARGIN pixels around them in the crop at (x, y)."""
    planes = channels(rgb)
    side = rgb.shape[0]
    part = labels[y:y + side, x:x + side]
    rows = []
    for p in skimage.measure.regionprops(labels):
        row = {"label": p.label, **shape(p)}
        rows.append(row)
        y0, x0, y1, x1 = p.bbox
        if min(y0 - y, x0 - x, y + side - y1, x + side - x1) < MARGIN:
            continue
        own = part == p.label
        edge = own & ~ndi.binary_erosion(own, border_value=0)
        for name in CHANNELS:
            for place, mask in (("nucleus", own), ("ring", ring_of(part, own))):
                if mask.any():
                    row.update({f"{place}_{name}_{k}": v for k, v in intensity(planes[name][mask]).items()})
            brief = intensity(planes[name][edge])
            row.update({f"edge_{name}_{k}": brief[k] for k in ("mean", "sd", "min", "max", "sum")})
        row["ring_area_um2"] = np.count_nonzero(ring_of(part, own))
        row["ring_nucleus_cell_area_ratio"] = p.area / (p.area + row["ring_area_um2"])
        row.update({f"nucleus_H_gradient_{k}": v for k, v in gradient(planes["H"], own).items()})
        row["nucleus_H_canny_sum"] = canny(planes["H"].astype(float), own)
        row.update({f"nucleus_H_haralick_{k}": v for k, v in haralick(planes["H"], own).items()})
        own_levels = planes["H"][own].min(), planes["H"][own].max()
        row.update({f"stretched_H_haralick_{k}": v for k, v in haralick(planes["H"], own, *own_levels).items()})
        if min(y0 - y, x0 - x, y + side - y1, x + side - x1) >= RING_PX + MARGIN:
            ring = ring_of(part, own)
            row.update({f"ring_E_gradient_{k}": v for k, v in gradient(planes["E"], ring).items()})
            row["ring_E_canny_sum"] = canny(planes["E"].astype(float), ring)
            row.update({f"ring_E_haralick_{k}": v for k, v in haralick(planes["E"], ring).items()})
        row.update({f"nucleus_H_radial_{k}": v for k, v in radial(planes["H"], own).items()})
        row.update(weighted(planes["H"], own))
    return rows, planes


def usable(labels):
    """Whole 4-connected nuclei without holes, renumbered."""
    out = np.zeros_like(labels)
    count = 0
    for p in skimage.measure.regionprops(labels):
        y0, x0, y1, x1 = p.bbox
        inside = y0 > 0 and x0 > 0 and y1 < labels.shape[0] and x1 < labels.shape[1]
        whole = ndi.label(p.image)[1] == 1 and ndi.binary_fill_holes(p.image, np.ones((3, 3))).sum() == p.area
        if inside and whole and p.area > 12:
            count += 1
            out[labels == p.label] = count
    return out


def compare_with_histomicstk(folder, labels, window, planes, rows):
    """Its own functions on the same pixels; modules are loaded without the package's heavy dependencies."""
    warnings.simplefilter("ignore")  # it still uses scikit-image's old names
    for name in ("histomicstk", "histomicstk.features"):
        module = types.ModuleType(name)
        module.__path__ = [str(pathlib.Path(folder) / name.replace(".", "/"))]
        sys.modules[name] = module
    from histomicstk.features.compute_gradient_features import compute_gradient_features
    from histomicstk.features.compute_intensity_features import compute_intensity_features
    from histomicstk.features.compute_morphometry_features import compute_morphometry_features
    crop = labels[window]
    data = {"": (compute_morphometry_features(labels), sorted(set(labels.ravel()) - {0})),
            "crop": (compute_intensity_features(crop, planes["H"]).join(compute_gradient_features(crop, planes["H"])),
                     sorted(set(crop.ravel()) - {0}))}
    same = {"Orientation.Orientation": "shape_orientation_rad", "Size.Area": "shape_area_um2",
            "Size.ConvexHullArea": "shape_convex_area_um2", "Size.MajorAxisLength": "shape_major_axis_um",
            "Size.MinorAxisLength": "shape_minor_axis_um", "Shape.Eccentricity": "shape_eccentricity",
            "Shape.EquivalentDiameter": "shape_equivalent_diameter_um", "Shape.Extent": "shape_extent",
            "Shape.FractalDimension": "shape_fractal_dimension", "Shape.Solidity": "shape_solidity"}
    same |= {f"Shape.HuMoments{k}": f"shape_hu_{k}" for k in range(1, 8)}
    plain = {"Mean": "mean", "MeanMedianDiff": "mean_median_diff", "Std": "sd", "Min": "min", "Max": "max", "Median": "median", "IQR": "iqr", "MAD": "mad",
             "Skewness": "skewness", "Kurtosis": "kurtosis", "HistEntropy": "hist_entropy", "HistEnergy": "hist_energy"}
    same |= {"Intensity." + a: "nucleus_H_" + b for a, b in plain.items()}
    same |= {"Gradient.Mag." + a: "nucleus_H_gradient_" + plain[a]
             for a in ("Mean", "Std", "Skewness", "Kurtosis", "HistEntropy", "HistEnergy")}
    of_label = {row["label"]: row for row in rows}
    for theirs, ours in same.items():
        table, ids = data["crop" if ours.startswith("nucleus") else ""]
        pairs = [(a, of_label[i].get(ours, np.nan)) for a, i in zip(table[theirs], ids)]
        # A nucleus that the crop cuts has other colours there; ours has none.
        error = max(abs(a - b) / max(1, abs(b)) for a, b in pairs if np.isfinite(b))
        print(f"{theirs:28} {ours:32} {error:.1e}")
        if error > 1e-4:
            raise SystemExit(f"{theirs} and {ours} differ by {error}")


def compare_with_centrosome(folder, labels, window, planes, rows):
    """CellProfiler's own building blocks: zernike(), propagate() and distance_to_edge()."""
    sys.path.insert(0, folder)
    from centrosome import cpmorphology, propagate, zernike as cpzernike
    orders = cpzernike.get_zernike_indexes(10)
    theirs = cpzernike.zernike(orders, labels, np.unique(labels)[1:])
    # It drops pixels on the circle itself that rounding puts outside: up to three of a nucleus's n.
    worst = max(abs(t - row[f"shape_zernike_{n}_{m}"]) * row["shape_area_um2"] for row, found in zip(rows, theirs) for (n, m), t in zip(orders, found))
    print(f"centrosome's Zernike moments: {theirs.size} values, largest difference {worst:.2f} pixels")
    crop, plane = labels[window], planes["H"].astype(float)
    edge = cpmorphology.distance_to_edge(labels)[window]
    worst = 0
    for row in rows:
        own = crop == row["label"]
        if "nucleus_H_radial_cv_1" not in row:
            continue
        centre = np.unravel_index(np.where(own, edge, 0).argmax(), own.shape)
        seed = np.zeros(own.shape, int)
        seed[centre] = 1
        walk = propagate.propagate(np.zeros(own.shape), seed, own, 1)[1]
        bins = (walk[own] / (walk[own] + edge[own] + 0.001) * 4).astype(int)
        for b in range(4):
            worst = max(worst, abs(plane[own][bins == b].sum() / plane[own].sum() - row[f"nucleus_H_radial_fraction_{b + 1}"]))
    print(f"centrosome's distances: largest difference of a shell's share {worst:.1e}")
    if worst > 1e-6:
        raise SystemExit("centrosome says otherwise")


def main(image, labels, x, y, side, out, histomicstk=None, centrosome=None):
    x, y, side = int(x), int(y), int(side)
    window = np.s_[y:y + side, x:x + side]
    rgb = skimage.io.imread(image)[window][..., :3]
    truth = usable(skimage.io.imread(labels).astype(int))
    rows, planes = measure(truth, rgb, x, y)
    if histomicstk:
        compare_with_histomicstk(histomicstk, truth, window, planes, rows)
    if centrosome:
        compare_with_centrosome(centrosome, truth, window, planes, rows)
    folder = pathlib.Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    skimage.io.imsave(folder / "image.png", rgb, check_contrast=False)
    coded = np.stack([truth % 256, truth // 256, np.zeros_like(truth)], -1).astype(np.uint8)
    skimage.io.imsave(folder / "labels.png", coded, check_contrast=False)
    keys = list(max(rows, key=len))
    with open(folder / "golden.csv", "w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(keys)
        for row in rows:
            table.writerow(["" if not np.isfinite(row.get(k, np.nan)) else f"{row[k]:.8g}" for k in keys])
    print(len(rows), "nuclei,", sum("nucleus_H_mean" in row for row in rows), "with colours,", sum(f.stat().st_size for f in folder.iterdir()), "bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
