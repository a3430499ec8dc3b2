#include "io/types/tile.h"

#include <algorithm>

#include "config/error.h"

namespace wsi {

TileGrid::TileGrid(PixelSize frame, int core_px, int halo_px)
    : frame_(frame), core_px_(core_px), halo_px_(halo_px) {
    WSI_CHECK(frame.width > 0 && frame.height > 0 && core_px > 0 && halo_px >= 0);
    rows_ = static_cast<int32_t>(ceil_div(frame.height, core_px));
    columns_ = static_cast<int32_t>(ceil_div(frame.width, core_px));
}

PixelRect TileGrid::core(TileIndex tile) const {
    const PixelRect square{int64_t{tile.column} * core_px_, int64_t{tile.row} * core_px_, core_px_,
                           core_px_};
    return intersection(square, {0, 0, frame_.width, frame_.height});
}

PixelRect TileGrid::input(TileIndex tile) const {
    const PixelRect square{int64_t{tile.column} * core_px_, int64_t{tile.row} * core_px_, core_px_,
                           core_px_};
    return square.grown(halo_px_);
}

namespace {
std::vector<int32_t> region_starts(int32_t tiles, int core_px, int region_px) {
    std::vector<int32_t> starts;
    for (int64_t k = 0;; ++k) {
        const auto tile = static_cast<int32_t>(k * region_px / core_px);
        if (tile >= tiles) break;
        starts.push_back(tile);
    }
    starts.push_back(tiles);
    // A last region of a sliver would not be worth its halo, and one that takes it in would make
    // all buffers larger than region_px says: the last two share evenly.
    const size_t n = starts.size();
    if (n > 2 && 2 * int64_t{starts[n - 1] - starts[n - 2]} * core_px < region_px)
        starts[n - 2] = starts[n - 3] + (starts[n - 1] - starts[n - 3] + 1) / 2;
    return starts;
}

int32_t find_start(const std::vector<int32_t>& starts, int32_t tile) {
    return static_cast<int32_t>(std::upper_bound(starts.begin(), starts.end() - 1, tile) -
                                starts.begin()) -
           1;
}
}  // namespace

RegionGrid::RegionGrid(const TileGrid& grid, int region_px)
    : grid_(grid),
      row_starts_(region_starts(grid.rows(), grid.core_px(), region_px)),
      column_starts_(region_starts(grid.columns(), grid.core_px(), region_px)) {
    WSI_CHECK(region_px >= grid.core_px(), region_px, " < ", grid.core_px());
}

RegionIndex RegionGrid::at(int64_t rank) const {
    return {static_cast<int32_t>(rank / columns()), static_cast<int32_t>(rank % columns())};
}

PixelRect RegionGrid::rect(RegionIndex r) const {
    const auto row = static_cast<size_t>(r.row), column = static_cast<size_t>(r.column);
    const PixelRect first = grid_.core({row_starts_[row], column_starts_[column]});
    const PixelRect last = grid_.core({row_starts_[row + 1] - 1, column_starts_[column + 1] - 1});
    return bounding(first, last);
}

std::vector<TileIndex> RegionGrid::tiles(RegionIndex r) const {
    const auto row = static_cast<size_t>(r.row), column = static_cast<size_t>(r.column);
    std::vector<TileIndex> tiles;
    for (int32_t y = row_starts_[row]; y < row_starts_[row + 1]; ++y)
        for (int32_t x = column_starts_[column]; x < column_starts_[column + 1]; ++x)
            tiles.push_back({y, x});
    return tiles;
}

RegionIndex RegionGrid::region_of(TileIndex tile) const {
    return {find_start(row_starts_, tile.row), find_start(column_starts_, tile.column)};
}

std::vector<RegionIndex> RegionGrid::neighbourhood(RegionIndex r) const {
    std::vector<RegionIndex> out;
    for (int32_t row = std::max(0, r.row - 1); row <= std::min(rows() - 1, r.row + 1); ++row)
        for (int32_t column = std::max(0, r.column - 1);
             column <= std::min(columns() - 1, r.column + 1); ++column)
            out.push_back({row, column});
    return out;
}

int64_t RegionGrid::min_side_px() const {
    int64_t least = INT64_MAX;
    for (int32_t row = 0; row + 1 < rows(); ++row) least = std::min(least, rect({row, 0}).height);
    for (int32_t column = 0; column + 1 < columns(); ++column)
        least = std::min(least, rect({0, column}).width);
    return least;
}

}  // namespace wsi
