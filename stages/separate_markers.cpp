#include <algorithm>
#include <array>
#include <cmath>

#include "stages/run_components.h"
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

    /// Floods the dome around (x, y) down to h below its top; false as soon as it meets a higher
    /// pixel.
    bool is_marker(int32_t x, int32_t y) {
        ++stamp_;
        const int floor = std::max(1, v_(x, y) - h_);
        const int32_t left = std::max(0, x - reach_), top = std::max(0, y - reach_);
        const auto right = static_cast<int32_t>(std::min<int64_t>(v_.width - 1, x + reach_));
        const auto bottom = static_cast<int32_t>(std::min<int64_t>(v_.height - 1, y + reach_));
        stack_.assign(1, {x, y});
        mark(x, y, x, y);
        while (!stack_.empty()) {
            const Marker p = stack_.back();
            stack_.pop_back();
            for (int32_t ny = std::max(top, p.y - 1); ny <= std::min(bottom, p.y + 1); ++ny)
                for (int32_t nx = std::max(left, p.x - 1); nx <= std::min(right, p.x + 1); ++nx) {
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

/// Rows of heights, padded by one zero on both sides, of which three are in use at a time.
class PaddedRows {
public:
    explicit PaddedRows(ImageView<const Height> heights) : v_(heights) {
        for (auto& row : rows_) row.assign(static_cast<size_t>(v_.width) + 2, 0);
    }
    /// Row y, its pixel 0 at index 1; outside the image: zeros.
    const Height* load(int64_t y) {
        auto& row = rows_[static_cast<size_t>(y + 3) % 3];
        if (y >= 0 && y < v_.height)
            std::copy_n(v_.row(y), v_.width, row.data() + 1);
        else
            std::fill(row.begin(), row.end(), Height{0});
        return row.data();
    }

private:
    ImageView<const Height> v_;
    std::array<std::vector<Height>, 3> rows_;
};

/// 1 where no neighbour is higher: those that come earlier must be strictly lower.
void local_maxima(const Height* above, const Height* row, const Height* below, int64_t width,
                  uint8_t* out) {
    for (int64_t x = 0; x < width; ++x) {
        const Height here = row[x + 1];
        const Height earlier =
            std::max(std::max(above[x], above[x + 1]), std::max(above[x + 2], row[x]));
        const Height later =
            std::max(std::max(below[x], below[x + 1]), std::max(below[x + 2], row[x + 2]));
        out[x] = (here > earlier) & (here >= later);
    }
}

}  // namespace

std::vector<Marker> find_markers(ImageView<const Height> heights, int h, int reach) {
    std::vector<Marker> markers;
    PeakTest peak(heights, h, reach);
    PaddedRows rows(heights);
    std::vector<uint8_t> maximum(static_cast<size_t>(heights.width));
    const Height *above = rows.load(-1), *row = rows.load(0);
    for (int32_t y = 0; y < heights.height; ++y) {
        const Height* below = rows.load(y + 1);
        local_maxima(above, row, below, heights.width, maximum.data());
        for (int64_t x = 0; x < heights.width;) {
            if (maximum[static_cast<size_t>(x)] == 0) {
                x = run_end(maximum.data(), x, heights.width);
                continue;
            }
            if (peak.is_marker(static_cast<int32_t>(x), y))
                markers.push_back({static_cast<int32_t>(x), y});
            ++x;
        }
        above = row;
        row = below;
    }
    return markers;
}

namespace {

/// Integer weights that add up to 1024, so that a sum is exact whatever the order.
std::vector<uint32_t> gaussian_weights(int radius, double sigma) {
    std::vector<uint32_t> weights(static_cast<size_t>(2 * radius + 1));
    double total = 0;
    for (int i = -radius; i <= radius; ++i) total += std::exp(-i * i / (2 * sigma * sigma));
    uint32_t left = 1024;
    for (int i = 1; i <= radius; ++i) {
        const auto w = static_cast<uint32_t>(
            std::lround(1024 * std::exp(-i * i / (2 * sigma * sigma)) / total));
        weights[static_cast<size_t>(radius + i)] = weights[static_cast<size_t>(radius - i)] = w;
        left -= 2 * w;
    }
    weights[static_cast<size_t>(radius)] = left;
    return weights;
}

/// Weighted sums over the rows around y of n columns from x0 on; the border is replicated.
void sum_columns(ConstGrayView distance, const std::vector<uint32_t>& weights, int64_t y,
                 int64_t x0, uint32_t* sums, int64_t n) {
    const auto radius = std::ssize(weights) / 2;
    const bool inside = x0 >= 0 && x0 + n <= distance.width;
    std::fill_n(sums, n, 0u);
    for (int64_t k = -radius; k <= radius; ++k) {
        const uint8_t* row = distance.row(std::clamp<int64_t>(y + k, 0, distance.height - 1));
        const uint32_t w = weights[static_cast<size_t>(k + radius)];
        if (inside)
            for (int64_t i = 0; i < n; ++i) sums[i] += w * row[x0 + i];
        else
            for (int64_t i = 0; i < n; ++i)
                sums[i] += w * row[std::clamp<int64_t>(x0 + i, 0, distance.width - 1)];
    }
}

}  // namespace

void smooth_heights(ConstGrayView mask, ConstGrayView distance, int radius, double sigma,
                    ImageView<Height> heights) {
    const std::vector<uint32_t> weights = gaussian_weights(radius, sigma);
    const int64_t width = distance.width;
    std::vector<uint32_t> column(static_cast<size_t>(width + 2 * radius));
    for (int64_t y = 0; y < distance.height; ++y) {
        const uint8_t* inside = mask.row(y);
        Height* out = heights.row(y);
        std::fill_n(out, width, Height{0});
        for (int64_t x0 = 0; x0 < width;) {
            const int64_t x1 = run_end(inside, x0, width);
            if (inside[x0] != 0) {
                sum_columns(distance, weights, y, x0 - radius, column.data(), x1 - x0 + 2 * radius);
                for (int64_t x = x0; x < x1; ++x) {
                    uint32_t sum = 0;  // at most 255 * 2^20: its sixteenfold still fits
                    for (int k = 0; k <= 2 * radius; ++k)
                        sum += weights[static_cast<size_t>(k)] *
                               column[static_cast<size_t>(x - x0 + k)];
                    out[x] = static_cast<Height>(1 + ((sum * kHeightScale + (1u << 19)) >> 20));
                }
            }
            x0 = x1;
        }
    }
}

}  // namespace wsi::separation
