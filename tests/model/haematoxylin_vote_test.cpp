#include "model/haematoxylin_vote.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace wsi {
namespace {

/// Says the same about every pixel, and remembers the slide parameters it was given.
class Constant final : public Segmenter {
public:
    explicit Constant(uint8_t probability) : probability_(probability) {
        spec_.name = spec_.hash = "constant";
        spec_.core_px = 96;
        spec_.halo_px = 40;
        spec_.normalised = false;
    }
    const InputSpec& input_spec() const override { return spec_; }
    std::vector<double> fit_slide(const SlideSample&) const override { return {7}; }
    void segment(std::span<TileSlot* const> batch, std::span<const double> params) override {
        given = {params.begin(), params.end()};
        for (TileSlot* slot : batch) {
            slot->maps[kProbability].resize(slot->rgb.width(), slot->rgb.height());
            slot->maps[kProbability].fill(probability_);
        }
    }
    std::vector<double> given;

private:
    uint8_t probability_;
    InputSpec spec_;
};

constexpr uint8_t kBlue[3] = {90, 70, 140}, kRed[3] = {190, 70, 80}, kPink[3] = {225, 170, 205};

/// Pink tissue; a column of blue disks of 6 µm beside a column of red ones, equally dark in green.
RgbImage tissue(int64_t side) {
    RgbImage image(side, side);
    for (int64_t y = 0; y < side; ++y)
        for (int64_t x = 0; x < side; ++x) {
            const int64_t dx = x % 32 - 16, dy = y % 32 - 16;
            const bool disk = dx * dx + dy * dy < 36;
            std::copy_n(!disk ? kPink : x / 32 % 2 == 0 ? kBlue : kRed, 3, image.view().at(x, y));
        }
    return image;
}

/// The vote's probabilities on an image about which the inner segmenter says `probability`.
GrayImage voted(RgbImage image, uint8_t probability, double weight = 4) {
    HaematoxylinVote vote(std::make_unique<Constant>(probability), weight);
    const std::vector<double> params = vote.fit_slide({{tissue(256)}});
    TileSlot slot;
    slot.rgb = std::move(image);
    TileSlot* const batch[] = {&slot};
    vote.segment(batch, params);
    return std::move(slot.maps[kProbability]);
}

TEST(HaematoxylinVoteTest, colour_tells_nuclei_from_red_cells_that_are_as_dark) {
    const GrayImage p = voted(tissue(192), 128);
    EXPECT_GT(p(80, 80), 200) << "blue";
    EXPECT_LT(p(112, 80), 100) << "red";
    EXPECT_LT(p(64, 80), 60) << "between";
}

/// What the vote makes of 128 in the middle of a square of one colour amid `tissue`.
uint8_t voted_on(std::array<uint8_t, 3> colour, StainSet stains) {
    HaematoxylinVote vote(std::make_unique<Constant>(128), 4);
    const std::vector<double> params = vote.fit_slide({{tissue(256)}, stains});
    TileSlot slot;
    slot.rgb = tissue(192);
    for (int64_t y = 80; y < 112; ++y)
        for (int64_t x = 80; x < 112; ++x) std::copy_n(colour.data(), 3, slot.rgb.view().at(x, y));
    TileSlot* const batch[] = {&slot};
    vote.segment(batch, params);
    return slot.maps[kProbability](96, 96);
}

TEST(HaematoxylinVoteTest, brown_counts_against_a_nucleus_but_not_where_dab_marks_nuclei) {
    constexpr std::array<uint8_t, 3> kBrown{90, 70, 40};
    EXPECT_LT(voted_on(kBrown, StainSet::He) + 60, voted_on(kBrown, StainSet::Hdab));
}

TEST(HaematoxylinVoteTest, ink_and_soot_are_no_nuclei) {
    for (const std::array<uint8_t, 3> ink : {std::array<uint8_t, 3>{30, 70, 190}, {40, 30, 36}})
        for (const StainSet stains : {StainSet::He, StainSet::Hdab})
            EXPECT_LT(voted_on(ink, stains), 10) << int{ink[0]};
}

TEST(HaematoxylinVoteTest, alone_it_finds_nothing_and_loses_nothing) {
    const GrayImage nowhere = voted(tissue(192), 0), everywhere = voted(tissue(192), 255);
    for (int64_t i = 0; i < nowhere.size().area(); ++i) {
        ASSERT_LT(nowhere.data()[i], 128) << i;
        ASSERT_GT(everywhere.data()[i], 128) << i;
    }
}

TEST(HaematoxylinVoteTest, of_no_weight_changes_nothing) {
    for (const uint8_t probability : std::initializer_list<uint8_t>{0, 1, 77, 128, 254, 255}) {
        const GrayImage p = voted(tissue(64), probability, 0);
        EXPECT_EQ(p(16, 16), probability);
        EXPECT_EQ(p(0, 0), probability);
    }
}

TEST(HaematoxylinVoteTest, a_pixel_farther_than_the_halo_from_the_tiles_end_does_not_feel_it) {
    constexpr int64_t kHalo = 40;
    const RgbImage whole = tissue(256);
    const GrayImage p = voted(tissue(256), 100);
    const PixelRect part{37, 21, 160, 170};
    RgbImage cut(part.width, part.height);
    copy_pixels(whole.view().crop(part), cut.view());
    const GrayImage q = voted(std::move(cut), 100);
    for (int64_t y = kHalo; y < part.height - kHalo; ++y)
        for (int64_t x = kHalo; x < part.width - kHalo; ++x)
            ASSERT_EQ(q(x, y), p(x + part.x, y + part.y)) << x << ", " << y;
}

TEST(HaematoxylinVoteTest, hands_the_inner_segmenter_its_own_parameters) {
    auto inner = std::make_unique<Constant>(9);
    const Constant& its = *inner;
    HaematoxylinVote vote(std::move(inner), 4);
    EXPECT_THAT(vote.fit_slide({{tissue(128)}}),
                testing::ElementsAre(testing::Gt(0.15), testing::Gt(0.0), testing::Lt(0.0), 7));
    TileSlot slot;
    slot.rgb = tissue(64);
    TileSlot* const batch[] = {&slot};
    vote.segment(batch, std::vector<double>{0.7, 0.4, 100, 7});
    EXPECT_THAT(its.given, testing::ElementsAre(7));
}

TEST(HaematoxylinVoteTest, leaves_what_lies_past_the_slide_alone) {
    HaematoxylinVote vote(std::make_unique<Constant>(128), 4);
    TileSlot slot;
    slot.rgb = tissue(96);
    slot.inside = {0, 0, 48, 96};
    TileSlot* const batch[] = {&slot};
    vote.segment(batch, std::vector<double>{0.7, 0.4, 100, 7});
    EXPECT_NE(slot.maps[kProbability](40, 40), 128);
    for (int64_t y = 0; y < 96; ++y) ASSERT_EQ(slot.maps[kProbability](48, y), 128);
}

TEST(HaematoxylinVoteTest, makes_another_model_of_it) {
    const HaematoxylinVote four(std::make_unique<Constant>(1), 4),
        five(std::make_unique<Constant>(1), 5);
    EXPECT_NE(four.input_spec().hash, five.input_spec().hash);
    EXPECT_NE(four.input_spec().hash, Constant(1).input_spec().hash);
}

}  // namespace
}  // namespace wsi
