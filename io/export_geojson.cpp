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

/// Our columns under names as QuPath's, units in them; the first ones are written by default.
/// Densities say their logarithm: QuPath's "Nucleus: Hematoxylin: Mean" is of base ten.
struct Measurement {
    const char* column;
    const char* name;
};
constexpr Measurement kMeasurements[] = {
    {"shape_area_um2", "Area µm^2"},
    {"shape_perimeter_um", "Length µm"},
    {"shape_circularity", "Circularity"},
    {"shape_solidity", "Solidity"},
    {"shape_major_axis_um", "Major axis µm"},
    {"shape_minor_axis_um", "Minor axis µm"},
    {"shape_eccentricity", "Eccentricity"},
    {"nucleus_H_mean", "Nucleus: Hematoxylin OD mean (natural log)"},
    {"nucleus_E_mean", "Nucleus: Eosin OD mean (natural log)"},
    {"nucleus_DAB_mean", "Nucleus: DAB OD mean (natural log)"},
    {"ihc_grade", "IHC grade"},
};

/// Per column: its measurement's name, quoted, with a colon.
std::vector<std::string> keys(const FeatureSchema& schema) {
    std::vector<std::string> out;
    for (const FeatureColumn& column : schema) {
        std::string name = column.name;
        for (const Measurement& m : kMeasurements)
            if (column.name == m.column) name = m.name;
        out.push_back(nlohmann::json(name).dump() + ":");
    }
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

/// QuPath knows its slide; whoever joins files of several slides looks here.
const char* frame_text(Frame frame) {
    return frame == Frame::Qupath
               ? "level-0 pixels from the top left corner of the slide's bounds, as QuPath shows it"
               : "level-0 pixels from the slide's top left corner";
}

}  // namespace

std::vector<size_t> few_columns(const ResultHeader& header) {
    const size_t probabilities = header.classes.size() > 1 ? 2 : 1, most = 10;
    std::vector<size_t> out;
    for (const Measurement& m : kMeasurements)
        for (size_t k = 0; k < header.schema.size() && out.size() + probabilities < most; ++k)
            if (header.schema[k].name == m.column) out.push_back(k);
    return out;
}

void export_geojson(const ExportSource& source, const std::string& path) {
    TextFile file(path);
    const ResultHeader& header = source.header();
    const PixelPoint origin = source.options().frame == Frame::Qupath
                                  ? PixelPoint{header.slide.bounds.x, header.slide.bounds.y}
                                  : PixelPoint{};
    const std::vector<std::string> measurements = keys(source.schema());
    std::vector<std::string> classes(256);
    for (size_t id = 0; id < classes.size(); ++id)
        classes[id] = classification(source.class_of(static_cast<uint8_t>(id)));
    file.write(R"({"type":"FeatureCollection","wsi-segment":)" +
               source.slide_record(frame_text(source.options().frame)) + R"(,"features":[)");
    std::string text;
    bool first = true;
    source.for_each_block([&](const ExportBlock& block) {
        const NucleiBatch& rows = block.rows;
        for (size_t i = 0; i < rows.size(); ++i) {
            text = std::exchange(first, false) ? "\n" : ",\n";
            text += R"({"type":"Feature","id":")" + block.uuids[i] +
                    R"(","geometry":{"type":"Polygon","coordinates":)";
            append_ring(text, rows.contour(i), origin);
            text += R"(},"properties":{"objectType":"detection",)" +
                    classes[rows.identity[i].class_id] + R"(,"measurements":{)";
            for (size_t k = 0; k < rows.columns; ++k) {
                const float value = rows.row(i)[k];
                if (!std::isfinite(value)) continue;
                text += measurements[k];
                append_number(text, value);
                text += ',';
            }
            const auto add = [&text](const char* key, float value) {
                if (!std::isfinite(value)) return;
                text += key;
                append_number(text, value);
                text += ',';
            };
            add(R"("Detection probability":)", rows.identity[i].detection_probability);
            if (header.classes.size() > 1)
                add(R"("Class probability":)", rows.identity[i].class_probability);
            if (text.back() == ',') text.pop_back();
            text += "}}}";
            file.write(text);
        }
    });
    file.write("\n]}\n");
    file.commit();
}

}  // namespace wsi
