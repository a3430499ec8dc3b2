#include "model/nn/hovernet.h"

#include <gmock/gmock.h>

#include <fstream>
#include <tuple>

#include "config/error.h"
#include "io/types/random.h"
#include "model/nn/foreign_segmenter.h"
#include "model/nn/open_model.h"
#include "tests/networks/noise_weights.h"
#include "tests/support/temp_dir.h"

namespace wsi::nn {

namespace {

const StateFile& golden() {
    static const StateFile file =
        read_state(std::string(WSI_SOURCE_DIR) + "/tests/fixtures/networks/hovernet.safetensors");
    return file;
}

/// max |a - b| / max |b| on every fifth pixel.
double difference(const at::Tensor& got, const std::string& key) {
    const at::Tensor& expected = golden().tensors.at(key);
    const at::Tensor thin = got[0].slice(1, 0, std::nullopt, 5).slice(2, 0, std::nullopt, 5);
    EXPECT_EQ(thin.sizes(), expected.sizes()) << key;
    const double most = ((thin - expected).abs().max() / expected.abs().max()).item<double>();
    testing::Test::RecordProperty(key, std::to_string(1e6 * most) + "e-6");
    return most;
}

/// Narrow, drawn at random, as a published checkpoint's tensors.
StateDict small_weights(HoverNetMode mode, int64_t types) {
    HoverNet network(HoverNetOptions{mode, types, 8});
    test::fill_by_noise(*network);
    StateDict state = state_of(*network);
    state["upsample2x.unpool_mat"] = at::ones({2, 2});
    return state;
}

}  // namespace

TEST(HoverNetTest, equals_tiatoolbox_with_types) {
    HoverNet network(HoverNetOptions{HoverNetMode::Fast, 6});
    network->eval();
    test::fill_by_noise(*network, {"upsample2x.unpool_mat"});
    const at::NoGradGuard no_gradients;
    const HoverNetImpl::Logits got = network->forward(test::formula_image(256));
    EXPECT_LE(difference(got.np, "fast_6.np"), 1e-4);
    EXPECT_LE(difference(got.hv, "fast_6.hv"), 1e-4);
    EXPECT_LE(difference(got.tp, "fast_6.tp"), 1e-4);
}

TEST(HoverNetTest, equals_tiatoolbox_in_the_original_form) {
    HoverNet network(HoverNetOptions{HoverNetMode::Original, 0});
    network->eval();
    test::fill_by_noise(*network, {"upsample2x.unpool_mat"});
    const at::NoGradGuard no_gradients;
    const HoverNetImpl::Logits got = network->forward(test::formula_image(270));
    EXPECT_LE(difference(got.np, "original_0.np"), 1e-4);
    EXPECT_LE(difference(got.hv, "original_0.hv"), 1e-4);
    EXPECT_FALSE(got.tp.defined());
}

TEST(HoverNetTest, has_as_many_parameters_as_the_published_one) {
    for (const auto& [key, mode, types] :
         {std::tuple("fast_0", HoverNetMode::Fast, 0), std::tuple("fast_6", HoverNetMode::Fast, 6),
          std::tuple("original_0", HoverNetMode::Original, 0),
          std::tuple("original_5", HoverNetMode::Original, 5)}) {
        HoverNet network(HoverNetOptions{mode, types});
        EXPECT_EQ(test::count_parameters(*network),
                  golden().tensors.at(std::string(key) + ".parameters").item<int64_t>())
            << key;
    }
}

TEST(HoverNetTest, a_larger_input_gives_the_same_maps_where_nothing_new_is_seen) {
    // The decoder crops a fixed rim, whatever the size: 8 pixels more in, 8 more out.
    HoverNet network(HoverNetOptions{HoverNetMode::Fast, 0, 8});
    network->eval();
    const at::NoGradGuard no_gradients;
    for (const int64_t side : {256, 264, 544})
        EXPECT_EQ(network->forward(at::zeros({1, 3, side, side})).np.size(2), side - 92);
    HoverNet original(HoverNetOptions{HoverNetMode::Original, 0, 8});
    original->eval();
    EXPECT_EQ(original->forward(at::zeros({1, 3, 638, 638})).np.size(2), 638 - 190);
}

TEST(HoverNetTest, a_checkpoint_says_its_mode_and_its_classes) {
    const wsi::test::TempDir dir;
    const std::string path = dir.file("w.safetensors");
    write_state(path, small_weights(HoverNetMode::Fast, 6), {});
    const auto pannuke = open_model(path);
    const InputSpec& spec = pannuke->input_spec();
    EXPECT_EQ(spec.name, "hovernet-fast");
    EXPECT_EQ(spec.mpp.value, 0.25);
    ASSERT_EQ(spec.classes.size(), 5U);
    EXPECT_EQ(spec.classes[4].name, "Epithelial");
    EXPECT_EQ(spec.classes[4].rgb[1], 159);
    write_state(path, small_weights(HoverNetMode::Original, 5), {});
    EXPECT_EQ(open_model(path)->input_spec().name, "hovernet-original");
    EXPECT_EQ(open_model(path)->input_spec().classes[3].name, "Type 4");
    std::ofstream(dir.file("w.yaml")) << "classes: [A, B, C, D]\nmpp: 0.5\n";
    EXPECT_EQ(open_model(path)->input_spec().classes[3].name, "D");
    EXPECT_EQ(open_model(path)->input_spec().mpp.value, 0.5);
    std::ofstream(dir.file("w.yaml")) << "classes: [A, B]\n";
    try {
        open_model(path);
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("names 2 classes, but the model knows 4"));
    }
}

