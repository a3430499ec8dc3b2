"""What scikit-image and HistomicsTK say about the nuclei of a label image, under this program's names and in its units."""
import importlib
import pathlib
import sys
import time
import types
import warnings

import numpy as np
import skimage.measure

from features_golden import LEVELS, MOMENTS, MOST_DENSITY, single

WHITE = 240.0
STATISTICS = {"MeanMedianDiff": "mean_median_diff", "Mean": "mean", "Std": "sd", "Min": "min", "Max": "max", "Median": "median", "IQR": "iqr", "MAD": "mad",
              "Skewness": "skewness", "Kurtosis": "kurtosis", "HistEntropy": "hist_entropy", "HistEnergy": "hist_energy"}


def densities(rgb, stains):
    """The program's two densities, in single precision and its order."""
    od = (-np.log((np.arange(256) + 1.0) / WHITE)).astype(np.float32)[rgb]
    unmix = np.linalg.pinv(stains.T)
    return [np.maximum(0, single(v, od)) for v in unmix]


def scikit_image(labels, chosen, um):
    """Columns by scikit-image, one row per chosen label."""
    out = {}
    for p in np.array(skimage.measure.regionprops(labels), dtype=object)[chosen]:
        row = {"shape_area_um2": p.area * um ** 2, "shape_major_axis_um": p.axis_major_length * um,
               "shape_minor_axis_um": p.axis_minor_length * um, "shape_eccentricity": p.eccentricity,
               "shape_orientation_rad": p.orientation, "shape_solidity": p.solidity, "shape_extent": p.extent,
               "shape_convex_area_um2": p.area_convex * um ** 2, "shape_equivalent_diameter_um": p.equivalent_diameter_area * um,
               "shape_box_area_um2": p.area_bbox * um ** 2, "shape_euler_number": p.euler_number}
        for pq in MOMENTS:
            row["shape_mu_" + pq] = p.moments_central[int(pq[0]), int(pq[1])]
            row["shape_nu_" + pq] = p.moments_normalized[int(pq[0]), int(pq[1])]
        row |= {f"shape_hu_{k + 1}": v for k, v in enumerate(p.moments_hu)}
        for name, value in row.items():
            out.setdefault(name, []).append(value)
    return {name: np.array(v, float) for name, v in out.items()}


HARALICK = ["asm", "contrast", "correlation", "sum_of_squares", "idm", "sum_average", "sum_variance", "sum_entropy", "entropy",
            "difference_variance", "difference_entropy", "imc1", "imc2"]


def mahotas(labels, chosen, density):
    """Haralick's columns by mahotas: its matrices of a nucleus on grey level 0, which is then left out, and its features of them.
    Where all pixels are of one level it gives correlation and the first information measure a value; here they have none."""
    from mahotas.features import texture
    grey = (np.minimum(density, MOST_DENSITY) * (np.float32(LEVELS - 1) / MOST_DENSITY) + np.float32(0.5)).astype(int)
    out = {}
    for p in np.array(skimage.measure.regionprops(labels), dtype=object)[chosen]:
        picture = np.pad(np.where(p.image, grey[p.slice] + 1, 0), 2)
        picture[0, 0] = LEVELS  # so that every matrix has all levels; its pairs are with level 0
        matrices = np.array([texture.cooccurence(picture, d, symmetric=True)[1:, 1:].astype(float) for d in range(4)])
        matrices = matrices[matrices.sum((1, 2)) > 0]
        rows = np.full((1, len(HARALICK)), np.nan)
        if len(matrices):
            rows = np.array(texture.haralick_features(matrices, return_mean=False))
            rows[np.ix_([np.count_nonzero(m) == 1 for m in matrices], [2, 11])] = np.nan
        for name, column in zip(HARALICK, rows.T, strict=True):
            out.setdefault(f"nucleus_H_haralick_{name}_mean", []).append(column.mean())
            out.setdefault(f"nucleus_H_haralick_{name}_range", []).append(np.ptp(column))
    return {name: np.array(v) for name, v in out.items()}


