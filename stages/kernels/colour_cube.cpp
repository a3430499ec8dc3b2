#include "stages/kernels/colour_cube.h"

#include <algorithm>

namespace wsi::kernels {

namespace {
constexpr int kSide = 33, kStep = 8;
constexpr int kStrideB = 3, kStrideG = 3 * kSide, kStrideR = 3 * kSide * kSide;
}  // namespace

ColourCube::ColourCube(const std::function<void(const uint8_t*, uint8_t*)>& map)
    : lattice_(static_cast<size_t>(kSide) * kSide * kSide * 3) {
    for (int r = 0; r < kSide; ++r)
        for (int g = 0; g < kSide; ++g)
            for (int b = 0; b < kSide; ++b) {
                const auto value = [](int i) {
                    return static_cast<uint8_t>(std::min(255, i * kStep));
                };
                const uint8_t rgb[3] = {value(r), value(g), value(b)};
                map(rgb,
                    &lattice_[static_cast<size_t>(r * kStrideR + g * kStrideG + b * kStrideB)]);
            }
}

void ColourCube::operator()(ConstRgbView in, RgbView out) const {
    WSI_CHECK(in.size() == out.size());
    for (int64_t y = 0; y < in.height; ++y)
        for (int64_t x = 0; x < in.width; ++x) {
            const uint8_t* p = in.at(x, y);
            const int r = p[0], g = p[1], b = p[2];
            // 255 lies on the last lattice plane, one short of a full step.
            const auto weight = [](int v) { return v >= 248 ? (v - 248) * 8 / 7 : v % kStep; };
            const int fr = weight(r), fg = weight(g), fb = weight(b);
            const uint8_t* corner = &lattice_[static_cast<size_t>(
                r / kStep * kStrideR + g / kStep * kStrideG + b / kStep * kStrideB)];
            uint8_t result[3];
            for (int c = 0; c < 3; ++c) {
                const auto along_b = [&](int offset) {
                    return corner[offset + c] * (kStep - fb) + corner[offset + kStrideB + c] * fb;
                };
                const auto along_g = [&](int offset) {
                    return along_b(offset) * (kStep - fg) + along_b(offset + kStrideG) * fg;
                };
                const int sum = along_g(0) * (kStep - fr) + along_g(kStrideR) * fr;
                result[c] = static_cast<uint8_t>((sum + 256) >> 9);
            }
            std::copy_n(result, 3, out.at(x, y));
        }
}

}  // namespace wsi::kernels
