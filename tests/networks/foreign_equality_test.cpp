// A published architecture keeps the promise that the pipeline makes: the same bytes however the
// slide is cut, with offsets, classes and mirrored ends.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "io/result_store.h"
#include "model/nn/foreign_segmenter.h"
#include "model/nn/hovernet.h"
#include "model/nn/open_model.h"
#include "model/nn/state.h"
#include "tests/networks/noise_weights.h"
#include "tests/pipeline/run_harness.h"
#include "tests/support/planted.h"

namespace wsi {
namespace {

test::PlantedNuclei nuclei(const PixelSize& size) {
    return test::PlantedNuclei(test::plant_grid(size, 44, 15, 5));
}

/// So that no channel of a head is the greatest everywhere.
void balance(nn::StateDict state, const std::string& bias, const at::Tensor& logits) {
    state.at(bias).sub_(logits.flatten(1).mean(1));
}

/// Narrow and drawn by formula; the heads' biases are set so that about half of such tissue is
/// nucleus, and of several classes.
void write_weights(const std::string& path) {
    nn::HoverNet network(nn::HoverNetOptions{nn::HoverNetMode::Fast, 6, 8});
    nn::test::fill_by_noise(*network);
    network->eval();
    const at::NoGradGuard no_gradients;
    RgbImage tissue(256, 256);
    nuclei({256, 256}).stained()({0, 0, 256, 256}, tissue);
    const nn::HoverNetImpl::Logits logits =
        network->forward(nn::mirrored_square(tissue.view(), {0, 0, 256, 256}, 256));
    balance(nn::state_of(*network), "decoder.np.u0.conv.bias", logits.np[0]);
    balance(nn::state_of(*network), "decoder.tp.u0.conv.bias", logits.tp[0]);
    nn::write_state(path, nn::state_of(*network), {}, at::kHalf);
}

TEST(ForeignEqualityTest, a_slide_comes_out_the_same_however_it_is_cut) {
    const test::TempDir dir;
    const PixelSize size{1300, 520};  // 4 x 2 tiles: two regions as small as separation allows
    test::SlideOptions options;
    options.size = size;
    test::write_svs(dir.file("slide.svs"), options, nuclei(size).stained());
    const std::string weights = dir.file("hovernet.safetensors");
    ASSERT_EQ(test::run_in_child([&] { write_weights(weights); }).exit_code, 0);
    test::SlideTrial run;
    run.slide = dir.file("slide.svs");
    run.segmenter = [&] { return nn::open_model(weights); };
    std::map<std::string, std::string> expected;
    struct Variant {
        const char* name;
        int region_px, regions, threads;
        uint64_t shuffle_seed;
    };
    for (const Variant& v : {Variant{"one-thread", 800, 2, 1, 0}, Variant{"whole", 1600, 1, 2, 0},
                             Variant{"shuffled", 800, 2, 4, 5}}) {
        std::filesystem::create_directories(dir.path() / v.name);
        run.outputs = {(dir.path() / v.name / "r.h5").string(),
                       (dir.path() / v.name / "r.geojson").string()};
        run.region_px = v.region_px;
        run.threads = v.threads;
        run.shuffle_seed = v.shuffle_seed;
        EXPECT_EQ(test::count_points(run).at("commit"), 4 * v.regions) << v.name;
        const auto got = test::digests(run.outputs);
        if (expected.empty()) expected = got;
        EXPECT_EQ(test::first_difference(expected, got), "") << v.name;
    }
    const ResultReader reader((dir.path() / "shuffled" / "r.h5").string());
    EXPECT_GT(reader.count(), 20U);
    ASSERT_EQ(reader.header().classes.size(), 5U);
    EXPECT_EQ(reader.header().classes[0].name, "Neoplastic");
    std::set<int> seen;
    for (const NucleusIdentity& who : reader.rows(0, reader.count()).identity)
        seen.insert(who.class_id);
    EXPECT_GE(seen.size(), 2U) << reader.count() << " nuclei";
    RecordProperty("nuclei", static_cast<int>(reader.count()));
    RecordProperty("classes", static_cast<int>(seen.size()));
}

}  // namespace
}  // namespace wsi
