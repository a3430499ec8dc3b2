#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "config/config.h"
#include "io/types/image.h"

namespace wsi {

/// Two stain vectors in optical density (natural log), unit length. Row 0 = haematoxylin,
/// row 1 = eosin (or DAB with StainSet::Hdab); columns R, G, B.
using StainMatrix = std::array<std::array<double, 3>, 2>;

/// torchstain's HERef and maxCRef (models.md 6.1).
inline constexpr StainMatrix kReferenceHe{{{0.5626, 0.7201, 0.4062}, {0.2159, 0.8012, 0.5581}}};
inline constexpr std::array<double, 2> kReferenceMaxConcentration{1.9705, 1.0308};
inline constexpr StainMatrix kReferenceHdab{{{0.650, 0.704, 0.286}, {0.268, 0.570, 0.776}}};
inline constexpr double kWhiteLevel = 240;  ///< Io of OD = -ln((I + 1) / Io)

/// What one fit over a slide's pooled tissue pixels found. Plain values, saved in the journal.
struct StainFit {
    StainMethod method = StainMethod::None;
    StainMatrix matrix = kReferenceHe;  ///< also the vectors of the intensity features
    std::array<double, 2> max_concentration = kReferenceMaxConcentration;  ///< 99th percentile
    std::array<double, 3> lab_mean{}, lab_sd{};                            ///< Reinhard only
    bool fitted = false;  ///< false: reference values, see `reason`
    std::string reason;   ///< why the fit was rejected; empty when fitted
};

/// Fits on pooled tissue pixels [n, 3] RGB uint8. Never throws on odd colours: falls back to the
/// reference with a reason (rules: models.md 6.3). Deterministic, double precision.
StainFit fit_stain(std::span<const uint8_t> rgb, const StainConfig& config);

/// Maps RGB to the reference stain appearance with one fixed fit (a copy when method is None).
class StainNormaliser {
public:
    StainNormaliser(const StainFit& fit, StainSet stains);
    ~StainNormaliser();
    /// in, out: [H, W, 3] uint8 RGB of equal size (may be the same view). Pointwise, so the result
    /// does not depend on tile borders.
    void operator()(ConstRgbView in, RgbView out) const;

private:
    struct Impl;
    std::unique_ptr<const Impl> impl_;
};

/// Splits RGB into stain densities with given vectors by least squares.
class Deconvolver {
public:
    explicit Deconvolver(const StainMatrix& matrix);
    /// out: {density of stain 0, of stain 1}, natural-log OD, clamped at ≥ 0.
    std::array<float, 2> operator()(const uint8_t* rgb) const {
        const std::array<float, 4> sum = unmixed(rgb);
        return {sum[0] > 0 ? sum[0] : 0, sum[1] > 0 ? sum[1] : 0};
    }
    /// {density of stain 0, of stain 1, residual}: the residual is the density along the direction
    /// that no mixture of the two stains reaches (their normalised cross product), either sign.
    std::array<float, 3> with_residual(const uint8_t* rgb) const {
        const std::array<float, 4> sum = unmixed(rgb);
        return {sum[0] > 0 ? sum[0] : 0, sum[1] > 0 ? sum[1] : 0, sum[2]};
    }
    /// Density of one stain alone, 0 or 1.
    float density(const uint8_t* rgb, size_t stain) const {
        const float sum =
            shares_[0][rgb[0]][stain] + shares_[1][rgb[1]][stain] + shares_[2][rgb[2]][stain];
        return sum > 0 ? sum : 0;
    }

private:
    std::array<float, 4> unmixed(const uint8_t* rgb) const {
        const auto &r = shares_[0][rgb[0]], &g = shares_[1][rgb[1]], &b = shares_[2][rgb[2]];
        std::array<float, 4> sum;
        for (size_t k = 0; k < 4; ++k) sum[k] = r[k] + g[k] + b[k];
        return sum;
    }
    /// What each grey level of each channel adds to both densities and the residual; 0 fills up.
    std::array<std::array<std::array<float, 4>, 256>, 3> shares_;
};

}  // namespace wsi
