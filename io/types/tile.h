#pragma once

#include <cstdint>
#include <vector>

#include "io/types/geometry.h"

namespace wsi {

struct TileIndex {
    int32_t row = 0, column = 0;
    friend auto operator<=>(const TileIndex&, const TileIndex&) = default;
};

/// Cuts the work frame into square cores anchored at its origin; pure arithmetic. Cores partition
/// the frame exactly; the last row and column may be smaller.
class TileGrid {
public:
    /// frame ≥ 1x1, core_px ≥ 1, halo_px ≥ 0.
    TileGrid(PixelSize frame, int core_px, int halo_px);

    int32_t rows() const { return rows_; }
    int32_t columns() const { return columns_; }
    int core_px() const { return core_px_; }
    int halo_px() const { return halo_px_; }
    PixelSize frame() const { return frame_; }
    PixelRect core(TileIndex tile) const;
    /// Core square (full size even at the frame's end) grown by the halo: what a network is given.
    /// May leave the frame on every side.
    PixelRect input(TileIndex tile) const;
    int64_t rank(TileIndex tile) const { return int64_t{tile.row} * columns_ + tile.column; }

private:
    PixelSize frame_;
    int core_px_, halo_px_;
    int32_t rows_, columns_;
};

struct RegionIndex {
    int32_t row = 0, column = 0;
    friend auto operator<=>(const RegionIndex&, const RegionIndex&) = default;
};

/// Groups whole tiles into regions of about region_px: borders are snapped down to tile borders, so
/// every tile belongs to one region whatever the nominal size.
class RegionGrid {
public:
    /// region_px ≥ grid.core_px().
    RegionGrid(const TileGrid& grid, int region_px);

    int32_t rows() const { return static_cast<int32_t>(row_starts_.size()) - 1; }
    int32_t columns() const { return static_cast<int32_t>(column_starts_.size()) - 1; }
    int64_t count() const { return int64_t{rows()} * columns(); }
    int64_t rank(RegionIndex r) const { return int64_t{r.row} * columns() + r.column; }
    RegionIndex at(int64_t rank) const;
    /// Work pixels of the region: the union of its tiles' cores.
    PixelRect rect(RegionIndex region) const;
    std::vector<TileIndex> tiles(RegionIndex region) const;  ///< row by row
    RegionIndex region_of(TileIndex tile) const;
    /// The region and its up to eight neighbours, row by row.
    std::vector<RegionIndex> neighbourhood(RegionIndex region) const;
    /// Least side of all regions but the last of an axis (beyond that one lies nothing);
    /// INT64_MAX when there is no other.
    int64_t min_side_px() const;

private:
    TileGrid grid_;
    std::vector<int32_t> row_starts_, column_starts_;  ///< first tile of each region; last = end
};

}  // namespace wsi
