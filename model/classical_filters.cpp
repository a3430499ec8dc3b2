#include "model/classical_filters.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "stages/ink.h"

namespace wsi {

namespace {

/// Row 0 of the inverse of Ruifrok's stain matrix: its product with an optical density is the
/// haematoxylin density. Three fixed stains: vectors fitted to a slide with few nuclei can lie so
/// close that unmixing them mostly amplifies noise, and the third, brown one takes up what absorbs
/// blue, red blood cells and pigment, which a haematoxylin-eosin pair half counts as nucleus.
std::array<double, 3> haematoxylin_weights() {
    constexpr std::array<double, 3> h{0.650, 0.704, 0.286}, e{0.072, 0.990, 0.105},
        d{0.268, 0.570, 0.776};
    const std::array<double, 3> across{e[1] * d[2] - e[2] * d[1], e[2] * d[0] - e[0] * d[2],
                                       e[0] * d[1] - e[1] * d[0]};
    const double volume = h[0] * across[0] + h[1] * across[1] + h[2] * across[2];
    return {across[0] / volume, across[1] / volume, across[2] / volume};
}

using DensityTable = std::array<std::array<int32_t, 256>, 3>;

DensityTable make_density_table() {
    const auto weights = haematoxylin_weights();
    DensityTable table;
    for (size_t k = 0; k < 3; ++k)
        for (int i = 0; i < 256; ++i) {
            // Against full white, not the lamp's: clipping pale tissue's channels one by one would
            // change their ratios.
            const double od = -std::log((i + 1) / 256.0);
            table[k][static_cast<size_t>(i)] =
                static_cast<int32_t>(std::lround(weights[k] * od * kDensityUnit));
        }
    return table;
}

void add_row(const uint16_t* row, std::vector<uint32_t>& sums, int64_t width, int32_t times) {
    for (int64_t x = 0; x < width; ++x)
        sums[static_cast<size_t>(x)] += static_cast<uint32_t>(times * row[x]);
}

/// Running sum along one row of column sums.
void box_row(const std::vector<uint32_t>& columns, uint16_t* out, int64_t width, int radius) {
    const auto at = [&](int64_t x) {
        return uint64_t{columns[static_cast<size_t>(std::clamp<int64_t>(x, 0, width - 1))]};
    };
    const uint64_t side = 2 * static_cast<uint64_t>(radius) + 1;
    const uint64_t reciprocal = (uint64_t{1} << 40) / (side * side) + 1;
    uint64_t sum = 0;
    for (int64_t x = -radius; x < radius; ++x) sum += at(x);
    for (int64_t x = 0; x < width; ++x) {
        sum += at(x + radius);
        out[x] = static_cast<uint16_t>((sum * reciprocal) >> 40);
        sum -= at(x - radius);
    }
}

}  // namespace

void haematoxylin_density(ConstRgbView rgb, DensityView out) {
    static const DensityTable table = make_density_table();
    for (int64_t y = 0; y < rgb.height; ++y) {
        const uint8_t* in = rgb.row(y);
        uint16_t* to = out.row(y);
        for (int64_t x = 0; x < rgb.width; ++x, in += 3) {
            const int density = table[0][in[0]] + table[1][in[1]] + table[2][in[2]];
            to[x] = static_cast<uint16_t>(is_ink(in) ? 0 : std::clamp(density, 0, kMaxDensity));
        }
    }
}

void box_mean(ConstDensityView in, DensityView out, int radius, std::vector<uint32_t>& sums) {
    if (in.empty()) return;
    sums.assign(static_cast<size_t>(in.width), 0);
    const auto row = [&](int64_t y) { return in.row(std::clamp<int64_t>(y, 0, in.height - 1)); };
    for (int64_t y = -radius; y < radius; ++y) add_row(row(y), sums, in.width, 1);
    for (int64_t y = 0; y < in.height; ++y) {
        add_row(row(y + radius), sums, in.width, 1);
        box_row(sums, out.row(y), in.width, radius);
        add_row(row(y - radius), sums, in.width, -1);
    }
}

void smooth_binomial(ConstDensityView in, DensityView out, DensityImage& scratch) {
    if (in.empty()) return;
    scratch.resize(in.width, in.height);
    const auto blend = [](uint32_t a, uint32_t b, uint32_t c) {
        return static_cast<uint16_t>((a + 2 * b + c + 2) >> 2);
    };
    for (int64_t y = 0; y < in.height; ++y) {
        const uint16_t *above = in.row(std::max<int64_t>(0, y - 1)), *row = in.row(y);
        const uint16_t* below = in.row(std::min(in.height - 1, y + 1));
        uint16_t* to = scratch.view().row(y);
        for (int64_t x = 0; x < in.width; ++x) to[x] = blend(above[x], row[x], below[x]);
    }
    const int64_t last = in.width - 1;
    for (int64_t y = 0; y < in.height; ++y) {
        const uint16_t* from = scratch.view().row(y);
        uint16_t* to = out.row(y);
        to[0] = blend(from[0], from[0], from[std::min<int64_t>(1, last)]);
        for (int64_t x = 1; x < last; ++x) to[x] = blend(from[x - 1], from[x], from[x + 1]);
        to[last] = blend(from[std::max<int64_t>(0, last - 1)], from[last], from[last]);
    }
}

namespace {
constexpr int kStraight = 3, kDiagonal = 4;

/// The least way over the row before, which a pixel of the cap's own distance goes on past both
/// ends of; 0 stays 0. before: null past the image, where the mask goes on.
void step_from_row(const uint8_t* before, int64_t width, std::vector<uint8_t>& padded,
                   uint8_t* row) {
    padded.assign(static_cast<size_t>(width + 2), uint8_t{kDistanceCap});
    if (before != nullptr) std::copy_n(before, width, padded.data() + 1);
    const uint8_t* p = padded.data();
    for (int64_t x = 0; x < width; ++x) {
        const int diagonal = std::min(p[x], p[x + 2]) + kDiagonal, straight = p[x + 1] + kStraight;
        row[x] = static_cast<uint8_t>(std::min({int{row[x]}, diagonal, straight}));
    }
}

int step_from_side(int side, uint8_t& here) {
    here = static_cast<uint8_t>(std::min(int{here}, side + kStraight));
    return here;
}
}  // namespace

void capped_distance(ConstGrayView mask, GrayView out) {
    const int64_t width = out.width, height = out.height;
    thread_local std::vector<uint8_t> padded;
    for (int64_t y = 0; y < height; ++y) {
        const uint8_t* inside = mask.row(y);
        uint8_t* row = out.row(y);
        for (int64_t x = 0; x < width; ++x)
            row[x] = static_cast<uint8_t>(inside[x] != 0 ? kDistanceCap : 0);
        step_from_row(y > 0 ? out.row(y - 1) : nullptr, width, padded, row);
        for (int64_t x = 0, side = kDistanceCap; x < width; ++x)
            side = step_from_side(static_cast<int>(side), row[x]);
    }
    for (int64_t y = height - 1; y >= 0; --y) {
        uint8_t* row = out.row(y);
        step_from_row(y + 1 < height ? out.row(y + 1) : nullptr, width, padded, row);
        for (int64_t x = width, side = kDistanceCap; x-- > 0;)
            side = step_from_side(static_cast<int>(side), row[x]);
    }
}

bool is_glass(const uint8_t* rgb) {
    constexpr int kDarkestGlass = 205;
    return rgb[0] > kDarkestGlass && rgb[1] > kDarkestGlass && rgb[2] > kDarkestGlass;
}

void fill_unstained(ConstRgbView rgb, ConstDensityView density, int mean, DensityView out) {
    for (int64_t y = 0; y < rgb.height; ++y) {
        const uint8_t* p = rgb.row(y);
        const uint16_t* from = density.row(y);
        uint16_t* to = out.row(y);
        for (int64_t x = 0; x < rgb.width; ++x, p += 3) {
            to[x] = is_glass(p) || is_ink(p) ? static_cast<uint16_t>(mean) : from[x];
        }
    }
}

}  // namespace wsi
