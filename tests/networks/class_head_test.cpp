// The head that tells nuclei apart: learned from classes that travel in nuclei's ids.
#include <gtest/gtest.h>

#include "config/config_io.h"
#include "io/types/random.h"
#include "model/nn/network_segmenter.h"
#include "model/train/losses.h"
#include "model/train/torch_trainer.h"
#include "stages/class_ids.h"
#include "tests/support/temp_dir.h"

namespace wsi {

namespace {

/// Discs on a pale ground, blue ones of class 1 and brown ones of class 2; every fourth nucleus has
/// no class.
TrainingPatch patch(uint64_t seed, int side = 64) {
    TrainingPatch out{RgbImage(side, side, 230), LabelImage(side, side)};
    Random random(seed);
    for (uint32_t n = 1; n <= 6; ++n) {
        const int64_t x = random.index(side), y = random.index(side);
        const bool brown = random.chance(0.5);
        const uint32_t id = id_with_class(n, n % 4 == 0 ? 0 : brown ? 2 : 1);
        for (int64_t v = std::max<int64_t>(0, y - 7); v < std::min<int64_t>(side, y + 8); ++v)
            for (int64_t u = std::max<int64_t>(0, x - 7); u < std::min<int64_t>(side, x + 8); ++u) {
                if ((u - x) * (u - x) + (v - y) * (v - y) > 50) continue;
                out.ids(u, v) = id;
                out.rgb(u, v, 0) = brown ? 120 : 60;
                out.rgb(u, v, 1) = 70;
                out.rgb(u, v, 2) = brown ? 30 : 150;
            }
    }
    return out;
}

}  // namespace

TEST(ClassIdsTest, a_class_travels_with_the_nucleus) {
    EXPECT_EQ(class_of_id(id_with_class(77, 5)), 5U);
    EXPECT_EQ(own_id(id_with_class(77, 5)), 77U);
    EXPECT_EQ(class_of_id(77), 0U);
    EXPECT_EQ(id_with_class(id_with_class(77, 5), 2), id_with_class(77, 2));
}

TEST(ClassIdsTest, copies_of_nuclei_are_of_their_class) {
    int64_t right = 0, wrong = 0;
    for (uint64_t seed = 1; seed < 6; ++seed) {
        TrainingPatch crowded = patch(seed, 128);
        const LabelImage before = crowded.ids;
        Random random(seed);
        crowd_nuclei(crowded, random);
        for (int64_t i = 0; i < before.size().area(); ++i) {
            const uint32_t id = crowded.ids.data()[i];
            if (id == before.data()[i] || before.data()[i] != 0 || class_of_id(id) == 0) continue;
            const bool brown = crowded.rgb.data()[3 * i + 2] < 90;
            (brown == (class_of_id(id) == 2) ? right : wrong) += 1;
        }
    }
    EXPECT_GT(right, 500);
    EXPECT_LT(10 * wrong, right);  // where copies lie on copies colours mix
}

TEST(ClassLossTest, counts_only_nuclei_whose_class_is_given) {
    const at::Tensor logits = at::zeros({1, 2, 1, 3});
    logits[0][0][0][1] = 3.0;
    const auto loss = [&](std::vector<int64_t> truth) {
        return train::class_loss(logits, at::tensor(truth).view({1, 1, 3})).item<double>();
    };
    EXPECT_EQ(loss({0, 0, 0}), 0);
    EXPECT_NEAR(loss({1, 0, 0}), std::log(2.0), 1e-6);
    EXPECT_NEAR(loss({0, 1, 0}), std::log1p(std::exp(-3.0)), 1e-6);
    EXPECT_NEAR(loss({0, 2, 0}), 3 + std::log1p(std::exp(-3.0)), 1e-6);
    EXPECT_NEAR(loss({1, 1, 0}), (std::log(2.0) + std::log1p(std::exp(-3.0))) / 2, 1e-6);
}

TEST(ClassHeadTest, learns_the_classes_it_is_shown) {
    Config config;
    config.network.base = 4;
    config.network.classes = "Blue;Brown";
    config.train.precision = Precision::Fp32;
    config.train.normalised_share = 0;
    config.run.threads = 1;
    train::TorchTrainer trainer(config);
    for (uint64_t step = 0; step < 80; ++step) {
        std::vector<TrainingPatch> batch;
        for (uint64_t i = 0; i < 4; ++i) batch.push_back(patch(100 + 4 * step + i));
        trainer.step(batch, 5e-3);
    }
    const test::TempDir dir;
    trainer.save_weights(dir.file("w.safetensors"), {});
    nn::NetworkSegmenter segmenter(dir.file("w.safetensors"), {});
    ASSERT_EQ(segmenter.input_spec().classes.size(), 2U);
    EXPECT_EQ(segmenter.input_spec().classes[1].name, "Brown");
    int64_t right = 0, all = 0;
    for (uint64_t seed = 1; seed <= 4; ++seed) {
        const TrainingPatch shown = patch(seed);
        TileSlot slot;
        slot.rgb = shown.rgb;
        slot.inside = {0, 0, 64, 64};
        slot.maps = std::vector<GrayImage>(kFirstClass + 2, GrayImage(64, 64));
        TileSlot* batch[] = {&slot};
        segmenter.segment(batch, {});
        for (int64_t i = 0; i < 64 * 64; ++i) {
            const uint32_t c = class_of_id(shown.ids.data()[i]);
            if (c == 0) continue;
            ++all;
            right +=
                slot.maps[kFirstClass + c - 1].data()[i] > slot.maps[kFirstClass + 2 - c].data()[i];
        }
    }
    std::printf("%.3f of nuclei's pixels are of the right class\n",
                static_cast<double>(right) / static_cast<double>(all));
    EXPECT_GT(static_cast<double>(right), 0.9 * static_cast<double>(all));
}

TEST(ClassificationModuleTest, settings_switch_it_on_and_its_loss_counts) {
    for (const char* name : {"eunet3plus", "unet3plus"})
        for (const bool on : {false, true}) {
            Config config;
            config.network.architecture = name;
            config.network.base = 4;
            config.network.classification = on;
            config.train.precision = Precision::Fp32;
            config.run.threads = 1;
            train::TorchTrainer trainer(config);
            const std::vector<TrainingPatch> batch{patch(1), patch(2)};
            const StepLoss loss = trainer.step(batch, 1e-3);
            const double others =
                0.5 * loss.dice + 0.5 * loss.focal + config.train.distance_weight * loss.distance;
            if (on)
                EXPECT_GT(loss.total, others + 0.01) << name;
            else
                EXPECT_NEAR(loss.total, others, 1e-5) << name;
        }
}

}  // namespace wsi
