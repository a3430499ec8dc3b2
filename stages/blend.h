#pragma once

#include <cstdint>

#include "io/types/image.h"

namespace wsi {

/// Blending in integers, so that the order of arrival cannot matter: each tile adds
/// uint8 value x integer weight into uint16 sums. In one dimension the weights of overlapping tiles
/// add up to kBlendUnit; the plane's weight is the product of both axes, so a complete pixel has
/// weight kBlendUnit² = 256 and a sum ≤ 65280. A tile that was blank or failed adds nothing, which
/// means probability 0 there.
inline constexpr int kBlendUnit = 16;

/// Sides on which a tile has no neighbour tile in the grid (slide's end): no ramp there.
struct TileEnds {
    bool left = false, top = false, right = false, bottom = false;
};

/// Weight along one axis at offset i in [-feather, core + feather) of a tile, 0..kBlendUnit: a ramp
/// from -feather to +feather around each inner core border, mirrored so that neighbours' ramps sum
/// to kBlendUnit. core ≥ 2 * feather; feather 0 = the core alone.
int blend_weight(int i, int core_px, int feather_px, bool end_before, bool end_after);

/// Adds one tile's map into the sums. Both views show the same pixels: a part of the tile's core
/// square grown by the feather, whose pixel (0, 0) lies `offset` inside that grown square (not zero
/// where the square leaves the slide at the left or top).
void blend_tile(ConstGrayView map_tile, ImageView<uint16_t> sums, PixelPoint offset, int core_px,
                int feather_px, TileEnds ends);

/// (sum + 128) >> 8 per pixel.
void finish_blend(ImageView<const uint16_t> sums, GrayView out);

}  // namespace wsi
