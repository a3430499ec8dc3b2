#pragma once

#include "io/types/image.h"

namespace wsi {

/// Labels at another size, nearest neighbour: output pixel i takes the input pixel that holds
/// (i + 0.5) * input_per_output; the last row and column serve what lies beyond.
Image<uint32_t> resample_labels(ImageView<const uint32_t> labels, PixelSize size,
                                double input_per_output);

/// What a perfect distance map says: [H, W] uint8, 0 in the background, in each nucleus the
/// Euclidean distance to the nearest pixel that is not its own, over the greatest of that nucleus
/// (255 there). Beyond the image nothing is known: its edge is no border of a nucleus.
GrayImage nucleus_distance_map(ImageView<const uint32_t> labels);

/// 255 in nuclei, 0 elsewhere.
GrayImage nucleus_mask(ImageView<const uint32_t> labels);

}  // namespace wsi
