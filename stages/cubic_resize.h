#pragma once

#include "io/types/image.h"

namespace wsi {

/// Enlarges (or keeps) an RGB image with a cubic spline through its pixels, as scikit-image's
/// `resize(order=3, preserve_range=True).astype(uint8)` does: half-pixel centres, mirrored borders,
/// clipped to the range of the image, rounded down. MedSAM's preprocessing. width and height at
/// least those of the image.
void cubic_enlarge(ConstRgbView in, int64_t width, int64_t height, RgbImage& out);

}  // namespace wsi
