#include "stages/nucleus_class.h"

#include <gtest/gtest.h>

namespace wsi {
namespace {

TEST(NucleusClassTest, pixels_vote_with_their_probabilities) {
    GrayImage one(8, 4), two(8, 4, 50);
    one(3, 2) = 255;
    const std::vector<ConstGrayView> maps{one.view(), two.view()};
    // The maps' first pixel is (100, 200) of the slide.
    const std::vector<PixelRun> runs{{201, 101, 104}, {202, 103, 105}};
    const ClassVote vote = vote_class(runs, maps, {100, 200});
    EXPECT_EQ(vote.index, 0U);  // 255 against 5 * 50
    EXPECT_FLOAT_EQ(vote.probability, 255.0F / 505);
}

TEST(NucleusClassTest, the_first_wins_among_equals_and_silence_has_probability_0) {
    const GrayImage dark(4, 4), grey(4, 4, 9);
    const std::vector<PixelRun> runs{{1, 1, 3}};
    const std::vector<ConstGrayView> equal{dark.view(), grey.view(), grey.view()};
    EXPECT_EQ(vote_class(runs, equal, {0, 0}).index, 1U);
    const std::vector<ConstGrayView> silent{dark.view(), dark.view()};
    EXPECT_EQ(vote_class(runs, silent, {0, 0}).index, 0U);
    EXPECT_EQ(vote_class(runs, silent, {0, 0}).probability, 0.0F);
}

}  // namespace
}  // namespace wsi