def differences(pairs, table, um):
    """pairs: our column -> their values. Our column -> (largest difference relative to the value, or the column's median or 1,
    the lesser of them, where that is more; how many values only one of both defines)."""
    out = {}
    for ours, expected in pairs.items():
        found = table(ours)
        if ours.startswith("shape_mu_"):
            found = found / um ** (int(ours[-2]) + int(ours[-1]) + 2)
        if ours == "shape_fractal_dimension":  # HistomicsTK fits a line through a single count, too
            expected = np.where(np.isnan(found), np.nan, expected)
        both = np.isfinite(found) & np.isfinite(expected)
        size = np.abs(expected[both])
        worst = np.max(np.abs(found - expected)[both] / np.maximum(size, min(1, np.median(size))), initial=0)
        out[ours] = float(worst), int((np.isfinite(found) != np.isfinite(expected)).sum())
    return out


def histomicstk(folder, labels, nucleus, cytoplasm):
    """Its whole table and the seconds of CPU time it took. Only the modules it needs are loaded: the package itself asks for
    servers and viewers, too."""
    warnings.simplefilter("ignore")  # it still uses scikit-image's old names
    for name in ("histomicstk", "histomicstk.features", "histomicstk.segmentation", "histomicstk.segmentation.label",
                 "histomicstk.cli", "histomicstk.cli.utils"):
        module = types.ModuleType(name)
        module.__path__ = [str(pathlib.Path(folder) / name.replace(".", "/"))]
        sys.modules[name] = module
    label = sys.modules["histomicstk.segmentation.label"]
    sys.modules["histomicstk.segmentation"].label = label
    sys.modules["histomicstk.cli"].utils = sys.modules["histomicstk.cli.utils"]
    for function in ("dilate_xor", "trace_object_boundaries"):
        setattr(label, function, getattr(importlib.import_module("histomicstk.segmentation.label." + function), function))
    compute = importlib.import_module("histomicstk.features.compute_nuclei_features").compute_nuclei_features
    begin = time.process_time()
    table = compute(labels, im_nuclei=nucleus, im_cytoplasm=cytoplasm)
    return table, time.process_time() - begin


def shared_with_histomicstk():
    same = {"Orientation.Orientation": "shape_orientation_rad", "Size.Area": "shape_area_um2",
            "Size.ConvexHullArea": "shape_convex_area_um2", "Size.MajorAxisLength": "shape_major_axis_um",
            "Size.MinorAxisLength": "shape_minor_axis_um", "Shape.Eccentricity": "shape_eccentricity",
            "Shape.EquivalentDiameter": "shape_equivalent_diameter_um", "Shape.Extent": "shape_extent",
            "Shape.FractalDimension": "shape_fractal_dimension", "Shape.MinorMajorAxisRatio": "shape_axis_ratio",
            "Shape.Solidity": "shape_solidity"}
    same |= {f"Shape.HuMoments{k}": f"shape_hu_{k}" for k in range(1, 8)}
    same |= {f"Shape.WeightedHuMoments{k}": f"nucleus_H_hu_{k}" for k in range(1, 8)}
    same |= {"Identifier.WeightedCentroid" + axis: f"nucleus_H_centroid_d{axis.lower()}_um" for axis in "XY"}
    same |= {"Nucleus.Intensity." + a: "nucleus_H_" + b for a, b in STATISTICS.items()}
    same |= {"Nucleus.Gradient.Mag." + a: "nucleus_H_gradient_" + STATISTICS[a]
             for a in ("Mean", "Std", "Skewness", "Kurtosis", "HistEntropy", "HistEnergy")}
    return same


def their_column(table, name):
    """The weighted centroid is told apart from the plain one only by their difference."""
    values = table[name].to_numpy(float)
    return values - table[name.replace("Weighted", "")].to_numpy(float) if "WeightedCentroid" in name else values


def in_our_units(theirs, values, um):
    power = {"Size.Area": 2, "Size.ConvexHullArea": 2, "Size.MajorAxisLength": 1, "Size.MinorAxisLength": 1,
             "Shape.EquivalentDiameter": 1, "Identifier.WeightedCentroidX": 1, "Identifier.WeightedCentroidY": 1}.get(theirs, 0)
    return np.asarray(values, float) * um ** power
