#include "stages/overlay.h"

#include <gtest/gtest.h>

namespace wsi {

namespace {

void square(Image<uint32_t>& labels, int64_t x0, int64_t y0, int64_t side, uint32_t id) {
    for (int64_t y = y0; y < y0 + side; ++y)
        for (int64_t x = x0; x < x0 + side; ++x) labels(x, y) = id;
}

Rgb at(const RgbImage& image, int64_t x, int64_t y) {
    return {image(x, y, 0), image(x, y, 1), image(x, y, 2)};
}

}  // namespace

TEST(OverlayTest, colours_hits_misses_and_false_nuclei) {
    const RgbImage rgb(40, 30, 200);
    Image<uint32_t> truth(40, 30, 0), found(40, 30, 0);
    square(truth, 2, 2, 8, 7), square(found, 3, 2, 8, 900);  // IoU 56 / 72
    square(truth, 20, 2, 8, 8);                              // nobody found it
    square(found, 20, 15, 8, 5);                             // nothing there
    square(truth, 2, 15, 9, 3), square(found, 5, 18, 9, 4);  // IoU 36 / 126: both
    const RgbImage out = error_overlay(rgb.view(), truth.view(), found.view());
    EXPECT_EQ(at(out, 3, 5), kHitColour);
    EXPECT_EQ(at(out, 2, 5), (Rgb{200, 200, 200}));  // a hit shows what was found
    EXPECT_EQ(at(out, 6, 5), (Rgb{200, 200, 200}));  // inside
    EXPECT_EQ(at(out, 20, 5), kMissedColour);
    EXPECT_EQ(at(out, 20, 20), kFalseColour);
    EXPECT_EQ(at(out, 2, 20), kMissedColour);
    EXPECT_EQ(at(out, 13, 20), kFalseColour);
}

TEST(OverlayTest, half_an_overlap_is_no_hit) {
    const RgbImage rgb(20, 10, 200);
    Image<uint32_t> truth(20, 10, 0), found(20, 10, 0);
    square(truth, 2, 2, 6, 1);
    for (int64_t y = 2; y < 8; ++y)
        for (int64_t x = 2; x < 5; ++x) found(x, y) = 1;  // IoU = 0.5
    EXPECT_EQ(at(error_overlay(rgb.view(), truth.view(), found.view()), 4, 4), kFalseColour);
}

TEST(OverlayTest, an_empty_picture_and_no_nuclei_are_fine) {
    EXPECT_TRUE(error_overlay(RgbImage().view(), Image<uint32_t>().view(), Image<uint32_t>().view())
                    .empty());
    const RgbImage rgb(3, 1, 9);
    const Image<uint32_t> none(3, 1, 0);
    EXPECT_EQ(at(error_overlay(rgb.view(), none.view(), none.view()), 2, 0), (Rgb{9, 9, 9}));
}

}  // namespace wsi
