#pragma once

#include "io/datasets/dataset.h"

namespace wsi {

/// The same image at another resolution: colours by area, ids by nearest neighbour; classes and
/// vague areas are left out. Unchanged when its resolution is unknown.
LabelledImage at_resolution(const LabelledImage& image, double mpp);

/// Resolution guessed from the nuclei: their median diameter taken as `diameter_um`. 0 without any.
double guess_mpp(const Image<uint32_t>& ids, double diameter_um);

}  // namespace wsi
