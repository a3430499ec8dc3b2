#pragma once

#include <vector>

#include "io/types/tile.h"
#include "io/types/work_frame.h"
#include "model/segmenter.h"
#include "stages/separate.h"
#include "stages/tissue.h"

namespace wsi {

/// What one run will do on one slide; immutable, the same for the same inputs.
struct SlidePlan {
    WorkFrame frame;
    TileGrid tiles;
    RegionGrid regions;
    InputSpec spec;
    /// Tiles of each region that touch tissue, by region rank; a region without any is blank.
    std::vector<std::vector<TileIndex>> active;

    int64_t tile_count() const;
    bool blank(RegionIndex region) const {
        return active[static_cast<size_t>(regions.rank(region))].empty();
    }
    /// Bounding box of the region's active cores: what its maps cover.
    PixelRect data_core(RegionIndex region) const;
    /// data_core grown by the feather, inside the frame.
    PixelRect data_window(RegionIndex region) const;

    /// Size of the largest rectangle that rect_of(region) gives over all regions with tiles: what
    /// recycled buffers take at once, so that memory does not rise as a run meets larger regions.
    template <class RectOf>
    PixelSize largest(const RectOf& rect_of) const {
        PixelSize most{0, 0};
        for (int64_t rank = 0; rank < regions.count(); ++rank) {
            if (blank(regions.at(rank))) continue;
            const PixelRect rect = rect_of(regions.at(rank));
            if (rect.area() > most.area()) most = {rect.width, rect.height};
        }
        return most;
    }
};

/// How far around a region maps must be known for everything about its nuclei: contours look one
/// pixel beyond a nucleus, which separation allows for, rings farther.
int window_halo_px(const SeparateParams& separation, const FeatureConfig& features,
                   const WorkFrame& frame);

/// Throws Error{Config} when a region would be smaller than what separation must see around it.
SlidePlan make_plan(const WorkFrame& frame, const InputSpec& spec, int region_px,
                    const TissueMask& tissue, int halo_px);

}  // namespace wsi
