#include "pipeline/slide_plan.h"

#include <algorithm>

#include "stages/features.h"

namespace wsi {

int64_t SlidePlan::tile_count() const {
    int64_t count = 0;
    for (const auto& region : active) count += static_cast<int64_t>(region.size());
    return count;
}

PixelRect SlidePlan::data_core(RegionIndex region) const {
    PixelRect box;
    for (const TileIndex tile : active[static_cast<size_t>(regions.rank(region))])
        box = bounding(box, tiles.core(tile));
    return box;
}

PixelRect SlidePlan::data_window(RegionIndex region) const {
    return intersection(data_core(region).grown(spec.feather_px), frame.rect());
}

int window_halo_px(const SeparateParams& separation, const FeatureConfig& features,
                   const WorkFrame& frame) {
    return separation.halo_px() + std::max(0, ring_px(features, frame) - 1);
}

SlidePlan make_plan(const WorkFrame& frame, const InputSpec& spec, int region_px,
                    const TissueMask& tissue, int halo_px) {
    const TileGrid tiles(frame.size, spec.core_px, spec.halo_px);
    if (region_px < spec.core_px)
        fail(ErrorKind::Config, "tiling.region_px = ", region_px, " is less than one tile (",
             spec.core_px, " px of ", spec.name, "): raise it to at least ", spec.core_px);
    SlidePlan plan{frame, tiles, RegionGrid(tiles, region_px), spec, {}};
    const int64_t reach = halo_px + spec.feather_px;
    if (plan.regions.min_side_px() < reach)
        fail(ErrorKind::Config, "tiling.region_px = ", region_px,
             " is too small: separation looks ", reach,
             " px into the neighbouring regions; raise it to at least ",
             2 * (reach + spec.core_px));
    plan.active.resize(static_cast<size_t>(plan.regions.count()));
    for (int64_t rank = 0; rank < plan.regions.count(); ++rank)
        for (const TileIndex tile : plan.regions.tiles(plan.regions.at(rank)))
            if (tissue.intersects(tiles.core(tile)))
                plan.active[static_cast<size_t>(rank)].push_back(tile);
    return plan;
}

}  // namespace wsi
