#include "stages/pillow_resize.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace wsi {

namespace {

// Pillow's PRECISION_BITS for 8-bit channels.
constexpr int kPrecisionBits = 32 - 8 - 2;

/// Taps of every output pixel along one axis.
struct Taps {
    std::vector<int64_t> first;
    std::vector<std::vector<int32_t>> weights;
};

Taps make_taps(int64_t in, int64_t out) {
    const double scale = static_cast<double>(in) / static_cast<double>(out);
    const double filter_scale = std::max(scale, 1.0), support = filter_scale;
    Taps taps;
    for (int64_t i = 0; i < out; ++i) {
        const double centre = (static_cast<double>(i) + 0.5) * scale;
        const auto begin = std::max<int64_t>(0, static_cast<int64_t>(centre - support + 0.5));
        const auto end = std::min<int64_t>(in, static_cast<int64_t>(centre + support + 0.5));
        std::vector<double> weights;
        double sum = 0;
        for (int64_t x = begin; x < end; ++x) {
            const double distance =
                std::abs((static_cast<double>(x) - centre + 0.5) * (1.0 / filter_scale));
            weights.push_back(distance < 1 ? 1 - distance : 0);
            sum += weights.back();
        }
        std::vector<int32_t> fixed;
        for (const double w : weights) {
            const double v = (sum != 0 ? w / sum : w) * (1 << kPrecisionBits);
            fixed.push_back(static_cast<int32_t>(v < 0 ? v - 0.5 : v + 0.5));
        }
        taps.first.push_back(begin);
        taps.weights.push_back(std::move(fixed));
    }
    return taps;
}

/// One output sample: taps over pixels that lie `step` bytes apart.
uint8_t weighted(const uint8_t* from, int64_t step, const std::vector<int32_t>& weights) {
    int32_t sum = 1 << (kPrecisionBits - 1);
    for (size_t k = 0; k < weights.size(); ++k)
        sum += from[static_cast<int64_t>(k) * step] * weights[k];
    return static_cast<uint8_t>(std::clamp(sum >> kPrecisionBits, 0, 255));
}

}  // namespace

void pillow_resize_bilinear(ConstRgbView in, int64_t width, int64_t height, RgbImage& out) {
    RgbImage rows(width, in.height);
    if (width == in.width) {
        copy_pixels(in, rows.view());
    } else {
        const Taps taps = make_taps(in.width, width);
        for (int64_t y = 0; y < in.height; ++y)
            for (int64_t x = 0; x < width; ++x)
                for (int c = 0; c < 3; ++c)
                    rows(x, y, c) = weighted(in.at(taps.first[static_cast<size_t>(x)], y) + c, 3,
                                             taps.weights[static_cast<size_t>(x)]);
    }
    if (height == in.height) {
        out = std::move(rows);
        return;
    }
    const Taps taps = make_taps(in.height, height);
    out.resize(width, height);
    for (int64_t y = 0; y < height; ++y)
        for (int64_t x = 0; x < width; ++x)
            for (int c = 0; c < 3; ++c)
                out(x, y, c) = weighted(rows.view().at(x, taps.first[static_cast<size_t>(y)]) + c,
                                        3 * width, taps.weights[static_cast<size_t>(y)]);
}

}  // namespace wsi
