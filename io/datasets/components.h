#pragma once

#include "io/types/image.h"

namespace wsi {

/// Pieces of the pixels that are not 0, joined also over corners; ids from 1 in raster order.
Image<uint32_t> connected_components(const Image<uint32_t>& mask);

}  // namespace wsi
