#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "io/export_formats.h"
#include "io/text_file.h"

// As QuPath reads it: a FeatureCollection of detections, each with an id, a classification of name
// and colour, and measurements. Written by hand: a million features through a JSON tree would take
// gigabytes.
namespace wsi {

namespace {

/// Our columns under the names that QuPath gives them; at most ten, since QuPath keeps all in
/// memory.
struct Measurement {
    const char* column;
    const char* name;
};
constexpr Measurement kMeasurements[] = {
    {"shape_area_um2", "Area µm^2"},          {"shape_perimeter_um", "Length µm"},
    {"shape_circularity", "Circularity"},     {"shape_solidity", "Solidity"},
    {"shape_major_axis_um", "Major axis µm"}, {"shape_minor_axis_um", "Minor axis µm"},
    {"shape_eccentricity", "Eccentricity"},   {"nucleus_H_mean", "Hematoxylin: Mean"},
    {"nucleus_E_mean", "Eosin: Mean"},
};

struct PlacedMeasurement {
    size_t column;
    std::string key;  // quoted, with colon
};

std::vector<PlacedMeasurement> placed(const FeatureSchema& schema) {
    std::vector<PlacedMeasurement> out;
    for (const Measurement& m : kMeasurements)
        for (size_t k = 0; k < schema.size(); ++k)
            if (schema[k].name == m.column) out.push_back({k, nlohmann::json(m.name).dump() + ":"});
    return out;
}

std::string classification(const NucleusClass& c) {
    return R"("classification":{"name":)" + nlohmann::json(c.name).dump() + R"(,"color":[)" +
           std::to_string(c.rgb[0]) + "," + std::to_string(c.rgb[1]) + "," +
           std::to_string(c.rgb[2]) + "]}";
}

void append_ring(std::string& out, std::span<const ContourPoint> ring, const PixelPoint& origin) {
    const auto add = [&](const ContourPoint& p) {
        out += '[';
        append_hundredths(out, p.x - 100 * origin.x);
        out += ',';
        append_hundredths(out, p.y - 100 * origin.y);
        out += ']';
    };
    out += "[[";
    for (const ContourPoint& p : ring) {
        add(p);
        out += ',';
    }
    add(ring.front());  // readers refuse rings that are not closed
    out += "]]";
}

}  // namespace

void export_geojson(const ResultReader& result, const std::string& path,
                    const ExportOptions& options) {
    TextFile file(path);
    const ResultHeader& header = result.header();
    const PixelPoint origin = options.frame == Frame::Qupath
                                  ? PixelPoint{header.slide.bounds.x, header.slide.bounds.y}
                                  : PixelPoint{};
    const auto measurements = placed(header.schema);
    std::vector<std::string> classes(256, classification(NucleusClass{}));
    for (const NucleusClass& c : header.classes) classes[c.id] = classification(c);
    file.write(R"({"type":"FeatureCollection","features":[)");
    std::string text;
    for_each_block(result, options, [&](const NucleiBatch& rows, uint64_t first) {
        const std::vector<std::string> uuids = result.uuids(first, rows.size());
        for (size_t i = 0; i < rows.size(); ++i) {
            text = first + i == 0 ? "\n" : ",\n";
            text += R"({"type":"Feature","id":")" + uuids[i] +
                    R"(","geometry":{"type":"Polygon","coordinates":)";
            append_ring(text, rows.contour(i), origin);
            text += R"(},"properties":{"objectType":"detection",)" +
                    classes[rows.identity[i].class_id] + R"(,"measurements":{)";
            for (const PlacedMeasurement& m : measurements) {
                const float value = rows.row(i)[m.column];
                if (!std::isfinite(value)) continue;
                text += m.key;
                append_number(text, value);
                text += ',';
            }
            text += R"("Detection probability":)";
            append_number(text, rows.identity[i].detection_probability);
            if (header.classes.size() > 1) {
                text += R"(,"Class probability":)";
                append_number(text, rows.identity[i].class_probability);
            }
            text += "}}}";
            file.write(text);
        }
    });
    file.write("\n]}\n");
    file.commit();
}

}  // namespace wsi
