#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "stages/feature_groups.h"

namespace wsi::features {

namespace {

enum Column : size_t {
    kAreaPx,
    kAreaUm2,
    kPerimeterPx,
    kPerimeterUm,
    kMajorPx,
    kMajorUm,
    kMinorPx,
    kMinorUm,
    kEccentricity,
    kOrientation,
    kSolidity,
    kCircularity,
    kCompactness,
    kEquivalentDiameterPx,
    kEquivalentDiameter,
    kConvexAreaPx,
    kConvexArea,
    kBoxAreaPx,
    kBoxArea,
    kExtent,
    kRoundness,
    kAxisRatio,
    kColumns
};

double ring_length_px(std::span<const ContourPoint> ring) {
    double length = 0;
    for (size_t i = 0; i < ring.size(); ++i) {
        const ContourPoint &a = ring[i], &b = ring[(i + 1) % ring.size()];
        length += norm(static_cast<double>(b.x) - a.x, static_cast<double>(b.y) - a.y);
    }
    return length * kContourScale;
}

}  // namespace

const FeatureSchema& shape_columns() {
    static const FeatureSchema columns{
        {"shape_area_px", "px2", "number of pixels, in level-0 pixels"},
        {"shape_area_um2", "um2", "area"},
        {"shape_perimeter_px", "px", "length of the contour, level-0 pixels"},
        {"shape_perimeter_um", "um", "length of the contour"},
        {"shape_major_axis_px", "px",
         "major axis of the ellipse of equal second moments, level-0 pixels"},
        {"shape_major_axis_um", "um", "major axis of the ellipse of equal second moments"},
        {"shape_minor_axis_px", "px",
         "minor axis of the ellipse of equal second moments, level-0 pixels"},
        {"shape_minor_axis_um", "um", "minor axis of the ellipse of equal second moments"},
        {"shape_eccentricity", "1", "focal distance over major axis of that ellipse, 0 = circle"},
        {"shape_orientation_rad", "rad", "angle of the major axis from the vertical, -pi/2..pi/2"},
        {"shape_solidity", "1", "area over area of the convex hull"},
        {"shape_circularity", "1", "4 pi area / perimeter^2"},
        {"shape_compactness", "1", "perimeter^2 / (4 pi area)"},
        {"shape_equivalent_diameter_px", "px",
         "diameter of the circle of equal area, level-0 pixels"},
        {"shape_equivalent_diameter_um", "um", "diameter of the circle of equal area"},
        {"shape_convex_area_px", "px2", "area of the convex hull, level-0 pixels"},
        {"shape_convex_area_um2", "um2", "area of the convex hull"},
        {"shape_box_area_px", "px2", "area of the upright box, level-0 pixels"},
        {"shape_box_area_um2", "um2", "area of the upright box"},
        {"shape_extent", "1", "area over area of the upright box"},
        {"shape_roundness", "1", "4 area / (pi major axis^2)"},
        {"shape_axis_ratio", "1", "minor over major axis"},
    };
    return columns;
}

void compute_shape(const NucleusPixels& nucleus, const WorkFrame& frame, Scratch& scratch,
                   float* out) {
    const CentralMoments& mu = scratch.moments;
    const double area = mu[0][0], xx = mu[0][2] / area, xy = mu[1][1] / area, yy = mu[2][0] / area;
    const double px = frame.downsample, um = frame.mpp(), um2 = frame.px_area_um2();
    const double mean = (xx + yy) / 2, root = norm((xx - yy) / 2, xy);
    const double l1 = mean + root, l2 = std::max(0.0, mean - root);
    const double major = 4 * std::sqrt(l1), minor = 4 * std::sqrt(l2);
    const double perimeter = ring_length_px(nucleus.ring) / px;  // work pixels
    const auto convex = static_cast<double>(convex_area_px(nucleus.runs, scratch));
    const auto box = static_cast<double>(scratch.box.area());
    constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN(), kPi = std::numbers::pi;
    const auto set = [out](Column c, double v) { out[c] = static_cast<float>(v); };
    set(kAreaPx, area * px * px);
    set(kAreaUm2, area * um2);
    set(kPerimeterPx, perimeter * px);
    set(kPerimeterUm, perimeter * um);
    set(kMajorPx, major * px);
    set(kMajorUm, major * um);
    set(kMinorPx, minor * px);
    set(kMinorUm, minor * um);
    set(kEccentricity, l1 > 0 ? std::sqrt(1 - l2 / l1) : 0);
    set(kOrientation, l1 == l2 ? kUndefined : 0.5 * std::atan2(2 * xy, yy - xx));
    set(kSolidity, area / convex);
    set(kCircularity, 4 * kPi * area / (perimeter * perimeter));
    set(kCompactness, perimeter * perimeter / (4 * kPi * area));
    set(kEquivalentDiameterPx, std::sqrt(4 * area / kPi) * px);
    set(kEquivalentDiameter, std::sqrt(4 * area * um2 / kPi));
    set(kConvexAreaPx, convex * px * px);
    set(kConvexArea, convex * um2);
    set(kBoxAreaPx, box * px * px);
    set(kBoxArea, box * um2);
    set(kExtent, area / box);
    set(kRoundness, major > 0 ? 4 * area / (kPi * major * major) : kUndefined);
    set(kAxisRatio, major > 0 ? minor / major : kUndefined);
    static_assert(kColumns == 22);
}

}  // namespace wsi::features
