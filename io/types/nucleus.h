#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "config/error.h"
#include "io/types/geometry.h"

namespace wsi {

/// Work pixels x in [x0, x1) of row y, all of one nucleus.
struct PixelRun {
    int32_t y = 0, x0 = 0, x1 = 0;
    friend bool operator==(const PixelRun&, const PixelRun&) = default;
};

/// A contour vertex in hundredths of a level-0 pixel: the grid on which rings are valid.
struct ContourPoint {
    int32_t x = 0, y = 0;
    friend bool operator==(const ContourPoint&, const ContourPoint&) = default;
};
inline constexpr double kContourScale = 0.01;

enum NucleusFlag : uint8_t {
    kAtSlideEdge = 1,  ///< touches the end of the work frame
    kAtRoiEdge = 2,    ///< touches a pixel outside the region of interest
    kCutAtReach = 4,   ///< the flood ended at its reach: the nucleus may be larger
    kOnArtefact = 8,   ///< at least half of its pixels are ink, soot or black
};

/// What every nucleus has, whatever the feature set. Level-0 frame, pixel centres at .5.
struct NucleusIdentity {
    double centroid_x_px = 0, centroid_y_px = 0;
    double centroid_x_work = 0,
           centroid_y_work = 0;                  ///< the same point, for ordering and ownership
    float centroid_x_um = 0, centroid_y_um = 0;  ///< from the same corner
    float bbox_x0_px = 0, bbox_y0_px = 0, bbox_x1_px = 0, bbox_y1_px = 0;  ///< of the contour
    float tissue_fraction = 1;  ///< of its pixels: on the tissue mask or region of interest
    float class_probability = 1;
    float detection_probability = 0;  ///< mean of the probability map inside
    uint8_t class_id = 1;             ///< row of the class table, from 1
    uint8_t flags = 0;                ///< NucleusFlag bits
    uint32_t source = 0;              ///< its number where it came from; only of foreign nuclei
};

/// One column of the nuclei table beyond the identity; float32 everywhere.
struct FeatureColumn {
    std::string name;         ///< e.g. "shape_area_um2"
    std::string unit;         ///< "um2", "px", "1", ...
    std::string description;  ///< one line
};
using FeatureSchema = std::vector<FeatureColumn>;

/// A batch of nuclei, column-free and flat so that it can be written and read in one piece.
/// Row i: identity[i]; features[i * columns .. ); contour points [contour_offsets[i],
/// contour_offsets[i+1]): exterior ring, closed implicitly; runs [run_offsets[i], ...): its pixels,
/// row by row, left to right.
struct NucleiBatch {
    size_t columns = 0;
    std::vector<NucleusIdentity> identity;
    std::vector<float> features;
    std::vector<uint64_t> contour_offsets{0};
    std::vector<ContourPoint> contour_points;
    std::vector<uint64_t> run_offsets{0};
    std::vector<PixelRun> runs;

    size_t size() const { return identity.size(); }
    std::span<const float> row(size_t i) const { return {features.data() + i * columns, columns}; }
    std::span<const ContourPoint> contour(size_t i) const {
        return {contour_points.data() + contour_offsets[i],
                static_cast<size_t>(contour_offsets[i + 1] - contour_offsets[i])};
    }
    std::span<const PixelRun> pixel_runs(size_t i) const {
        return {runs.data() + run_offsets[i],
                static_cast<size_t>(run_offsets[i + 1] - run_offsets[i])};
    }
    void append(const NucleusIdentity& who, std::span<const float> row_features,
                std::span<const ContourPoint> ring, std::span<const PixelRun> pixels) {
        WSI_CHECK(row_features.size() == columns);
        identity.push_back(who);
        features.insert(features.end(), row_features.begin(), row_features.end());
        contour_points.insert(contour_points.end(), ring.begin(), ring.end());
        contour_offsets.push_back(contour_points.size());
        runs.insert(runs.end(), pixels.begin(), pixels.end());
        run_offsets.push_back(runs.size());
    }
    void append(const NucleiBatch& other, size_t i) {
        append(other.identity[i], other.row(i), other.contour(i), other.pixel_runs(i));
    }
    void clear() {
        NucleiBatch empty;
        empty.columns = columns;
        *this = std::move(empty);
    }
};

/// Ids are ranks in this order: row and column of a fixed cell, then centroid y, x.
inline constexpr int64_t kIdCellPx = 512;  ///< work pixels

inline bool id_order(const NucleusIdentity& a, const NucleusIdentity& b) {
    const auto cell = [](double v) { return static_cast<int64_t>(v) / kIdCellPx; };
    const int64_t row_a = cell(a.centroid_y_work), row_b = cell(b.centroid_y_work);
    if (row_a != row_b) return row_a < row_b;
    const int64_t column_a = cell(a.centroid_x_work), column_b = cell(b.centroid_x_work);
    if (column_a != column_b) return column_a < column_b;
    if (a.centroid_y_work != b.centroid_y_work) return a.centroid_y_work < b.centroid_y_work;
    return a.centroid_x_work < b.centroid_x_work;
}

}  // namespace wsi
