#include "pipeline/slide_fit.h"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <mutex>

#include "io/work_reader.h"

namespace wsi {

namespace {
constexpr size_t kCacheBytes = size_t{64} << 20;
constexpr int64_t kStripRows = 64;
constexpr size_t kPatches = 48;
constexpr int64_t kPatchPx = 256;

uint64_t splitmix(uint64_t x) {
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

WorkFrame overview_frame(const SlideInfo& info, double mpp) {
    // A slide coarser than the mask's resolution never gets here: it is too coarse for nuclei.
    return make_work_frame(info, Mpp{mpp});
}

std::vector<TileIndex> sample_tiles(const SlidePlan& plan, uint64_t seed) {
    std::vector<TileIndex> tiles;
    for (const auto& region : plan.active) tiles.insert(tiles.end(), region.begin(), region.end());
    const auto key = [&](TileIndex tile) {
        const auto rank = static_cast<uint64_t>(plan.tiles.rank(tile));
        return std::pair(splitmix(seed ^ rank), rank);
    };
    std::sort(tiles.begin(), tiles.end(), [&](auto a, auto b) { return key(a) < key(b); });
    if (tiles.size() > kPatches) tiles.resize(kPatches);
    return tiles;
}

/// The middle of the tile's core; the whole core on a small slide, where few tiles must do.
PixelRect patch_of(const SlidePlan& plan, TileIndex tile, size_t tiles) {
    const PixelRect core = plan.tiles.core(tile);
    if (tiles < kPatches / 4) return core;
    const int64_t margin_x = std::max<int64_t>(0, (core.width - kPatchPx) / 2);
    const int64_t margin_y = std::max<int64_t>(0, (core.height - kPatchPx) / 2);
    return {core.x + margin_x, core.y + margin_y, core.width - 2 * margin_x,
            core.height - 2 * margin_y};
}

struct Patch {
    PixelRect rect;
    RgbImage rgb;
};

void blank_outside(const TissueMask& tissue, Patch& patch) {
    for (int64_t y = 0; y < patch.rect.height; ++y)
        for (int64_t x = 0; x < patch.rect.width; ++x)
            if (!tissue.contains(static_cast<double>(patch.rect.x + x) + 0.5,
                                 static_cast<double>(patch.rect.y + y) + 0.5))
                std::fill_n(patch.rgb.view().at(x, y), 3, uint8_t{255});
}

std::vector<uint8_t> tissue_pixels(const std::vector<Patch>& patches, const TissueMask& tissue,
                                   int wanted) {
    const auto each_pixel = [&](auto&& use) {
        for (const Patch& patch : patches)
            for (int64_t y = 0; y < patch.rect.height; ++y)
                for (int64_t x = 0; x < patch.rect.width; ++x)
                    if (tissue.contains(static_cast<double>(patch.rect.x + x) + 0.5,
                                        static_cast<double>(patch.rect.y + y) + 0.5))
                        use(patch.rgb.view().at(x, y));
    };
    int64_t total = 0;
    each_pixel([&](const uint8_t*) { ++total; });
    const int64_t step = std::max<int64_t>(1, total / std::max(1, wanted));
    std::vector<uint8_t> pixels;
    int64_t index = 0;
    each_pixel([&](const uint8_t* rgb) {
        if (index++ % step == 0) pixels.insert(pixels.end(), rgb, rgb + 3);
    });
    return pixels;
}
}  // namespace

TissueMask find_slide_tissue(const Slide& slide, const WorkFrame& frame, const TissueConfig& config,
                             RunStatus& status, std::vector<FailedBlock>& failures) {
    status.enter("tissue");
    const WorkFrame overview = overview_frame(slide.info(), config.mpp);
    const WorkReader reader(slide, overview, kCacheBytes);
    RgbImage image(overview.size.width, overview.size.height);
    const int64_t strips = ceil_div(overview.size.height, kStripRows);
    std::atomic<int64_t> done{0};
    std::mutex mutex;
    tbb::parallel_for(int64_t{0}, strips, [&](int64_t strip) {
        const PixelRect rect =
            intersection({0, strip * kStripRows, overview.size.width, kStripRows}, overview.rect());
        const auto failed = reader.read(rect, image.view().crop(rect));
        if (!failed.empty()) {
            const std::lock_guard lock(mutex);
            failures.insert(failures.end(), failed.begin(), failed.end());
        }
        status.phase_fraction = static_cast<double>(++done) / static_cast<double>(strips);
    });
    TissueMask mask;
    mask.cells = find_tissue(image.view(), overview.mpp(), config);
    mask.cell_work_px = overview.downsample / frame.downsample;
    mask.mpp = overview.mpp();
    const PixelRect& bounds = slide.info().bounds;
    const auto at = [&overview](int64_t cell) {
        return static_cast<int64_t>(overview.to_level0(static_cast<double>(cell)));
    };
    for (int64_t y = 0; y < overview.size.height; ++y)
        for (int64_t x = 0; x < overview.size.width; ++x)
            if (intersection(rect_from_corners(at(x), at(y), at(x + 1), at(y + 1)), bounds).empty())
                mask.cells(x, y) = 0;
    return mask;
}

SlideFit fit_slide(const Slide& slide, const SlidePlan& plan, const TissueMask& tissue,
                   const Segmenter& segmenter, const Config& config, RunStatus& status) {
    status.enter("fit");
    const std::vector<TileIndex> tiles = sample_tiles(plan, config.run.seed);
    const WorkReader reader(slide, plan.frame, kCacheBytes);
    std::vector<Patch> patches(tiles.size());
    tbb::parallel_for(size_t{0}, tiles.size(), [&](size_t i) {
        patches[i].rect = patch_of(plan, tiles[i], tiles.size());
        patches[i].rgb.resize(patches[i].rect.width, patches[i].rect.height);
        reader.read(patches[i].rect, patches[i].rgb);
        status.at("fit");
    });
    SlideFit fit;
    fit.stain = fit_stain(tissue_pixels(patches, tissue, config.stain.sample_pixels), config.stain);
    // What is not tissue (ink, glass) must not pull the segmenter's thresholds.
    for (Patch& patch : patches) blank_outside(tissue, patch);
    SlideSample sample;
    sample.stains = config.stain.stains;
    const StainNormaliser normalise(fit.stain, config.stain.stains);
    for (Patch& patch : patches) {
        if (plan.spec.normalised) normalise(patch.rgb.view(), patch.rgb.view());
        sample.patches.push_back(std::move(patch.rgb));
    }
    fit.slide_params = segmenter.fit_slide(sample);
    return fit;
}

}  // namespace wsi
