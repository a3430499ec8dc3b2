#include "tests/support/synthetic_result.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace wsi::test {

namespace {

constexpr int64_t kPitchPx = 24, kPerSide = 21, kPerCell = kPerSide * kPerSide;
constexpr int kVertices = 24;
constexpr double kTwoPi = 6.283185307179586;

/// Uniform in [0, 1), a function of (seed, salt).
double random_unit(uint64_t seed, uint64_t salt) {
    uint64_t z = seed * 0x9E3779B97F4A7C15u + salt * 0xD1B54A32D192ED03u + 1;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/// An ellipse inside its square of the grid.
struct Shape {
    double x, y, a, b;  // work pixels
};
Shape shape_of(uint64_t index, int64_t cell_columns) {
    const auto cell = static_cast<int64_t>(index) / kPerCell;
    const auto place = static_cast<int64_t>(index) % kPerCell;
    const int64_t x0 = cell % cell_columns * kIdCellPx + place % kPerSide * kPitchPx;
    const int64_t y0 = cell / cell_columns * kIdCellPx + place / kPerSide * kPitchPx;
    return {static_cast<double>(x0) + 11.5 + random_unit(index, 1), static_cast<double>(y0) + 12,
            6 + 4 * random_unit(index, 3), 5 + 5 * random_unit(index, 4)};
}

std::vector<ContourPoint> ring_of(const Shape& s, double downsample) {
    std::vector<ContourPoint> ring;
    for (int k = 0; k < kVertices; ++k) {
        const double angle = kTwoPi * k / kVertices;
        const auto hundredths = [&](double v) {
            return static_cast<int32_t>(std::lround(v * downsample / kContourScale));
        };
        ring.push_back(
            {hundredths(s.x + s.a * std::cos(angle)), hundredths(s.y + s.b * std::sin(angle))});
    }
    return ring;
}

std::vector<PixelRun> runs_of(const Shape& s) {
    std::vector<PixelRun> runs;
    for (auto y = static_cast<int32_t>(s.y - s.b); y <= static_cast<int32_t>(s.y + s.b); ++y) {
        const double v = (y + 0.5 - s.y) / s.b;
        if (v * v >= 1) continue;
        const double half = s.a * std::sqrt(1 - v * v);
        const auto x0 = static_cast<int32_t>(std::lround(s.x - half));
        const auto x1 = static_cast<int32_t>(std::lround(s.x + half));
        if (x0 < x1) runs.push_back({y, x0, x1});
    }
    return runs;
}

FeatureSchema schema_of(size_t columns) {
    FeatureSchema schema{{"shape_area_um2", "um2", "area"},
                         {"shape_perimeter_um", "um", "length of the contour"},
                         {"shape_circularity", "1", "4 pi area / perimeter^2"},
                         {"shape_solidity", "1", "area over area of the convex hull"},
                         {"shape_major_axis_um", "um", "major axis"},
                         {"shape_minor_axis_um", "um", "minor axis"},
                         {"shape_eccentricity", "1", "focal distance over major axis"},
                         {"nucleus_H_mean", "od", "mean density of haematoxylin"},
                         {"nucleus_E_mean", "od", "mean density of eosin"}};
    while (schema.size() < columns)
        schema.push_back({"feature_" + std::to_string(schema.size()), "1", "synthetic"});
    return schema;
}

}  // namespace

SyntheticResult::SyntheticResult(uint64_t nuclei, size_t columns) : nuclei_(nuclei) {
    const auto cells = std::max<int64_t>(1, ceil_div(static_cast<int64_t>(nuclei), kPerCell));
    cell_columns_ = static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(cells))));
    cell_rows_ = ceil_div(cells, cell_columns_);
    ResultHeader& h = header_;
    h.frame = {{cell_columns_ * kIdCellPx - 3, cell_rows_ * kIdCellPx - 5}, 2, 0.5, 0.5};
    h.slide.path = "synthetic.svs";
    h.slide.vendor = "synthetic";
    h.slide.hash = "0123456789abcdef";
    h.slide.levels = {{{h.frame.size.width * 2, h.frame.size.height * 2}, 1, {}}};
    h.slide.mpp_x = h.slide.mpp_y = 0.25;
    h.slide.bounds = {300, 200, h.frame.size.width * 2 - 300, h.frame.size.height * 2 - 200};
    h.schema = schema_of(columns);
    h.stain_matrix = {{{0.65, 0.70, 0.29}, {0.07, 0.99, 0.11}}};
    h.stain_max_concentration = {1.9, 1.1};
    h.stain_reason = "synthetic";
    h.tissue = GrayImage(cell_columns_ * 32, cell_rows_ * 32, 1);
    h.tissue_mpp = 8;
    h.tissue_cell_work_px = 16;
    h.tissue_mm2 = static_cast<double>(h.frame.size.area()) * 0.25e-6;
    h.identity_hash = "identity";
    h.results_version = "1";
    h.program_version = "test";
    h.provenance = {{"config", "a: 1\n"}, {"command", "synthetic"}};
}

