#include "model/train/torch_trainer.h"

#include <gmock/gmock.h>

#include "model/train/losses.h"
#include "tests/networks/fused_weights.h"
#include "tests/support/temp_dir.h"

namespace wsi::train {

namespace {

Config small_config() {
    Config config;
    config.network.base = 4;
    config.train.precision = Precision::Fp32;
    config.train.patch_px = 32;
    config.run.threads = 1;
    config.run.device = "cpu";
    return config;
}

/// Dark discs on a light ground.
std::vector<TrainingPatch> patches(uint64_t seed) {
    std::vector<TrainingPatch> batch;
    Random random(seed);
    for (int k = 0; k < 2; ++k) {
        TrainingPatch patch{RgbImage(32, 32, 220), LabelImage(32, 32)};
        const double cx = random.uniform(8, 24), cy = random.uniform(8, 24);
        for (int y = 0; y < 32; ++y)
            for (int x = 0; x < 32; ++x)
                if ((x - cx) * (x - cx) + (y - cy) * (y - cy) < 36) {
                    patch.ids(x, y) = 1;
                    for (int c = 0; c < 3; ++c) patch.rgb(x, y, c) = 90;
                }
        batch.push_back(std::move(patch));
    }
    return batch;
}

double train(Trainer& trainer, int first, int last) {
    double loss = 0;
    for (int i = first; i < last; ++i)
        loss = trainer.step(patches(static_cast<uint64_t>(i)), 3e-3).total;
    return loss;
}

}  // namespace

TEST(TrainerTest, learns_discs) {
    TorchTrainer trainer(small_config());
    const double before = trainer.step(patches(0), 3e-3).total;
    EXPECT_LT(train(trainer, 1, 60), 0.6 * before);
    GrayImage probability, distance;
    const TrainingPatch patch = patches(1000).front();
    trainer.predict(patch.rgb, probability, distance);
    int64_t right = 0;
    for (int64_t i = 0; i < probability.size().area(); ++i)
        right += (probability.data()[i] > 127) == (patch.ids.data()[i] > 0);
    EXPECT_GT(right, 950);
}

/// The coarsest head is far from the output: it moves only when its own loss is counted.
TEST(TrainerTest, deep_supervision_counts_the_loss_of_every_scale) {
    const test::TempDir dir;
    Config config = small_config();
    config.network.deep_supervision = true;
    config.train.weight_decay = 0;
    TorchTrainer trainer(config);
    trainer.save_weights(dir.file("before.safetensors"), {});
    const double first = train(trainer, 0, 1);
    EXPECT_LT(train(trainer, 1, 30), first);
    trainer.save_weights(dir.file("after.safetensors"), {});
    const nn::StateDict before = nn::read_state(dir.file("before.safetensors")).tensors,
                        after = nn::read_state(dir.file("after.safetensors")).tensors;
    for (const char* head : {"outconv1", "outconv2", "outconv3", "outconv4", "outconv5"}) {
        const std::string name = std::string(head) + ".weight";
        EXPECT_GT((after.at(name) - before.at(name)).abs().max().item<double>(), 1e-3) << name;
    }
    // A head of noise on one scale raises the loss of all by its share.
    const auto loss = [&](bool noisy) {
        TorchTrainer fresh(config);
        nn::StateDict weights = after;
        if (noisy) weights.at("outconv5.bias") = at::full({2}, 40.0F);
        const nn::StateFile file = nn::read_state(dir.file("after.safetensors"));
        nn::write_state(dir.file("w.safetensors"), weights, file.notes);
        fresh.start_from(dir.file("w.safetensors"));
        return fresh.step(patches(500), 0).total;
    };
    EXPECT_GT(loss(true), loss(false) + 1);
}

TEST(TrainerTest, goes_on_from_a_checkpoint_bit_for_bit) {
    const test::TempDir dir;
    const std::string path = dir.file("c.safetensors");
    TorchTrainer whole(small_config());
    train(whole, 0, 6);
    whole.save_checkpoint(dir.file("whole.safetensors"), {});
    TorchTrainer first(small_config());
    train(first, 0, 3);
    first.save_checkpoint(path, {{"run.step", "3"}});
    TorchTrainer second(small_config());
    EXPECT_EQ(second.load_checkpoint(path).at("run.step"), "3");
    train(second, 3, 6);
    second.save_checkpoint(path, {});
    const nn::StateFile a = nn::read_state(dir.file("whole.safetensors")), b = nn::read_state(path);
    ASSERT_EQ(a.tensors.size(), b.tensors.size());
    for (const auto& [name, tensor] : a.tensors)
        EXPECT_TRUE(tensor.equal(b.tensors.at(name))) << name;
}

TEST(TrainerTest, refuses_a_checkpoint_made_with_other_settings) {
    const test::TempDir dir;
    const std::string path = dir.file("c.safetensors");
    TorchTrainer(small_config()).save_checkpoint(path, {});
    Config other = small_config();
    other.network.base = 8;
    TorchTrainer wider(other);
    try {
        wider.load_checkpoint(path);
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("network.base = 4, now it is 8"));
    }
}

TEST(TrainerTest, refuses_to_start_from_weights_of_another_network_of_the_same_shape) {
    const test::TempDir dir;
    Config leaky = small_config(), swish = small_config();
    leaky.network.activation = NetworkActivation::LeakyRelu;
    swish.network.activation = NetworkActivation::Swish;
    TorchTrainer(leaky).save_weights(dir.file("w.safetensors"), {});
    TorchTrainer(leaky).start_from(dir.file("w.safetensors"));
    TorchTrainer other(swish);
    try {
        other.start_from(dir.file("w.safetensors"));
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("network.activation = leaky_relu"));
        EXPECT_THAT(error.what(), testing::HasSubstr("expected swish"));
    }
}

