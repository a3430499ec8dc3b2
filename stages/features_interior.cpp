#include <algorithm>
#include <cmath>
#include <limits>

#include "stages/feature_groups.h"

namespace wsi::features {

namespace {

constexpr size_t kLanes = 8;

/// Squared distance of every pixel of the padded mask to the nearest pixel outside the nucleus, in
/// rows of `stride` floats, a multiple of kLanes. Down the columns first, then along the rows:
/// exact in floats below 2^24.
void squared_distances(const GrayImage& mask, size_t stride, std::vector<float>& down,
                       std::vector<float>& out) {
    const auto width = static_cast<size_t>(mask.width()),
               height = static_cast<size_t>(mask.height());
    // Column steps to the nearest background; the padding is background, so always defined. A
    // margin on both sides lets every row be read beyond its ends.
    const size_t margin = width;
    const size_t row = stride + 2 * margin;
    down.assign(row * height, 0);
    for (size_t y = 1; y < height; ++y) {
        const uint8_t* inside = mask.data() + y * width;
        float* here = down.data() + y * row + margin;
        const float* above = here - row;
        for (size_t x = 0; x < width; ++x) here[x] = inside[x] ? above[x] + 1 : 0.0f;
    }
    for (size_t y = height - 1; y-- > 0;) {
        float* here = down.data() + y * row + margin;
        for (size_t x = 0; x < width; ++x) here[x] = std::min(here[x], here[x + row] + 1);
    }
    out.assign(stride * height, 0);
    for (size_t y = 1; y + 1 < height; ++y) {
        float* here = down.data() + y * row + margin;
        // A column k away matters only while k² is less than what a pixel has already, at most the
        // deepest column; columns beyond the ends are background, as the last inside is.
        float deepest = 0;
        for (size_t x = 0; x < width; ++x) {
            deepest = std::max(deepest, here[x]);
            here[x] *= here[x];
        }
        const auto reach = std::min(static_cast<size_t>(deepest), width);
        for (size_t x0 = 0; x0 < stride; x0 += kLanes) {
            float best[kLanes];
            const float* from = here + x0;
            for (size_t i = 0; i < kLanes; ++i) best[i] = from[i];
            for (size_t k = 1; k <= reach; ++k) {
                const auto away = static_cast<float>(k * k);
                const float *left = from - k, *right = from + k;
                for (size_t i = 0; i < kLanes; ++i)
                    best[i] = std::min(best[i], std::min(left[i], right[i]) + away);
            }
            for (size_t i = 0; i < kLanes; ++i) out[y * stride + x0 + i] = best[i];
        }
    }
}

/// Pixels of the nucleus in boxes of 4 pixels, laid from the corner of its own box.
struct BoxCounts {
    int64_t side = 4, columns = 0, rows = 0;
    std::vector<int64_t> filled;
};

void count_boxes(const GrayImage& mask, BoxCounts& boxes) {
    const int64_t width = mask.width() - 2, height = mask.height() - 2;
    boxes.side = 4;
    boxes.columns = ceil_div(width, 4);
    boxes.rows = ceil_div(height, 4);
    boxes.filled.assign(static_cast<size_t>(boxes.columns * boxes.rows), 0);
    for (int64_t y = 0; y < height; ++y) {
        const uint8_t* row = mask.data() + (y + 1) * mask.width() + 1;
        int64_t* to = boxes.filled.data() + y / 4 * boxes.columns;
        for (int64_t x = 0; x < width; ++x) to[x / 4] += row[x];
    }
}

/// Joins boxes two by two, in place.
void double_boxes(BoxCounts& b) {
    const int64_t columns = ceil_div(b.columns, 2), rows = ceil_div(b.rows, 2);
    for (int64_t y = 0; y < rows; ++y)
        for (int64_t x = 0; x < columns; ++x) {
            int64_t sum = 0;
            for (int64_t dy = 2 * y; dy < std::min(b.rows, 2 * y + 2); ++dy)
                for (int64_t dx = 2 * x; dx < std::min(b.columns, 2 * x + 2); ++dx)
                    sum += b.filled[static_cast<size_t>(dy * b.columns + dx)];
            b.filled[static_cast<size_t>(y * columns + x)] = sum;
        }
    b.columns = columns;
    b.rows = rows;
    b.side *= 2;
}

/// Boxes that are neither empty nor full.
int64_t count_border_boxes(const BoxCounts& boxes) {
    int64_t count = 0;
    for (int64_t i = 0; i < boxes.columns * boxes.rows; ++i) {
        const int64_t filled = boxes.filled[static_cast<size_t>(i)];
        count += filled > 0 && filled < boxes.side * boxes.side;
    }
    return count;
}

/// Minus the slope of log(count) over log(side), sides 4, 8, … up to the box's shorter side.
double fractal_dimension(const GrayImage& mask) {
    const int64_t shorter = std::min(mask.width(), mask.height()) - 2;
    if (shorter < 8) return std::numeric_limits<double>::quiet_NaN();
    double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
    thread_local BoxCounts boxes;
    count_boxes(mask, boxes);
    for (; boxes.side <= shorter; double_boxes(boxes)) {
        const int64_t count = count_border_boxes(boxes);
        if (count == 0) return std::numeric_limits<double>::quiet_NaN();
        const double x = std::log(static_cast<double>(boxes.side)),
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
        {"shape_mean_radius_px", "px",
         "mean distance of the pixels to the outside, level-0 pixels"},
        {"shape_median_radius_px", "px",
         "median distance of the pixels to the outside, level-0 pixels"},
        {"shape_max_radius_px", "px", "largest distance of a pixel to the outside, level-0 pixels"},
        {"shape_mean_radius_um", "um", "mean distance of the pixels to the outside"},
        {"shape_median_radius_um", "um", "median distance of the pixels to the outside"},
        {"shape_max_radius_um", "um", "largest distance of a pixel to the outside"},
        {"shape_fractal_dimension", "1", "box counting of the border"},
    };
    return columns;
}

void compute_interior(const WorkFrame& frame, Scratch& s, float* out) {
    const auto width = static_cast<size_t>(s.mask.width());
    const size_t stride = (width + kLanes - 1) / kLanes * kLanes;
    s.squared_stride = stride;
    squared_distances(s.mask, stride, s.distances, s.squared);
    // Squares of distances are whole numbers, few of them different: counted, never sorted.
    float greatest = 0;
    for (const float v : s.squared) greatest = std::max(greatest, v);
    s.counts.assign(static_cast<size_t>(greatest) + 1, 0);
    for (const float v : s.squared) ++s.counts[static_cast<size_t>(v)];
    s.counts[0] = 0;  // outside
    double sum = 0, lower = 0, upper = 0;
    int64_t n = 0, passed = 0;
    for (const int64_t c : s.counts) n += c;
    for (size_t square = 1; square < s.counts.size(); ++square) {
        const int64_t count = s.counts[square];
        if (count == 0) continue;
        const auto radius = static_cast<double>(std::sqrt(static_cast<float>(square)));
        sum += static_cast<double>(count) * radius;
        if (passed <= (n - 1) / 2 && (n - 1) / 2 < passed + count) lower = radius;
        if (passed <= n / 2 && n / 2 < passed + count) upper = radius;
        passed += count;
    }
    const auto most = static_cast<double>(std::sqrt(greatest));
    const double mean = sum / static_cast<double>(n), median = (lower + upper) / 2;
    for (const double unit : {frame.downsample, frame.mpp()})
        for (const double radius : {mean, median, most}) *out++ = static_cast<float>(radius * unit);
    *out++ = static_cast<float>(fractal_dimension(s.mask));
}

}  // namespace wsi::features