NucleiBatch SyntheticResult::rows(uint64_t first, uint64_t n) const {
    NucleiBatch out;
    out.columns = header_.schema.size();
    std::vector<float> features(out.columns);
    for (uint64_t i = first; i < first + n; ++i) {
        const Shape s = shape_of(i, cell_columns_);
        const double scale = header_.frame.downsample;
        NucleusIdentity who;
        who.centroid_x_work = s.x;
        who.centroid_y_work = s.y;
        who.centroid_x_px = s.x * scale;
        who.centroid_y_px = s.y * scale;
        who.centroid_x_um = static_cast<float>(s.x * header_.frame.mpp_x);
        who.centroid_y_um = static_cast<float>(s.y * header_.frame.mpp_y);
        who.bbox_x0_px = static_cast<float>((s.x - s.a) * scale);
        who.bbox_y0_px = static_cast<float>((s.y - s.b) * scale);
        who.bbox_x1_px = static_cast<float>((s.x + s.a) * scale);
        who.bbox_y1_px = static_cast<float>((s.y + s.b) * scale);
        who.detection_probability = static_cast<float>(0.5 + random_unit(i, 5) / 2);
        who.tissue_fraction = static_cast<float>(random_unit(i, 7));
        who.flags = static_cast<uint8_t>(i % 16);
        who.class_id = header_.classes[i % header_.classes.size()].id;
        if (header_.classes.size() > 1)
            who.class_probability = static_cast<float>(random_unit(i, 6));
        for (size_t k = 0; k < out.columns; ++k)
            features[k] = (i + 7 * k) % 97 == 0 ? std::numeric_limits<float>::quiet_NaN()
                                                : static_cast<float>(100 * random_unit(i, 10 + k));
        out.append(who, features, ring_of(s, scale), runs_of(s));
    }
    return out;
}

Image<uint32_t> SyntheticResult::labels(int64_t cell_row, int64_t cell_column) const {
    Image<uint32_t> out(kChunkPx, kChunkPx, 0);
    const auto first = static_cast<uint64_t>((cell_row * cell_columns_ + cell_column) * kPerCell);
    for (uint64_t i = first; i < std::min(first + kPerCell, nuclei_); ++i)
        for (const PixelRun& run : runs_of(shape_of(i, cell_columns_))) {
            const int64_t y = run.y - cell_row * kChunkPx, x = run.x0 - cell_column * kChunkPx;
            std::fill_n(&out(x, y), run.x1 - run.x0, static_cast<uint32_t>(i + 1));
        }
    return out;
}

void SyntheticResult::write(const std::string& path, uint64_t rows_per_append) const {
    ResultWriter writer(path, header_);
    for (uint64_t first = 0; first < nuclei_; first += rows_per_append)
        writer.append(rows(first, std::min(rows_per_append, nuclei_ - first)));
    GrayImage mask(kChunkPx, kChunkPx), probability(kChunkPx, kChunkPx);
    for (int64_t row = 0; row < cell_rows_; ++row)
        for (int64_t column = 0; column < cell_columns_; ++column) {
            const Image<uint32_t> chunk = labels(row, column);
            for (int64_t i = 0; i < chunk.size().area(); ++i) {
                const uint32_t id = chunk.data()[i];
                mask.data()[i] = id ? header_.classes[(id - 1) % header_.classes.size()].id : 0;
                probability.data()[i] = static_cast<uint8_t>(id ? 128 + id % 100 : 3);
            }
            const auto put = [&](Raster raster, const std::vector<uint8_t>& bytes) {
                if (!bytes.empty()) writer.write_chunk(raster, row, column, bytes);
            };
            put(Raster::Labels, compress_chunk(chunk.view()));
            put(Raster::Mask, compress_chunk(mask.view()));
            if (header_.keep_maps) put(Raster::Probability, compress_chunk(probability.view()));
        }
    writer.finish();
}

}  // namespace wsi::test
