#include "pipeline/training_set.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace wsi {

namespace {

constexpr int kSide = 64;

/// `nuclei` nuclei in rows; the ids start at `first`, so that a patch tells where it came from.
TrainingImage image_with(int nuclei, uint32_t first) {
    TrainingImage image;
    image.rgb = RgbImage(kSide, kSide, 180);
    image.ids = LabelImage(kSide, kSide);
    for (int k = 0; k < nuclei; ++k)
        image.ids(k % kSide, k / kSide) = first + static_cast<uint32_t>(k);
    // Large, so that every patch shows it.
    for (int y = kSide / 4; y < kSide; ++y)
        for (int x = 0; x < kSide; ++x) image.ids(x, y) = first;
    return image;
}

Config small_config() {
    Config config;
    config.train.patch_px = kSide;
    config.train.batch = 1;
    return config;
}

uint32_t most_common_id(const TrainingPatch& patch) {
    std::map<uint32_t, int> counts;
    for (int64_t i = 0; i < patch.ids.size().area(); ++i)
        if (patch.ids.data()[i] > 0) ++counts[patch.ids.data()[i]];
    const auto more = [](const auto& a, const auto& b) { return a.second < b.second; };
    return std::max_element(counts.begin(), counts.end(), more)->first;
}

}  // namespace

TEST(TrainingSetTest, crowded_images_come_more_often_and_none_is_left_out) {
    const std::vector<TrainingImage> images{image_with(1, 1), image_with(500, 10001),
                                            image_with(1, 20001)};
    const PatchSource source(images, small_config());
    std::map<uint32_t, int> shown;
    const int epochs = 120;
    for (int epoch = 0; epoch < epochs; ++epoch)
        for (int64_t step = 0; step < source.steps_per_epoch(); ++step)
            ++shown[most_common_id(source.batch(epoch, step).front())];
    EXPECT_EQ(shown.size(), 3U);
    // Weights are sqrt(8 + nuclei + background): 3.2, 22.6, 3.2 of 28.9.
    EXPECT_NEAR(shown[10001], 3 * epochs * 22.6 / 28.9, 12);
    EXPECT_NEAR(shown[1], 3 * epochs * 3.2 / 28.9, 12);
}

TEST(TrainingSetTest, augmentations_follow_the_settings) {
    const std::vector<TrainingImage> images{image_with(9, 1)};
    Config config = small_config();
    const auto colours = [&] {
        const TrainingPatch patch = PatchSource(images, config).batch(0, 0).front();
        return std::set<uint8_t>(patch.rgb.data(), patch.rgb.data() + 3 * kSide * kSide);
    };
    EXPECT_GT(colours().size(), 1U);
    AugmentConfig& a = config.augment;
    for (double* const chance :
         {&a.affine, &a.elastic, &a.crowding, &a.paleness, &a.distractors, &a.calm, &a.stain,
          &a.exposure, &a.gamma, &a.intensity, &a.clahe, &a.sharpness, &a.noise})
        *chance = 0;
    EXPECT_EQ(colours(), std::set<uint8_t>{180});
}

TEST(TrainingSetTest, a_batch_is_a_pure_function_of_epoch_and_step) {
    const std::vector<TrainingImage> images{image_with(1, 1), image_with(9, 101)};
    const PatchSource one(images, small_config()), other(images, small_config());
    const std::vector<TrainingPatch> late = one.batch(3, 1);
    one.batch(0, 0);
    const std::vector<TrainingPatch> again = other.batch(3, 1);
    EXPECT_TRUE(std::equal(late[0].rgb.data(), late[0].rgb.data() + 3 * kSide * kSide,
                           again[0].rgb.data()));
    EXPECT_TRUE(
        std::equal(late[0].ids.data(), late[0].ids.data() + kSide * kSide, again[0].ids.data()));
}

}  // namespace wsi
