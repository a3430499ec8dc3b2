#include "pipeline/separation_tuning.h"

#include <gtest/gtest.h>

#include <cmath>

namespace wsi {

namespace {

/// Discs of radius 7 px whose map is timid: at most 0.48 inside, 0.1 outside.
PredictedImage timid_discs(LabelImage& truth) {
    truth = LabelImage(96, 96);
    PredictedImage image{GrayImage(96, 96, 25), GrayImage(96, 96), &truth};
    uint32_t id = 0;
    for (int cy = 16; cy < 96; cy += 32)
        for (int cx = 16; cx < 96; cx += 32) {
            ++id;
            for (int y = cy - 7; y <= cy + 7; ++y)
                for (int x = cx - 7; x <= cx + 7; ++x) {
                    const double r = std::hypot(x - cx, y - cy);
                    if (r > 7) continue;
                    truth(x, y) = id;
                    image.probability(x, y) = 122;
                    image.distance(x, y) = static_cast<uint8_t>(255 * (1 - r / 8));
                }
        }
    return image;
}

}  // namespace

TEST(SeparationTuningTest, finds_the_threshold_of_a_timid_network) {
    LabelImage truth;
    const std::vector<PredictedImage> images{timid_discs(truth)};
    const SeparateConfig start;
    EXPECT_LT(score_separation(start, images, 0.5).pq, 0.1);
    const TunedSeparation tuned = tune_separation(start, images, 0.5);
    EXPECT_LE(tuned.settings.threshold, 0.45);
    EXPECT_GT(tuned.score.pq, 0.95);
    EXPECT_DOUBLE_EQ(tuned.score.pq, score_separation(tuned.settings, images, 0.5).pq);
}

}  // namespace wsi
