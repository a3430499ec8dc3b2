#include "model/nn/sam_encoder.h"

#include <gtest/gtest.h>

#include "model/nn/attention.h"
#include "stages/cubic_resize.h"
#include "stages/pillow_resize.h"

namespace wsi::nn {

namespace {

std::string fixture(const std::string& name) {
    return std::string(WSI_SOURCE_DIR) + "/tests/fixtures/networks/" + name;
}

SamOptions tiny() {
    SamOptions o;
    o.dim = 32;
    o.depth = 3;
    o.heads = 2;
    o.global_blocks = {1};
    o.image_px = 256;
    o.window = 7;
    o.out_channels = 16;
    return o;
}

}  // namespace

TEST(SamEncoderTest, equals_segment_anything) {
    const StateFile file = read_state(fixture("sam_tiny.safetensors"));
    SamEncoder encoder(tiny());
    load_into(*encoder, sam_encoder_state(file.tensors, tiny()), "sam_tiny");
    const at::Tensor image = at::upsample_nearest2d(file.tensors.at("image"), {256, 256});
    const at::NoGradGuard no_gradients;
    const at::Tensor expected = file.tensors.at("embedding"), got = encoder->forward(image);
    ASSERT_EQ(got.sizes(), expected.sizes());
    EXPECT_LE(((got - expected).abs().max() / expected.abs().max()).item<double>(), 1e-4);
}

TEST(SamEncoderTest, equals_transformers_under_hugging_faces_names) {
    const StateFile file = read_state(fixture("sam_hugging_face.safetensors"));
    SamOptions options = tiny();
    options.depth = 2;
    SamEncoder encoder(options);
    load_into(*encoder, sam_encoder_state(file.tensors, options), "sam_hugging_face");
    const at::Tensor image = at::upsample_nearest2d(file.tensors.at("image"), {256, 256});
    const at::NoGradGuard no_gradients;
    const at::Tensor expected = file.tensors.at("embedding"), got = encoder->forward(image);
    ASSERT_EQ(got.sizes(), expected.sizes());
    EXPECT_LE(((got - expected).abs().max() / expected.abs().max()).item<double>(), 1e-4);
}

TEST(SamEncoderTest, positions_for_512_and_256_px_are_those_of_the_published_codes) {
    const StateDict golden = read_state(fixture("sam_positions.safetensors")).tensors;
    for (const int64_t px : {512, 256}) {
        SamOptions options;
        options.image_px = px;
        const StateDict got =
            sam_encoder_state({{"image_encoder.pos_embed", golden.at("pos_embed")},
                               {"image_encoder.blocks.2.attn.rel_pos_h", golden.at("rel_pos")},
                               {"image_encoder.blocks.11.attn.rel_pos_w", golden.at("rel_pos")}},
                              options);
        const auto expect_equal = [&](const char* name, const std::string& table) {
            const at::Tensor& expected = golden.at(table + "_" + std::to_string(px));
            ASSERT_EQ(got.at(name).sizes(), expected.sizes()) << name;
            EXPECT_LE((got.at(name) - expected).abs().max().item<double>(), 1e-6) << name;
        };
        expect_equal("pos_embed", "pos_embed");
        expect_equal("blocks.2.attn.rel_pos_h", "rel_pos");
        expect_equal("blocks.11.attn.rel_pos_w", "rel_pos");
    }
}

TEST(SamEncoderTest, has_the_published_number_of_parameters_and_tensors) {
    for (const auto& [size, parameters, tensors] :
         {std::tuple("vit_b", 89670912L, 177U), std::tuple("vit_l", 308278272L, 345U)}) {
        SamEncoder encoder(sam_options(size));
        int64_t count = 0;
        for (const at::Tensor& p : encoder->parameters()) count += p.numel();
        EXPECT_EQ(count, parameters) << size;
        EXPECT_EQ(state_of(*encoder).size(), tensors) << size;
    }
}

TEST(SamEncoderSlowTest, vit_h_has_the_published_number_of_parameters_and_tensors) {
    SamEncoder encoder(sam_options("vit_h"));
    int64_t count = 0;
    for (const at::Tensor& p : encoder->parameters()) count += p.numel();
    EXPECT_EQ(count, 637026048);
    EXPECT_EQ(state_of(*encoder).size(), 457U);
}

TEST(SamEncoderTest, positions_are_interpolated_for_another_image_size) {
    SamOptions large = tiny();
    large.image_px = 512;
    const StateDict state = state_of(*SamEncoder(large));
    StateDict checkpoint;
    for (const auto& [name, tensor] : state) checkpoint["image_encoder." + name] = tensor;
    const StateDict small = sam_encoder_state(checkpoint, tiny());
    EXPECT_EQ(small.at("pos_embed").size(1), 16);
    EXPECT_EQ(small.at("blocks.1.attn.rel_pos_h").size(0), 31);
    EXPECT_EQ(small.at("blocks.0.attn.rel_pos_h").size(0), 13);
    SamEncoder encoder(tiny());
    load_into(*encoder, small, "checkpoint");
}

TEST(AttentionTest, windows_come_back_to_the_grid) {
    const at::Tensor grid = at::rand({2, 16, 9, 3});
    const at::Tensor windows = to_windows(grid, 7);
    EXPECT_EQ(windows.sizes(), (std::vector<int64_t>{2 * 3 * 2, 7, 7, 3}));
    EXPECT_TRUE(from_windows(windows, 7, 16, 9).equal(grid));
}

TEST(AttentionTest, pieces_do_not_change_the_result) {
    // 2,304 tokens: one head's logits are more than one piece.
    const auto draw = [] { return at::randn({2, 48 * 48, 8}); };
    const at::Tensor q = draw(), k = draw(), v = draw();
    const at::Tensor rel_h = at::randn({95, 8}), rel_w = at::randn({95, 8});
    const at::Tensor got = attend_with_positions(q, k, v, rel_h, rel_w, 48, 48);
    const at::Tensor at = at::arange(48);
    const at::Tensor rows = rel_h.index({at.unsqueeze(1) - at.unsqueeze(0) + 47});
    const at::Tensor columns = rel_w.index({at.unsqueeze(1) - at.unsqueeze(0) + 47});
    const at::Tensor grid = q.view({2, 48, 48, 8});
    at::Tensor logits = at::bmm(q / std::sqrt(8.0), k.transpose(1, 2)).view({2, 48, 48, 48, 48});
    logits = logits + at::einsum("bhwc,hkc->bhwk", {grid, rows}).unsqueeze(4) +
             at::einsum("bhwc,wkc->bhwk", {grid, columns}).unsqueeze(3);
    const at::Tensor expected = at::bmm(at::softmax(logits.view({2, 2304, 2304}), 2), v);
    EXPECT_LE((got - expected).abs().max().item<double>(), 1e-5);
}

TEST(PillowResizeTest, equals_pillow_byte_for_byte) {
    const StateFile file = read_state(fixture("pillow_resize.safetensors"));
    for (const char* name : {"up", "down", "rows"}) {
        const at::Tensor in = file.tensors.at(std::string(name) + ".in");
        const at::Tensor expected = file.tensors.at(std::string(name) + ".out");
        RgbImage out;
        pillow_resize_bilinear(
            {in.const_data_ptr<uint8_t>(), in.size(1), in.size(0), 3 * in.size(1)},
            expected.size(1), expected.size(0), out);
        const at::Tensor got = at::from_blob(out.data(), {out.height(), out.width(), 3}, at::kByte);
        EXPECT_TRUE(got.equal(expected)) << name;
    }
}

TEST(SamInputTest, is_normalised_and_padded_with_zeros) {
    const RgbImage white(60, 30, 255);
    const at::Tensor x = sam_input(white, 64);
    ASSERT_EQ(x.sizes(), (std::vector<int64_t>{1, 3, 64, 64}));
    EXPECT_NEAR(x[0][0][5][5].item<double>(), (255 - 123.675) / 58.395, 1e-5);
    EXPECT_EQ(x[0][0][40][5].item<double>(), 0);
}

TEST(MedSamInputTest, equals_scikit_image_and_is_stretched_to_its_own_range) {
    const StateFile file = read_state(fixture("medsam_input.safetensors"));
    const at::Tensor in = file.tensors.at("in"), large = file.tensors.at("large");
    const ConstRgbView view{in.const_data_ptr<uint8_t>(), in.size(1), in.size(0), 3 * in.size(1)};
    RgbImage out;
    cubic_enlarge(view, large.size(1), large.size(0), out);
    const at::Tensor got = at::from_blob(out.data(), large.sizes(), at::kByte);
    const at::Tensor off = (got.to(at::kInt) - large.to(at::kInt)).abs();
    EXPECT_LE(off.max().item<int>(), 1);  // a whole number, rounded down after another rounding
    EXPECT_LE(off.sum().item<int64_t>(), large.numel() / 1000);
    const at::Tensor x = medsam_input_of_size(view, {large.size(1), large.size(0)}, 96);
    EXPECT_EQ(x.sizes(), (std::vector<int64_t>{1, 3, 96, 96}));
    const at::Tensor scaled = x[0].slice(1, 0, 76).slice(2, 0, 92).permute({1, 2, 0});
    EXPECT_LE((scaled - file.tensors.at("scaled")).abs().max().item<double>(), 0.0041);
    EXPECT_EQ(x[0][0][80][3].item<double>(), 0);
}

}  // namespace wsi::nn
