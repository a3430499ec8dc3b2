#pragma once

#include <span>

#include "io/types/image.h"
#include "io/types/nucleus.h"

namespace wsi {

/// The class that a nucleus' pixels speak for.
struct ClassVote {
    size_t index = 0;       ///< of the map with the greatest sum; the first among equals
    float probability = 0;  ///< that sum over the sum of all maps: of the class, given a nucleus;
                            ///< 0 when every map is 0 there
};

/// Sums each class's map [H, W] uint8 over the nucleus' pixels, in integers, so that the region
/// cannot matter. Pixel (0, 0) of every map is work pixel `origin`. At least one map.
ClassVote vote_class(std::span<const PixelRun> runs, std::span<const ConstGrayView> class_maps,
                     PixelPoint origin);

}  // namespace wsi
