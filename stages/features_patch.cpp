#include <algorithm>
#include <cmath>
#include <utility>

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
            uint8_t* row = patch.part.data() + y * r.width;
            for (int64_t x = begin; x < end; ++x) row[x] = Patch::kRing;
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
        for (int64_t x = 0; x < r.width; ++x)
            part[x] = static_cast<uint8_t>(part[x] & (labels[x] == 0 ? 255 : 0));
        part += r.width;
    }
}

/// The slide's colours at a pixel of the patch's row y, counted from its left end.
const uint8_t* colours(const NucleusPixels& nucleus, const PixelRect& rect, int64_t y) {
    return nucleus.rgb.at(rect.x - nucleus.origin_work.x, rect.y - nucleus.origin_work.y + y);
}

void fill_density(const NucleusPixels& nucleus, const Deconvolver& deconvolve, Patch& patch) {
    const PixelRect& r = patch.rect;
    patch.density.resize(static_cast<size_t>(r.area()));
    float* out = patch.density.data();
    for (int64_t y = 0; y < r.height; ++y) {
        const uint8_t* rgb = colours(nucleus, r, y);
        for (int64_t x = 0; x < r.width; ++x, rgb += 3) *out++ = deconvolve.density(rgb, 0);
    }
}

void take_samples(const NucleusPixels& nucleus, const Deconvolver& deconvolve,
                  const PixelRect& rect, const std::vector<uint32_t>& pixels, Samples& out) {
    out.resize(pixels.size());
    const auto width = static_cast<uint32_t>(rect.width);
    uint32_t row_begin = 0, row_end = 0;
    const uint8_t* row = nullptr;
    for (size_t i = 0; i < pixels.size(); ++i) {
        if (pixels[i] >= row_end) {
            const uint32_t y = pixels[i] / width;
            row_begin = y * width;
            row_end = row_begin + width;
            row = colours(nucleus, rect, y);
        }
        const uint8_t* rgb = row + 3 * (pixels[i] - row_begin);
        const std::array<float, 3> density = deconvolve.with_residual(rgb);
        for (size_t k = 0; k < 3; ++k) out.stains[k][i] = density[k];
        for (size_t k = 0; k < 3; ++k) out.levels[k][i] = rgb[k];
    }
    const uint8_t *red = out.levels[0].data(), *green = out.levels[1].data(),
                  *blue = out.levels[2].data();
    uint8_t* grey = out.levels[3].data();
    // scikit-image's rgb2gray, rounded to a whole grey level.
    for (size_t i = 0; i < pixels.size(); ++i)
        grey[i] = static_cast<uint8_t>(
            (2125u * red[i] + 7154u * green[i] + 721u * blue[i] + 5000u) / 10000u);
}

/// Nucleus, its border pixels and the ring, each in raster order.
void list_pixels(Patch& patch) {
    for (auto* list : {&patch.nucleus, &patch.ring, &patch.edge}) list->resize(patch.part.size());
    const size_t width = patch.width(), height = patch.height();
    const uint8_t* part = patch.part.data();
    const auto inside = [part](size_t i) { return part[i] == Patch::kNucleus; };
    size_t nuclei = 0, rings = 0, edges = 0;
    for (size_t y = 0; y < height; ++y) {
        const bool end_row = y == 0 || y + 1 == height;
        for (size_t x = 0, i = y * width; x < width; ++x, ++i) {
            // Written always, counted when it belongs: no branch to mispredict.
            patch.ring[rings] = static_cast<uint32_t>(i);
            rings += part[i] == Patch::kRing;
            if (!inside(i)) continue;
            patch.nucleus[nuclei++] = static_cast<uint32_t>(i);
            patch.edge[edges] = static_cast<uint32_t>(i);
            edges += end_row || x == 0 || x + 1 == width || !inside(i - 1) || !inside(i + 1) ||
                     !inside(i - width) || !inside(i + width);
        }
    }
    patch.nucleus.resize(nuclei);
    patch.ring.resize(rings);
    patch.edge.resize(edges);
}

}  // namespace

void fill_patch(const NucleusPixels& nucleus, const PixelRect& box, int64_t ring_px,
                const Deconvolver& deconvolve, Patch& patch) {
    const PixelRect window{nucleus.origin_work.x, nucleus.origin_work.y, nucleus.rgb.width,
                           nucleus.rgb.height};
    patch.box = box;
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
    fill_density(nucleus, deconvolve, patch);
    list_pixels(patch);
    for (const auto& [pixels, samples] : {std::pair{&patch.nucleus, &patch.in_nucleus},
                                          {&patch.ring, &patch.in_ring},
                                          {&patch.edge, &patch.in_edge}})
        take_samples(nucleus, deconvolve, patch.rect, *pixels, *samples);
}

}  // namespace wsi::features
