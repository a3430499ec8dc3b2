#pragma once

#include <span>

#include "stages/stain.h"

// Fitting methods behind fit_stain(); internal to stages/stain*.cpp and their tests.
namespace wsi::stain {

/// Optical density of one 8-bit value: -ln((I + 1) / 240), may be slightly negative on white.
double optical_density(uint8_t value);

/// A pixel counts as stained when all three channels are at least this dense (natural log).
inline constexpr double kBeta = 0.15;

/// Eigenvalues ascending, eigenvectors as rows. Jacobi rotations, for symmetric 3x3.
struct Eigen3 {
    std::array<double, 3> values;
    std::array<std::array<double, 3>, 3> vectors;
};
Eigen3 symmetric_eigen(std::array<std::array<double, 3>, 3> matrix);

/// Linear interpolation between order statistics (numpy's default). Reorders `values`; not empty.
double percentile(std::span<double> values, double percent);

/// Least-squares inverse (pseudo-inverse) of two stain vectors: concentrations = inverse * OD.
std::array<std::array<double, 3>, 2> unmixing(const StainMatrix& stains);

/// Macenko's two extreme directions in the plane of the two largest principal components (models of
/// Veta/Schau), haematoxylin first. Returns false and a reason when the colours do not span a
/// plane.
bool macenko_vectors(std::span<const std::array<double, 3>> od, StainMatrix& stains,
                     std::string& reason);

/// Vahadane's sparse non-negative dictionary of two atoms; deterministic start and sweeps.
bool vahadane_vectors(std::span<const std::array<double, 3>> od, StainMatrix& stains,
                      std::string& reason);

}  // namespace wsi::stain
