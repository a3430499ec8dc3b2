#include "model/haematoxylin_border.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "model/classical_filters.h"
#include "stages/ink.h"

namespace wsi {

namespace {

constexpr double kMostGlass = 0.25;  ///< of the tissue's weight in the histogram

// Guard rails of the slide-wide threshold, natural-log OD.
constexpr double kLeastThreshold = 0.15, kGreatestThreshold = 3;

using Histogram = std::vector<double>;  ///< weight by density step

struct Split {
    double at = 0;            ///< the bin border between the classes
    double separability = 1;  ///< share of the variance that lies between them, 0..1
};

/// Otsu's rule: the border that splits the histogram into two classes of least spread.
Split otsu(const Histogram& histogram) {
    double total = 0, moment = 0, square = 0;
    for (size_t i = 0; i < histogram.size(); ++i) {
        const auto value = static_cast<double>(i);
        total += histogram[i];
        moment += histogram[i] * value;
        square += histogram[i] * value * value;
    }
    Split split;
    double below = 0, below_moment = 0, best = -1;
    for (size_t i = 0; i + 1 < histogram.size(); ++i) {
        below += histogram[i];
        below_moment += histogram[i] * static_cast<double>(i);
        if (below <= 0 || below >= total) continue;
        const double difference = below_moment / below - (moment - below_moment) / (total - below);
        const double between = below * (total - below) * difference * difference;
        if (between > best) {
            best = between;
            split.at = static_cast<double>(i) + 0.5;
        }
    }
    const double variance = total * square - moment * moment;
    if (best > 0 && variance > 0) split.separability = best / variance;
    return split;
}

}  // namespace

double HaematoxylinBorder::threshold(double factor, double slope, double usual) const {
    constexpr double kMost = 0.15;
    const double raised = at * (factor + slope * std::clamp(usual - separability, 0.0, kMost));
    return std::clamp(raised, kLeastThreshold, kGreatestThreshold);
}

namespace {
int steps(double od) { return static_cast<int>(std::lround(od * kDensityUnit)); }
}  // namespace

HaematoxylinLevels::HaematoxylinLevels(double threshold_od, double mean_od)
    : threshold(steps(threshold_od)), mean(steps(mean_od)) {}

HaematoxylinBorder fit_haematoxylin_border(std::span<const RgbImage> patches) {
    Histogram tissue(kMaxDensity + 1, 0), glass(kMaxDensity + 1, 0);
    DensityImage density, smooth, temporary;
    double count = 0, glass_count = 0, sum = 0;
    for (const RgbImage& patch : patches) {
        density.resize(patch.width(), patch.height());
        smooth.resize(patch.width(), patch.height());
        haematoxylin_density(patch, density);
        smooth_binomial(density, smooth, temporary);
        for (int64_t i = 0; i < patch.size().area(); ++i) {
            const uint16_t value = smooth.data()[i];
            const uint8_t* rgb = patch.data() + 3 * i;
            if (is_ink(rgb)) continue;
            if (is_glass(rgb)) {
                ++glass[value];
                ++glass_count;
                continue;
            }
            ++tissue[value];
            ++count;
            sum += value;
        }
    }
    if (count == 0) return {};
    // Gaps between cells are background too, but however much of them there is they must not
    // outweigh the tissue: or else the border would lie between glass and stroma.
    const double share = std::min(1.0, kMostGlass * count / std::max(1.0, glass_count));
    for (size_t i = 0; i < tissue.size(); ++i) tissue[i] += share * glass[i];
    const Split split = otsu(tissue);
    return {split.at / kDensityUnit, split.separability, sum / count / kDensityUnit};
}

}  // namespace wsi
