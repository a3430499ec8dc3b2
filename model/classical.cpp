#include "model/classical.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "model/classical_filters.h"

namespace wsi {

namespace {

constexpr int kLocalRadius = 24;  ///< of the local mean, 12 µm: some nuclei and what lies between
constexpr int kBodyRadius = 3;    ///< box of the distance-like map, about half a small nucleus
static_assert(kBinomialReach + kLocalRadius <= 32, "a window reaches past the halo");
static_assert(kBinomialReach + 2 * kBodyRadius <= 32, "a window reaches past the halo");

// Guard rails of the slide-wide threshold, natural-log OD.
constexpr double kLeastThreshold = 0.35, kGreatestThreshold = 1.2, kUsualThreshold = 0.7;

/// Otsu's rule: the bin border that splits the histogram into two classes of least spread.
double otsu(const std::vector<int64_t>& histogram) {
    double total = 0, moment = 0;
    for (size_t i = 0; i < histogram.size(); ++i) {
        total += static_cast<double>(histogram[i]);
        moment += static_cast<double>(histogram[i]) * static_cast<double>(i);
    }
    double below = 0, below_moment = 0, best = -1, at = 0;
    for (size_t i = 0; i + 1 < histogram.size(); ++i) {
        below += static_cast<double>(histogram[i]);
        below_moment += static_cast<double>(histogram[i]) * static_cast<double>(i);
        if (below <= 0 || below >= total) continue;
        const double difference = below_moment / below - (moment - below_moment) / (total - below);
        const double between = below * (total - below) * difference * difference;
        if (between > best) {
            best = between;
            at = static_cast<double>(i) + 0.5;
        }
    }
    return at;
}

/// Probability of a density that is `i - kMaxDensity` steps above the threshold.
std::array<uint8_t, 2 * kMaxDensity + 1> make_probability_table() {
    constexpr double kSoftness = 0.1 * kDensityUnit;
    std::array<uint8_t, 2 * kMaxDensity + 1> table;
    for (int i = 0; i < static_cast<int>(table.size()); ++i)
        table[static_cast<size_t>(i)] =
            static_cast<uint8_t>(std::lround(255 / (1 + std::exp(-(i - kMaxDensity) / kSoftness))));
    return table;
}

/// Memory of one call, recycled by its thread.
struct Scratch {
    DensityImage density, smooth, local, body, temporary;
    std::vector<uint32_t> sums;
};

void segment_window(ConstRgbView rgb, int threshold, GrayView probability, GrayView distance,
                    Scratch& s) {
    static const auto table = make_probability_table();
    for (DensityImage* image : {&s.density, &s.smooth, &s.local, &s.body})
        image->resize(rgb.width, rgb.height);
    haematoxylin_density(rgb, s.density);
    smooth_binomial(s.density, s.smooth, s.temporary);
    box_mean(s.smooth, s.local, kLocalRadius, s.sums);
    box_mean(s.smooth, s.density, kBodyRadius, s.sums);
    box_mean(s.density, s.body, kBodyRadius, s.sums);
    for (int64_t y = 0; y < rgb.height; ++y) {
        const uint16_t *smooth = s.smooth.view().row(y), *local = s.local.view().row(y),
                       *body = s.body.view().row(y);
        uint8_t *p = probability.row(y), *d = distance.row(y);
        for (int64_t x = 0; x < rgb.width; ++x) {
            const int limit = (3 * threshold + local[x]) / 4;
            p[x] = table[static_cast<size_t>(kMaxDensity + smooth[x] - limit)];
            d[x] = static_cast<uint8_t>(std::min(255, body[x] / 8));
        }
    }
}

}  // namespace

ClassicalSegmenter::ClassicalSegmenter() {
    spec_.name = "classical";
    spec_.hash = "classical-1";
}

std::vector<double> ClassicalSegmenter::fit_slide(const SlideSample& sample) const {
    std::vector<int64_t> histogram(kMaxDensity + 1, 0);
    DensityImage density, smooth, temporary;
    int64_t count = 0;
    for (const RgbImage& patch : sample.patches) {
        density.resize(patch.width(), patch.height());
        smooth.resize(patch.width(), patch.height());
        haematoxylin_density(patch, density);
        smooth_binomial(density, smooth, temporary);
        for (int64_t i = 0; i < patch.size().area(); ++i, ++count) ++histogram[smooth.data()[i]];
    }
    if (count == 0) return {kUsualThreshold};
    return {std::clamp(otsu(histogram) / kDensityUnit, kLeastThreshold, kGreatestThreshold)};
}

void ClassicalSegmenter::segment(std::span<TileSlot* const> batch,
                                 std::span<const double> slide_params) {
    thread_local Scratch scratch;
    WSI_CHECK(slide_params.size() == 1, slide_params.size(), " slide parameters");
    const auto threshold = static_cast<int>(std::lround(slide_params[0] * kDensityUnit));
    for (TileSlot* slot : batch) {
        const RgbImage& rgb = slot->normalised;
        for (GrayImage& map : slot->maps) map.resize(rgb.width(), rgb.height());
        segment_window(rgb, threshold, slot->maps[kProbability], slot->maps[kDistance], scratch);
    }
}

}  // namespace wsi
