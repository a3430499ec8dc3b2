#include "model/nn/known_models.h"

#include <gmock/gmock.h>

#include "config/config_io.h"
#include "config/error.h"
#include "model/nn/hovernet.h"
#include "model/nn/layer_list.h"
#include "model/nn/networks.h"
#include "model/nn/state.h"
#include "model/nn/unet3plus.h"
#include "tests/networks/noise_weights.h"
#include "tests/support/temp_dir.h"

namespace wsi::nn {

namespace {

struct Totals {
    int64_t parameters = 0;
    double gflop = 0;
};

Totals totals(const std::vector<LayerRow>& rows) {
    Totals sum;
    for (const LayerRow& row : rows) {
        sum.parameters += row.parameters;
        sum.gflop += static_cast<double>(row.flops) * 1e-9;
    }
    return sum;
}

const LayerRow& row_named(const std::vector<LayerRow>& rows, const std::string& name) {
    for (const LayerRow& row : rows)
        if (row.name == name) return row;
    fail(ErrorKind::Internal, "no row ", name);
}

}  // namespace

/// The counts of the published code at 256 px: 107.7 GFLOP with GLU in the encoder, b = 32.
TEST(LayerListTest, adds_up_to_the_published_counts_of_eunet3plus) {
    Config config;
    config.network.base = 32;
    config.network.distance = config.network.blur_pool = false;
    const std::vector<LayerRow> rows = layers_of("eunet3plus", config, 256);
    EXPECT_EQ(totals(rows).parameters, 11466626);
    EXPECT_NEAR(totals(rows).gflop, 107.7, 0.1);
    const LayerRow& first = row_named(rows, "conv1.conv1.0");
    EXPECT_EQ(first.kind, "conv2d");
    EXPECT_EQ(first.shape, (std::vector<int64_t>{1, 64, 256, 256}));
    EXPECT_EQ(first.parameters, 64 * 3 * 9 + 64);
    EXPECT_EQ(first.flops, int64_t{2} * 64 * 27 * 256 * 256);
}

TEST(LayerListTest, adds_up_to_the_published_counts_of_unet3plus) {
    UNet3Plus network{UNet3PlusOptions{}};
    network->eval();
    const at::Tensor images = at::zeros({1, 3, 256, 256});
    const Totals sum = totals(list_layers(*network, [&] { network->forward(images); }));
    EXPECT_EQ(sum.parameters, 26971777);
    EXPECT_NEAR(sum.gflop, 395.3, 0.1);
}

/// 972.1 GFLOP at 1024 px, 69.0 at 256; attention's products have no parameters.
TEST(LayerListTest, adds_up_to_the_published_counts_of_sam) {
    const std::vector<LayerRow> rows = layers_of("vit_b", {}, 1024);
    EXPECT_EQ(totals(rows).parameters, 89670912);
    EXPECT_NEAR(totals(rows).gflop, 972.1, 1);
    EXPECT_NEAR(totals(layers_of("vit_b", {}, 256)).gflop, 69.0, 0.2);
    EXPECT_EQ(row_named(rows, "neck.2").shape, (std::vector<int64_t>{1, 256, 64, 64}));
}

/// 77.5 GFLOP at 1024 px, 6.1 at 256; the classifier that is not asked counts as parameters.
TEST(LayerListTest, adds_up_to_the_published_counts_of_mobile_sam) {
    const std::vector<LayerRow> rows = layers_of("mobile_sam", {}, 256);
    EXPECT_EQ(totals(rows).parameters, 6065532);
    EXPECT_NEAR(totals(rows).gflop, 6.1, 0.1);
    EXPECT_EQ(row_named(rows, "neck.2").shape, (std::vector<int64_t>{1, 256, 16, 16}));
}

/// EFB-P has 1,962,080 parameters at Cu = 512, 2,048 in norms and gamma.
TEST(LayerListTest, the_papers_preset_is_eunet3plus_with_efb) {
    Config config;
    load_preset(config, "paper");
    EXPECT_EQ(config.network.dropout, 0.3);
    EXPECT_EQ(config.network.context, EncoderContext::Tile);
    EXPECT_EQ(totals(layers_of("eunet3plus", config, 256)).parameters,
              11466626 + 1962080 + 2048 + 1);
}

TEST(LayerListTest, every_network_lists_all_of_its_parameters) {
    for (const std::string& name : architectures()) {
        Config config;
        config.network.architecture = name;
        EXPECT_EQ(totals(layers_of(name, config, 0)).parameters,
                  test::count_parameters(*make_network(config.network, 0)))
            << name;
    }
}

TEST(LayerListTest, a_network_of_another_program_is_listed_from_its_file) {
    const wsi::test::TempDir dir;
    HoverNet network(HoverNetOptions{HoverNetMode::Fast, 6, 8});
    write_state(dir.file("w.safetensors"), state_of(*network), {});
    const std::vector<LayerRow> rows = layers_of(dir.file("w.safetensors"), {}, 0);
    EXPECT_EQ(totals(rows).parameters, test::count_parameters(*network));
    const LayerRow& head = row_named(rows, "decoder.np.u0.conv");
    EXPECT_EQ(head.shape, (std::vector<int64_t>{1, 2, 452, 452}));  // 544 - 92
    EXPECT_EQ(head.flops, int64_t{2} * 8 * 2 * 452 * 452);
}

TEST(LayerListTest, counts_the_fusion_block) {
    Config plain, fused;
    plain.network.base = fused.network.base = 32;
    fused.network.fusion = FusionKind::EfbR;
    const auto parameters = [](const Config& config) {
        return totals(layers_of("eunet3plus", config, 256)).parameters;
    };
    EXPECT_EQ(parameters(fused) - parameters(plain), 1112624);
}

}  // namespace wsi::nn
