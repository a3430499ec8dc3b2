#pragma once

#include <cmath>

#include "config/config.h"
#include "io/types/geometry.h"

namespace wsi {

/// The pixels everything after reading works on: anchored at the slide's origin, covering the whole
/// slide. Work pixel (i, j) covers level-0 x in [i * downsample, (i + 1) * downsample).
struct WorkFrame {
    PixelSize size;         ///< work pixels
    double downsample = 1;  ///< level-0 pixels per work pixel, both axes
    double mpp_x = 0;       ///< true micrometres per work pixel
    double mpp_y = 0;

    double mpp() const { return std::sqrt(mpp_x * mpp_y); }
    double px_area_um2() const { return mpp_x * mpp_y; }
    double to_level0(double work) const { return work * downsample; }
    PixelRect rect() const { return {0, 0, size.width, size.height}; }
};

}  // namespace wsi
