#!/usr/bin/env python3
"""GeoParquet as pandas, geopandas and DuckDB read it. usage: check_parquet.py PROGRAM MAKE_RESULT"""
import json
import shutil

import duckdb
import geopandas
import numpy as np
import pandas
import pyarrow.parquet

from exports import check_features, check_polygons, results


def check_metadata(result, path):
    file = pyarrow.parquet.ParquetFile(path)
    geo = json.loads(file.schema_arrow.metadata[b"geo"])
    column = geo["columns"]["geometry"]
    assert geo["version"] == "1.1.0" and column["crs"] is None and column["encoding"] == "WKB"
    assert column["covering"]["bbox"]["xmin"] == ["bbox", "xmin"]
    slide = json.loads(file.schema_arrow.metadata[b"wsi-segment"])
    assert (slide["mpp_x"], slide["mpp_y"]) == result.mpp
    assert file.schema_arrow.field("shape_area_um2").metadata[b"unit"] == b"um2"


def check_tables(result, path):
    table = pandas.read_parquet(path)
    assert len(table) == result.count and list(table.uuid) == result.table["uuid"]
    assert list(table["class"]) == result.class_names() and set(table.slide) <= {"synthetic é.svs"}
    assert np.array_equal(table.centroid_x_px, result.table["centroid_x_px"])
    assert np.array_equal(table.at_roi_edge, result.table["at_roi_edge"] == 1)
    check_features(result, lambda name: table[name])
    frame = geopandas.read_parquet(path)
    assert frame.crs is None
    check_polygons(result, frame.geometry.values.to_numpy())
    box = pandas.DataFrame(list(table.bbox), columns=["xmin", "ymin", "xmax", "ymax"])
    assert np.array_equal(box, frame.geometry.bounds.to_numpy())
    if result.count:
        part = geopandas.read_parquet(path, bbox=(0, 0, 200, 200))
        assert 0 < len(part) <= result.count


def check_folder(many, none, path):
    """Several slides in one folder are one data set."""
    folder = path.parent / "data set"
    folder.mkdir()
    for name, source in (("a", path), ("b", path), ("c", none)):
        shutil.copy(source, folder / f"{name}.parquet")
    query = f"SELECT count(*), avg(shape_area_um2), min(slide) FROM '{folder}/*.parquet' WHERE \"class\" = 'Neoplastic'"
    count, mean, slide = duckdb.sql(query).fetchall()[0]
    chosen = many.table["class"] == 1
    assert count == 2 * chosen.sum() and slide == "synthetic é.svs"
    assert np.isclose(mean, np.nanmean(many.table["shape_area_um2"][chosen].astype(float))), "null, not NaN, is left out"


def main():
    with results() as made:
        paths = {}
        for result in made:
            paths[result.name] = path = result.export(".parquet")
            check_metadata(result, path)
            check_tables(result, path)
        many = made[0]
        check_folder(many, paths["none"], paths["many"])
        few = pandas.read_parquet(many.export(".parquet", "--columns", "feature_1*,shape_area_um2", name="few"))
        assert list(few.columns[15:-2]) == ["feature_10", "feature_11", "shape_area_um2"]
    print("GeoParquet: pandas, geopandas, DuckDB")


if __name__ == "__main__":
    main()
