#include <algorithm>

#include "stages/feature_patch.h"

namespace wsi::features {

Texture nucleus_texture(const Patch& patch) {
    return {patch.width(),   patch.height(), patch.density.data(), patch.part.data(),
            Patch::kNucleus, patch.nucleus,  patch.touches_end()};
}

// One pixel more on each side than a whole ratio needs.
PixelRect TextureGrid::around(const PixelRect& work) const {
    const auto first = [this](int64_t px) {
        return static_cast<int64_t>(std::floor(static_cast<double>(px) * per_work)) -
               kTextureMargin;
    };
    const auto last = [this](int64_t px) {
        return static_cast<int64_t>(std::ceil(static_cast<double>(px) * per_work)) + kTextureMargin;
    };
    return rect_from_corners(first(work.x), first(work.y), last(work.right()), last(work.bottom()));
}

/// The patch's parts on the texture's pixels: a pixel belongs where its centre lies.
void TexturePatch::fill_parts(const Patch& patch, const TextureGrid& grid, const PixelRect& rect) {
    const PixelRect& from = patch.rect;
    column_.resize(static_cast<size_t>(rect.width));
    for (int64_t x = 0; x < rect.width; ++x)
        column_[static_cast<size_t>(x)] = grid.work_of(rect.x + x) - from.x;
    part_.assign(static_cast<size_t>(rect.area()), 0);
    uint8_t* out = part_.data();
    for (int64_t y = 0; y < rect.height; ++y, out += rect.width) {
        const int64_t row = grid.work_of(rect.y + y) - from.y;
        if (row < 0 || row >= from.height) continue;
        const uint8_t* parts = patch.part.data() + row * from.width;
        for (int64_t x = 0; x < rect.width; ++x) {
            const int64_t column = column_[static_cast<size_t>(x)];
            if (column >= 0 && column < from.width) out[x] = parts[column];
        }
    }
}

Texture TexturePatch::operator()(const Patch& patch, Patch::Part own, int64_t reach_px,
                                 const TextureGrid& grid, ConstRgbView rgb, PixelPoint origin,
                                 const Deconvolver& deconvolve, size_t stain) {
    const PixelRect wanted = grid.around(patch.box.grown(reach_px));
    const PixelRect rect = intersection(wanted, {origin.x, origin.y, rgb.width, rgb.height});
    const auto size = static_cast<size_t>(rect.area());
    fill_parts(patch, grid, rect);
    density_.resize(size);
    float* out = density_.data();
    for (int64_t y = 0; y < rect.height; ++y) {
        const uint8_t* pixel = rgb.at(rect.x - origin.x, rect.y - origin.y + y);
        for (int64_t x = 0; x < rect.width; ++x, pixel += 3)
            *out++ = deconvolve.density(pixel, stain);
    }
    pixels_.resize(size);
    size_t count = 0;
    for (size_t i = 0; i < size; ++i) {
        // Written always, counted when it belongs: no branch to mispredict.
        pixels_[count] = static_cast<uint32_t>(i);
        count += part_[i] == own;
    }
    pixels_.resize(count);
    return {static_cast<size_t>(rect.width),
            static_cast<size_t>(rect.height),
            density_.data(),
            part_.data(),
            own,
            pixels_,
            rect != wanted};
}

}  // namespace wsi::features
