#!/usr/bin/env python3
"""CellViT's and HoVer-Net's JSON, as the tools that read them do: outlines drawn by whole pixels.
usage: check_cell_json.py PROGRAM MAKE_RESULT"""
import json

import numpy as np
import shapely
import skimage.draw

from exports import results

CELL = {"bbox", "centroid", "contour", "type_prob", "type", "patch_coordinates", "cell_status", "offset_global", "edge_position"}


def check_cell(result, i, cell):
    contour = np.array(cell["contour"])
    assert contour.dtype.kind == "i" and contour.shape[1] == 2, "OpenCV draws whole numbers only"
    polygon = shapely.Polygon(contour)
    assert polygon.is_valid, shapely.is_valid_reason(polygon)
    # Pixel centres are whole numbers here and at .5 in the result.
    assert polygon.hausdorff_distance(shapely.transform(result.polygons[i], lambda p: p - 0.5)) < 0.75
    (row0, column0), (row1, column1) = cell["bbox"]
    assert (column0, row0) == tuple(contour.min(axis=0)) and (column1, row1) == tuple(contour.max(axis=0) + 1)
    assert cell["centroid"] == [result.table["centroid_x_px"][i] - 0.5, result.table["centroid_y_px"][i] - 0.5]
    assert result.classes[cell["type"]] == result.class_names()[i]
    assert np.float32(cell["type_prob"]) == result.table["class_probability"][i]


def check_against_labels(result, cells):
    """Filled outlines and the label image, whose pixels are two level-0 pixels wide, are the same nuclei."""
    labels = result.rasters["labels"]
    for i in range(0, len(cells), 97):
        contour = np.array(cells[i]["contour"])
        y, x = skimage.draw.polygon(contour[:, 1], contour[:, 0])
        share = np.mean(labels[np.minimum(y // 2, labels.shape[0] - 1), np.minimum(x // 2, labels.shape[1] - 1)] == i + 1)
        assert share > 0.9, (i, share)


def main():
    with results() as made:
        for result in made:
            vit = json.loads(result.export(".cellvit.json").read_text())
            assert vit["wsi_metadata"]["base_mpp"] == result.mpp[0]
            assert vit["type_map"] == {str(k): v for k, v in result.classes.items()}
            hover = json.loads(result.export(".hovernet.json").read_text())
            assert hover["mag"] == 40
            assert list(hover["nuc"]) == [str(i + 1) for i in range(result.count)]
            assert len(vit["cells"]) == result.count
            for i, (cell, nucleus) in enumerate(zip(vit["cells"], hover["nuc"].values())):
                assert set(cell) == CELL and set(nucleus) == {"bbox", "centroid", "contour", "type_prob", "type"}
                assert all(cell[key] == value for key, value in nucleus.items())
                check_cell(result, i, cell)
            check_against_labels(result, vit["cells"])
    print("CellViT and HoVer-Net: schema, outlines")


if __name__ == "__main__":
    main()
