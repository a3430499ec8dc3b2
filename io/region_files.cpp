#include "io/region_files.h"

#include <nlohmann/json.hpp>

namespace wsi {

using nlohmann::json;

namespace {
json to_json(const PixelRect& r) { return {r.x, r.y, r.width, r.height}; }
PixelRect rect_from(const json& j) { return {j.at(0), j.at(1), j.at(2), j.at(3)}; }

json to_json(const std::vector<FailedBlock>& failures) {
    json out = json::array();
    for (const FailedBlock& f : failures)
        out.push_back({{"level", f.level}, {"rect", to_json(f.rect_lvl)}, {"message", f.message}});
    return out;
}

std::vector<FailedBlock> failures_from(const json& j) {
    std::vector<FailedBlock> out;
    for (const json& f : j)
        out.push_back({f.at("level"), rect_from(f.at("rect")), f.at("message")});
    return out;
}

// A damaged header cannot pass the checksum, but a file of another version can.
template <class Function>
auto parse_header(const std::string& text, Function&& use) {
    try {
        return use(json::parse(text));
    } catch (const json::exception& error) {
        fail(ErrorKind::Slide, "part file of another version: ", error.what());
    }
}

std::string dump(const json& j) { return j.dump(-1, ' ', false, json::error_handler_t::replace); }

enum MapsBlock : size_t { kRgbBlock = 0, kFirstMapBlock = 1 };
enum NucleiBlock : size_t {
    kIdentity,
    kFeatures,
    kContourOffsets,
    kContourPoints,
    kRunOffsets,
    kRuns
};
}  // namespace

void write_region_maps(const std::string& path, const RegionMapsHeader& header,
                       std::span<const ImageView<const uint16_t>> sums, ConstRgbView rgb) {
    BlockFileWriter file(path);
    WSI_CHECK(rgb.size() == header.core.size());
    for (int64_t y = 0; y < rgb.height; ++y)
        file.write({rgb.row(y), static_cast<size_t>(rgb.width * 3)});
    file.end_block();
    for (const auto& map : sums) {
        WSI_CHECK(map.size() == header.window.size());
        for (int64_t y = 0; y < map.height; ++y)
            file.write_array(std::span(map.row(y), static_cast<size_t>(map.width)));
        file.end_block();
    }
    const json text{{"window", to_json(header.window)},
                    {"core", to_json(header.core)},
                    {"failures", to_json(header.failures)}};
    file.commit(dump(text), Durability::Fast);
}

RegionMapsReader::RegionMapsReader(const std::string& path) : file_(path) {
    header_ = parse_header(file_.header(), [](const json& j) {
        return RegionMapsHeader{rect_from(j.at("window")), rect_from(j.at("core")),
                                failures_from(j.at("failures"))};
    });
}

void RegionMapsReader::add_sums(size_t map, const PixelRect& rect, ImageView<uint16_t> out) const {
    const PixelRect part = intersection(rect, header_.window);
    if (part.empty()) return;
    std::vector<uint16_t> row(static_cast<size_t>(part.width));
    for (int64_t y = part.y; y < part.bottom(); ++y) {
        const int64_t first =
            (y - header_.window.y) * header_.window.width + part.x - header_.window.x;
        file_.read_array(kFirstMapBlock + map, static_cast<uint64_t>(first), std::span(row));
        uint16_t* to = out.at(part.x - rect.x, y - rect.y);
        for (size_t x = 0; x < row.size(); ++x) to[x] = static_cast<uint16_t>(to[x] + row[x]);
    }
}

void RegionMapsReader::copy_rgb(const PixelRect& rect, RgbView out) const {
    const PixelRect part = intersection(rect, header_.core);
    for (int64_t y = part.y; y < part.bottom(); ++y) {
        const int64_t first = (y - header_.core.y) * header_.core.width + part.x - header_.core.x;
        file_.read(kRgbBlock, static_cast<uint64_t>(first * 3),
                   {out.at(part.x - rect.x, y - rect.y), static_cast<size_t>(part.width * 3)});
    }
}

void write_region_nuclei(const std::string& path, const NucleiBatch& nuclei,
                         const std::vector<FailedBlock>& failures) {
    json cell_rows = json::array();
    for (size_t i = 0; i < nuclei.size(); ++i) {
        const auto cell_row = static_cast<int64_t>(nuclei.identity[i].centroid_y_work) / kIdCellPx;
        if (cell_rows.empty() || cell_rows.back()[0] != cell_row)
            cell_rows.push_back({cell_row, i, i});
        cell_rows.back()[2] = i + 1;
    }
    BlockFileWriter file(path);
    const auto block = [&file](const auto& values) {
        file.write_array(std::span(values.data(), values.size()));
        file.end_block();
    };
    block(nuclei.identity);
    block(nuclei.features);
    block(nuclei.contour_offsets);
    block(nuclei.contour_points);
    block(nuclei.run_offsets);
    block(nuclei.runs);
    const json text{{"columns", nuclei.columns},
                    {"count", nuclei.size()},
                    {"cell_rows", cell_rows},
                    {"failures", to_json(failures)}};
    file.commit(dump(text), Durability::Sync);
}

RegionNucleiReader::RegionNucleiReader(const std::string& path) : file_(path) {
    parse_header(file_.header(), [this](const json& j) {
        columns_ = j.at("columns");
        count_ = j.at("count");
        failures_ = failures_from(j.at("failures"));
        for (const json& row : j.at("cell_rows"))
            cell_rows_.push_back({row.at(0), row.at(1), row.at(2)});
        return 0;
    });
}

NucleiBatch RegionNucleiReader::rows_of_cell(int64_t cell_row) const {
    NucleiBatch out;
    out.columns = columns_;
    for (const CellRow& row : cell_rows_) {
        if (row.cell_row != cell_row) continue;
        const auto n = static_cast<size_t>(row.last - row.first);
        const auto ragged = [&](size_t offsets_block, size_t values_block, auto& offsets,
                                auto& values) {
            offsets.resize(n + 1);
            file_.read_array(offsets_block, row.first, std::span(offsets));
            const uint64_t base = offsets.front();
            values.resize(static_cast<size_t>(offsets.back() - base));
            file_.read_array(values_block, base, std::span(values));
            for (uint64_t& offset : offsets) offset -= base;
        };
        out.identity.resize(n);
        file_.read_array(kIdentity, row.first, std::span(out.identity));
        out.features.resize(n * columns_);
        file_.read_array(kFeatures, row.first * columns_, std::span(out.features));
        ragged(kContourOffsets, kContourPoints, out.contour_offsets, out.contour_points);
        ragged(kRunOffsets, kRuns, out.run_offsets, out.runs);
    }
    return out;
}

}  // namespace wsi
