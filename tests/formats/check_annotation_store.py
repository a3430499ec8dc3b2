#!/usr/bin/env python3
"""AnnotationStore by its documented schema and by TIAToolbox' own SQLiteStore.
usage: check_annotation_store.py PROGRAM MAKE_RESULT"""
import json
import sqlite3
import zlib

import numpy as np
import shapely
from tiatoolbox.annotation.storage import SQLiteStore

from exports import check_features, check_polygons, results

COLUMNS = ["id", "key", "objtype", "cx", "cy", "geometry", "properties", "area"]
TEN = ["shape_area_um2", "shape_perimeter_um", "shape_circularity", "shape_solidity", "shape_major_axis_um"]


def compile_options():
    """As SQLiteStore asks for them, without switching on extensions, which some builds of Python do not have."""
    return [option for option, in sqlite3.connect(":memory:").execute("PRAGMA compile_options")]


def check_schema(result, path):
    store = sqlite3.connect(path)
    assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    metadata = {key: json.loads(value) for key, value in store.execute("SELECT key, value FROM metadata")}
    assert metadata["version"] == "1.0.1" and metadata["compression"] == "zlib" and metadata["compression_level"] > 0
    assert metadata["class_colours"]["Neoplastic"] == [255, 0, 0]
    assert [row[1] for row in store.execute("PRAGMA table_info(annotations)")] == COLUMNS
    rows = store.execute("SELECT * FROM annotations ORDER BY id").fetchall()
    assert [r[1] for r in rows] == result.table["uuid"] and all(r[2] == "Polygon" for r in rows)
    polygons = np.array([shapely.from_wkb(zlib.decompress(r[5])) for r in rows], dtype=object)
    check_polygons(result, polygons)
    assert np.allclose([r[7] for r in rows], shapely.area(polygons))
    properties = [json.loads(r[6]) for r in rows]
    assert [p["type"] for p in properties] == result.class_names()
    assert np.array_equal(np.float32([p["prob"] for p in properties]), result.table["class_probability"])
    check_features(result, lambda name: [p.get(name, np.nan) for p in properties], TEN)
    boxes = store.execute("SELECT min_x, min_y, max_x, max_y FROM rtree ORDER BY id").fetchall()
    assert np.allclose(np.reshape(boxes, (-1, 4)), shapely.bounds(polygons).reshape(-1, 4), atol=0.1)
    store.close()


def check_by_tiatoolbox(result, path):
    store = SQLiteStore(path)
    assert len(store) == result.count
    where = (100, 100, 700, 500)
    found = store.query(where, where="props['type'] == 'Neoplastic'")
    inside = shapely.intersects(result.polygons, shapely.box(*where)) & (result.table["class"] == 1)
    assert set(found) == {u for u, there in zip(result.table["uuid"], inside) if there}
    assert len(store.query(where)) > len(found) or result.count < 2
    assert all(a.geometry.is_valid and a.properties["prob"] >= 0 for a in found.values())
    store.close()


def main():
    SQLiteStore.compile_options = staticmethod(compile_options)
    with results() as made:
        for result in made:
            path = result.export(".db")
            check_schema(result, path)
            check_by_tiatoolbox(result, path)
    print("AnnotationStore: schema 1.0.1, SQLiteStore")


if __name__ == "__main__":
    main()
