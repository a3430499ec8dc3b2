#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/types/geometry.h"

namespace wsi {

/// A tile of which a TIFF's directory says more bytes than its pixels could take. A reader that
/// believes it takes that much memory, which the machine may not have.
struct OversizedTile {
    PixelSize level;     ///< of the image that it belongs to
    PixelRect rect_lvl;  ///< pixels of that image; may leave it
    uint64_t bytes = 0;  ///< as claimed
};

/// All such tiles of a TIFF or BigTIFF, read from its directories alone; none for other files and
/// for what cannot be read. An image with more than a hundred of them is named as a whole, so that
/// memory does not grow with what the file claims.
std::vector<OversizedTile> oversized_tiles(const std::string& path);

}  // namespace wsi
