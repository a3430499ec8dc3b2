#include "stages/blend.h"

#include <gtest/gtest.h>

#include <vector>

namespace wsi {
namespace {

TEST(BlendTest, weights_of_neighbouring_tiles_sum_to_the_unit) {
    for (const int feather : {0, 1, 3, 8, 32}) {
        const int core = 64;
        for (int i = -feather; i < feather; ++i)
            EXPECT_EQ(blend_weight(i, core, feather, false, false) +
                          blend_weight(core + i, core, feather, false, false),
                      kBlendUnit)
                << feather << " at " << i;
        for (int i = feather; i < core - feather; ++i)
            EXPECT_EQ(blend_weight(i, core, feather, false, false), kBlendUnit);
    }
}

TEST(BlendTest, there_is_no_ramp_at_the_slides_end) {
    EXPECT_EQ(blend_weight(0, 64, 8, true, false), kBlendUnit);
    EXPECT_EQ(blend_weight(-1, 64, 8, true, false), 0);
    EXPECT_EQ(blend_weight(63, 64, 8, false, true), kBlendUnit);
    EXPECT_EQ(blend_weight(64, 64, 8, false, true), 0);
}

/// Blends a constant-per-tile map over a 3 x 2 grid in the given order.
Image<uint16_t> blend_grid(const std::vector<int>& order, int core, int feather, PixelSize frame,
                           const std::vector<uint8_t>& values) {
    Image<uint16_t> sums(frame.width, frame.height, 0);
    for (const int k : order) {
        const int row = k / 3, column = k % 3;
        const PixelRect square = PixelRect{column * core, row * core, core, core}.grown(feather);
        const PixelRect part = intersection(square, {0, 0, frame.width, frame.height});
        const GrayImage map(part.width, part.height, values[static_cast<size_t>(k)]);
        blend_tile(map.view(), sums.view().crop(part), {part.x - square.x, part.y - square.y}, core,
                   feather, {column == 0, row == 0, column == 2, row == 1});
    }
    return sums;
}

TEST(BlendTest, equal_tiles_blend_to_their_value_everywhere) {
    const PixelSize frame{3 * 20 - 7, 2 * 20 - 3};  // the last tiles are cut by the frame
    const auto sums = blend_grid({0, 1, 2, 3, 4, 5}, 20, 6, frame, std::vector<uint8_t>(6, 201));
    GrayImage out(frame.width, frame.height);
    finish_blend(sums.view(), out);
    for (int64_t i = 0; i < frame.area(); ++i) ASSERT_EQ(out.data()[i], 201);
}

TEST(BlendTest, the_order_of_arrival_does_not_matter) {
    const PixelSize frame{60, 40};
    const std::vector<uint8_t> values{3, 250, 77, 9, 180, 31};
    const auto expected = blend_grid({0, 1, 2, 3, 4, 5}, 20, 8, frame, values);
    const auto other = blend_grid({4, 2, 0, 5, 1, 3}, 20, 8, frame, values);
    EXPECT_TRUE(std::equal(expected.data(), expected.data() + frame.area(), other.data()));
}

TEST(BlendTest, a_missing_tile_counts_as_zero) {
    const PixelSize frame{60, 40};
    const auto sums = blend_grid({0, 2, 3, 4, 5}, 20, 4, frame, std::vector<uint8_t>(6, 255));
    GrayImage out(frame.width, frame.height);
    finish_blend(sums.view(), out);
    EXPECT_EQ(out(30, 5), 0);
    EXPECT_EQ(out(5, 5), 255);
    EXPECT_LT(out(20, 5), 128);
}

}  // namespace
}  // namespace wsi
