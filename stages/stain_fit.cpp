#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "stages/lab.h"
#include "stages/stain_macenko.h"

// The rules by which a fit is rejected: a slide with one stain, almost no tissue or odd colours
// gets the reference vectors and a reason instead of a random pair.
namespace wsi {

namespace {

using Vector3 = std::array<double, 3>;

double dot(const Vector3& a, const Vector3& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

StainFit reference_fit(StainSet stains) {
    StainFit fit;
    if (stains == StainSet::Hdab) fit.matrix = kReferenceHdab;
    for (Vector3& v : fit.matrix) {
        const double length = std::sqrt(dot(v, v));
        for (double& c : v) c /= length;
    }
    return fit;
}

std::vector<Vector3> stained_od(std::span<const uint8_t> rgb) {
    std::vector<Vector3> od;
    for (size_t i = 0; i + 2 < rgb.size(); i += 3) {
        const Vector3 p{stain::optical_density(rgb[i]), stain::optical_density(rgb[i + 1]),
                        stain::optical_density(rgb[i + 2])};
        if (std::min({p[0], p[1], p[2]}) >= stain::kBeta) od.push_back(p);
    }
    return od;
}

/// Why a pair of vectors cannot be haematoxylin and its partner; empty when it can. Swaps them when
/// the second fits haematoxylin better.
std::string vet(StainMatrix& w, const StainMatrix& reference, StainSet stains) {
    if (std::abs(dot(w[1], reference[0])) > std::abs(dot(w[0], reference[0])) + 1e-12)
        std::swap(w[0], w[1]);
    for (const Vector3& v : w)
        for (const double c : v) {
            if (!std::isfinite(c)) return "the fit is not finite";
            if (c < -0.1) return "a stain vector brightens a channel";
        }
    const double angle = std::acos(std::clamp(dot(w[0], w[1]), -1.0, 1.0)) * 180 / std::numbers::pi;
    if (angle < 10) return "both stains have nearly the same colour";
    if (angle > 75) return "the stains differ more than any real pair";
    const double least = stains == StainSet::Hdab ? 0.7 : 0.8;
    if (std::abs(dot(w[0], reference[0])) < least) return "no stain looks like haematoxylin";
    return "";
}

/// 99th percentile of each stain's concentration over the pixels.
std::array<double, 2> max_concentration(std::span<const Vector3> od, const StainMatrix& w) {
    const auto inverse = stain::unmixing(w);
    std::array<double, 2> out{};
    std::vector<double> c(od.size());
    for (size_t s = 0; s < 2; ++s) {
        std::transform(od.begin(), od.end(), c.begin(),
                       [&](const Vector3& p) { return dot(inverse[s], p); });
        out[s] = stain::percentile(c, 99);
    }
    return out;
}

void fit_lab(std::span<const uint8_t> rgb, StainFit& fit) {
    Vector3 sum{}, squares{};
    const size_t n = rgb.size() / 3;
    for (size_t i = 0; i < n; ++i) {
        const Vector3 lab = rgb_to_lab(&rgb[3 * i]);
        for (size_t k = 0; k < 3; ++k) {
            sum[k] += lab[k];
            squares[k] += lab[k] * lab[k];
        }
    }
    for (size_t k = 0; k < 3; ++k) {
        fit.lab_mean[k] = sum[k] / static_cast<double>(n);
        fit.lab_sd[k] = std::sqrt(
            std::max(0.0, squares[k] / static_cast<double>(n) - fit.lab_mean[k] * fit.lab_mean[k]));
    }
}

}  // namespace

StainFit fit_stain(std::span<const uint8_t> rgb, const StainConfig& config) {
    StainFit fit = reference_fit(config.stains);
    fit.method = config.method;
    const StainMatrix reference = fit.matrix;
    const std::vector<Vector3> od = stained_od(rgb);
    const size_t pixels = rgb.size() / 3;
    if (config.method == StainMethod::Reinhard && pixels > 0) fit_lab(rgb, fit);
    if (od.size() < std::max<size_t>(1000, pixels / 100)) {
        fit.reason = "too few stained pixels (" + std::to_string(od.size()) + ")";
        return fit;
    }
    StainMatrix w;
    const bool found = config.method == StainMethod::Vahadane
                           ? stain::vahadane_vectors(od, w, fit.reason)
                           : stain::macenko_vectors(od, w, fit.reason);
    if (!found) return fit;
    fit.reason = vet(w, reference, config.stains);
    if (!fit.reason.empty()) return fit;
    const std::array<double, 2> most = max_concentration(od, w);
    if (!(most[0] >= 0.05) || !(most[1] >= 0.05)) {
        fit.reason = "one stain is almost absent";
        return fit;
    }
    fit.matrix = w;
    fit.max_concentration = most;
    fit.fitted = true;
    return fit;
}

Deconvolver::Deconvolver(const StainMatrix& matrix) {
    const auto inverse = stain::unmixing(matrix);
    std::array<double, 3> normal;
    for (size_t k = 0; k < 3; ++k) {
        const size_t i = (k + 1) % 3, j = (k + 2) % 3;
        normal[k] = matrix[0][i] * matrix[1][j] - matrix[0][j] * matrix[1][i];
    }
    const double length = std::hypot(normal[0], normal[1], normal[2]);
    for (size_t k = 0; k < 3; ++k) {
        const double along = length > 0 ? normal[k] / length : 0;
        for (size_t v = 0; v < 256; ++v) {
            const auto od = static_cast<float>(stain::optical_density(static_cast<uint8_t>(v)));
            shares_[k][v] = {static_cast<float>(inverse[0][k]) * od,
                             static_cast<float>(inverse[1][k]) * od, static_cast<float>(along) * od,
                             0};
        }
    }
}

}  // namespace wsi
