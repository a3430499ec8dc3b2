#pragma once

#include <cstdint>
#include <vector>

#include "io/types/geometry.h"
#include "io/types/image.h"
#include "io/types/nucleus.h"

namespace wsi {

/// Exterior ring of one label as a smooth, valid polygon. One vertex per 4-neighbour pair
/// (p inside, q outside), placed on the open segment between the two pixel centres: a ring of
/// marching squares, simple by construction whatever the positions. The positions come from
/// smoothing along the chain of one pair of labels (a quadratic Savitzky–Golay window, which keeps
/// circles), so two touching nuclei get the very same edge, smoothed once.
/// A label must be 4-connected. Reach outside its box: one pixel.
///
/// labels: window; `first`: any pixel of the label, `origin_work`: work coordinates of window
/// pixel (0,0). Output in hundredths of level-0 pixels, counter-clockwise in image axes or not is
/// fixed: interior to the left when y points down is *right-handed* = positive signed area in (x,
/// y). At the window's end, pixels outside count as background.
void trace_contour(ImageView<const uint32_t> labels, uint32_t label, PixelPoint first_pixel,
                   PixelPoint origin_work, double downsample, std::vector<ContourPoint>& ring);

}  // namespace wsi
