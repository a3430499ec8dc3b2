#include <algorithm>
#include <array>
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

/// Whether a nucleus touches the slide's end at the top, right, bottom and left: CellViT's order.
std::array<bool, 4> sides_touched(const NucleusIdentity& who, const WorkFrame& frame) {
    const auto end = [&](int64_t work_px) {
        return (static_cast<double>(work_px) - 0.5) * frame.downsample;
    };
    const auto start = end(1);
    return {static_cast<double>(who.bbox_y0_px) < start,
            static_cast<double>(who.bbox_x1_px) > end(frame.size.width),
            static_cast<double>(who.bbox_y1_px) > end(frame.size.height),
            static_cast<double>(who.bbox_x0_px) < start};
}

/// CellViT's place of a cell on its patch, and the patches that it would go on in, clockwise. The
/// whole slide is one patch here, (0, 0), so those do not exist, as at the end of CellViT's grid;
/// its readers ask for the first one.
void append_edge(std::string& out, const std::array<bool, 4>& sides) {
    static constexpr int kRow[] = {-1, 0, 1, 0}, kColumn[] = {0, 1, 0, -1};
    if (std::none_of(sides.begin(), sides.end(), [](bool side) { return side; })) {
        out += R"("edge_position":false})";
        return;
    }
    out += R"("edge_position":true,"edge_information":{"position":[)";
    for (const bool side : sides) out += side ? "1," : "0,";
    out.back() = ']';
    out += R"(,"edge_patches":[)";
    const size_t first = sides[3] && sides[0] ? 3 : 0;
    for (size_t k = first; k < first + 4; ++k) {
        const size_t side = k % 4, next = (k + 1) % 4;
        if (!sides[side]) continue;
        append_pair(out, kRow[side], kColumn[side]);
        out += ',';
        if (!sides[next]) continue;
        append_pair(out, kRow[side] + kRow[next], kColumn[side] + kColumn[next]);
        out += ',';
    }
    out.back() = ']';
    out += "}}";
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
    const nlohmann::ordered_json metadata{
        {"slide", source.slide_name()},          {"base_mpp", slide.mpp_x},
        {"target_patch_mpp", slide.mpp_x},       {"base_magnification", magnification(slide)},
        {"magnification", magnification(slide)}, {"downsampling", 1}};
    const bool several = source.header().classes.size() > 1;
    write_list(source, path,
               R"({"wsi_metadata":)" + metadata.dump() + R"(,"type_map":)" +
                   type_map(source.header()).dump() + R"(,"cells":[)",
               "\n]}\n", [&](std::string& text, const ExportBlock& block, size_t i) {
                   const NucleusIdentity& who = block.rows.identity[i];
                   text += '{';
                   append_geometry(text, who, block.rows.contour(i));
                   append_type(text, who, several);
                   text += R"(,"patch_coordinates":[0,0],"cell_status":0,"offset_global":[0,0],)";
                   append_edge(text, sides_touched(who, source.header().frame));
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
