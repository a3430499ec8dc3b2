#include "io/export_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "io/ring.h"

namespace wsi {

namespace {
void simplify(NucleiBatch& rows, double tolerance_px) {
    std::vector<ContourPoint> points;
    std::vector<uint64_t> offsets{0};
    for (size_t i = 0; i < rows.size(); ++i) {
        const std::vector<ContourPoint> ring = simplified(rows.contour(i), tolerance_px);
        points.insert(points.end(), ring.begin(), ring.end());
        offsets.push_back(points.size());
    }
    rows.contour_points = std::move(points);
    rows.contour_offsets = std::move(offsets);
}

NamingFrame naming_frame(const ResultHeader& header) {
    const WorkFrame& frame = header.frame;
    const double per_px = 1 / frame.downsample;
    return {frame.mpp() * per_px,
            frame.mpp_x * per_px,
            frame.mpp_y * per_px,
            frame.mpp(),
            static_cast<double>(header.slide.bounds.x),
            static_cast<double>(header.slide.bounds.y)};
}
}  // namespace

ExportSource::ExportSource(const ResultReader& result, const ExportOptions& options,
                           const std::vector<size_t>& columns,
                           const std::vector<std::string>& identity, uint64_t first, uint64_t count)
    : result_(result), options_(options), first_(first), count_(count) {
    FeatureSchema chosen;
    for (const size_t k : columns) chosen.push_back(result.header().schema.at(k));
    named_ = name_columns(chosen, options.naming, options.loose_names,
                          naming_frame(result.header()), identity);
    for (const NamedColumn& column : named_) {
        if (column.place) columns_.push_back(columns[*column.place]);
        schema_.push_back({column.name, column.unit,
                           column.place ? chosen[*column.place].description
                                        : "of the columns that every file has"});
    }
}

std::vector<float> ExportSource::renamed(const ExportBlock& block) const {
    const NucleiBatch& rows = block.rows;
    std::vector<float> out;
    out.reserve(rows.size() * named_.size());
    for (size_t i = 0; i < rows.size(); ++i) {
        const float* value = rows.row(i).data();
        for (const NamedColumn& column : named_)
            out.push_back(named_value(column, column.place ? *value++ : 0, rows.identity[i],
                                      block.first + i + 1));
    }
    return out;
}

std::string ExportSource::slide_name() const {
    std::filesystem::path path(header().slide.path);
    if (!path.has_filename()) path = path.parent_path();  // a DICOM folder with a slash at its end
    return path.filename().string();
}

std::string ExportSource::slide_record(const std::string& frame) const {
    const SlideInfo& slide = header().slide;
    return nlohmann::ordered_json{
        {"frame", frame},
        {"mpp_x", slide.mpp_x},
        {"mpp_y", slide.mpp_y},
        {"bounds_px", {slide.bounds.x, slide.bounds.y, slide.bounds.width, slide.bounds.height}},
        {"slide", slide_name()},
        {"quickhash", slide.hash}}
        .dump();
}

NucleusClass ExportSource::class_of(uint8_t id) const {
    for (const NucleusClass& c : header().classes)
        if (c.id == id) return c;
    NucleusClass unnamed;
    unnamed.id = id;
    unnamed.name = std::to_string(id);
    return unnamed;
}

std::string hex_colour(const NucleusClass& c) {
    return fmt::format("#{:02x}{:02x}{:02x}", c.rgb[0], c.rgb[1], c.rgb[2]);
}

void ExportSource::for_each_block(const std::function<void(const ExportBlock&)>& use) const {
    constexpr uint64_t kBlock = 16384;  // the rows of a chunk: each is inflated once
    uint64_t n = 0;
    for (uint64_t first = first_; first < first_ + count_; first += n) {
        n = std::min(kBlock - first % kBlock, first_ + count_ - first);
        ExportBlock block{result_.rows(first, n, columns_), result_.uuids(first, n), first};
        if (options_.naming != Naming::Ours) {
            block.rows.features = renamed(block);
            block.rows.columns = named_.size();
        }
        if (options_.simplify_px > 0) simplify(block.rows, options_.simplify_px);
        use(block);
        if (options_.progress)
            options_.progress(static_cast<double>(first + n - first_) /
                              static_cast<double>(count_));
    }
}

}  // namespace wsi
