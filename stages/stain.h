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
        float c0 = 0, c1 = 0;
        for (int k = 0; k < 3; ++k) {
            const float od = od_[rgb[k]];
            c0 += inverse_[0][static_cast<size_t>(k)] * od;
            c1 += inverse_[1][static_cast<size_t>(k)] * od;
        }
        return {c0 > 0 ? c0 : 0, c1 > 0 ? c1 : 0};
    }
    /// Density along the direction that no mixture of the two stains reaches (their normalised
    /// cross product), natural-log OD, either sign.
    float residual(const uint8_t* rgb) const {
        return normal_[0] * od_[rgb[0]] + normal_[1] * od_[rgb[1]] + normal_[2] * od_[rgb[2]];
    }

private:
    std::array<float, 256> od_;
    std::array<std::array<float, 3>, 2> inverse_;
    std::array<float, 3> normal_;
};

}  // namespace wsi
