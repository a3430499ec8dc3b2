#include "stages/nucleus_raster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numbers>

namespace wsi {
namespace {

const WorkFrame kFrame{{400, 300}, 2, 0.5, 0.5};

int64_t area(const std::vector<PixelRun>& runs) {
    int64_t sum = 0;
    for (const PixelRun& run : runs) sum += run.x1 - run.x0;
    return sum;
}

std::vector<RoiPoint> circle(double x, double y, double r, int points = 200) {
    std::vector<RoiPoint> ring;
    for (int i = 0; i < points; ++i) {
        const double a = 2 * std::numbers::pi * i / points;
        ring.push_back({x + r * std::cos(a), y + r * std::sin(a)});
    }
    return ring;
}

TEST(NucleusRasterTest, takes_pixels_whose_centre_lies_inside) {
    NucleusRaster raster(kFrame);
    std::vector<PixelRun> runs;
    // Level-0 11..17 holds the centres 11 (on the left border: inside), 13, 15 of work pixels 5..7.
    const std::vector<RoiPoint> square{{11, 20}, {17, 20}, {17, 25}, {11, 25}};
    EXPECT_EQ(raster(square, 0, runs), RasterOutcome::Clean);
    EXPECT_EQ(runs, (std::vector<PixelRun>{{10, 5, 8}, {11, 5, 8}}));
    const std::vector<RoiPoint> next{{17, 20}, {21, 20}, {21, 25}, {17, 25}};
    EXPECT_EQ(raster(next, 0, runs), RasterOutcome::Clean);
    EXPECT_EQ(runs.front(), (PixelRun{10, 8, 10})) << "a shared edge gives each pixel once";
}

TEST(NucleusRasterTest, mends_what_crosses_itself_and_fills_holes) {
    NucleusRaster raster(kFrame);
    std::vector<PixelRun> runs;
    const std::vector<RoiPoint> bow_tie{{20, 20}, {140, 40}, {140, 20}, {20, 40}};
    EXPECT_EQ(raster(bow_tie, 0, runs), RasterOutcome::Repaired);
    EXPECT_NEAR(static_cast<double>(area(runs)), 150, 15) << "one of its wings";
    runs = {{10, 5, 12}, {11, 5, 7}, {11, 10, 12}, {12, 5, 12}, {20, 5, 7}};
    EXPECT_EQ(raster.clean(runs), RasterOutcome::Repaired);
    EXPECT_EQ(runs, (std::vector<PixelRun>{{10, 5, 12}, {11, 5, 12}, {12, 5, 12}}));
    runs = {{10, 5, 8}, {11, 8, 10}};  // touch at a corner only
    EXPECT_EQ(raster.clean(runs), RasterOutcome::Repaired);
    EXPECT_EQ(runs, (std::vector<PixelRun>{{10, 5, 8}}));
}

TEST(NucleusRasterTest, says_what_cannot_be_a_nucleus) {
    NucleusRaster raster(kFrame);
    std::vector<PixelRun> runs;
    using enum RasterOutcome;
    EXPECT_EQ(raster(std::vector<RoiPoint>{{1, 1}, {9, 9}}, 0, runs), TooSmall);
    EXPECT_EQ(raster(std::vector<RoiPoint>{{1, 1}, {9, 9}, {5, 5}}, 0, runs), TooSmall);
    EXPECT_EQ(raster(circle(-100, 20, 10), 0, runs), OffSlide);
    EXPECT_EQ(raster(circle(1e12, 20, 10), 0, runs), OffSlide);
    EXPECT_EQ(raster(circle(400, 300, 260), 0, runs), TooLarge);
    EXPECT_EQ(raster(circle(0, 300, 20), 0, runs), Clean) << "half of it lies on the slide";
    EXPECT_NEAR(static_cast<double>(area(runs)), std::numbers::pi * 50, 5);
    EXPECT_EQ(raster(std::vector<RoiPoint>{{40.1, 40.1}, {40.4, 40.1}, {40.1, 40.4}}, 0, runs),
              Clean);
    EXPECT_EQ(runs, (std::vector<PixelRun>{{20, 20, 21}})) << "one pixel";
}

// CellViT and HoVer-Net draw through the centres of border pixels: half a pixel inside the border.
TEST(NucleusRasterTest, outlines_through_border_pixels_give_an_unbiased_area) {
    NucleusRaster raster(kFrame);
    std::vector<PixelRun> runs;
    double grown = 0, as_drawn = 0, truth = 0;
    for (int i = 0; i < 60; ++i) {
        const double x = 200 + 0.37 * i, y = 150 + 0.21 * i, r = 10 + 0.1 * i;
        raster(circle(x, y, r), 0, runs);
        truth += static_cast<double>(area(runs));
        raster(circle(x, y, r - 0.5), 0, runs);
        as_drawn += static_cast<double>(area(runs));
        raster(circle(x, y, r - 0.5), 0.5, runs);
        grown += static_cast<double>(area(runs));
    }
    EXPECT_NEAR(grown / truth, 1, 0.005);
    EXPECT_LT(as_drawn / truth, 0.95);
}

}  // namespace
}  // namespace wsi
