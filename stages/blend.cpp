#include "stages/blend.h"

#include <vector>

namespace wsi {

namespace {
// The ramp's value k steps after its start, for k in [0, 2 * feather): rounded down, so that
// ramp(k) + ramp_of_the_neighbour(k) == kBlendUnit holds by definition of the falling side.
int rising(int k, int feather_px) { return (2 * k + 1) * kBlendUnit / (4 * feather_px); }

std::vector<uint16_t> axis_weights(int core_px, int feather_px, bool end_before, bool end_after) {
    std::vector<uint16_t> weights;
    for (int i = -feather_px; i < core_px + feather_px; ++i)
        weights.push_back(
            static_cast<uint16_t>(blend_weight(i, core_px, feather_px, end_before, end_after)));
    return weights;
}
}  // namespace

int blend_weight(int i, int core_px, int feather_px, bool end_before, bool end_after) {
    if (i < feather_px)
        return end_before ? (i < 0 ? 0 : kBlendUnit) : rising(i + feather_px, feather_px);
    if (i >= core_px - feather_px) {
        if (end_after) return i < core_px ? kBlendUnit : 0;
        return kBlendUnit - rising(i - core_px + feather_px, feather_px);
    }
    return kBlendUnit;
}

void blend_tile(ConstGrayView map_tile, ImageView<uint16_t> sums, PixelPoint offset, int core_px,
                int feather_px, TileEnds ends) {
    WSI_CHECK(sums.size() == map_tile.size());
    WSI_CHECK(core_px >= 2 * feather_px);
    const std::vector<uint16_t> across = axis_weights(core_px, feather_px, ends.left, ends.right);
    const std::vector<uint16_t> down = axis_weights(core_px, feather_px, ends.top, ends.bottom);
    WSI_CHECK(offset.x + sums.width <= std::ssize(across) &&
              offset.y + sums.height <= std::ssize(down));
    const uint16_t* weights_x = across.data() + offset.x;
    for (int64_t y = 0; y < sums.height; ++y) {
        const unsigned weight_y = down[static_cast<size_t>(offset.y + y)];
        if (weight_y == 0) continue;
        const uint8_t* from = map_tile.row(y);
        uint16_t* to = sums.row(y);
        for (int64_t x = 0; x < sums.width; ++x)
            to[x] = static_cast<uint16_t>(to[x] + from[x] * weight_y * weights_x[x]);
    }
}

void finish_blend(ImageView<const uint16_t> sums, GrayView out) {
    WSI_CHECK(sums.size() == out.size());
    for (int64_t y = 0; y < sums.height; ++y) {
        const uint16_t* from = sums.row(y);
        uint8_t* to = out.row(y);
        for (int64_t x = 0; x < sums.width; ++x)
            to[x] = static_cast<uint8_t>((from[x] + 128u) >> 8);
    }
}

}  // namespace wsi
