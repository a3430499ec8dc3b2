#include <algorithm>
#include <cmath>

#include "stages/separate_steps.h"

namespace wsi::separation {

namespace {

/// (height, earlier raster position) as one number: a strict order that any two windows agree on.
bool higher(ImageView<const Height> v, int32_t ax, int32_t ay, int32_t bx, int32_t by) {
    const Height a = v(ax, ay), b = v(bx, by);
    if (a != b) return a > b;
    return ay != by ? ay < by : ax < bx;
}

class PeakTest {
public:
    PeakTest(ImageView<const Height> heights, int h, int reach)
        : v_(heights), h_(h), reach_(reach), side_(2 * reach + 1) {
        seen_.assign(static_cast<size_t>(side_) * static_cast<size_t>(side_), 0);
    }

    bool is_local_maximum(int32_t x, int32_t y) const {
        for (int32_t ny = std::max(0, y - 1); ny <= std::min<int64_t>(v_.height - 1, y + 1); ++ny)
            for (int32_t nx = std::max(0, x - 1); nx <= std::min<int64_t>(v_.width - 1, x + 1);
                 ++nx)
                if ((nx != x || ny != y) && v_(nx, ny) != 0 && higher(v_, nx, ny, x, y))
                    return false;
        return true;
    }

    /// Floods the dome around (x, y) down to h below its top; false as soon as it meets a higher
    /// pixel.
    bool is_marker(int32_t x, int32_t y) {
        ++stamp_;
        const int floor = std::max(1, v_(x, y) - h_);
        stack_.assign(1, {x, y});
        mark(x, y, x, y);
        while (!stack_.empty()) {
            const Marker p = stack_.back();
            stack_.pop_back();
            for (int32_t ny = p.y - 1; ny <= p.y + 1; ++ny)
                for (int32_t nx = p.x - 1; nx <= p.x + 1; ++nx) {
                    if (std::abs(nx - x) > reach_ || std::abs(ny - y) > reach_) continue;
                    if (nx < 0 || ny < 0 || nx >= v_.width || ny >= v_.height) continue;
                    if (v_(nx, ny) < floor || !mark(nx, ny, x, y)) continue;
                    if (higher(v_, nx, ny, x, y)) return false;
                    stack_.push_back({nx, ny});
                }
        }
        return true;
    }

private:
    /// True when the pixel was not marked yet.
    bool mark(int32_t px, int32_t py, int32_t x, int32_t y) {
        uint32_t& cell = seen_[static_cast<size_t>((py - y + reach_) * side_ + px - x + reach_)];
        return std::exchange(cell, stamp_) != stamp_;
    }

    ImageView<const Height> v_;
    int h_, reach_, side_;
    uint32_t stamp_ = 0;
    std::vector<uint32_t> seen_;
    std::vector<Marker> stack_;
};

}  // namespace

std::vector<Marker> find_markers(ImageView<const Height> heights, int h, int reach) {
    std::vector<Marker> markers;
    PeakTest peak(heights, h, reach);
    for (int32_t y = 0; y < heights.height; ++y) {
        const Height* row = heights.row(y);
        for (int32_t x = 0; x < heights.width; ++x)
            if (row[x] != 0 && peak.is_local_maximum(x, y) && peak.is_marker(x, y))
                markers.push_back({x, y});
    }
    return markers;
}

void smooth_heights(ConstGrayView mask, ConstGrayView distance, int radius, double sigma,
                    ImageView<Height> heights) {
    // Integer weights that add up to 1024, so that the sum is exact whatever the order.
    std::vector<int> weights(static_cast<size_t>(2 * radius + 1));
    double total = 0;
    for (int i = -radius; i <= radius; ++i) total += std::exp(-i * i / (2 * sigma * sigma));
    int left = 1024;
    for (int i = 1; i <= radius; ++i) {
        const int w =
            static_cast<int>(std::lround(1024 * std::exp(-i * i / (2 * sigma * sigma)) / total));
        weights[static_cast<size_t>(radius + i)] = weights[static_cast<size_t>(radius - i)] = w;
        left -= 2 * w;
    }
    weights[static_cast<size_t>(radius)] = left;

    const int64_t width = distance.width, height = distance.height;
    std::vector<int> column(static_cast<size_t>(width + 2 * radius));
    for (int64_t y = 0; y < height; ++y) {
        const uint8_t* inside = mask.row(y);
        Height* out = heights.row(y);
        std::fill_n(out, width, Height{0});
        for (int64_t x0 = 0; x0 < width;) {
            if (inside[x0] == 0) {
                ++x0;
                continue;
            }
            int64_t x1 = x0;
            while (x1 < width && inside[x1] != 0) ++x1;
            const int64_t n = x1 - x0 + 2 * radius;
            std::fill_n(column.begin(), n, 0);
            for (int k = -radius; k <= radius; ++k) {
                const uint8_t* from = distance.row(std::clamp<int64_t>(y + k, 0, height - 1));
                const int w = weights[static_cast<size_t>(k + radius)];
                for (int64_t i = 0; i < n; ++i)
                    column[static_cast<size_t>(i)] +=
                        w * from[std::clamp<int64_t>(x0 - radius + i, 0, width - 1)];
            }
            for (int64_t x = x0; x < x1; ++x) {
                int64_t sum = 0;
                for (int k = 0; k <= 2 * radius; ++k)
                    sum += int64_t{weights[static_cast<size_t>(k)]} *
                           column[static_cast<size_t>(x - x0 + k)];
                out[x] = static_cast<Height>(1 + ((sum * kHeightScale + (1 << 19)) >> 20));
            }
            x0 = x1;
        }
    }
}

}  // namespace wsi::separation
