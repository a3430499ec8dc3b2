#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "stages/separate_steps.h"

namespace wsi {
namespace {

TEST(MaskDepthTest, is_the_euclidean_distance_to_the_nearest_pixel_outside) {
    std::mt19937 random(7);
    for (const int reach : {2, 5, 13}) {
        GrayImage mask(57, 43);
        for (int i = 0; i < 57 * 43; ++i) mask.data()[i] = random() % 60 != 0;
        GrayImage depth(57, 43, 99);
        separation::mask_depth(mask.view(), reach, depth);
        for (int y = 0; y < 43; ++y)
            for (int x = 0; x < 57; ++x) {
                double least = reach;
                for (int v = 0; v < 43; ++v)
                    for (int u = 0; u < 57; ++u)
                        if (mask(u, v) == 0) least = std::min(least, std::hypot(u - x, v - y));
                ASSERT_EQ(depth(x, y), std::lround(255 * least / reach)) << x << "," << y;
            }
    }
}

TEST(MaskDepthTest, the_windows_edge_is_no_border) {
    const GrayImage mask(9, 7, 1);
    GrayImage depth(9, 7);
    separation::mask_depth(mask.view(), 4, depth);
    for (int i = 0; i < 63; ++i) EXPECT_EQ(depth.data()[i], 255);
    GrayImage none;
    separation::mask_depth(none.view(), 4, none.view());
}

}  // namespace
}  // namespace wsi
