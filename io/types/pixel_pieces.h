#pragma once

#include <span>
#include <vector>

#include "io/types/nucleus.h"

namespace wsi {

/// 4-connected pieces of a set of pixels, in the order of their first pixels. runs: in raster
/// order, not overlapping; so are those of each piece.
std::vector<std::vector<PixelRun>> pieces_of(std::span<const PixelRun> runs);

}  // namespace wsi
