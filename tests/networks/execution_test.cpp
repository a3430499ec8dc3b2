// Passes of many tiles, half precision, devices: what a run on CUDA does, as far as a CPU can show
// it. The last suite needs a CUDA device and says so where there is none.
#include "model/nn/execution.h"

#include <gmock/gmock.h>

#include "config/config_io.h"
#include "model/nn/attention.h"
#include "model/nn/encoders.h"
#include "model/nn/network_segmenter.h"
#include "model/nn/networks.h"
#include "model/nn/open_model.h"
#include "model/nn/sam_encoder.h"
#include "tests/networks/fused_weights.h"
#include "tests/networks/noise_weights.h"
#include "tests/support/message_of.h"
#include "tests/support/noise_image.h"
#include "tests/support/temp_dir.h"

namespace wsi::nn {

using wsi::test::message_of;
using wsi::test::TempDir;

namespace {

struct Written {
    TempDir dir;
    std::string file = dir.file("w.safetensors");
};

/// A network with random weights; its heads are scaled so that maps have all values.
void write_weights(const std::string& file, const Config& config, uint64_t seed = 8) {
    const std::shared_ptr<Network> network = make_network(config.network, seed);
    Notes notes;
    for (const auto& [key, value] : training_fields(config)) notes[key] = value;
    write_state(file, state_of(*network), notes);
}

Config settings(const char* architecture) {
    Config config;
    config.network.architecture = architecture;
    config.network.base = 4;
    return config;
}

TileSlot slot_with_noise(int side, uint64_t seed, const PixelRect& inside,
                         size_t maps = kMapCount) {
    TileSlot slot;
    slot.rgb = wsi::test::noise_image(side, seed);
    slot.normalised = slot.rgb;
    slot.inside = inside;
    slot.maps.resize(maps);
    for (GrayImage& map : slot.maps) map = GrayImage(side, side, 77);
    return slot;
}

bool same_maps(const TileSlot& a, const TileSlot& b) {
    for (size_t m = 0; m < a.maps.size(); ++m)
        if (!std::equal(a.maps[m].data(), a.maps[m].data() + a.maps[m].size().area(),
                        b.maps[m].data()))
            return false;
    return true;
}

/// Greatest and mean difference of all maps, in grey levels.
std::pair<int, double> levels_apart(const TileSlot& a, const TileSlot& b) {
    int most = 0;
    double sum = 0, count = 0;
    for (size_t m = 0; m < a.maps.size(); ++m)
        for (int64_t i = 0; i < a.maps[m].size().area(); ++i) {
            const int apart = std::abs(a.maps[m].data()[i] - b.maps[m].data()[i]);
            most = std::max(most, apart);
            sum += apart;
            ++count;
        }
    return {most, sum / count};
}

/// Four tiles, of which two reach beyond the slide, as far that poolings do not divide the rest.
std::vector<TileSlot> tiles(size_t maps = kMapCount) {
    std::vector<TileSlot> slots;
    for (uint64_t seed = 1; seed <= 4; ++seed)
        slots.push_back(slot_with_noise(
            96, seed, seed % 2 == 1 ? PixelRect{0, 0, 60, 96} : PixelRect{0, 0, 96, 96}, maps));
    return slots;
}

void segment(NetworkSegmenter& segmenter, std::vector<TileSlot>& slots,
             std::initializer_list<size_t> which) {
    std::vector<TileSlot*> batch;
    for (const size_t i : which) batch.push_back(&slots[i]);
    segmenter.segment(batch, {});
}

const Execution kBf16{.type = at::kBFloat16, .batch = 3};

}  // namespace

TEST(ExecutionTest, a_pass_of_many_tiles_says_what_single_ones_say) {
    for (const char* name : {"eunet3plus", "unet"}) {
        const Written weights;
        write_weights(weights.file, settings(name));
        NetworkSegmenter single(weights.file, {}), many(weights.file, {}, {.batch = 3});
        std::vector<TileSlot> alone = tiles(), together = tiles();
        for (const size_t i : {0U, 1U, 2U, 3U}) segment(single, alone, {i});
        segment(many, together, {0, 1, 2, 3});
        for (size_t i = 0; i < alone.size(); ++i)
            EXPECT_TRUE(same_maps(alone[i], together[i])) << name << " " << i;
    }
}

TEST(ExecutionTest, a_tiles_maps_depend_on_no_other_tile_of_its_pass) {
    const auto check = [](const Config& config, const Execution& execution) {
        const Written weights;
        write_weights(weights.file, config);
        NetworkSegmenter segmenter(weights.file, {}, execution);
        std::vector<TileSlot> alone = tiles(), pair = tiles(), all = tiles();
        segment(segmenter, alone, {3});
        segment(segmenter, pair, {1, 3});
        segment(segmenter, all, {3, 2, 1, 0});
        EXPECT_TRUE(same_maps(alone[3], pair[3])) << config.network.architecture;
        EXPECT_TRUE(same_maps(alone[3], all[3])) << config.network.architecture;
        EXPECT_TRUE(same_maps(pair[1], all[1])) << config.network.architecture;
    };
    Config stays_with_libtorch = settings("eunet3plus");
    stays_with_libtorch.network.place = ActivationPlacement::All;
    check(stays_with_libtorch, {.batch = 3});
    for (const char* name : {"eunet3plus", "unet"}) check(settings(name), kBf16);
}

TEST(ExecutionTest, half_precision_is_near_float32) {
    for (const char* name : {"eunet3plus", "unet3plus", "unet", "asppunet", "deau", "ddunet"}) {
        const Written weights;
        write_weights(weights.file, settings(name));
        NetworkSegmenter exact(weights.file, {}), half(weights.file, {}, kBf16);
        std::vector<TileSlot> a = tiles(), b = tiles();
        segment(exact, a, {0, 1, 2, 3});
        segment(half, b, {0, 1, 2, 3});
        for (size_t i = 0; i < a.size(); ++i) {
            const auto [most, mean] = levels_apart(a[i], b[i]);
            EXPECT_LE(most, 12) << name << " " << i;
            EXPECT_LE(mean, 1.5) << name << " " << i;
            EXPECT_GT(most, 0) << name << ": not in bfloat16 at all";
        }
        EXPECT_NE(exact.input_spec().hash, half.input_spec().hash);
    }
}

TEST(ExecutionTest, encoders_in_half_precision_are_near_float32) {
    const c10::InferenceMode inference;
    for (const char* name : {"tiny", "mobile_sam"}) {
        NetworkConfig config;
        config.encoder = name;
        config.encoder_px = 256;
        const auto bare = bare_encoder(config);
        test::fill_by_noise(*bare);
        StateDict state;
        for (const auto& [key, tensor] : state_of(*bare)) state["image_encoder." + key] = tensor;
        const auto exact = make_encoder(config, state, name);
        StateDict copies;
        for (const auto& [key, tensor] : state) copies[key] = tensor.clone();
        const auto half = make_encoder(config, copies, name, kBf16);
        const at::Tensor image = (test::formula_image(256) - 0.5) * 4;
        const at::Tensor expected = exact->forward(image);
        const ExecutionScope scope(kBf16);
        const at::Tensor got = half->forward(image);
        const double apart = ((got - expected).abs().max() / expected.abs().max()).item<double>();
        std::printf("%s: bfloat16 %.2g of the largest value from float32\n", name, apart);
        EXPECT_LE(apart, 5e-2) << name;
        EXPECT_GT(apart, 1e-4) << name << ": not in bfloat16 at all";
    }
}

TEST(ExecutionTest, softmax_of_half_precision_is_in_float32) {
    // Rows add 64 to every logit, which changes nothing, columns steps of 1/8: at 64 bfloat16 has
    // steps of 1/2, so that a sum in it would lose the columns.
    const c10::InferenceMode inference;
    const int64_t side = 16, tokens = side * side, dim = 8;
    at::manual_seed(3);
    const at::Tensor q = at::ones({1, tokens, dim}), k = at::zeros({1, tokens, dim});
    const at::Tensor v = at::randn({1, tokens, dim}).to(at::kBFloat16);
    const at::Tensor rows = at::full({2 * side - 1, dim}, 64.0 / dim);
    const at::Tensor columns =
        (at::arange(2 * side - 1) / 64.0).unsqueeze(1).expand({2 * side - 1, dim}).contiguous();
    const auto attended = [&](at::ScalarType type) {
        return attend_with_positions(q.to(type), k.to(type), v.to(type), rows.to(type),
                                     columns.to(type), side, side)
            .to(at::kDouble);
    };
    const at::Tensor expected = attended(at::kDouble);
    const double apart = (attended(at::kBFloat16) - expected).abs().max().item<double>();
    EXPECT_LE(apart / expected.abs().max().item<double>(), 0.01);
}

TEST(ExecutionTest, says_why_it_cannot_run) {
    if (!at::hasCUDA()) {
        EXPECT_THAT(message_of([] { execution_of({}, "cuda"); }),
                    testing::AllOf(testing::HasSubstr("finds no CUDA device"),
                                   testing::HasSubstr("leave --device out")));
        EXPECT_TRUE(execution_of({}, "auto").plain());
    }
    ModelConfig half;
    half.precision = Precision::Fp16;
    EXPECT_THAT(message_of([&] { execution_of(half, "cpu"); }), testing::HasSubstr("bf16"));
    const Execution device{at::Device(at::kCUDA, 0), at::kFloat, 4};
    EXPECT_EQ(
        message_of([&] { check_device_memory(device, 300 << 20, 200 << 20, 640); }),
        "not enough memory for the batch: 4 tiles of 640 px and the weights need about 300 "
        "MiB on cuda:0, of which 200 MiB are free; lower model.batch or model.tile_px, or use "
        "model.precision = bf16");
    check_device_memory(device, 200 << 20, 300 << 20, 640);
}

/// Skipped where there is no device.
class CudaTest : public testing::Test {
protected:
    void SetUp() override {
        if (!at::hasCUDA()) GTEST_SKIP() << "LibTorch sees no CUDA device";
    }
};

TEST_F(CudaTest, a_slides_tiles_are_what_the_cpu_says) {
    for (const char* name : {"eunet3plus", "unet3plus", "unet", "sharpunet", "asppunet", "deau",
                             "ddunet", "awgunet"}) {
        const Written weights;
        write_weights(weights.file, settings(name));
        ModelConfig config;
        NetworkSegmenter cpu(weights.file, config);
        NetworkSegmenter cuda(weights.file, config, execution_of(config, "cuda"));
        config.precision = Precision::Fp16;
        NetworkSegmenter half(weights.file, config, execution_of(config, "cuda"));
        EXPECT_TRUE(cuda.owns_thread());
        EXPECT_EQ(cuda.max_concurrency(), 1);
        std::vector<TileSlot> a = tiles(), b = tiles(), c = tiles(), alone = tiles();
        segment(cpu, a, {0, 1, 2, 3});
        segment(cuda, b, {0, 1, 2, 3});
        segment(half, c, {0, 1, 2, 3});
        segment(cuda, alone, {3});
        EXPECT_TRUE(same_maps(b[3], alone[3])) << name;
        for (size_t i = 0; i < a.size(); ++i) {
            EXPECT_LE(levels_apart(a[i], b[i]).first, 1) << name << " " << i;
            EXPECT_LE(levels_apart(a[i], c[i]).first, 12) << name << " " << i;
        }
    }
}

TEST_F(CudaTest, so_is_what_an_encoder_says) {
    const TempDir dir;
    wsi::test::write_fused_weights(dir.file("w.safetensors"),
                                   wsi::test::fused_config(EncoderContext::Field));
    NetworkSegmenter cpu(dir.file("w.safetensors"), {});
    NetworkSegmenter cuda(dir.file("w.safetensors"), {}, execution_of({}, "cuda"));
    const int side = cpu.input_spec().input_px();
    TileSlot a = slot_with_noise(side, 1, {0, 0, side, side}),
             b = slot_with_noise(side, 1, {0, 0, side, side});
    TileSlot *one[] = {&a}, *other[] = {&b};
    cpu.segment(one, {});
    cuda.segment(other, {});
    EXPECT_LE(levels_apart(a, b).first, 1);
}

}  // namespace wsi::nn
