#include <algorithm>
#include <cmath>
#include <limits>

#include "stages/feature_groups.h"

namespace wsi::features {

namespace {

/// Squared distance of every pixel of the padded mask to the nearest pixel outside the nucleus.
/// Down the columns first, then along the rows: exact in floats below 2^24.
void squared_distances(const GrayImage& mask, std::vector<float>& down, std::vector<float>& out) {
    const auto width = static_cast<size_t>(mask.width()),
               height = static_cast<size_t>(mask.height());
    // Column steps to the nearest background; the padding is background, so always defined.
    down.assign(width * height, 0);
    for (size_t y = 1; y < height; ++y)
        for (size_t x = 0; x < width; ++x)
            down[y * width + x] = mask.data()[y * width + x] ? down[(y - 1) * width + x] + 1 : 0.0f;
    for (size_t y = height - 1; y-- > 0;)
        for (size_t x = 0; x < width; ++x)
            down[y * width + x] = std::min(down[y * width + x], down[(y + 1) * width + x] + 1);
    for (float& v : down) v *= v;
    out.assign(width * height, std::numeric_limits<float>::infinity());
    for (size_t y = 1; y + 1 < height; ++y) {
        const float* from = down.data() + y * width;
        float* to = out.data() + y * width;
        // Column `c` reaches x with down² + (x − c)².
        for (size_t c = 0; c < width; ++c) {
            const float depth = from[c], column = static_cast<float>(c);
            for (size_t x = 0; x < width; ++x) {
                const float dx = static_cast<float>(x) - column;
                to[x] = std::min(to[x], depth + dx * dx);
            }
        }
    }
}

/// Non-empty, non-full boxes of `side` pixels, laid from the corner of the nucleus's own box.
int64_t count_border_boxes(const GrayImage& mask, int64_t side) {
    const int64_t width = mask.width() - 2, height = mask.height() - 2;
    int64_t count = 0;
    for (int64_t y0 = 0; y0 < height; y0 += side)
        for (int64_t x0 = 0; x0 < width; x0 += side) {
            int64_t filled = 0;
            for (int64_t y = y0; y < std::min(height, y0 + side); ++y)
                for (int64_t x = x0; x < std::min(width, x0 + side); ++x)
                    filled += mask(x + 1, y + 1);
            count += filled > 0 && filled < side * side;
        }
    return count;
}

/// Minus the slope of log(count) over log(side), sides 4, 8, … up to the box's shorter side.
double fractal_dimension(const GrayImage& mask) {
    const int64_t shorter = std::min(mask.width(), mask.height()) - 2;
    double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (int64_t side = 4; side <= shorter; side *= 2) {
        const int64_t count = count_border_boxes(mask, side);
        if (count == 0) return std::numeric_limits<double>::quiet_NaN();
        const double x = std::log(static_cast<double>(side)),
                     y = std::log(static_cast<double>(count));
        n += 1;
        sx += x;
        sy += y;
        sxx += x * x;
        sxy += x * y;
    }
    if (n < 2) return std::numeric_limits<double>::quiet_NaN();
    return -(n * sxy - sx * sy) / (n * sxx - sx * sx);
}

}  // namespace

const FeatureSchema& interior_columns() {
    static const FeatureSchema columns{
        {"shape_mean_radius_um", "um", "mean distance of the pixels to the outside"},
        {"shape_median_radius_um", "um", "median distance of the pixels to the outside"},
        {"shape_max_radius_um", "um", "largest distance of a pixel to the outside"},
        {"shape_fractal_dimension", "1", "box counting of the border"},
    };
    return columns;
}

void compute_interior(const WorkFrame& frame, Scratch& s, float* out) {
    squared_distances(s.mask, s.distances, s.values);
    size_t n = 0;
    double sum = 0;
    for (int64_t i = 0; i < s.mask.size().area(); ++i) {
        if (s.mask.data()[i] == 0) continue;
        const float radius = std::sqrt(s.values[static_cast<size_t>(i)]);
        sum += static_cast<double>(radius);
        s.values[n++] = radius;
    }
    const auto begin = s.values.begin(), end = begin + static_cast<std::ptrdiff_t>(n);
    const auto middle = begin + static_cast<std::ptrdiff_t>(n / 2);
    std::nth_element(begin, middle, end);
    const auto upper = static_cast<double>(*middle);
    const double lower = n % 2 ? upper : static_cast<double>(*std::max_element(begin, middle));
    const auto most = static_cast<double>(*std::max_element(middle, end));
    const double um = frame.mpp();
    *out++ = static_cast<float>(sum / static_cast<double>(n) * um);
    *out++ = static_cast<float>((lower + upper) / 2 * um);
    *out++ = static_cast<float>(most * um);
    *out++ = static_cast<float>(fractal_dimension(s.mask));
}

}  // namespace wsi::features
