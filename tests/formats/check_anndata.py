#!/usr/bin/env python3
"""AnnData: read by anndata, laid out as squidpy.pl.spatial_scatter and scanpy look for it, joined over slides.
usage: check_anndata.py PROGRAM MAKE_RESULT"""
import shutil
import warnings

import anndata
import h5py
import numpy as np

from exports import IDENTITY, check_features, results


def check_table(result, data):
    assert data.n_obs == result.count and list(data.obs_names) == result.table["uuid"]
    assert list(data.var_names) == result.schema and data.X.dtype == np.float32
    assert data.obs["class"].dtype == "category" and list(data.obs["class"]) == result.class_names()
    assert list(data.obs["class"].cat.categories) == list(result.classes.values())
    assert data.obs["at_slide_edge"].dtype == bool
    for name in IDENTITY[5:]:
        assert np.array_equal(data.obs[name], result.table[name])
    check_features(result, lambda name: data[:, name].X.ravel())
    assert set(data.uns["nan_columns"]) == {n for n in result.schema if np.isnan(result.table[n]).any()}
    assert list(data.uns["class_colors"])[:1] == ["#ff0000"] and data.var.unit["shape_area_um2"] == "um2"


def check_spatial(result, data):
    """What squidpy reads: obsm["spatial"] times the scale factor is a place in the picture."""
    (library,) = data.uns["spatial"]
    assert library == "synthetic é.svs"
    entry = data.uns["spatial"][library]
    picture, factor = entry["images"]["hires"], entry["scalefactors"]["tissue_hires_scalef"]
    assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3
    assert entry["scalefactors"]["spot_diameter_fullres"] == 10 / result.mpp[0]
    at = data.obsm["spatial"]
    assert np.array_equal(at[:, 0], result.table["centroid_x_px"]) and np.array_equal(at[:, 1], result.table["centroid_y_px"])
    x, y = (at * factor).astype(int).T
    assert (x < picture.shape[1]).all() and (y < picture.shape[0]).all()
    if result.count:
        assert picture[y, x].mean() < picture.mean() - 20, "nuclei lie where the picture is dark"


def check_joined(path, result):
    other = path.with_name("other.h5ad")
    shutil.copy(path, other)
    with h5py.File(other, "r+") as file:  # as of another slide
        index = file["obs/_index"]
        index[:] = [u.decode()[::-1] for u in index[:]]
    both = anndata.concat([anndata.read_h5ad(path), anndata.read_h5ad(other)], uns_merge="unique")
    assert both.n_obs == 2 * result.count and both.obs_names.is_unique and both.obs["class"].dtype == "category"


def main():
    warnings.simplefilter("error", anndata.OldFormatWarning if hasattr(anndata, "OldFormatWarning") else FutureWarning)
    with results() as made:
        for result in made:
            path = result.export(".h5ad")
            data = anndata.read_h5ad(path)
            check_table(result, data)
            check_spatial(result, data)
            assert anndata.read_h5ad(path, backed="r").n_obs == result.count
        check_joined(made[0].export(".h5ad", name="again"), made[0])
        assert anndata.read_h5ad(made[0].export(".h5ad", "--columns", "shape_solidity", name="one column")).X.shape == (made[0].count, 1)
        assert anndata.read_h5ad(made[0].export(".h5ad", "--columns", "id", name="no column")).n_vars == 0
    print("AnnData: anndata, squidpy's layout")


if __name__ == "__main__":
    main()
