#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <opencv2/imgproc.hpp>

#include "stages/augment.h"
#include "stages/augment_steps.h"

namespace wsi {

namespace {

using StainVector = std::array<double, 3>;

/// Vectors of other laboratories: torchstain's reference; Ruifrok and Johnston's (2001).
constexpr std::array<StainMatrix, 2> kLaboratories{
    kReferenceHe, StainMatrix{{{0.650, 0.704, 0.286}, {0.072, 0.990, 0.105}}}};

StainVector unit(StainVector stain) {
    double squares = 0;
    for (double& c : stain) {
        c = std::max(0.02, c);
        squares += c * c;
    }
    for (double& c : stain) c /= std::sqrt(squares);
    return stain;
}

/// A unit vector `share` of the way from one to the other.
StainVector between(StainVector from, const StainVector& to, double share) {
    for (size_t c = 0; c < from.size(); ++c) from[c] += share * (to[c] - from[c]);
    return unit(from);
}

StainVector tilted(StainVector stain, Random& random) {
    for (double& c : stain) c += 0.08 * random.normal();
    return unit(stain);
}

/// Vectors fitted to one small image may lie so close together that unmixing blows up its noise:
/// they are used most of the way to the wider pair.
StainMatrix steadied(const StainMatrix& fitted) {
    constexpr double kShare = 0.7;
    const StainMatrix& wide = kLaboratories[1];
    return {between(fitted[0], wide[0], kShare), between(fitted[1], wide[1], kShare)};
}

/// Densities are read here, so that noise is not unmixed.
RgbImage smoothed(const RgbImage& rgb) {
    RgbImage smooth(rgb);
    cv::Mat pixels(static_cast<int>(rgb.height()), static_cast<int>(rgb.width()), CV_8UC3,
                   smooth.data());
    cv::GaussianBlur(pixels, pixels, cv::Size(), 2, 0, cv::BORDER_REFLECT);
    return smooth;
}

}  // namespace

void change_stains(RgbImage& rgb, const StainMatrix& fitted, Random& random) {
    const StainMatrix stains = steadied(fitted);
    const Deconvolver deconvolve(stains);
    const StainMatrix& other =
        kLaboratories[static_cast<size_t>(random.index(std::ssize(kLaboratories)))];
    const double share = random.chance(0.6) ? random.uniform() : 0;
    // Haematoxylin loses less than eosin: nuclei must not vanish.
    constexpr std::array<double, 2> kLeast{0.65, 0.4}, kMost{1.7, 1.6};
    std::array<double, 2> gain{}, shift{};
    StainMatrix target{};
    for (size_t s = 0; s < 2; ++s) {
        gain[s] = std::exp(random.uniform(std::log(kLeast[s]), std::log(kMost[s])));
        shift[s] = random.uniform(-0.03, 0.03);
        target[s] = tilted(between(stains[s], other[s], share), random);
    }
    const RgbImage smooth = smoothed(rgb);
    for (int64_t i = 0; i < rgb.size().area(); ++i) {
        uint8_t* const pixel = rgb.data() + 3 * i;
        const std::array<float, 2> density = deconvolve(smooth.data() + 3 * i);
        // Only the change is added in optical density, so that what no stain explains stays.
        for (size_t c = 0; c < 3; ++c) {
            double od = 0;
            for (size_t s = 0; s < 2; ++s) {
                const auto d = static_cast<double>(density[s]);
                od += target[s][c] * (gain[s] * d + shift[s]) - stains[s][c] * d;
            }
            pixel[c] = to_byte((pixel[c] + 1) * std::exp(-od) - 1);
        }
    }
}

}  // namespace wsi