TEST(AdamTest, both_kinds_equal_their_definitions) {
    for (const WeightDecay kind : {WeightDecay::Apart, WeightDecay::InGradient}) {
        const at::Tensor w = at::full({1, 1}, 2.0).requires_grad_();
        Adam adam({w}, kind, 0.1);
        double x = 2, m = 0, v = 0;
        for (int t = 1; t <= 3; ++t) {
            (w * w).sum().backward();
            adam.step(0.01);
            double gradient = 2 * x;
            if (kind == WeightDecay::Apart)
                x *= 1 - 0.01 * 0.1;
            else
                gradient += 0.1 * x;
            m = 0.9 * m + 0.1 * gradient;
            v = 0.999 * v + 0.001 * gradient * gradient;
            x -= 0.01 * (m / (1 - std::pow(0.9, t))) /
                 (std::sqrt(v / (1 - std::pow(0.999, t))) + 1e-8);
            EXPECT_NEAR(w.item<double>(), x, 1e-6) << t;
        }
    }
}

TEST(TrainerTest, a_checkpoint_from_before_a_setting_existed_had_its_default) {
    const test::TempDir dir;
    const std::string path = dir.file("c.safetensors");
    TorchTrainer(small_config()).save_checkpoint(path, {});
    nn::StateFile old = nn::read_state(path);
    old.notes.erase("train.decay");
    nn::write_state(path, old.tensors, old.notes);
    TorchTrainer(small_config()).load_checkpoint(path);
    Config other = small_config();
    other.train.decay = Decay::Polynomial;
    TorchTrainer trainer(other);
    EXPECT_THROW(trainer.load_checkpoint(path), Error);
}

/// Skipped where there is no device.
class CudaTrainerTest : public testing::Test {
protected:
    void SetUp() override {
        if (!at::hasCUDA()) GTEST_SKIP() << "LibTorch sees no CUDA device";
    }
    static std::vector<double> losses(Config config, const char* device) {
        config.run.device = device;
        TorchTrainer trainer(config);
        std::vector<double> all;
        for (uint64_t i = 0; i < 5; ++i) all.push_back(trainer.step(patches(i), 3e-3).total);
        return all;
    }
};

TEST_F(CudaTrainerTest, loses_as_much_as_on_a_cpu) {
    Config config = small_config();
    config.network.dropout = 0;  // drawn by another generator
    const std::vector<double> cpu = losses(config, "cpu"), cuda = losses(config, "cuda");
    EXPECT_NEAR(cuda[0] / cpu[0], 1, 1e-4);
    // Steps of Adam blow up small differences.
    for (size_t i = 1; i < cpu.size(); ++i) EXPECT_NEAR(cuda[i] / cpu[i], 1, 0.02) << i;
    config.train.precision = Precision::Bf16;
    EXPECT_NEAR(losses(config, "cuda")[0] / cpu[0], 1, 0.02);
}

TEST_F(CudaTrainerTest, so_does_a_fused_network) {
    const test::TempDir dir;
    Config config = wsi::test::fused_config(EncoderContext::Tile);
    config.model.encoder_weights = dir.file("encoder.safetensors");
    config.train.precision = Precision::Fp32;
    config.network.dropout = 0;
    config.train.patch_px = 32;
    config.network.encoder_px = 128;
    wsi::test::write_random_encoder(config.model.encoder_weights, config, 1);
    EXPECT_NEAR(losses(config, "cuda")[0] / losses(config, "cpu")[0], 1, 1e-4);
}

/// What a device has learned, a CPU says and goes on with.
TEST_F(CudaTrainerTest, its_weights_and_checkpoints_are_a_cpus) {
    const test::TempDir dir;
    Config config = small_config();
    config.run.device = "cuda";
    TorchTrainer there(config), here(small_config());
    train(there, 0, 40);
    there.save_checkpoint(dir.file("c.safetensors"), {});
    here.load_checkpoint(dir.file("c.safetensors"));
    GrayImage a, b, distance;
    there.predict(patches(1000).front().rgb, a, distance);
    here.predict(patches(1000).front().rgb, b, distance);
    int apart = 0;
    for (int64_t i = 0; i < a.size().area(); ++i)
        apart = std::max(apart, std::abs(a.data()[i] - b.data()[i]));
    EXPECT_LE(apart, 1);
    EXPECT_LT(train(here, 40, 45), 1);
}

TEST(LossesTest, equal_their_definitions) {
    const at::Tensor logits = at::tensor({2.0F, -1.0F, 0.5F, 0.0F}).view({1, 1, 2, 2});
    const at::Tensor truth = at::tensor({1.0F, 0.0F, 0.0F, 1.0F}).view({1, 1, 2, 2});
    // p = .880797 .268941 .622459 .5; by hand with smoothing 1 and gamma 2.
    EXPECT_NEAR(dice_loss(logits, truth).item<double>(),
                1 - (2 * (0.880797 + 0.5) + 1) / (0.880797 + 0.268941 + 0.622459 + 0.5 + 2 + 1),
                1e-5);
    const auto focal = [](double p) { return -(1 - p) * (1 - p) * std::log(p); };
    EXPECT_NEAR(focal_loss(logits, truth).item<double>(),
                (focal(0.880797) + focal(1 - 0.268941) + focal(1 - 0.622459) + focal(0.5)) / 4,
                1e-5);
}

}  // namespace wsi::train
