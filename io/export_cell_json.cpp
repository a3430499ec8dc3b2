#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "io/export_formats.h"
#include "io/ring.h"
#include "io/text_file.h"

// CellViT's cells.json and HoVer-Net's JSON. Both put pixel centres on whole numbers, as OpenCV
// does, give boxes as (row, column) and everything else as (x, y); level-0 pixels here.
namespace wsi {

namespace {

void append_pair(std::string& out, int64_t a, int64_t b) {
    out += '[';
    append_number(out, a);
    out += ',';
    append_number(out, b);
    out += ']';
}

struct Box {
    int32_t x0 = INT32_MAX, y0 = INT32_MAX, x1 = INT32_MIN, y1 = INT32_MIN;  ///< inclusive
};

/// "bbox", "centroid" and "contour": what both schemas have in common.
void append_geometry(std::string& out, const NucleusIdentity& who,
                     std::span<const ContourPoint> ring) {
    const std::vector<ContourPoint> pixels = on_whole_pixels(ring);
    Box box;
    for (const ContourPoint& p : pixels)
        box = {std::min(box.x0, p.x), std::min(box.y0, p.y), std::max(box.x1, p.x),
               std::max(box.y1, p.y)};
    out += R"("bbox":[)";
    append_pair(out, box.y0, box.x0);
    out += ',';
    append_pair(out, box.y1 + 1, box.x1 + 1);  // the row and column behind the last ones
    out += R"(],"centroid":[)";
    append_number(out, who.centroid_x_px - 0.5);
    out += ',';
    append_number(out, who.centroid_y_px - 0.5);
    out += R"(],"contour":[)";
    for (const ContourPoint& p : pixels) {
        append_pair(out, p.x, p.y);
        out += ',';
    }
    out.back() = ']';
}

void append_type(std::string& out, const NucleusIdentity& who, bool several_classes) {
    const float probability = several_classes ? who.class_probability : who.detection_probability;
    out += R"(,"type_prob":)";
    if (std::isnan(probability))
        out += "null";
    else
        append_number(out, probability);
    out += R"(,"type":)";
    append_number(out, int64_t{who.class_id});
}

double magnification(const SlideInfo& slide) {
    return slide.objective_power ? *slide.objective_power : std::round(10 / slide.mpp_x);
}

nlohmann::ordered_json type_map(const ResultHeader& header) {
    nlohmann::ordered_json map = nlohmann::ordered_json::object();
    for (const NucleusClass& c : header.classes) map[std::to_string(c.id)] = c.name;
    return map;
}

/// Writes `head`, the nuclei that one(text, block, i) appends, and `tail`.
template <class One>
void write_list(const ExportSource& source, const std::string& path, const std::string& head,
                const char* tail, One one) {
    TextFile file(path);
    file.write(head);
    std::string text;
    bool first = true;
    source.for_each_block([&](const ExportBlock& block) {
        for (size_t i = 0; i < block.rows.size(); ++i) {
            text = std::exchange(first, false) ? "\n" : ",\n";
            one(text, block, i);
            file.write(text);
        }
    });
    file.write(tail);
    file.commit();
}

}  // namespace

void export_cellvit(const ExportSource& source, const std::string& path) {
    const SlideInfo& slide = source.header().slide;
    const nlohmann::ordered_json metadata{{"base_mpp", slide.mpp_x},
                                          {"target_patch_mpp", slide.mpp_x},
                                          {"base_magnification", magnification(slide)},
                                          {"magnification", magnification(slide)},
                                          {"downsampling", 1}};
    const bool several = source.header().classes.size() > 1;
    write_list(source, path,
               R"({"wsi_metadata":)" + metadata.dump() + R"(,"type_map":)" +
                   type_map(source.header()).dump() + R"(,"cells":[)",
               "\n]}\n", [&](std::string& text, const ExportBlock& block, size_t i) {
                   const NucleusIdentity& who = block.rows.identity[i];
                   text += '{';
                   append_geometry(text, who, block.rows.contour(i));
                   append_type(text, who, several);
                   // The whole slide is one patch.
                   text += R"(,"patch_coordinates":[0,0],"cell_status":0,"offset_global":[0,0],)";
                   text += who.flags & kAtSlideEdge ? R"("edge_position":true})"
                                                    : R"("edge_position":false})";
               });
}

void export_hovernet(const ExportSource& source, const std::string& path) {
    const nlohmann::ordered_json mag = magnification(source.header().slide);
    const bool several = source.header().classes.size() > 1;
    write_list(source, path, R"({"mag":)" + mag.dump() + R"(,"nuc":{)", "\n}}\n",
               [&](std::string& text, const ExportBlock& block, size_t i) {
                   text += '"';
                   append_number(text, static_cast<int64_t>(block.first + i + 1));
                   text += R"(":{)";
                   append_geometry(text, block.rows.identity[i], block.rows.contour(i));
                   append_type(text, block.rows.identity[i], several);
                   text += '}';
               });
}

}  // namespace wsi
