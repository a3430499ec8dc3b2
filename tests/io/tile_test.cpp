#include "io/types/tile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "io/types/image.h"

namespace wsi {
namespace {

class TileGridTest : public testing::TestWithParam<std::tuple<int, int, int>> {};

TEST_P(TileGridTest, cores_partition_the_frame) {
    const auto [width, height, core] = GetParam();
    const TileGrid grid({width, height}, core, 7);
    GrayImage seen(width, height);
    for (int32_t row = 0; row < grid.rows(); ++row)
        for (int32_t column = 0; column < grid.columns(); ++column) {
            const PixelRect rect = grid.core({row, column});
            for (int64_t y = rect.y; y < rect.bottom(); ++y)
                for (int64_t x = rect.x; x < rect.right(); ++x) ++seen(x, y);
        }
    for (int64_t i = 0; i < seen.size().area(); ++i) ASSERT_EQ(seen.data()[i], 1);
}

INSTANTIATE_TEST_SUITE_P(sizes, TileGridTest,
                         testing::Values(std::tuple(1, 1, 16), std::tuple(16, 16, 16),
                                         std::tuple(17, 33, 16), std::tuple(100, 40, 13)));

TEST(TileGridTest, input_is_a_full_square_even_at_the_end) {
    const TileGrid grid({20, 20}, 16, 4);
    EXPECT_EQ(grid.input({1, 1}), (PixelRect{12, 12, 24, 24}));
    EXPECT_EQ(grid.core({1, 1}), (PixelRect{16, 16, 4, 4}));
}

class RegionGridTest : public testing::TestWithParam<int> {};

TEST_P(RegionGridTest, every_tile_belongs_to_exactly_one_region) {
    const TileGrid tiles({1000, 777}, 50, 8);
    const RegionGrid regions(tiles, GetParam());
    std::map<TileIndex, int> owners;
    for (int64_t rank = 0; rank < regions.count(); ++rank)
        for (const TileIndex tile : regions.tiles(regions.at(rank))) {
            ++owners[tile];
            EXPECT_EQ(regions.region_of(tile), regions.at(rank));
            EXPECT_TRUE(regions.rect(regions.at(rank)).contains(tiles.core(tile)));
        }
    EXPECT_EQ(std::ssize(owners), int64_t{tiles.rows()} * tiles.columns());
    for (const auto& [tile, count] : owners) EXPECT_EQ(count, 1);
}

TEST_P(RegionGridTest, rectangles_partition_the_frame) {
    const TileGrid tiles({1000, 777}, 50, 8);
    const RegionGrid regions(tiles, GetParam());
    int64_t area = 0;
    PixelRect all;
    for (int64_t rank = 0; rank < regions.count(); ++rank) {
        area += regions.rect(regions.at(rank)).area();
        all = bounding(all, regions.rect(regions.at(rank)));
    }
    EXPECT_EQ(area, 1000 * 777);
    EXPECT_EQ(all, (PixelRect{0, 0, 1000, 777}));
}

// 130 and 333 are no multiples of the tile; 5000 is one region.
INSTANTIATE_TEST_SUITE_P(sizes, RegionGridTest, testing::Values(50, 100, 130, 333, 5000));

TEST(RegionGridTest, neighbourhood_is_cut_at_the_corners) {
    const TileGrid tiles({300, 300}, 50, 0);
    const RegionGrid regions(tiles, 100);
    EXPECT_EQ(regions.neighbourhood({0, 0}).size(), 4u);
    EXPECT_EQ(regions.neighbourhood({1, 1}).size(), 9u);
    EXPECT_EQ(regions.neighbourhood({2, 1}).size(), 6u);
}

TEST(RegionGridTest, no_region_is_larger_than_asked_nor_a_sliver) {
    for (int32_t n = 1; n < 40; ++n) {
        const TileGrid tiles({50 * n, 50}, 50, 0);
        const RegionGrid regions(tiles, 200);
        for (int64_t rank = 0; rank < regions.count(); ++rank) {
            const int64_t width = regions.rect(regions.at(rank)).width;
            EXPECT_LE(width, 200) << n;
            EXPECT_GE(width, std::min(50 * n, 100)) << n;
        }
    }
}

TEST(RegionGridTest, min_side_ignores_the_last_region) {
    const TileGrid tiles({260, 90}, 50, 0);
    EXPECT_EQ(RegionGrid(tiles, 100).min_side_px(), 100);
    EXPECT_EQ(RegionGrid(tiles, 1000).min_side_px(), INT64_MAX);
}

}  // namespace
}  // namespace wsi
