#include "model/nn/fusion.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "model/nn/state.h"

namespace wsi::nn {

namespace {

FusionOptions options(Fusion kind, int64_t channels, int64_t embedding = 256) {
    FusionOptions o;
    o.kind = kind;
    o.channels = channels;
    o.embedding_channels = embedding;
    return o;
}

constexpr std::pair<const char*, Fusion> kKinds[] = {{"concat", Fusion::Concat},
                                                     {"efb_r", Fusion::EfbR},
                                                     {"efb_p", Fusion::EfbP},
                                                     {"efb_x", Fusion::EfbX}};

}  // namespace

FusionOptions efb_p(bool residual, bool norm, bool asks_unet = false) {
    FusionOptions o = options(Fusion::EfbP, 16, 16);
    o.residual = residual;
    o.norm = norm;
    o.queries_from_unet = asks_unet;
    return o;
}

TEST(FusionTest, equals_plain_statements) {
    const StateFile file =
        read_state(std::string(WSI_SOURCE_DIR) + "/tests/fixtures/networks/fusion.safetensors");
    const at::NoGradGuard no_gradients;
    std::vector<std::pair<std::string, FusionOptions>> all{
        {"efb_p_literal", literal_efb(16)},
        {"efb_p_plain_sum", efb_p(true, false)},
        {"efb_p_bare", efb_p(false, true)},
        {"efb_p_asks_unet", efb_p(true, true, true)}};
    all[0].second.embedding_channels = 16;
    for (const auto& [name, kind] : kKinds) all.emplace_back(name, options(kind, 16, 16));
    for (const auto& [name, how] : all) {
        const std::string prefix = name + ".weights.";
        StateDict weights;
        for (const auto& [key, tensor] : file.tensors)
            if (key.starts_with(prefix)) weights[key.substr(prefix.size())] = tensor;
        const auto block = make_fusion(how);
        load_into(*block, weights, name);
        block->eval();
        const at::Tensor got = block->forward(file.tensors.at("u"), file.tensors.at("e"));
        const at::Tensor expected = file.tensors.at(name + ".out");
        EXPECT_LE(((got - expected).abs().max() / expected.abs().max()).item<double>(), 1e-5)
            << name;
    }
}

TEST(FusionTest, efb_r_has_the_published_number_of_parameters) {
    int64_t count = 0;
    for (const at::Tensor& p : make_fusion(options(Fusion::EfbR, 512))->parameters())
        count += p.numel();
    EXPECT_EQ(count, 1112624);
}

TEST(FusionTest, keeps_the_bottlenecks_shape_and_answers_to_the_embedding) {
    const at::NoGradGuard no_gradients;
    const at::Tensor u = at::rand({2, 32, 16, 16});
    const at::Tensor one = at::rand({2, 256, 64, 64}), other = at::rand({2, 256, 64, 64});
    for (const auto& [name, kind] : kKinds) {
        const auto block = make_fusion(options(kind, 32));
        block->eval();
        const at::Tensor out = block->forward(u, one);
        EXPECT_EQ(out.sizes(), u.sizes()) << name;
        EXPECT_FALSE(out.equal(block->forward(u, other))) << name;
    }
    EXPECT_EQ(make_fusion(options(Fusion::None, 32)), nullptr);
}

}  // namespace wsi::nn
