#include "stages/offset_maps.h"

#include <gtest/gtest.h>

#include <cmath>

#include "stages/label_maps.h"
#include "stages/separate.h"

namespace wsi {
namespace {

/// A diagonal ellipse of `long_px` by `short_px` half axes.
void draw(Image<uint32_t>& labels, double cx, double cy, double long_px, double short_px,
          uint32_t id) {
    for (int64_t y = 0; y < labels.height(); ++y)
        for (int64_t x = 0; x < labels.width(); ++x) {
            const double dx = static_cast<double>(x) - cx, dy = static_cast<double>(y) - cy;
            const double a = (dx + dy) / std::sqrt(2.0), b = (dx - dy) / std::sqrt(2.0);
            const double r = a * a / (long_px * long_px) + b * b / (short_px * short_px);
            if (r <= 1 && labels(x, y) == 0) labels(x, y) = id;
        }
}

TEST(NucleusOffsetsTest, run_from_minus_one_to_one_and_each_half_has_its_own_scale) {
    Image<uint32_t> labels(12, 5);
    for (int x = 2; x < 9; ++x) labels(x, 2) = 6;
    labels(2, 1) = labels(3, 1) = labels(2, 3) = labels(3, 3) = 6;  // the centre moves to the left
    const OffsetMaps maps = nucleus_offsets(labels.view());
    // Centre of mass: (35 + 2 * 5) / 11 = 4.09 → 4.
    EXPECT_FLOAT_EQ(maps.horizontal(2, 2), -1);
    EXPECT_FLOAT_EQ(maps.horizontal(3, 2), -0.5F);
    EXPECT_FLOAT_EQ(maps.horizontal(4, 2), 0);
    EXPECT_FLOAT_EQ(maps.horizontal(5, 2), 0.25F);
    EXPECT_FLOAT_EQ(maps.horizontal(8, 2), 1);
    EXPECT_FLOAT_EQ(maps.vertical(2, 1), -1);
    EXPECT_FLOAT_EQ(maps.vertical(2, 3), 1);
    EXPECT_FLOAT_EQ(maps.horizontal(9, 2), 0);
}

TEST(OffsetDistanceTest, perfect_maps_of_nuclei_that_touch_side_by_side_give_them_back) {
    Image<uint32_t> truth(160, 160);
    uint32_t id = 0;
    for (int k = 0; k < 4; ++k) draw(truth, 50 + 16 * k, 95 - 16 * k, 24, 11, ++id);
    const OffsetMaps offsets = nucleus_offsets(truth.view());
    GrayImage distance(160, 160);
    OffsetDistance(0.25)(offsets.horizontal, offsets.vertical, distance);
    const GrayImage mask = nucleus_mask(truth.view());
    Image<uint32_t> found(160, 160);
    const auto params = SeparateParams::from({}, WorkFrame{{160, 160}, 1, 0.25, 0.25});
    EXPECT_EQ(Separator(params)(mask.view(), distance.view(), found).count, 4U);
    int wrong = 0, all = 0;
    for (int k = 0; k < 4; ++k) {
        const uint32_t middle = found(50 + 16 * k, 95 - 16 * k);
        for (int64_t i = 0; i < truth.size().area(); ++i) {
            if (truth.data()[i] != static_cast<uint32_t>(k + 1)) continue;
            ++all;
            wrong += found.data()[i] != middle;
        }
    }
    EXPECT_LT(wrong, all / 20) << wrong << " of " << all;
}

TEST(OffsetDistanceTest, a_value_depends_on_its_reach_alone) {
    const OffsetDistance distance(0.25);
    ASSERT_EQ(distance.reach_px(), 10);
    Image<float> h(64, 48), v(64, 48);
    for (int64_t i = 0; i < h.size().area(); ++i) {
        h.data()[i] = static_cast<float>((i * 2654435761U >> 7) % 200) / 100 - 1;
        v.data()[i] = static_cast<float>((i * 40503U >> 3) % 200) / 100 - 1;
    }
    GrayImage before(64, 48), after(64, 48);
    distance(h, v, before);
    h(30, 20) += 1;
    v(30, 20) -= 1;
    distance(h, v, after);
    int inside = 0;
    for (int y = 0; y < 48; ++y)
        for (int x = 0; x < 64; ++x) {
            const bool reached = std::abs(x - 30) <= 10 && std::abs(y - 20) <= 10;
            const bool same = before(x, y) == after(x, y);
            ASSERT_TRUE(reached || same) << x << "," << y;
            inside += !same;
        }
    EXPECT_GT(inside, 20);
}

}  // namespace
}  // namespace wsi
