#pragma once

#include "io/datasets/dataset.h"

namespace wsi {

/// The same image at another resolution: colours by area average (linear when enlarged),
/// ids, classes and vague areas by nearest neighbour. Unchanged when its resolution is unknown.
LabelledImage at_resolution(const LabelledImage& image, double mpp);

/// Median diameter of nuclei in H&E tissue; for guess_mpp where a data set has no resolution.
inline constexpr double kTypicalDiameterUm = 7.5;

/// Resolution guessed from the nuclei: their median diameter taken as `diameter_um`. 0 without any.
double guess_mpp(const Image<uint32_t>& ids, double diameter_um);

}  // namespace wsi
