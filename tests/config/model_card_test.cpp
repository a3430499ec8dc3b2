#include "config/model_card.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "config/error.h"
#include "tests/support/temp_dir.h"

namespace wsi {
namespace {

std::string write(const test::TempDir& dir, const std::string& text) {
    std::ofstream(dir.file("m.yaml")) << text;
    return dir.file("m.pt");
}

TEST(ModelCardTest, says_what_a_model_sees_and_means) {
    const test::TempDir dir;
    EXPECT_FALSE(find_model_card(dir.file("m.pt")));
    const auto card = find_model_card(write(dir,
                                            "mpp: 0.5\ncore_px: 128\nsd: [0.5, 0.25, 1]\n"
                                            "outputs: [nucleus_logit, horizontal, vertical]\n"
                                            "classes:\n- Lymphocyte\n"
                                            "- {name: Other, colour: [1, 2, 3]}\n"));
    ASSERT_TRUE(card);
    EXPECT_EQ(card->name, "m");
    EXPECT_EQ(card->mpp, 0.5);
    EXPECT_EQ(card->core_px, 128);
    EXPECT_EQ(card->sd[1], 0.25);
    EXPECT_EQ(card->outputs, (std::vector{ChannelMeaning::NucleusLogit, ChannelMeaning::Horizontal,
                                          ChannelMeaning::Vertical}));
    EXPECT_EQ(card->classes[0].name, "Lymphocyte");
    EXPECT_FALSE(card->classes[0].colour);
    EXPECT_EQ((*card->classes[1].colour)[2], 3);
}

TEST(ModelCardTest, what_is_wrong_is_named_with_its_line) {
    const test::TempDir dir;
    for (const auto& [text, said] :
         {std::pair("mpp: 0.5\noutputs: [nucleus_logit, energy]\n", "m.yaml:2: .*'energy'.*known"),
          std::pair("mp: 0.5\n", "m.yaml:1: .*'mp'.*known: name, mpp"),
          std::pair("mpp: fast\n", "m.yaml:1: mpp: expected a number"),
          std::pair("mpp: 400\n", "mpp = 400: expected 0.05 to 10"),
          std::pair("feather_px: 80\n", "feather_px = 80 is more than halo_px = 64"),
          std::pair("sd: [1, 0, 1]\n", "sd = 0: expected more than 0"),
          std::pair("classes: [{colour: [1, 2, 3]}]\n", "m.yaml:1: .*no name"),
          std::pair("classes: [{name: A, colour: [1, 2, 300]}]\n", "300 is not in 0 to 255"),
          std::pair("outputs: [a\n", "m.yaml:[12]: not YAML")}) {
        try {
            find_model_card(write(dir, text));
            ADD_FAILURE() << "accepted: " << text;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::Config);
            EXPECT_THAT(error.what(), testing::ContainsRegex(said));
        }
    }
}

}  // namespace
}  // namespace wsi
