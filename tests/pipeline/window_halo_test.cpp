#include <gtest/gtest.h>

#include "pipeline/slide_plan.h"

namespace wsi {
namespace {

TEST(WindowHaloTest, rings_reach_farther_than_contours_by_their_width_less_one) {
    const WorkFrame frame{{1000, 1000}, 1, 0.5, 0.5};
    const SeparateParams separation = SeparateParams::from({}, frame);
    FeatureConfig features;
    features.ring_um = 4;  // 8 pixels
    EXPECT_EQ(window_halo_px(separation, features, frame), separation.halo_px() + 7);
    features.ring_um = 0.5;
    EXPECT_EQ(window_halo_px(separation, features, frame), separation.halo_px());
    features.ring_um = 0;
    EXPECT_EQ(window_halo_px(separation, features, frame), separation.halo_px());
    features = {};
    features.ring_um = 4;
    features.ring_texture = false;
    EXPECT_EQ(window_halo_px(separation, features, frame), separation.halo_px() + 7);
    features.intensity = false;
    EXPECT_EQ(window_halo_px(separation, features, frame), separation.halo_px());
}

}  // namespace
}  // namespace wsi
