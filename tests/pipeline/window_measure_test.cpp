// What a nucleus's row says about where it lies: slide, tissue, ink.
#include "pipeline/window_measure.h"

#include <gtest/gtest.h>

namespace wsi {
namespace {

constexpr int64_t kSide = 96;
const WorkFrame kFrame{{kSide, kSide}, 2, 0.5, 0.4};

/// Square nuclei of 10 pixels, in id order, on pink; tissue is what lies left of pixel 64.
struct Field {
    Field() : labels(kSide, kSide, 0u), rgb(kSide, kSide) {
        for (int64_t i = 0; i < kSide * kSide; ++i) set(i % kSide, i / kSide, {230, 190, 210});
        tissue.cells = GrayImage(6, 6, 1);
        tissue.cell_work_px = 16;
        tissue.mpp = 8;
        for (int64_t y = 0; y < 6; ++y) tissue.cells(4, y) = tissue.cells(5, y) = 0;
    }
    void set(int64_t x, int64_t y, const std::array<uint8_t, 3>& colour) {
        std::ranges::copy(colour, rgb.view().at(x, y));
    }
    void add(int64_t x0, int64_t y0, const std::array<uint8_t, 3>& colour) {
        ++count;
        for (int64_t y = y0; y < y0 + 10; ++y)
            for (int64_t x = x0; x < x0 + 10; ++x) {
                labels(x, y) = count;
                set(x, y, colour);
            }
    }
    NucleiBatch measure() const {
        FeatureConfig features;
        features.brief = true;
        StageClocks clocks;
        WindowMeasurer measurer(kFrame, tissue, kReferenceHe, features, nullptr, clocks);
        return measurer(
            {kFrame.rect(), std::as_const(labels).view(), count, std::as_const(rgb).view()},
            kFrame.rect(), OffTissue::Measured,
            [](uint32_t, std::span<const PixelRun>, NucleusIdentity&) {});
    }
    Image<uint32_t> labels;
    RgbImage rgb;
    TissueMask tissue;
    uint32_t count = 0;
};

constexpr std::array<uint8_t, 3> kBlue{90, 70, 150}, kGreen{40, 140, 60}, kBlack{15, 15, 15};

TEST(WindowMeasureTest, rows_say_how_much_of_a_nucleus_lies_on_tissue) {
    Field field;
    field.add(20, 4, kBlue);   // on tissue
    field.add(61, 20, kBlue);  // three of ten columns on it
    field.add(80, 40, kBlue);  // off it
    const NucleiBatch rows = field.measure();
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_EQ(rows.identity[0].tissue_fraction, 1);
    EXPECT_EQ(rows.identity[1].tissue_fraction, 0.3F);
    EXPECT_EQ(rows.identity[2].tissue_fraction, 0);
    for (size_t i = 0; i < 3; ++i)
        EXPECT_EQ(rows.identity[i].flags & kAtRoiEdge, i > 0 ? kAtRoiEdge : 0) << i;
    // Pixels 20..29 and 4..13 of 0.5 x 0.4 µm.
    EXPECT_FLOAT_EQ(rows.identity[0].centroid_x_um, 12.5F);
    EXPECT_FLOAT_EQ(rows.identity[0].centroid_y_um, 3.6F);
    EXPECT_EQ(rows.identity[0].centroid_x_px, 50);
}

TEST(WindowMeasureTest, a_nucleus_of_ink_or_soot_is_flagged_and_one_beside_it_is_not) {
    Field field;
    field.add(20, 4, kBlue);
    field.add(20, 20, kGreen);
    field.add(20, 36, kBlack);
    field.add(20, 52, kBlue);  // two of ten rows inked
    for (int64_t x = 18; x < 32; ++x)
        for (int64_t y = 50; y < 54; ++y) field.set(x, y, kGreen);
    const NucleiBatch rows = field.measure();
    ASSERT_EQ(rows.size(), 4u);
    for (size_t i = 0; i < 4; ++i)
        EXPECT_EQ(rows.identity[i].flags & kOnArtefact, i == 1 || i == 2 ? kOnArtefact : 0) << i;
}

}  // namespace
}  // namespace wsi
