#include "model/nn/script_network.h"

#include <gmock/gmock.h>
#include <torch/csrc/jit/api/module.h>

#include <fstream>

#include "config/error.h"
#include "model/nn/open_model.h"
#include "model/nn/state.h"
#include "tests/support/temp_dir.h"

namespace wsi::nn {

namespace {

/// A program that returns what `expression` makes of its input x, and its card.
std::string write_model(const wsi::test::TempDir& dir, const std::string& expression,
                        const std::string& card) {
    torch::jit::Module module("Made");
    module.define("def forward(self, x):\n    return " + expression + "\n");
    module.save(dir.file("m.pt"));
    if (!card.empty()) std::ofstream(dir.file("m.yaml")) << card;
    return dir.file("m.pt");
}

const std::string kSmall = "mpp: 0.5\ncore_px: 64\nhalo_px: 16\nfeather_px: 8\n";

TileSlot slot_of(const InputSpec& spec, uint8_t red, uint8_t green) {
    TileSlot slot;
    slot.rgb = RgbImage(spec.input_px(), spec.input_px());
    for (int y = 0; y < spec.input_px(); ++y)
        for (int x = 0; x < spec.input_px(); ++x) {
            slot.rgb(x, y, 0) = red;
            slot.rgb(x, y, 1) = green;
        }
    slot.maps.resize(kFirstClass + spec.classes.size());
    for (const size_t map : spec.maps())
        slot.maps[map] = GrayImage(spec.input_px(), spec.input_px(), 77);
    return slot;
}

/// What opening says.
std::string refusal(const std::string& path) {
    try {
        open_model(path);
    } catch (const Error& error) {
        return error.what();
    }
    return "accepted";
}

}  // namespace

TEST(ScriptNetworkTest, channels_mean_what_the_card_says) {
    const wsi::test::TempDir dir;
    const auto segmenter = open_model(write_model(
        dir,
        "torch.cat([x[:, 0:1], 0.25 + 0 * x[:, 0:1], x[:, 1:2] * 0, x[:, 1:2] * 100, x[:, 2:3]], "
        "1)",
        kSmall + "outputs: [nucleus_probability, boundary, class_logit, class_logit, class_logit]\n"
                 "classes: [A, {name: B, colour: [1, 2, 3]}]\n"));
    const InputSpec& spec = segmenter->input_spec();
    EXPECT_EQ(spec.input_px(), 96);
    EXPECT_TRUE(spec.distance);
    ASSERT_EQ(spec.classes.size(), 2U);
    EXPECT_EQ(spec.classes[1].rgb[2], 3);
    TileSlot slot = slot_of(spec, 51, 255);
    TileSlot* batch[] = {&slot};
    segmenter->segment(batch, {});
    EXPECT_EQ(slot.maps[kProbability](40, 40), 51);
    EXPECT_EQ(slot.maps[kDistance](40, 40), 191);    // 1 - boundary
    EXPECT_EQ(slot.maps[kFirstClass](40, 40), 255);  // after the background's channel
    EXPECT_EQ(slot.maps[kFirstClass + 1](40, 40), 0);
}

TEST(ScriptNetworkTest, logits_become_probabilities_and_a_rim_that_is_cut_is_found) {
    const wsi::test::TempDir dir;
    const auto segmenter = open_model(write_model(
        dir, "x[:, 0:2, 5:-5, 5:-5]", kSmall + "outputs: [background_logit, nucleus_logit]\n"));
    EXPECT_FALSE(segmenter->input_spec().distance);
    TileSlot slot = slot_of(segmenter->input_spec(), 255, 0);
    TileSlot* batch[] = {&slot};
    segmenter->segment(batch, {});
    EXPECT_EQ(slot.maps[kProbability](48, 48), 69);  // 255 / (1 + e)
    EXPECT_EQ(slot.maps[kProbability](4, 48), 0);
    EXPECT_TRUE(slot.maps[kDistance].empty());
}

TEST(ScriptNetworkTest, what_does_not_fit_is_refused_before_a_slide_is_opened) {
    const wsi::test::TempDir dir;
    const std::string one = kSmall + "outputs: [nucleus_probability]\n";
    EXPECT_THAT(refusal(write_model(dir, "x[:, 0:1]", "")), testing::HasSubstr("put a model card"));
    EXPECT_THAT(refusal(write_model(dir, "x[:, 0:2]", one)),
                testing::HasSubstr("tensor [1, 2, 96, 96]"));
    EXPECT_THAT(refusal(write_model(dir, "x[:, 0:1, 3:]", one)),
                testing::HasSubstr("expected [1, 1"));
    EXPECT_THAT(refusal(write_model(dir, "(x, x)", one)), testing::HasSubstr("returns Tuple"));
    EXPECT_THAT(refusal(write_model(dir, "torch.matmul(x, torch.ones([7, 7]))", one)),
                testing::HasSubstr("cannot work on an image of 96x96"));
    EXPECT_THAT(refusal(write_model(dir, "x[:, 0:1, 20:-20, 20:-20]", one)),
                testing::HasSubstr("at least 28 is needed"));
    for (const auto& [outputs, said] :
         {std::pair("[distance]", "expected either nucleus_probability or nucleus_logit"),
          std::pair("[nucleus_logit, energy]", "unknown meaning 'energy'"),
          std::pair("[nucleus_logit, horizontal]", "horizontal and vertical go together"),
          std::pair("[nucleus_logit, nucleus_logit]", "channels 0 and 1 have the same meaning"),
          std::pair("[nucleus_logit, class_logit]", "1 channels class_logit for 0 classes")})
        EXPECT_THAT(refusal(write_model(dir, "x[:, 0:2]", kSmall + "outputs: " + outputs + "\n")),
                    testing::HasSubstr(said));
    EXPECT_THAT(refusal(write_model(dir, "x[:, 0:1]", "outputs: [nucleus_logit]\n")),
                testing::HasSubstr("mpp is missing"));
}

TEST(ScriptNetworkTest, ordinary_weights_are_no_program) {
    const wsi::test::TempDir dir;
    write_state(dir.file("w.safetensors"), {{"a", at::zeros({1})}}, {});
    EXPECT_FALSE(is_torch_script(dir.file("w.safetensors")));
    EXPECT_TRUE(is_torch_script(write_model(dir, "x", "")));
    EXPECT_FALSE(is_torch_script(std::string(WSI_SOURCE_DIR) + "/tests/fixtures/weights/plain.pt"));
}

}  // namespace wsi::nn
