#include "model/nn/cellvit.h"

#include <gmock/gmock.h>

#include "config/error.h"
#include "model/nn/open_model.h"
#include "tests/networks/noise_weights.h"
#include "tests/support/temp_dir.h"

namespace wsi::nn {

namespace {

const StateFile& golden() {
    static const StateFile file =
        read_state(std::string(WSI_SOURCE_DIR) + "/tests/fixtures/networks/cellvit.safetensors");
    return file;
}

/// As it was trained: SAM's tables are for 1024 pixels.
CellVitOptions small_sam() {
    CellVitOptions options;
    options.encoder.dim = 64;
    options.encoder.depth = 4;
    options.encoder.heads = 2;
    options.encoder.global_blocks = {1, 3};
    return options;
}

CellVitOptions vit_256() {
    CellVitOptions options;
    options.encoder.dim = 384;
    options.encoder.heads = 6;
    options.encoder.image_px = 256;
    options.sam = false;
    return options;
}

const std::vector<std::string> kSamOnly{"classifier_head.bias", "classifier_head.weight"},
    kVitOnly{"encoder.head.bias", "encoder.head.weight", "encoder.norm.bias",
             "encoder.norm.weight"};

StateDict weights_of(const CellVitOptions& options) {
    CellVit network(options);
    test::fill_by_noise(*network, options.sam ? kSamOnly : kVitOnly);
    return state_of(*network);
}

void expect_equal(const at::Tensor& got, const std::string& key) {
    const at::Tensor& expected = golden().tensors.at(key);
    const at::Tensor thin = got[0].slice(1, 0, std::nullopt, 9).slice(2, 0, std::nullopt, 9);
    ASSERT_EQ(thin.sizes(), expected.sizes()) << key;
    const double most = ((thin - expected).abs().max() / expected.abs().max()).item<double>();
    testing::Test::RecordProperty(key, std::to_string(1e6 * most) + "e-6");
    EXPECT_LE(most, 1e-4) << key;
}

void expect_equals_cellvit(CellVit network, const std::string& key) {
    const at::NoGradGuard no_gradients;
    const CellVitImpl::Logits got = network->forward((test::formula_image(256) - 0.5) / 0.5);
    expect_equal(got.np, key + ".nuclei_binary_map");
    expect_equal(got.hv, key + ".hv_map");
    expect_equal(got.tp, key + ".nuclei_type_map");
}

}  // namespace

TEST(CellVitTest, with_sams_encoder_equals_cellvit) {
    StateDict weights = weights_of(small_sam());
    weights["classifier_head.bias"] = at::zeros({19});
    CellVit network = cellvit_from(weights, 256, "weights");
    expect_equals_cellvit(network, "sam");
    network->fold_batch_norm();
    expect_equals_cellvit(network, "sam");
}

TEST(CellVitTest, with_a_plain_encoder_equals_cellvit) {
    StateDict weights = weights_of(vit_256());
    weights["encoder.norm.bias"] = at::zeros({384});
    expect_equals_cellvit(cellvit_from(weights, 256, "weights"), "vit");
}

TEST(CellVitTest, has_as_many_parameters_as_the_published_one) {
    const auto published = [](const std::string& key) {
        return golden().tensors.at(key + ".parameters").item<int64_t>();
    };
    // Beyond ours: the tissue's classifier, 19 classes, and for ViT-256 the encoder's last norm.
    EXPECT_EQ(test::count_parameters(*CellVit(small_sam())) + 19 * 257, published("sam"));
    EXPECT_EQ(test::count_parameters(*CellVit(vit_256())) + 19 * 385 + 2 * 384, published("vit"));
    EXPECT_EQ(test::count_parameters(*CellVit(CellVitOptions{})) + 19 * 257, published("sam_b"));
}

TEST(CellVitTest, a_checkpoint_becomes_a_model_with_classes) {
    const wsi::test::TempDir dir;
    write_state(dir.file("w.safetensors"), weights_of(small_sam()), {});
    const auto segmenter = open_model(dir.file("w.safetensors"));
    const InputSpec& spec = segmenter->input_spec();
    EXPECT_EQ(spec.name, "cellvit-sam");
    EXPECT_EQ(spec.classes.size(), 5U);
    EXPECT_EQ(spec.input_px() % 16, 0);
    EXPECT_TRUE(spec.distance);
    EXPECT_FALSE(spec.normalised);
}

TEST(CellVitTest, half_a_checkpoint_is_refused_by_name) {
    StateDict weights = weights_of(small_sam());
    weights.erase("encoder.blocks.2.attn.rel_pos_h");
    try {
        cellvit_from(weights, 256, "half.pth");
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Checkpoint);
        EXPECT_THAT(error.what(), testing::HasSubstr("encoder.blocks.2.attn.rel_pos_h"));
    }
}

}  // namespace wsi::nn
