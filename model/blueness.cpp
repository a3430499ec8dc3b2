#include "model/blueness.h"

#include <algorithm>
#include <cmath>

#include "stages/ink.h"

namespace wsi {

namespace {

std::array<uint16_t, 256> make_optical_densities() {
    std::array<uint16_t, 256> table;
    for (int i = 0; i < 256; ++i)
        table[static_cast<size_t>(i)] = static_cast<uint16_t>(
            std::min<int64_t>(std::lround(kDensityUnit * -std::log((i + 1) / 256.0)), kMaxDensity));
    return table;
}

}  // namespace

void Blueness::measure(ConstRgbView rgb, int radius) {
    static const std::array<uint16_t, 256> optical_density = make_optical_densities();
    pixels_.resize(rgb.width, rgb.height);
    for (size_t channel = 0; channel < 3; ++channel) {
        for (int64_t y = 0; y < rgb.height; ++y) {
            const uint8_t* in = rgb.row(y);
            uint16_t* to = pixels_.view().row(y);
            for (int64_t x = 0; x < rgb.width; ++x, in += 3)
                to[x] = is_ink(in) ? uint16_t{0} : optical_density[in[channel]];
        }
        density_[channel].resize(rgb.width, rgb.height);
        box_mean(pixels_, density_[channel], radius, sums_);
    }
}

int median_blueness(std::span<const RgbImage> patches, int radius) {
    constexpr int64_t kLeastPixels = 1000;
    std::vector<int64_t> histogram(2 * kBluenessUnit + 1, 0);
    int64_t count = 0;
    Blueness blueness;
    for (const RgbImage& patch : patches) {
        blueness.measure(patch.view(), radius);
        for (int64_t y = 0; y < patch.height(); ++y)
            for (int64_t x = 0; x < patch.width(); ++x) {
                if (!blueness.stained(x, y)) continue;
                ++histogram[static_cast<size_t>(blueness.at(x, y) + kBluenessUnit)];
                ++count;
            }
    }
    if (count < kLeastPixels) return kLeastBlueness;
    int64_t below = 0;
    size_t value = 0;
    while ((below += histogram[value]) * 2 < count) ++value;
    return static_cast<int>(value) - kBluenessUnit;
}

}  // namespace wsi
