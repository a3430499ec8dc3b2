#include "model/classical.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "model/classical_filters.h"
#include "model/haematoxylin_border.h"

namespace wsi {

namespace {

constexpr int kLocalRadius = 24;  ///< of the local mean, 12 µm: some nuclei and what lies between
constexpr int kNearRadius = 7;    ///< of the near mean, 3.5 µm: a nucleus and its border
constexpr int kHaloPx = 48;
// Distance-like map: quarter steps per third of a pixel from the border, and per unit of
// density. Touching nuclei are told apart by the paler line between them at least as much as by
// their outline.
constexpr int kShapeWeight = 5, kDensityWeight = 267;
constexpr int kSmoothings = 2;  ///< before heights are taken, one pixel of reach each
static_assert(kSmoothings + std::max(kLocalRadius, kNearRadius) + kDistanceCap / 3 <= kHaloPx,
              "a window reaches past the halo");

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
    DensityImage density, fine, smooth, near, local, temporary;
    GrayImage mask;
    std::vector<uint32_t> sums;
};

/// Unsharp masking by a half: the gap between crowded nuclei, which pixels of half a micrometre
/// partly fill, falls below the threshold again.
int sharpened(int fine, int near) { return fine + (fine - near) / 2; }

/// Probability, and the mask of what is more likely nucleus than not.
void threshold_density(HaematoxylinLevels levels, const Scratch& s, GrayView probability,
                       GrayView mask) {
    static const auto table = make_probability_table();
    for (int64_t y = 0; y < mask.height; ++y) {
        const uint16_t *fine = s.fine.view().row(y), *near = s.near.view().row(y);
        const uint16_t* local = s.local.view().row(y);
        uint8_t *p = probability.row(y), *inside = mask.row(y);
        for (int64_t x = 0; x < mask.width; ++x) {
            const int limit = levels.limit(local[x]);
            p[x] = table[static_cast<size_t>(
                std::clamp(kMaxDensity + sharpened(fine[x], near[x]) - limit, 0, 2 * kMaxDensity))];
            inside[x] = p[x] >= 128 ? 1 : 0;
        }
    }
}

/// distance: from the border of the mask in, the distance-like map out.
void add_density(HaematoxylinLevels levels, ConstDensityView smooth, GrayView distance) {
    for (int64_t y = 0; y < distance.height; ++y) {
        uint8_t* d = distance.row(y);
        const uint16_t* density = smooth.row(y);
        for (int64_t x = 0; x < distance.width; ++x) {
            const int excess = (density[x] - levels.threshold) * kDensityWeight / kDensityUnit;
            d[x] = static_cast<uint8_t>(std::clamp((kShapeWeight * d[x] + excess) / 4, 0, 255));
        }
    }
}

// The outline follows the density smoothed once, so that it stays fine; heights follow that
// smoothed twice, so that chromatin makes no peaks.
void segment_window(ConstRgbView rgb, const HaematoxylinLevels& levels, GrayView probability,
                    GrayView distance, Scratch& s) {
    for (DensityImage* image : {&s.density, &s.fine, &s.smooth, &s.near, &s.local})
        image->resize(rgb.width, rgb.height);
    s.mask.resize(rgb.width, rgb.height);
    haematoxylin_density(rgb, s.density);
    smooth_binomial(s.density, s.fine, s.temporary);
    smooth_binomial(s.fine, s.smooth, s.temporary);
    fill_unstained(rgb, s.fine.view(), levels.mean, s.density);
    box_mean(s.density, s.near, kNearRadius, s.sums);
    box_mean(s.density, s.local, kLocalRadius, s.sums);
    threshold_density(levels, s, probability, s.mask);
    capped_distance(s.mask.view(), distance);
    add_density(levels, s.smooth.view(), distance);
}

}  // namespace

ClassicalSegmenter::ClassicalSegmenter() {
    spec_.name = "classical";
    spec_.hash = "classical-5";
    spec_.halo_px = kHaloPx;
    spec_.normalised = false;
}

std::vector<double> ClassicalSegmenter::fit_slide(const SlideSample& sample) const {
    // sharpened() lifts what is above the border; slope and usual value: NuInsSeg's training split.
    constexpr double kSharpened = 1.05, kSlope = 2, kUsual = 0.65;
    const HaematoxylinBorder border = fit_haematoxylin_border(sample.patches);
    return {border.threshold(kSharpened, kSlope, kUsual), border.mean};
}

void ClassicalSegmenter::segment(std::span<TileSlot* const> batch,
                                 std::span<const double> slide_params) {
    thread_local Scratch scratch;
    WSI_CHECK(slide_params.size() == 2, slide_params.size(), " slide parameters");
    const HaematoxylinLevels levels(slide_params[0], slide_params[1]);
    for (TileSlot* slot : batch) {
        const RgbImage& rgb = slot->rgb;
        for (GrayImage& map : slot->maps) map.resize(rgb.width(), rgb.height());
        segment_window(rgb, levels, slot->maps[kProbability], slot->maps[kDistance], scratch);
    }
}

}  // namespace wsi
