#include <algorithm>
#include <cmath>

#include "stages/feature_patch.h"

namespace wsi::features {

namespace {

/// Marks every pixel within ring_px of the nucleus, row by row of a disk.
void mark_disk(std::span<const PixelRun> runs, int64_t ring_px, Patch& patch) {
    const PixelRect& r = patch.rect;
    for (int64_t dy = -ring_px; dy <= ring_px; ++dy) {
        const auto reach =
            static_cast<int64_t>(std::sqrt(static_cast<double>(ring_px * ring_px - dy * dy)));
        for (const PixelRun& run : runs) {
            const int64_t y = run.y + dy - r.y;
            if (y < 0 || y >= r.height) continue;
            const int64_t begin = std::max<int64_t>(run.x0 - reach - r.x, 0),
                          end = std::min<int64_t>(run.x1 + reach - r.x, r.width);
            std::fill(patch.part.begin() + y * r.width + begin,
                      patch.part.begin() + y * r.width + end, uint8_t{Patch::kRing});
        }
    }
}

void clear_other_nuclei(const NucleusPixels& nucleus, Patch& patch) {
    if (nucleus.labels.empty()) return;
    const PixelRect& r = patch.rect;
    uint8_t* part = patch.part.data();
    for (int64_t y = 0; y < r.height; ++y) {
        const uint32_t* labels =
            nucleus.labels.at(r.x - nucleus.origin_work.x, r.y - nucleus.origin_work.y + y);
        for (int64_t x = 0; x < r.width; ++x, ++part) *part = labels[x] == 0 ? *part : uint8_t{0};
    }
}

void fill_planes(const NucleusPixels& nucleus, const Deconvolver& deconvolve, Patch& patch) {
    const PixelRect& r = patch.rect;
    for (auto& plane : patch.planes) plane.resize(static_cast<size_t>(r.area()));
    size_t i = 0;
    for (int64_t y = 0; y < r.height; ++y) {
        const uint8_t* rgb =
            nucleus.rgb.at(r.x - nucleus.origin_work.x, r.y - nucleus.origin_work.y + y);
        for (int64_t x = 0; x < r.width; ++x, ++i, rgb += 3) {
            const std::array<float, 2> density = deconvolve(rgb);
            patch.planes[kH][i] = density[0];
            patch.planes[kE][i] = density[1];
            patch.planes[kResidual][i] = deconvolve.residual(rgb);
            for (size_t k = 0; k < 3; ++k) patch.planes[kRed + k][i] = rgb[k];
            // scikit-image's rgb2gray, rounded to a whole grey level.
            const int grey = (2125 * rgb[0] + 7154 * rgb[1] + 721 * rgb[2] + 5000) / 10000;
            patch.planes[kGrey][i] = static_cast<float>(grey);
        }
    }
}

void list_pixels(Patch& patch) {
    for (auto* list : {&patch.nucleus, &patch.ring, &patch.edge}) list->clear();
    const size_t width = patch.width(), height = patch.height();
    const auto outside = [&](size_t x, size_t y) {
        return x >= width || y >= height || patch.part[y * width + x] != Patch::kNucleus;
    };
    for (size_t y = 0; y < height; ++y)
        for (size_t x = 0; x < width; ++x) {
            const auto i = static_cast<uint32_t>(y * width + x);
            if (patch.part[i] == Patch::kRing) patch.ring.push_back(i);
            if (patch.part[i] != Patch::kNucleus) continue;
            patch.nucleus.push_back(i);
            // 0 − 1 wraps to a large number: outside.
            if (outside(x - 1, y) || outside(x + 1, y) || outside(x, y - 1) || outside(x, y + 1))
                patch.edge.push_back(i);
        }
}

}  // namespace

void fill_patch(const NucleusPixels& nucleus, const PixelRect& box, int64_t ring_px,
                const Deconvolver& deconvolve, Patch& patch) {
    const PixelRect window{nucleus.origin_work.x, nucleus.origin_work.y, nucleus.rgb.width,
                           nucleus.rgb.height};
    patch.rect = intersection(box.grown(std::max(ring_px, kTextureMargin)), window);
    patch.part.assign(static_cast<size_t>(patch.rect.area()), 0);
    if (ring_px > 0) {
        mark_disk(nucleus.runs, ring_px, patch);
        clear_other_nuclei(nucleus, patch);
    }
    for (const PixelRun& run : nucleus.runs)
        std::fill_n(
            patch.part.begin() + (run.y - patch.rect.y) * patch.rect.width + run.x0 - patch.rect.x,
            run.x1 - run.x0, uint8_t{Patch::kNucleus});
    fill_planes(nucleus, deconvolve, patch);
    list_pixels(patch);
}

}  // namespace wsi::features
