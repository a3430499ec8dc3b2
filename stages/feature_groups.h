#pragma once

#include <vector>

#include "stages/features.h"

// One group of columns = one file with a `columns` and a `compute` function; stages/features.cpp
// lists them. Internal to stages/features*.cpp.
namespace wsi::features {

const FeatureSchema& shape_columns();
/// hull: scratch. out: shape_columns().size() values.
void compute_shape(const NucleusPixels& nucleus, const WorkFrame& frame,
                   std::vector<PixelPoint>& hull, float* out);

const FeatureSchema& stain_columns();
void compute_stain(const NucleusPixels& nucleus, const Deconvolver& deconvolve, float* out);

/// Pixels whose centre lies in the convex hull of the middles of all pixel sides (scikit-image's
/// convex image); exact, in integers. hull: scratch.
int64_t convex_area_px(std::span<const PixelRun> runs, std::vector<PixelPoint>& hull);

}  // namespace wsi::features
