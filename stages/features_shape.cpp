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
    kColumns
};

/// Central second moments of the pixel centres, per pixel; work pixels squared.
struct Moments {
    double area = 0, xx = 0, xy = 0, yy = 0;
};

Moments moments_of(std::span<const PixelRun> runs) {
    // Sums about the first pixel stay small integers: exact, so the order cannot matter.
    const int64_t x0 = runs.front().x0, y0 = runs.front().y;
    int64_t n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0, syy = 0;
    for (const PixelRun& run : runs) {
        const int64_t a = run.x0 - x0, b = run.x1 - x0, y = run.y - y0, w = b - a;
        const int64_t sum = (a + b - 1) * w / 2;
        const auto squares = [](int64_t m) { return (m - 1) * m * (2 * m - 1) / 6; };  // below m
        n += w;
        sx += sum;
        sy += y * w;
        sxx += squares(b) - squares(a);
        sxy += y * sum;
        syy += y * y * w;
    }
    const auto count = static_cast<double>(n);
    const double mx = static_cast<double>(sx) / count, my = static_cast<double>(sy) / count;
    return {count, static_cast<double>(sxx) / count - mx * mx,
            static_cast<double>(sxy) / count - mx * my, static_cast<double>(syy) / count - my * my};
}

double ring_length_px(std::span<const ContourPoint> ring) {
    double length = 0;
    for (size_t i = 0; i < ring.size(); ++i) {
        const ContourPoint &a = ring[i], &b = ring[(i + 1) % ring.size()];
        length += std::hypot(static_cast<double>(b.x) - a.x, static_cast<double>(b.y) - a.y);
    }
    return length * kContourScale;
}

int64_t cross(const PixelPoint& o, const PixelPoint& a, const PixelPoint& b) {
    return (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x);
}

/// Monotone chain on points sorted by (y, x), in place.
void convex_hull(std::vector<PixelPoint>& points) {
    std::vector<PixelPoint> chain(2 * points.size());
    size_t k = 0;
    for (const PixelPoint& p : points) {
        while (k >= 2 && cross(chain[k - 2], chain[k - 1], p) <= 0) --k;
        chain[k++] = p;
    }
    const size_t lower = k + 1;
    for (size_t i = points.size() - 1; i-- > 0;) {
        while (k >= lower && cross(chain[k - 2], chain[k - 1], points[i]) <= 0) --k;
        chain[k++] = points[i];
    }
    chain.resize(k - 1);
    points.swap(chain);
}

}  // namespace

int64_t convex_area_px(std::span<const PixelRun> runs, std::vector<PixelPoint>& hull) {
    // Doubled coordinates: pixel centres are even, middles of sides have one odd coordinate.
    hull.clear();
    int64_t top = INT64_MAX, bottom = INT64_MIN;
    for (const PixelRun& run : runs) {
        const int64_t y = 2 * int64_t{run.y}, first = 2 * int64_t{run.x0},
                      last = 2 * (int64_t{run.x1} - 1);
        top = std::min<int64_t>(top, run.y);
        bottom = std::max<int64_t>(bottom, run.y);
        for (const PixelPoint p :
             {PixelPoint{first - 1, y}, PixelPoint{last + 1, y}, PixelPoint{first, y - 1},
              PixelPoint{last, y - 1}, PixelPoint{first, y + 1}, PixelPoint{last, y + 1}})
            hull.push_back(p);
    }
    std::sort(hull.begin(), hull.end(), [](const PixelPoint& a, const PixelPoint& b) {
        return a.y != b.y ? a.y < b.y : a.x < b.x;
    });
    hull.erase(std::unique(hull.begin(), hull.end()), hull.end());
    convex_hull(hull);
    int64_t area = 0;
    for (int64_t row = top; row <= bottom; ++row) {
        // Where the line through this row's pixel centres enters and leaves the hull.
        const int64_t y = 2 * row;
        double left = std::numeric_limits<double>::infinity(), right = -left;
        for (size_t i = 0; i < hull.size(); ++i) {
            const PixelPoint &a = hull[i], &b = hull[(i + 1) % hull.size()];
            if ((a.y < y) == (b.y < y) && a.y != y && b.y != y) continue;
            if (a.y == b.y) continue;  // its ends are ends of other sides, too
            const double x =
                static_cast<double>(a.x) +
                static_cast<double>((y - a.y) * (b.x - a.x)) / static_cast<double>(b.y - a.y);
            left = std::min(left, x);
            right = std::max(right, x);
        }
        constexpr double kTolerance = 1e-9;
        const double first = std::ceil(left / 2 - kTolerance),
                     last = std::floor(right / 2 + kTolerance);
        area += static_cast<int64_t>(last - first) + 1;
    }
    return area;
}

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
    };
    return columns;
}

void compute_shape(const NucleusPixels& nucleus, const WorkFrame& frame,
                   std::vector<PixelPoint>& hull, float* out) {
    const Moments m = moments_of(nucleus.runs);
    const double px = frame.downsample, um = frame.mpp();
    const double mean = (m.xx + m.yy) / 2, root = std::hypot((m.xx - m.yy) / 2, m.xy);
    const double l1 = mean + root, l2 = std::max(0.0, mean - root);
    const double major = 4 * std::sqrt(l1), minor = 4 * std::sqrt(l2);
    const double perimeter = ring_length_px(nucleus.ring) / px;  // work pixels
    const auto set = [out](Column c, double v) { out[c] = static_cast<float>(v); };
    set(kAreaPx, m.area * px * px);
    set(kAreaUm2, m.area * frame.px_area_um2());
    set(kPerimeterPx, perimeter * px);
    set(kPerimeterUm, perimeter * um);
    set(kMajorPx, major * px);
    set(kMajorUm, major * um);
    set(kMinorPx, minor * px);
    set(kMinorUm, minor * um);
    set(kEccentricity, l1 > 0 ? std::sqrt(1 - l2 / l1) : 0);
    set(kOrientation, l1 == l2 ? std::numeric_limits<double>::quiet_NaN()
                               : 0.5 * std::atan2(2 * m.xy, m.yy - m.xx));
    set(kSolidity, m.area / static_cast<double>(convex_area_px(nucleus.runs, hull)));
    set(kCircularity, 4 * std::numbers::pi * m.area / (perimeter * perimeter));
    static_assert(kColumns == 12);
}

}  // namespace wsi::features
