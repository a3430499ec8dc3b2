#include "stages/tissue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

namespace wsi {
namespace {

using Rgb = std::array<uint8_t, 3>;
constexpr Rgb kGlass{243, 243, 243}, kTissue{205, 150, 190};
constexpr double kMpp = 8;

/// An overview of empty glass with coloured pieces; 1 grey level of noise.
class Overview {
public:
    explicit Overview(PixelSize size, Rgb glass = kGlass) : image_(size.width, size.height) {
        paint({0, 0, size.width, size.height}, glass);
    }
    Overview& paint(const PixelRect& rect, Rgb colour) {
        for (int64_t y = rect.y; y < rect.bottom(); ++y)
            for (int64_t x = rect.x; x < rect.right(); ++x)
                for (int c = 0; c < 3; ++c)
                    image_(x, y, c) = static_cast<uint8_t>(colour[static_cast<size_t>(c)] +
                                                           static_cast<int>(random_() % 3) - 1);
        return *this;
    }
    GrayImage find(const TissueConfig& config = {}) const {
        return find_tissue(image_.view(), kMpp, config);
    }

private:
    RgbImage image_;
    std::mt19937 random_{1};
};

/// Share of set pixels in a rectangle.
double share(const GrayImage& mask, const PixelRect& rect) {
    int64_t set = 0;
    for (int64_t y = rect.y; y < rect.bottom(); ++y)
        for (int64_t x = rect.x; x < rect.right(); ++x) set += mask(x, y);
    return static_cast<double>(set) / static_cast<double>(rect.area());
}

TEST(TissueTest, covers_a_piece_with_its_margin_and_little_more) {
    const PixelRect piece{60, 50, 80, 60};
    const GrayImage mask = Overview({200, 160}).paint(piece, kTissue).find();
    EXPECT_EQ(share(mask, piece), 1);
    const PixelRect reach = piece.grown(2 + 4);  // 16 µm margin, the blur's own reach
    double outside = 0;
    for (int64_t y = 0; y < 160; ++y)
        for (int64_t x = 0; x < 200; ++x)
            if (!reach.contains(x, y)) outside += mask(x, y);
    EXPECT_EQ(outside, 0);
    EXPECT_EQ(mask(piece.x - 2, piece.y + 30), 1) << "no margin";
}

TEST(TissueTest, finds_pale_dark_and_brown_tissue_on_any_glass) {
    const PixelRect piece{60, 50, 80, 60};
    for (const Rgb glass : {Rgb{243, 243, 243}, Rgb{225, 224, 220}, Rgb{250, 248, 243}})
        for (const Rgb colour : {Rgb{225, 205, 218}, Rgb{90, 40, 110}, Rgb{140, 90, 60}}) {
            const GrayImage mask = Overview({200, 160}, glass).paint(piece, colour).find();
            EXPECT_GT(share(mask, piece), 0.99) << int{glass[0]} << " " << int{colour[0]};
            EXPECT_EQ(share(mask, {0, 0, 200, 40}), 0) << int{glass[0]} << " " << int{colour[0]};
        }
}

TEST(TissueTest, ink_and_what_touches_it_is_left_out) {
    const PixelRect piece{60, 50, 80, 60};
    for (const Rgb ink : {Rgb{40, 150, 60}, Rgb{20, 60, 170}, Rgb{20, 20, 22}}) {
        const PixelRect stroke{90, 0, 12, 160};
        const GrayImage mask = Overview({200, 160}).paint(piece, kTissue).paint(stroke, ink).find();
        EXPECT_EQ(share(mask, stroke), 0) << int{ink[0]} << "," << int{ink[1]};
        EXPECT_GT(share(mask, {62, 52, 20, 56}), 0.99);
        const PixelRect dot{100, 80, 2, 2};  // small enough to be filled as a hole
        EXPECT_EQ(share(Overview({200, 160}).paint(piece, kTissue).paint(dot, ink).find(), dot), 0);
    }
}

TEST(TissueTest, dust_and_grey_edges_are_dropped) {
    const GrayImage mask = Overview({200, 160})
                               .paint({20, 20, 5, 5}, kTissue)            // 1600 µm²
                               .paint({100, 0, 6, 160}, {200, 200, 200})  // cover-slip's edge
                               .find();
    EXPECT_EQ(share(mask, {0, 0, 200, 160}), 0);
}

TEST(TissueTest, small_holes_are_filled_and_large_ones_kept) {
    Overview overview({200, 160});
    overview.paint({20, 20, 160, 120}, kTissue)
        .paint({40, 40, 5, 5}, kGlass)     // 1600 µm²
        .paint({90, 50, 50, 50}, kGlass);  // 160000 µm²
    const GrayImage mask = overview.find();
    EXPECT_EQ(share(mask, {40, 40, 5, 5}), 1);
    EXPECT_EQ(share(mask, {98, 58, 34, 34}), 0);
}

TEST(TissueTest, glass_alone_gives_none_and_tissue_alone_gives_all) {
    EXPECT_EQ(share(Overview({120, 100}).find(), {0, 0, 120, 100}), 0);
    EXPECT_EQ(share(Overview({120, 100}, kTissue).find(), {0, 0, 120, 100}), 1);
}

// A field of view cut from a slide has too few cells to tell a piece from a speck.
TEST(TissueTest, an_image_smaller_than_the_least_piece_is_all_tissue) {
    EXPECT_EQ(share(Overview({1, 1}).find(), {0, 0, 1, 1}), 1);
    EXPECT_EQ(share(Overview({7, 8}, kTissue).find(), {0, 0, 7, 8}), 1);
    EXPECT_EQ(share(Overview({7, 9}).find(), {0, 0, 7, 9}), 0);
}

TEST(TissueTest, a_small_piece_is_dirt_on_a_slide_and_tissue_on_a_field_of_fat) {
    const PixelRect septum{10, 10, 6, 1}, speck{24, 24, 1, 1}, field{0, 0, 31, 31};
    EXPECT_EQ(share(Overview({31, 31}).paint(septum, kTissue).find(), septum), 1);
    EXPECT_EQ(share(Overview({31, 31}).paint(speck, kTissue).find(), field), 0);
    EXPECT_EQ(share(Overview({200, 160}).paint(septum, kTissue).find(), septum), 0);
}

// Lone nuclei between fat cells are too small for the overview.
TEST(TissueTest, a_field_of_view_with_tissue_is_tissue_throughout_but_for_ink) {
    const PixelRect vessel{10, 10, 6, 6}, stroke{24, 0, 4, 31};
    Overview overview({31, 31});
    const GrayImage field = overview.paint(vessel, kTissue).find();
    EXPECT_EQ(share(field, {0, 0, 31, 31}), 1);
    const GrayImage inked = overview.paint(stroke, {20, 60, 170}).find();
    EXPECT_EQ(share(inked, stroke), 0);
    EXPECT_EQ(share(inked, {0, 0, 18, 31}), 1);
}

/// A mask of random cells of 3.7 work pixels.
TissueMask random_mask() {
    TissueMask mask{GrayImage(13, 9), 3.7, kMpp};
    std::mt19937 random(4);
    for (int64_t i = 0; i < mask.cells.size().area(); ++i) mask.cells.data()[i] = random() % 9 == 0;
    return mask;
}

TEST(TissueMaskTest, contains_reads_the_cell_of_a_point) {
    TissueMask mask{GrayImage(3, 2), 3.7, kMpp};
    mask.cells(1, 0) = 1;
    EXPECT_FALSE(mask.contains(3.6, 0));
    EXPECT_TRUE(mask.contains(3.75, 3.6));
    EXPECT_FALSE(mask.contains(3.75, 3.75));
    mask.cells.fill(1);
    EXPECT_TRUE(mask.contains(0, 0));
    EXPECT_FALSE(mask.contains(-0.1, 0));
    EXPECT_FALSE(mask.contains(11.2, 0)) << "right of the frame";
    EXPECT_FALSE(mask.contains(0, 7.5)) << "below the frame";
}

// Tiles are left out by this: one missed pixel of tissue would be a missed nucleus.
TEST(TissueMaskTest, intersects_equals_looking_at_every_pixel) {
    const TissueMask mask = random_mask();
    std::mt19937 random(8);
    int hits = 0;
    for (int trial = 0; trial < 3000; ++trial) {
        const auto draw = [&](int n) { return static_cast<int64_t>(random()) % n; };
        const PixelRect rect{draw(60) - 6, draw(45) - 6, 1 + draw(9), 1 + draw(9)};
        bool any = false;
        for (int64_t y = rect.y; y < rect.bottom(); ++y)
            for (int64_t x = rect.x; x < rect.right(); ++x)
                any |= mask.contains(static_cast<double>(x), static_cast<double>(y));
        ASSERT_EQ(mask.intersects(rect), any) << rect.x << "," << rect.y << " " << rect.width;
        hits += any;
    }
    EXPECT_GT(hits, 300);
    EXPECT_LT(hits, 2700);
}

TEST(TissueMaskTest, area_is_in_square_millimetres) {
    TissueMask mask{GrayImage(100, 50), 16, 8};
    EXPECT_EQ(mask.area_mm2(), 0);
    mask.cells.fill(1);
    EXPECT_DOUBLE_EQ(mask.area_mm2(), 5000 * 64e-6);
}

}  // namespace
}  // namespace wsi
