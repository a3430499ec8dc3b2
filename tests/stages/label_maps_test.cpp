#include "stages/label_maps.h"

#include <gtest/gtest.h>

#include <cmath>

#include "stages/bootstrap.h"

namespace wsi {
namespace {

TEST(LabelMapsTest, nearest_takes_the_pixel_under_the_centre) {
    Image<uint32_t> labels(4, 1);
    for (int64_t x = 0; x < 4; ++x) labels(x, 0) = static_cast<uint32_t>(x + 1);
    const Image<uint32_t> half = resample_labels(labels, {2, 1}, 2);
    EXPECT_EQ(half(0, 0), 2U);
    EXPECT_EQ(half(1, 0), 4U);
    const Image<uint32_t> twice = resample_labels(half, {5, 1}, 0.5);
    const uint32_t expected[] = {2, 2, 4, 4, 4};
    for (int64_t x = 0; x < 5; ++x) EXPECT_EQ(twice(x, 0), expected[x]) << x;
}

TEST(LabelMapsTest, distance_rises_to_255_in_every_nucleus_and_falls_between_touching_ones) {
    Image<uint32_t> labels(9, 5, 0);
    for (int64_t y = 1; y < 4; ++y) {
        for (int64_t x = 1; x < 4; ++x) labels(x, y) = 70000;
        for (int64_t x = 4; x < 7; ++x) labels(x, y) = 2;
    }
    labels(8, 4) = 9;
    const GrayImage distance = nucleus_distance_map(labels);
    EXPECT_EQ(distance(2, 2), 255);
    EXPECT_EQ(distance(5, 2), 255);
    EXPECT_EQ(distance(8, 4), 255);
    EXPECT_EQ(distance(3, 2), 128);
    EXPECT_EQ(distance(4, 2), 128);
    EXPECT_EQ(distance(0, 0), 0);
    EXPECT_EQ(nucleus_mask(labels)(3, 2), 255);
    EXPECT_EQ(nucleus_mask(labels)(7, 2), 0);
}

TEST(BootstrapTest, interval_is_that_of_the_mean_and_reproducible) {
    std::vector<double> values;
    for (int i = 0; i < 400; ++i) values.push_back(i % 2);
    values.push_back(std::nan(""));
    const MeanInterval m = bootstrap_mean(values, 7);
    EXPECT_EQ(m.values, 400);
    EXPECT_DOUBLE_EQ(m.mean, 0.5);
    // Standard error of a fair coin over 400 draws: 0.025.
    EXPECT_NEAR(m.low, 0.5 - 1.96 * 0.025, 0.006);
    EXPECT_NEAR(m.high, 0.5 + 1.96 * 0.025, 0.006);
    EXPECT_EQ(m.low, bootstrap_mean(values, 7).low);
    EXPECT_TRUE(std::isnan(bootstrap_mean({}, 7).mean));
}

}  // namespace
}  // namespace wsi
