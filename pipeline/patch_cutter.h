#pragma once

#include <string>
#include <vector>

#include "io/datasets/dataset.h"

namespace wsi {

/// Starts of squares of `side` along an axis of `length`: every `stride`, and one flush with the
/// end. {0} when the axis is shorter than a square.
std::vector<int64_t> patch_starts(int64_t length, int64_t side, int64_t stride);

/// The square at `at`. Ids run from 1 without gaps, in raster order; a nucleus that the border cuts
/// in pieces keeps one id. What lies beyond the image is white and vague.
LabelledImage cut_patch(const LabelledImage& image, PixelPoint at, int64_t side);

/// The split an image belongs to: its own when the data set has one, else "val" for about
/// `val_fraction` of the sources, else "train"; all images of one source fall together, whatever
/// else is in the data set.
std::string split_of(const ImageEntry& entry, double val_fraction, uint64_t seed);

}  // namespace wsi
