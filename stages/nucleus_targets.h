#pragma once

#include <map>

#include "io/types/image.h"

namespace wsi {

/// What a network shall say about a labelled image.
struct NucleusTargets {
    GrayImage nucleus;      ///< [H, W] 1 in nuclei, 0 elsewhere
    Image<float> distance;  ///< [H, W] Euclidean distance to the nucleus' outside, divided by its
                            ///< maximum in that nucleus: (0, 1] in nuclei, 0 elsewhere
};

/// The smallest rectangle around every id but 0, ordered by id.
std::map<uint32_t, PixelRect> nucleus_boxes(const Image<uint32_t>& ids);

/// The image's edge is no border of a nucleus.
NucleusTargets nucleus_targets(const Image<uint32_t>& ids);

}  // namespace wsi
