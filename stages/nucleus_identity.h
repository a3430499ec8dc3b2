#pragma once

#include <span>

#include "io/types/nucleus.h"
#include "io/types/work_frame.h"

namespace wsi {

/// Mean of the pixel centres, work frame. Exact: doubled coordinates are summed as integers.
void work_centroid(std::span<const PixelRun> runs, double& x, double& y);

/// Centroid (from the pixels) and box (of the contour) of a nucleus; the rest of the identity is
/// left at its defaults. runs: not empty, work frame; ring: hundredths of level-0 pixels.
NucleusIdentity nucleus_identity(std::span<const PixelRun> runs, std::span<const ContourPoint> ring,
                                 const WorkFrame& frame);

}  // namespace wsi
