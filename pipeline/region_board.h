#pragma once

#include <cstdint>
#include <vector>

#include "pipeline/slide_plan.h"

namespace wsi {

enum class RegionState : uint8_t {
    Blank,    ///< no tissue: nothing to do, its maps are zero
    Open,     ///< tiles outstanding
    Remap,    ///< its nuclei stand on disk, but a neighbour needs its maps, which are gone
    Mapped,   ///< its maps stand on disk
    Finished  ///< its nuclei stand on disk
};

/// Which region may be worked on next. Pure bookkeeping, called from one serial node.
class RegionBoard {
public:
    /// `restored`: states found on disk, by region rank; empty = a fresh run.
    explicit RegionBoard(const SlidePlan& plan, const std::vector<RegionState>& restored = {});

    RegionState state(RegionIndex region) const { return states_[rank(region)]; }
    /// Regions whose tiles must be run, in raster order.
    std::vector<RegionIndex> to_map() const;
    /// Regions that can be separated at once (only of use right after construction).
    std::vector<RegionIndex> ready() const;
    /// The region's maps are on disk. Returns the regions that became ready to be separated: mapped
    /// themselves, all neighbours' maps known.
    std::vector<RegionIndex> mapped(RegionIndex region);
    /// The region's nuclei are on disk. Returns the regions whose maps nobody will read again.
    std::vector<RegionIndex> finished(RegionIndex region);
    bool all_finished() const;

private:
    static bool lacks_maps(RegionState s) {
        return s == RegionState::Open || s == RegionState::Remap;
    }
    size_t rank(RegionIndex region) const {
        return static_cast<size_t>(plan_.regions.rank(region));
    }
    bool is_ready(RegionIndex region) const;
    const SlidePlan& plan_;
    std::vector<RegionState> states_;
};

}  // namespace wsi