TEST(HoverNetTest, a_checkpoint_that_lacks_a_tensor_is_refused_by_its_name) {
    const wsi::test::TempDir dir;
    StateDict weights = small_weights(HoverNetMode::Fast, 0);
    weights.erase("d3.units.2.conv3.weight");
    write_state(dir.file("w.safetensors"), weights, {});
    try {
        open_model(dir.file("w.safetensors"));
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Checkpoint);
        EXPECT_THAT(error.what(), testing::HasSubstr("d3.units.2.conv3.weight"));
    }
}

TEST(HoverNetTest, a_tile_gets_all_maps_and_looks_only_at_the_slide) {
    const wsi::test::TempDir dir;
    write_state(dir.file("w.safetensors"), small_weights(HoverNetMode::Fast, 6), {});
    const auto segmenter = open_model(dir.file("w.safetensors"));
    const InputSpec& spec = segmenter->input_spec();
    const int side = spec.input_px();
    TileSlot slots[2];
    for (TileSlot& slot : slots) {
        slot.rgb = RgbImage(side, side);
        Random random(4);
        for (int64_t i = 0; i < 3 * slot.rgb.size().area(); ++i)
            slot.rgb.data()[i] = static_cast<uint8_t>(random.index(256));
        slot.inside = {100, 0, side - 100, side};
        slot.maps.resize(kFirstClass + 5);
        for (GrayImage& map : slot.maps) map = GrayImage(side, side, 77);
    }
    for (int y = 0; y < side; ++y) slots[1].rgb(50, y, 1) ^= 0xFF;  // beyond the slide
    TileSlot* batch[] = {&slots[0], &slots[1]};
    segmenter->segment(batch, {});
    for (size_t m = 0; m < slots[0].maps.size(); ++m) {
        const GrayImage &a = slots[0].maps[m], &b = slots[1].maps[m];
        EXPECT_TRUE(std::equal(a.data(), a.data() + a.size().area(), b.data())) << m;
        EXPECT_EQ(a(45, 300), 0) << m;  // in the margin
        EXPECT_GT(*std::max_element(a.data(), a.data() + a.size().area()), 0) << m;
    }
}

TEST(MirroredSquareTest, continues_the_slide_beyond_its_ends) {
    RgbImage image(8, 8);
    for (int y = 0; y < 8; ++y)
        for (int x = 0; x < 8; ++x) image(x, y, 0) = static_cast<uint8_t>(10 * y + x);
    const at::Tensor got = mirrored_square(image.view(), {3, 2, 3, 4}, 8).mul(255).round()[0][0];
    const auto at_pixel = [&](int x, int y) { return got[y][x].item<int>(); };
    EXPECT_EQ(at_pixel(3, 2), 23);
    EXPECT_EQ(at_pixel(2, 2), 24);  // column 3 is the end, 4 stands on both sides of it
    EXPECT_EQ(at_pixel(1, 2), 25);
    EXPECT_EQ(at_pixel(0, 2), 24);  // and back
    EXPECT_EQ(at_pixel(6, 2), 24);
    EXPECT_EQ(at_pixel(7, 2), 23);
    EXPECT_EQ(at_pixel(3, 1), 33);
    EXPECT_EQ(at_pixel(3, 7), 33);
    EXPECT_EQ(
        mirrored_square(image.view(), {4, 4, 1, 1}, 8)[0][0][0][7].mul(255).round().item<int>(),
        44);
}

}  // namespace wsi::nn
