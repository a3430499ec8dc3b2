#include <gmock/gmock.h>

#include "config/error.h"
#include "model/nn/awgunet.h"
#include "model/nn/ddunet.h"
#include "model/nn/networks.h"
#include "model/nn/state.h"
#include "model/nn/tensors.h"
#include "model/nn/unet.h"
#include "model/nn/unet3plus.h"
#include "tests/networks/formula_weights.h"
#include "tests/networks/noise_weights.h"

namespace wsi::nn {

namespace {

int64_t parameters(const torch::nn::Module& module) {
    int64_t count = 0;
    for (const at::Tensor& p : module.parameters()) count += p.numel();
    return count;
}

const StateDict& golden() {
    static const StateDict tensors =
        read_state(std::string(WSI_SOURCE_DIR) +
                   "/tests/fixtures/networks/task_networks.safetensors")
            .tensors;
    return tensors;
}

at::Tensor golden_image() {
    static const at::Tensor image = golden().at("image").contiguous();
    const std::array<ConstRgbView, 1> view{ConstRgbView{
        image.const_data_ptr<uint8_t>(), image.size(1), image.size(0), 3 * image.size(1)}};
    return to_images(view);
}

double relative_difference(const at::Tensor& got, const at::Tensor& expected) {
    EXPECT_EQ(got.sizes(), expected.sizes());
    return ((got - expected).abs().max() / expected.abs().max()).item<double>();
}

std::shared_ptr<Network> unet(bool distance, bool sharp, bool pyramid, bool gated) {
    return std::make_shared<UNetImpl>(UNetOptions{4, 2, distance, sharp, pyramid, gated});
}

const std::pair<const char*, std::function<std::shared_ptr<Network>()>> kNetworks[] = {
    {"unet", [] { return unet(true, false, false, false); }},
    {"sharpunet", [] { return unet(false, true, false, false); }},
    {"asppunet", [] { return unet(false, false, true, false); }},
    {"deau", [] { return unet(false, false, false, true); }},
    {"ddunet", [] { return std::make_shared<DdUNetImpl>(4); }},
    {"awgunet", [] { return std::make_shared<AwgUNetImpl>(8, 2, true); }}};

}  // namespace

TEST(TaskNetworksTest, have_the_published_numbers_of_parameters) {
    EXPECT_EQ(parameters(UNetImpl({.base = 64})), 31043521);
    EXPECT_EQ(parameters(UNetImpl({.base = 32})), 7765985);
    EXPECT_EQ(parameters(UNetImpl({.base = 32, .sharp = true})), 7765985);
    EXPECT_EQ(parameters(DdUNetImpl(16)), 3555666);
    EXPECT_EQ(parameters(AwgUNetImpl(64, 1, false)), 146321659);
    UNet3PlusOptions supervised;
    supervised.deep_supervision = true;
    EXPECT_EQ(parameters(UNet3PlusImpl(supervised)), 26989637);
}

TEST(TaskNetworksTest, equal_plain_statements_in_pytorch) {
    at::set_num_threads(1);
    const at::NoGradGuard no_gradients;
    for (const auto& [name, make] : kNetworks) {
        const std::shared_ptr<Network> network = make();
        if (std::string_view(name) == "awgunet")
            test::fill_by_noise(*network);
        else
            fill_by_formula(*network);
        network->eval();
        const at::Tensor& expected = golden().at(name);
        network->to(at::kDouble);
        const at::Tensor exact = network->forward(golden_image().to(at::kDouble));
        EXPECT_LE(relative_difference(exact.to(at::kFloat), expected), 1e-5) << name;
        network->to(at::kFloat);
        network->prepare_for_inference();
        EXPECT_LE(relative_difference(network->forward(golden_image()), expected), 1e-4) << name;
    }
}

TEST(TaskNetworksTest, deep_supervision_equals_a_plain_statement_and_can_be_silenced) {
    at::set_num_threads(1);
    const at::NoGradGuard no_gradients;
    UNet3PlusOptions options;
    options.base = 4;
    options.classes = 2;
    options.deep_supervision = options.classification = true;
    UNet3Plus network(options);
    fill_by_formula(*network);
    network->eval();
    const auto scales = network->supervised(golden_image(), {}).scales;
    const at::Tensor all = at::cat(scales, 1);
    EXPECT_LE(relative_difference(all, golden().at("unet3plus_supervised")), 1e-5);
    EXPECT_LE(relative_difference(network->forward(golden_image()), scales[0]), 1e-6);
    state_of(*network).at("cls.1.bias").copy_(at::tensor({9.0, -9.0}));
    network->train();  // the published code's product: the probability is one half
    EXPECT_EQ(network->forward(golden_image()).abs().max().item<double>(), 0);
    network->eval();  // a run wants background
    const at::Tensor silent = at::sigmoid(network->forward(golden_image()));
    EXPECT_GT(silent[0][0].min().item<double>(), 0.999);
    EXPECT_LT(silent[0][1].max().item<double>(), 0.001);
}

TEST(TaskNetworksTest, deep_supervision_adds_heads_for_the_loss_alone) {
    at::set_num_threads(1);
    for (const char* name : {"unet3plus", "eunet3plus"}) {
        NetworkConfig config;
        config.architecture = name;
        config.base = 4;
        config.deep_supervision = true;
        const auto network = make_network(config, 1);
        network->eval();
        const at::Tensor images = at::rand({1, 3, 32, 48});
        const std::vector<at::Tensor> scales = network->supervised(images, {}).scales;
        ASSERT_EQ(scales.size(), 5U) << name;
        EXPECT_TRUE(scales[0].equal(network->forward(images)));
        at::Tensor sum = scales[0].square().mean();
        for (size_t i = 1; i < scales.size(); ++i) {
            EXPECT_EQ(scales[i].sizes(), (std::vector<int64_t>{1, 2, 32, 48}));
            sum = sum + scales[i].square().mean();
        }
        sum.backward();
        for (const auto& item : network->named_parameters())
            EXPECT_TRUE(item.value().grad().defined()) << name << " " << item.key();
    }
    NetworkConfig config;
    EXPECT_EQ(make_network(config, 1)->supervised(at::rand({1, 3, 32, 32}), {}).scales.size(), 1U);
}

TEST(TaskNetworksTest, every_architecture_trains_and_keeps_the_size_it_was_shown) {
    at::set_num_threads(1);
    for (const char* name : {"eunet3plus", "unet3plus", "unet", "sharpunet", "asppunet", "deau",
                             "ddunet", "awgunet"}) {
        NetworkConfig config;
        config.architecture = name;
        config.base = 4;
        const auto network = make_network(config, 1);
        const int64_t side = 2 * network->side_multiple();
        const at::Tensor logits = network->forward(at::rand({2, 3, side, side}));
        EXPECT_EQ(logits.sizes(), (std::vector<int64_t>{2, 3, side, side})) << name;
        logits.square().mean().backward();
        for (const auto& item : network->named_parameters())
            EXPECT_TRUE(item.value().grad().defined()) << name << " " << item.key();
        EXPECT_GT(network->peak_channels(), 0);
    }
}

TEST(TaskNetworksTest, what_does_not_go_together_is_refused) {
    const auto message = [](const char* name, FusionKind fusion, bool distance,
                            bool supervision = false) {
        NetworkConfig config;
        config.deep_supervision = supervision;
        config.architecture = name;
        config.fusion = fusion;
        config.distance = distance;
        try {
            make_network(config, 1);
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string("accepted");
    };
    EXPECT_THAT(message("unet", FusionKind::EfbP, true), testing::HasSubstr("network.fusion=none"));
    EXPECT_THAT(message("ddunet", FusionKind::None, false),
                testing::HasSubstr("network.distance=true"));
    EXPECT_THAT(message("unet", FusionKind::None, true, true),
                testing::HasSubstr("network.deep_supervision=false"));
    EXPECT_THAT(message("resnet", FusionKind::None, true), testing::HasSubstr("awgunet"));
    const auto refusal = [](NetworkConfig config) {
        try {
            make_network(config, 1);
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string("accepted");
    };
    NetworkConfig config;
    config.architecture = "unet";
    config.classification = true;
    EXPECT_THAT(refusal(config), testing::HasSubstr("network.classification=false"));
    config = {};
    config.architecture = "ddunet";
    config.classes = "Tumour;Stroma";
    EXPECT_THAT(refusal(config), testing::HasSubstr("network.classes=none"));
    config.architecture = "unet";
    EXPECT_EQ(refusal(config), "accepted");
    config.classes = "Tumour;;Stroma";
    EXPECT_THAT(refusal(config), testing::HasSubstr("with ; between them"));
}

}  // namespace wsi::nn
