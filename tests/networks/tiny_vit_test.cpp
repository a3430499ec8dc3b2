#include "model/nn/tiny_vit.h"

#include <gtest/gtest.h>

#include "tests/networks/formula_weights.h"

namespace wsi::nn {

TEST(TinyVitTest, has_the_published_number_of_parameters_and_tensors) {
    const TinyVit encoder{TinyVitOptions{}};
    int64_t count = 0;
    for (const at::Tensor& p : encoder->parameters()) count += p.numel();
    EXPECT_EQ(count, 6065532);
    EXPECT_EQ(state_of(*encoder).size(), 302U);
}

TEST(TinyVitTest, equals_a_plain_statement_in_pytorch_folded_or_not) {
    at::set_num_threads(1);
    const at::NoGradGuard no_gradients;
    const StateDict golden =
        read_state(std::string(WSI_SOURCE_DIR) + "/tests/fixtures/networks/tiny_vit.safetensors")
            .tensors;
    TinyVitOptions options;
    options.widths = {32, 64, 64, 96};
    options.depths = {2, 1, 2, 1};
    options.out_channels = 16;
    options.unused_classes = 3;
    TinyVit encoder(options);
    fill_by_formula(*encoder);
    encoder->eval();
    const at::Tensor& expected = golden.at("embedding");
    const auto difference = [&] {
        const at::Tensor got = encoder->forward(golden.at("image"));
        EXPECT_EQ(got.sizes(), expected.sizes());
        return ((got - expected).abs().max() / expected.abs().max()).item<double>();
    };
    EXPECT_LE(difference(), 1e-4);
    encoder->fold_batch_norm();
    EXPECT_LE(difference(), 1e-4);
}

TEST(TinyVitTest, finds_its_tensors_in_a_whole_checkpoint) {
    const StateDict own = state_of(*TinyVit{TinyVitOptions{}});
    StateDict checkpoint{
        {"mask_decoder.x", at::zeros({1})},
        {"image_encoder.layers.1.blocks.0.attn.attention_bias_idxs", at::ones({1})}};
    for (const auto& [name, tensor] : own) checkpoint["image_encoder." + name] = tensor;
    EXPECT_EQ(tiny_vit_state(checkpoint).size(), own.size());
}

}  // namespace wsi::nn
