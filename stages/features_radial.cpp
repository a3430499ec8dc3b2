#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "stages/feature_groups.h"

namespace wsi::features {

namespace {

constexpr size_t kBins = 4, kWedges = 8;
constexpr double kFar = std::numeric_limits<double>::infinity();

/// Length of the shortest way of steps (1 straight, √2 diagonal) inside the mask from `centre` to
/// each of its pixels: sweeps down and up until nothing changes, two or three for a convex shape.
void walk_from(const GrayImage& mask, size_t centre, std::vector<double>& out) {
    const auto width = static_cast<size_t>(mask.width());
    const size_t size = width * static_cast<size_t>(mask.height());
    out.assign(size, kFar);
    out[centre] = 0;
    const std::array<size_t, 4> back{1, width - 1, width, width + 1};
    constexpr std::array<double, 4> kStep{1, std::numbers::sqrt2, 1, std::numbers::sqrt2};
    bool changed = true;
    const auto visit = [&](size_t i, auto&& at) {
        if (mask.data()[i] == 0) return;
        double least = out[i];
        for (size_t k = 0; k < 4; ++k) least = std::min(least, out[at(i, back[k])] + kStep[k]);
        changed |= least < out[i];
        out[i] = least;
    };
    while (changed) {
        changed = false;
        for (size_t i = width; i < size - width; ++i)
            visit(i, [](size_t at, size_t by) { return at - by; });
        for (size_t i = size - width; i-- > width;)
            visit(i, [](size_t at, size_t by) { return at + by; });
    }
}

struct Bin {
    double sum = 0, pixels = 0;
    std::array<double, kWedges> wedge_sum{}, wedge_pixels{};

    /// Standard deviation over mean of the wedges' means; NaN without pixels.
    double variation() const {
        double n = 0, mean = 0, squares = 0;
        for (size_t w = 0; w < kWedges; ++w)
            if (wedge_pixels[w] > 0) ++n, mean += wedge_sum[w] / wedge_pixels[w];
        mean /= n;
        for (size_t w = 0; w < kWedges; ++w)
            if (wedge_pixels[w] > 0) squares += std::pow(wedge_sum[w] / wedge_pixels[w] - mean, 2);
        return std::sqrt(squares / n) / mean;
    }
};

}  // namespace

const FeatureSchema& radial_columns() {
    static const FeatureSchema columns = [] {
        FeatureSchema all;
        for (const auto& [name, text] :
             {std::pair{"fraction", "share of the nucleus's H in shell "},
              {"mean", "mean H of the pixels over that of the nucleus in shell "},
              {"cv", "coefficient of variation of H over eight sectors in shell "}})
            for (size_t bin = 1; bin <= kBins; ++bin)
                all.push_back({std::string("nucleus_H_radial_") + name + "_" + std::to_string(bin),
                               "1",
                               text + std::to_string(bin) + " of 4, from the middle outwards"});
        return all;
    }();
    return columns;
}

namespace {

/// The first of the mask's pixels that are farthest from the outside.
size_t innermost(const Scratch& s) {
    const auto width = static_cast<size_t>(s.mask.width()),
               height = static_cast<size_t>(s.mask.height());
    size_t centre = 0;
    float most = 0;  // outside
    for (size_t y = 1; y + 1 < height; ++y) {
        const float* squared = s.squared.data() + y * s.squared_stride;
        for (size_t x = 1; x + 1 < width; ++x)
            if (squared[x] > most) {
                most = squared[x];
                centre = y * width + x;
            }
    }
    return centre;
}

/// The nucleus's pixels by shell, `all` those that can be reached from the centre.
void fill_bins(const Scratch& s, size_t centre, std::array<Bin, kBins>& bins, Bin& all) {
    const auto width = static_cast<size_t>(s.mask.width()),
               height = static_cast<size_t>(s.mask.height());
    const auto cx = static_cast<int64_t>(centre % width), cy = static_cast<int64_t>(centre / width);
    const PixelRect& rect = s.patch.rect;
    for (size_t row = 1; row + 1 < height; ++row) {
        const uint8_t* inside = s.mask.data() + row * width;
        const float* squared = s.squared.data() + row * s.squared_stride;
        const double* walks = s.walks.data() + row * width;
        const auto y = static_cast<int64_t>(row);
        const float* plane =
            s.patch.density.data() + (s.box.y - rect.y + y - 1) * rect.width + (s.box.x - rect.x);
        for (size_t column = 1; column + 1 < width; ++column) {
            if (inside[column] == 0 || walks[column] == kFar) continue;
            const auto x = static_cast<int64_t>(column);
            const double edge = std::sqrt(static_cast<double>(squared[column]));
            const double part = walks[column] / (walks[column] + edge + 0.001);
            Bin& bin = bins[std::min(kBins - 1, static_cast<size_t>(part * kBins))];
            const auto value = static_cast<double>(plane[column - 1]);
            const size_t wedge = (y > cy ? 1u : 0u) + (x > cx ? 2u : 0u) +
                                 (std::abs(y - cy) > std::abs(x - cx) ? 4u : 0u);
            bin.sum += value;
            ++bin.pixels;
            bin.wedge_sum[wedge] += value;
            ++bin.wedge_pixels[wedge];
            all.sum += value;
            ++all.pixels;
        }
    }
}

}  // namespace

void compute_radial(Scratch& s, float* out) {
    const size_t centre = innermost(s);
    walk_from(s.mask, centre, s.walks);
    std::array<Bin, kBins> bins;
    Bin all;
    fill_bins(s, centre, bins, all);
    // 0 / 0 where there is nothing: NaN.
    for (const Bin& bin : bins) *out++ = static_cast<float>(bin.sum / all.sum);
    for (const Bin& bin : bins)
        *out++ = static_cast<float>(bin.sum / bin.pixels / (all.sum / all.pixels));
    for (const Bin& bin : bins) *out++ = static_cast<float>(bin.variation());
}

}  // namespace wsi::features
