#pragma once

#include "model/nn/kernels/map_view.h"

namespace wsi::nn {

/// 2x2 maxima, stride 2. in: even rows and columns; out: half of them, `channels` of each pixel.
void max_pool_by_two(const MapView& in, int64_t channels, const MapView& out);

/// 3x3 binomial blur (1 2 1 each way, / 16), the border replicated. in and out do not overlap.
void binomial_blur(const MapView& in, int64_t channels, const MapView& out);

}  // namespace wsi::nn
