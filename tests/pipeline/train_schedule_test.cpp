#include "pipeline/train_schedule.h"

#include <gtest/gtest.h>

#include <cmath>

namespace wsi {

TEST(TrainScheduleTest, rises_linearly_and_decays_as_asked) {
    TrainConfig config;
    config.learning_rate = 0.2;
    config.warmup_steps = 10;
    EXPECT_DOUBLE_EQ(learning_rate(config, 0, 110), 0.02);
    EXPECT_DOUBLE_EQ(learning_rate(config, 9, 110), 0.2);
    EXPECT_DOUBLE_EQ(learning_rate(config, 60, 110), 0.2 * (0.01 + 0.99 * 0.5));
    EXPECT_NEAR(learning_rate(config, 110, 110), 0.002, 1e-12);
    config.decay = Decay::Polynomial;
    EXPECT_DOUBLE_EQ(learning_rate(config, 10, 110), 0.2);
    EXPECT_DOUBLE_EQ(learning_rate(config, 60, 110), 0.2 * std::pow(0.5, 0.9));
    EXPECT_DOUBLE_EQ(learning_rate(config, 110, 110), 0);
    config.decay = Decay::None;
    EXPECT_DOUBLE_EQ(learning_rate(config, 100, 110), 0.2);
    config.warmup_steps = 0;
    EXPECT_DOUBLE_EQ(learning_rate(config, 0, 110), 0.2);
}

TEST(TrainScheduleTest, patience_counts_epochs_since_the_best) {
    BestEpoch best;
    EXPECT_TRUE(best.offer(0.3, 1));
    EXPECT_FALSE(best.offer(0.3, 2));
    EXPECT_FALSE(best.offer(std::nan(""), 3));
    EXPECT_FALSE(best.hopeless(3, 3));
    EXPECT_TRUE(best.hopeless(4, 3));
    EXPECT_FALSE(best.hopeless(1000, 0));
    EXPECT_TRUE(best.offer(0.4, 5));
    EXPECT_EQ(best.epoch(), 5);
}

}  // namespace wsi
