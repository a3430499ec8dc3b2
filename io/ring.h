#pragma once

#include <span>
#include <vector>

#include "io/types/nucleus.h"

namespace wsi {

/// True for a valid polygon: at least three vertices, and no two edges meet but neighbours in their
/// common vertex. Exact, in integers; quadratic in the number of vertices.
bool is_simple(std::span<const ContourPoint> ring);

/// The ring with as few of its vertices as keep it within `tolerance_px` level-0 pixels of where it
/// was (Douglas and Peucker 1973). Simple when `ring` is: a tolerance that breaks it is halved
/// until it does not.
std::vector<ContourPoint> simplified(std::span<const ContourPoint> ring, double tolerance_px);

/// The ring on whole pixels whose centres are whole numbers, as OpenCV gives contours. Always
/// simple: where rounding makes a ring meet itself, the smaller of its parts goes; of one that
/// falls apart altogether the convex hull stays, of one that is flattened a box of one pixel.
/// Coordinates are pixels, not hundredths.
std::vector<ContourPoint> on_whole_pixels(std::span<const ContourPoint> ring);

}  // namespace wsi
