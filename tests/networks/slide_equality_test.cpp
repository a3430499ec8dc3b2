// A network keeps the promise that the pipeline makes: the same bytes however the slide is cut.
#include <gtest/gtest.h>

#include <filesystem>

#include "config/config_io.h"
#include "io/result_store.h"
#include "model/nn/network_segmenter.h"
#include "model/nn/networks.h"
#include "model/nn/state.h"
#include "tests/networks/fused_weights.h"
#include "tests/pipeline/run_harness.h"

namespace wsi {
namespace {

/// A draw whose network finds hundreds of nuclei; most find none or a single one.
constexpr uint64_t kSeed = 8;

/// Weights that nobody trained; what they find is arbitrary, and so the hardest to cut.
void write_random_weights(const std::string& path) {
    Config config;
    config.network.base = 4;
    const std::shared_ptr<nn::Network> network = nn::make_network(config.network, kSeed);
    nn::Notes notes;
    for (const auto& [key, value] : training_fields(config)) notes[key] = value;
    nn::write_state(path, nn::state_of(*network), notes, at::kHalf);
}

/// The digests of the sample slide must not depend on how it is cut and who works on it.
void expect_the_same_however_cut(const std::function<void(const std::string&)>& write_weights) {
    const test::TempDir dir;
    test::SlideTrial run;
    run.slide = std::string(WSI_SOURCE_DIR) + "/examples/data/CMU-1-Small-Region.svs";
    const std::string weights = dir.file("random.safetensors");
    // In a child as well: OpenMP's threads, once started here, would be missing in later children.
    const test::ChildEnd written = test::run_in_child([&] { write_weights(weights); });
    ASSERT_EQ(written.exit_code, 0) << written.message;
    run.segmenter = [&] { return std::make_unique<nn::NetworkSegmenter>(weights, ModelConfig{}); };
    std::map<std::string, std::string> expected;
    struct Variant {
        const char* name;
        int region_px, threads;
        uint64_t shuffle_seed;
    };
    for (const Variant& v : {Variant{"one-thread", 512, 1, 0}, Variant{"two", 512, 2, 0},
                             Variant{"regions-1024", 1024, 2, 0}, Variant{"shuffled", 512, 4, 5}}) {
        std::filesystem::create_directories(dir.path() / v.name);
        run.outputs = {(dir.path() / v.name / "r.h5").string(),
                       (dir.path() / v.name / "r.csv").string()};
        run.region_px = v.region_px;
        run.threads = v.threads;
        run.shuffle_seed = v.shuffle_seed;
        const test::ChildEnd end = test::run_child(run);
        ASSERT_EQ(end.exit_code, 0) << v.name << ": " << end.message << " signal " << end.signal;
        const auto got = test::digests(run.outputs);
        if (expected.empty()) expected = got;
        EXPECT_EQ(test::first_difference(expected, got), "") << v.name;
    }
    const ResultReader reader((dir.path() / "two" / "r.h5").string());
    EXPECT_GT(reader.count(), 100U);
    std::printf("%lu nuclei\n", reader.count());
}

TEST(NetworkEqualityTest, a_slide_comes_out_the_same_however_it_is_cut) {
    expect_the_same_however_cut(write_random_weights);
}

TEST(NetworkEqualityTest, so_does_one_with_an_embedding_of_every_tile) {
    Config config = test::fused_config(EncoderContext::Tile);
    config.network.encoder_px = 512;
    config.train.patch_px = 256;
    config.run.seed = kSeed;
    expect_the_same_however_cut(
        [&](const std::string& path) { test::write_fused_weights(path, config); });
}

TEST(NetworkEqualityTest, so_does_one_with_fields_of_many_tiles) {
    Config config = test::fused_config(EncoderContext::Field);
    config.run.seed = kSeed;
    expect_the_same_however_cut(
        [&](const std::string& path) { test::write_fused_weights(path, config); });
}

}  // namespace
}  // namespace wsi
