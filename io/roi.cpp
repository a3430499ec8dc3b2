#include "io/roi.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

namespace wsi {

using nlohmann::json;

namespace {

std::vector<RoiPoint> ring_from(const json& coordinates, PixelPoint origin0) {
    std::vector<RoiPoint> ring;
    for (const json& point : coordinates)
        ring.push_back({point.at(0).get<double>() + static_cast<double>(origin0.x),
                        point.at(1).get<double>() + static_cast<double>(origin0.y)});
    return ring;
}

RoiPolygon polygon_from(const json& coordinates, PixelPoint origin0) {
    RoiPolygon polygon;
    for (const json& ring : coordinates) polygon.rings.push_back(ring_from(ring, origin0));
    return polygon;
}

void collect(const json& j, PixelPoint origin0, std::vector<RoiPolygon>& out) {
    if (j.is_array()) {
        for (const json& item : j) collect(item, origin0, out);
        return;
    }
    const std::string type = j.value("type", "");
    if (type == "FeatureCollection")
        collect(j.at("features"), origin0, out);
    else if (type == "Feature")
        collect(j.at("geometry"), origin0, out);
    else if (type == "Polygon")
        out.push_back(polygon_from(j.at("coordinates"), origin0));
    else if (type == "MultiPolygon")
        for (const json& part : j.at("coordinates")) out.push_back(polygon_from(part, origin0));
}

/// x of every crossing of a horizontal line with the polygon's rings, sorted.
std::vector<double> crossings(const RoiPolygon& polygon, double y) {
    std::vector<double> xs;
    for (const auto& ring : polygon.rings)
        for (size_t i = 0; i < ring.size(); ++i) {
            const RoiPoint &a = ring[i], &b = ring[(i + 1) % ring.size()];
            if ((a.y <= y) == (b.y <= y)) continue;
            xs.push_back(a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x));
        }
    std::sort(xs.begin(), xs.end());
    return xs;
}

int64_t first_cell_from(double x, double cell_px, int64_t width) {
    const double cell = std::ceil(x / cell_px - 0.5);
    return static_cast<int64_t>(std::clamp(cell, 0.0, static_cast<double>(width)));
}

}  // namespace

std::vector<RoiPolygon> read_roi_geojson(const std::string& path, PixelPoint origin0) {
    std::ifstream in(path);
    if (!in) fail(ErrorKind::Config, "cannot open the region of interest ", path);
    std::vector<RoiPolygon> polygons;
    try {
        collect(json::parse(in), origin0, polygons);
    } catch (const json::exception& error) {
        fail(ErrorKind::Config, path, " is not GeoJSON: ", error.what());
    }
    if (polygons.empty())
        fail(ErrorKind::Config, path, " holds no polygon; draw closed areas and export them again");
    return polygons;
}

GrayImage rasterise_roi(const std::vector<RoiPolygon>& polygons, PixelSize cells, double cell_px) {
    GrayImage out(cells.width, cells.height);
    for (const RoiPolygon& polygon : polygons)
        for (int64_t row = 0; row < cells.height; ++row) {
            const std::vector<double> xs =
                crossings(polygon, (static_cast<double>(row) + 0.5) * cell_px);
            for (size_t i = 0; i + 1 < xs.size(); i += 2) {
                const int64_t from = first_cell_from(xs[i], cell_px, cells.width);
                const int64_t to = first_cell_from(xs[i + 1], cell_px, cells.width);
                for (int64_t x = from; x < to; ++x) out(x, row) = 1;
            }
        }
    return out;
}

}  // namespace wsi
