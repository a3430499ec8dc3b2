#include "io/ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace wsi {
namespace {

using Ring = std::vector<ContourPoint>;

/// A wobbly circle; wobble above 1 makes many of them cross themselves.
Ring wobbly(std::mt19937& random, double radius, double wobble, int vertices) {
    Ring ring;
    for (int k = 0; k < vertices; ++k) {
        const double angle = 6.283185307 * k / vertices;
        const double r = radius * (1 + wobble * (static_cast<double>(random() % 1000) / 500 - 1));
        ring.push_back({static_cast<int32_t>(1e5 + r * std::cos(angle)),
                        static_cast<int32_t>(1e5 + r * std::sin(angle))});
    }
    return ring;
}

TEST(RingTest, tells_valid_rings_from_others) {
    EXPECT_TRUE(is_simple(Ring{{0, 0}, {10, 0}, {10, 10}, {0, 10}}));
    EXPECT_TRUE(is_simple(Ring{{0, 0}, {0, 10}, {10, 10}, {10, 0}})) << "clockwise";
    EXPECT_TRUE(is_simple(Ring{{0, 0}, {5, 0}, {10, 0}, {10, 10}})) << "a vertex on a line";
    EXPECT_FALSE(is_simple(Ring{{0, 0}, {10, 10}, {10, 0}, {0, 10}})) << "a bow-tie";
    EXPECT_FALSE(is_simple(Ring{{0, 0}, {10, 0}})) << "a line";
    EXPECT_FALSE(is_simple(Ring{{0, 0}, {10, 0}, {20, 0}})) << "no area";
    EXPECT_FALSE(is_simple(Ring{{0, 0}, {10, 0}, {10, 0}, {0, 10}})) << "a vertex twice";
    EXPECT_FALSE(is_simple(Ring{{0, 0}, {10, 0}, {10, 10}, {10, 5}, {0, 5}})) << "a spike";
    EXPECT_FALSE(is_simple(Ring{{0, 0}, {10, 0}, {5, 5}, {10, 10}, {0, 10}, {5, 5}})) << "a pinch";
    EXPECT_FALSE(is_simple(Ring{{0, 0}, {10, 0}, {10, 10}, {5, 0}, {0, 10}}))
        << "vertex on an edge";
}

TEST(RingTest, simplifying_stays_within_the_tolerance_and_simple) {
    std::mt19937 random(7);
    size_t before = 0, after = 0;
    for (int n = 0; n < 300; ++n) {
        const Ring ring = wobbly(random, 800, 0.05, 60);
        ASSERT_TRUE(is_simple(ring));
        const Ring fewer = simplified(ring, 0.5);
        EXPECT_TRUE(is_simple(fewer));
        before += ring.size();
        after += fewer.size();
        for (const ContourPoint& p : ring) {
            double nearest = 1e9;
            for (size_t k = 0; k < fewer.size(); ++k) {
                const ContourPoint &a = fewer[k], &b = fewer[(k + 1) % fewer.size()];
                const double dx = b.x - a.x, dy = b.y - a.y;
                const double t = std::clamp(
                    ((p.x - a.x) * dx + (p.y - a.y) * dy) / (dx * dx + dy * dy), 0.0, 1.0);
                nearest = std::min(nearest, std::hypot(p.x - a.x - t * dx, p.y - a.y - t * dy));
            }
            EXPECT_LE(nearest, 50.001);  // hundredths
        }
    }
    EXPECT_LT(after, before / 2);
    const Ring triangle{{0, 0}, {30, 0}, {0, 30}};
    EXPECT_EQ(simplified(triangle, 5), triangle) << "nothing is left of it otherwise";
}

TEST(RingTest, whole_pixels_keep_every_ring_simple) {
    EXPECT_THAT(on_whole_pixels(Ring{{50, 50}, {1050, 50}, {1050, 1050}, {50, 1050}}),
                testing::ElementsAre(ContourPoint{0, 0}, ContourPoint{10, 0}, ContourPoint{10, 10},
                                     ContourPoint{0, 10}));
    EXPECT_THAT(on_whole_pixels(Ring{{510, 510}, {590, 510}, {540, 590}}), testing::SizeIs(4))
        << "smaller than a pixel: a box";
    EXPECT_THAT(on_whole_pixels(Ring{{0, 10}, {900, 20}, {900, 90}, {0, 80}}), testing::SizeIs(4))
        << "flattened to a line: a box";
    std::mt19937 random(3);
    for (const double radius : {60.0, 150.0, 400.0, 2000.0})
        for (int n = 0; n < 500; ++n) {
            const Ring ring = wobbly(random, radius, 0.6, 40);
            EXPECT_TRUE(is_simple(on_whole_pixels(ring)));
        }
}

TEST(RingTest, whole_pixels_cost_a_neck_its_smaller_part) {
    // A square of 20 pixels, a neck of a third of one, a square of 6: not one hull of both.
    const Ring ring{{50, 50},     {2050, 50},   {2050, 1000}, {3050, 1000},
                    {3050, 800},  {3650, 800},  {3650, 1400}, {3050, 1400},
                    {3050, 1030}, {2050, 1030}, {2050, 2050}, {50, 2050}};
    const Ring whole = on_whole_pixels(ring);
    ASSERT_TRUE(is_simple(whole));
    for (const ContourPoint& p : whole) EXPECT_LE(p.x, 20);
    EXPECT_THAT(whole, testing::IsSupersetOf({ContourPoint{0, 0}, ContourPoint{20, 0},
                                              ContourPoint{20, 20}, ContourPoint{0, 20}}));
}

}  // namespace
}  // namespace wsi
