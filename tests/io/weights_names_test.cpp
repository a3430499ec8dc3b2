#include "io/weights_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace wsi {
namespace {

using testing::ElementsAre;

std::vector<std::string> stripped(std::vector<std::string> names) {
    strip_wrapper_names(names);
    return names;
}

TEST(WeightsNamesTest, wrappers_around_all_names_are_taken_off) {
    EXPECT_THAT(stripped({"module.a.w", "module.b"}), ElementsAre("a.w", "b"));
    EXPECT_THAT(stripped({"module._orig_mod.a", "module._orig_mod.b"}), ElementsAre("a", "b"));
    EXPECT_THAT(stripped({"model.module.a", "model.module.b"}), ElementsAre("a", "b"));
    EXPECT_THAT(stripped({"model.model.a"}), ElementsAre("a"));
    EXPECT_THAT(stripped({"_orig_mod.enc._fsdp_wrapped_module.0._checkpoint_wrapped_module.w"}),
                ElementsAre("enc.0.w"));
}

TEST(WeightsNamesTest, what_only_looks_like_a_wrapper_stays) {
    EXPECT_THAT(stripped({"module.a", "b"}), ElementsAre("module.a", "b"));
    EXPECT_THAT(stripped({"module."}), ElementsAre("module."));
    EXPECT_THAT(stripped({"a_orig_mod.w"}), ElementsAre("a_orig_mod.w"));
    EXPECT_THAT(stripped({"submodule.a"}), ElementsAre("submodule.a"));
    EXPECT_TRUE(stripped({}).empty());
}

/// The 177 tensors of SAM's ViT-B image encoder in both spellings (transformers'
/// convert_sam_to_hf.py renames one to the other).
TEST(WeightsNamesTest, sam_names_map_to_hugging_face_and_back) {
    std::vector<std::pair<std::string, std::string>> pairs{
        {"pos_embed", "pos_embed"},
        {"patch_embed.proj.weight", "patch_embed.projection.weight"},
        {"patch_embed.proj.bias", "patch_embed.projection.bias"},
        {"neck.0.weight", "neck.conv1.weight"},
        {"neck.1.weight", "neck.layer_norm1.weight"},
        {"neck.1.bias", "neck.layer_norm1.bias"},
        {"neck.2.weight", "neck.conv2.weight"},
        {"neck.3.weight", "neck.layer_norm2.weight"},
        {"neck.3.bias", "neck.layer_norm2.bias"}};
    for (int i = 0; i < 12; ++i) {
        const std::string a = "blocks." + std::to_string(i) + ".",
                          b = "layers." + std::to_string(i) + ".";
        for (const char* side : {"weight", "bias"}) {
            const std::string s = side;
            pairs.emplace_back(a + "norm1." + s, b + "layer_norm1." + s);
            pairs.emplace_back(a + "norm2." + s, b + "layer_norm2." + s);
            for (const char* same : {"attn.qkv.", "attn.proj.", "mlp.lin1.", "mlp.lin2."})
                pairs.emplace_back(a + same + s, b + same + s);
        }
        for (const char* same : {"attn.rel_pos_h", "attn.rel_pos_w"})
            pairs.emplace_back(a + same, b + same);
    }
    std::set<std::string> distinct;
    for (const auto& [original, hugging_face] : pairs) {
        EXPECT_EQ(sam_to_hugging_face("image_encoder." + original),
                  "vision_encoder." + hugging_face);
        EXPECT_EQ(sam_to_original("vision_encoder." + hugging_face), "image_encoder." + original);
        distinct.insert(original);
    }
    EXPECT_EQ(distinct.size(), 177u);
}

TEST(WeightsNamesTest, other_names_are_not_the_encoders) {
    for (const char* name : {"mask_decoder.iou_token.weight", "prompt_encoder.x", "pos_embed",
                             "image_encoder.blocks.3", "ximage_encoder.pos_embed", ""})
        EXPECT_EQ(sam_to_hugging_face(name), std::nullopt) << name;
    EXPECT_EQ(sam_to_original("image_encoder.pos_embed"), std::nullopt);
}

}  // namespace
}  // namespace wsi
