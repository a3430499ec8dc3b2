#include "model/classical.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "model/classical_filters.h"
#include "stages/stain.h"

namespace wsi {
namespace {

std::array<uint8_t, 3> stained(double h, double e) {
    std::array<uint8_t, 3> rgb;
    for (size_t k = 0; k < 3; ++k)
        rgb[k] = static_cast<uint8_t>(std::lround(std::clamp(
            kWhiteLevel * std::exp(-(h * kReferenceHe[0][k] + e * kReferenceHe[1][k])) - 1, 0.0,
            255.0)));
    return rgb;
}

void paint(RgbView image, int64_t x, int64_t y, double h, double e) {
    const auto rgb = stained(h, e);
    for (int c = 0; c < 3; ++c) image(x, y, c) = rgb[static_cast<size_t>(c)];
}

/// Pink tissue with a lattice of round nuclei of 6 to 12 µm and noise in the stain.
RgbImage tissue(int64_t width, int64_t height, uint32_t seed) {
    RgbImage image(width, height);
    std::mt19937 random(seed);
    for (int64_t y = 0; y < height; ++y)
        for (int64_t x = 0; x < width; ++x) {
            const auto noise = static_cast<double>(random() % 1000) / 5000;
            const double dx = static_cast<double>(x % 40) - 20,
                         dy = static_cast<double>(y % 40) - 20;
            const double radius = 6 + static_cast<double>((x / 40 + y / 40) % 7);
            const bool inside = dx * dx + dy * dy < radius * radius;
            paint(image, x, y, noise + (inside ? 1.4 : 0.1), 0.4);
        }
    return image;
}

TileSlot slot_of(RgbImage image) {
    TileSlot slot;
    slot.rgb = std::move(image);
    return slot;
}

TEST(MakeSegmenterTest, knows_the_classical_segmenter) {
    const auto segmenter = make_segmenter({.name = "classical"});
    EXPECT_EQ(segmenter->input_spec().name, "classical");
    EXPECT_FALSE(segmenter->input_spec().hash.empty());
    EXPECT_GT(segmenter->max_concurrency(), 1);
}

TEST(MakeSegmenterTest, lists_the_names_when_unknown) {
    ModelConfig config;
    config.name = "clasical";
    try {
        make_segmenter(config);
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Config);
        EXPECT_THAT(error.what(), testing::AllOf(testing::HasSubstr("'clasical'"),
                                                 testing::HasSubstr("known names: classical")));
    }
}

TEST(ClassicalSegmenterTest, does_not_depend_on_the_tile_grid) {
    ClassicalSegmenter segmenter;
    const InputSpec& spec = segmenter.input_spec();
    const int shift = 37, core = 64, side = core + 2 * spec.halo_px;
    const RgbImage image = tissue(side + shift, side + shift, 7);
    const auto params = segmenter.fit_slide({{image}});
    TileSlot whole = slot_of(image);
    TileSlot* batch[] = {&whole};
    segmenter.segment(batch, params);
    for (const int at : {0, 1, 17, shift}) {
        TileSlot part = slot_of(RgbImage(side, side));
        copy_pixels<uint8_t, 3>(image.view().crop({at, at, side, side}), part.rgb);
        batch[0] = &part;
        segmenter.segment(batch, params);
        int64_t different = 0;
        for (const auto map : {kProbability, kDistance})
            for (int y = 0; y < side; ++y)
                for (int x = 0; x < side; ++x) {
                    // Valid in both: a halo away from every border that is not shared.
                    const bool core_pixel =
                        std::min({x, y, side - 1 - x, side - 1 - y}) >= spec.halo_px;
                    different +=
                        core_pixel && part.maps[map](x, y) != whole.maps[map](x + at, y + at);
                }
        EXPECT_EQ(different, 0) << "of " << 2 * core * core << " at shift " << at;
    }
}

TEST(ClassicalSegmenterTest, finds_planted_nuclei_at_their_size) {
    ClassicalSegmenter segmenter;
    const int side = 240;
    TileSlot slot = slot_of(RgbImage(side, side));
    double truth = 0;
    for (int y = 0; y < side; ++y)
        for (int x = 0; x < side; ++x) {
            const double dx = x % 60 - 30, dy = y % 60 - 30, radius = 6 + (x / 60 + y / 60) % 3 * 2;
            const bool inside = dx * dx + dy * dy <= radius * radius;
            truth += inside;
            paint(slot.rgb, x, y, inside ? 1.5 : 0.1, 0.35);
        }
    const auto params = segmenter.fit_slide({{slot.rgb}});
    TileSlot* batch[] = {&slot};
    segmenter.segment(batch, params);
    double area = 0;
    for (int y = 0; y < side; ++y)
        for (int x = 0; x < side; ++x) area += slot.maps[kProbability](x, y) >= 128;
    EXPECT_NEAR(area / truth, 1, 0.08);
    EXPECT_GT(slot.maps[kDistance](30, 30), slot.maps[kDistance](30, 25));
    EXPECT_GT(slot.maps[kDistance](30, 25), slot.maps[kDistance](30, 10));
}

TEST(ClassicalSegmenterTest, opens_the_gaps_between_crowded_nuclei) {
    const int side = 240, period = 12, middle = 120;
    TileSlot slot = slot_of(RgbImage(side, side));
    for (int y = 0; y < side; ++y)
        for (int x = 0; x < side; ++x) paint(slot.rgb, x, y, x % period < 2 ? 0.7 : 1.4, 0.35);
    DensityImage density(side, side), fine(side, side), temporary;
    haematoxylin_density(slot.rgb, density);
    smooth_binomial(density, fine, temporary);
    double mean = 0;
    for (int x = 0; x < period; ++x) mean += 1.0 * fine(middle + x, middle) / period;
    // A gap above the threshold, by half of what sharpening takes off.
    const double gap = fine(middle, middle), threshold = gap - (mean - gap) / 4;
    ASSERT_GT(gap, threshold + 8);
    TileSlot* batch[] = {&slot};
    const std::vector<double> params{threshold / kDensityUnit, mean / kDensityUnit};
    ClassicalSegmenter().segment(batch, params);
    EXPECT_LT(slot.maps[kProbability](middle, middle), 128);
    EXPECT_GE(slot.maps[kProbability](middle + period / 2, middle), 128);
}

TEST(ClassicalSegmenterTest, finds_nothing_on_glass) {
    ClassicalSegmenter segmenter;
    TileSlot slot = slot_of(RgbImage(90, 70, 244));
    TileSlot* batch[] = {&slot};
    segmenter.segment(batch, segmenter.fit_slide({}));
    const auto& p = slot.maps[kProbability];
    EXPECT_LT(*std::max_element(p.data(), p.data() + 90 * 70), 32);
}

TEST(ClassicalSegmenterTest, takes_an_empty_and_a_single_pixel_tile) {
    ClassicalSegmenter segmenter;
    for (const int side : {0, 1, 3}) {
        TileSlot slot = slot_of(RgbImage(side, side, 100));
        TileSlot* batch[] = {&slot};
        segmenter.segment(batch, segmenter.fit_slide({}));
        EXPECT_EQ(slot.maps[kProbability].width(), side);
        EXPECT_EQ(slot.maps[kDistance].height(), side);
    }
}

}  // namespace
}  // namespace wsi
