#pragma once

#include <string>
#include <vector>

#include "io/types/geometry.h"
#include "io/types/image.h"

namespace wsi {

struct RoiPoint {
    double x = 0, y = 0;  ///< level-0 pixels
};

/// One polygon: exterior ring first, then holes; even-odd filling.
struct RoiPolygon {
    std::vector<std::vector<RoiPoint>> rings;
};

/// Polygons and multipolygons of a GeoJSON file (FeatureCollection, array of features, one feature
/// or a bare geometry; other geometries are skipped). `origin0` is added to every point. Throws
/// Error{Config} for an unreadable file or one without any polygon.
std::vector<RoiPolygon> read_roi_geojson(const std::string& path, PixelPoint origin0);

/// 1 where the centre of a cell lies inside any polygon. Cell (i, j) covers level-0 pixels
/// [i * cell_px, (i + 1) * cell_px).
GrayImage rasterise_roi(const std::vector<RoiPolygon>& polygons, PixelSize cells, double cell_px);

/// An 8-bit image of any size as 0/1 (any channel above 127); for --mask. Throws Error{Config}.
GrayImage read_mask_image(const std::string& path);

}  // namespace wsi
