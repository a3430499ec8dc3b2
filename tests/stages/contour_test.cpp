#include "stages/contour.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numbers>
#include <random>
#include <set>

namespace wsi {
namespace {

using Ring = std::vector<ContourPoint>;

/// Grows a random 4-connected blob.
Image<uint32_t> random_blob(int side, int pixels, std::mt19937& random) {
    Image<uint32_t> labels(side, side, 0);
    int x = side / 2, y = side / 2;
    for (int n = 0; n < pixels;) {
        n += labels(x, y) == 0;
        labels(x, y) = 1;
        const int step = static_cast<int>(random() % 4);
        x = std::clamp(x + (step == 0) - (step == 1), 1, side - 2);
        y = std::clamp(y + (step == 2) - (step == 3), 1, side - 2);
    }
    return labels;
}

std::map<uint32_t, Ring> trace_all(const Image<uint32_t>& labels, PixelPoint origin = {},
                                   double downsample = 2) {
    std::map<uint32_t, Ring> rings;
    ContourTracer trace;
    for (int64_t y = 0; y < labels.height(); ++y)
        for (int64_t x = 0; x < labels.width(); ++x) {
            const uint32_t label = labels(x, y);
            if (label == 0 || rings.contains(label)) continue;
            trace(labels.view(), label, {x, y}, origin, downsample, rings[label]);
        }
    return rings;
}

int64_t cross(ContourPoint o, ContourPoint a, ContourPoint b) {
    return int64_t{a.x - o.x} * (b.y - o.y) - int64_t{a.y - o.y} * (b.x - o.x);
}
int sign(int64_t v) { return (v > 0) - (v < 0); }

bool on_segment(ContourPoint a, ContourPoint b, ContourPoint p) {
    return cross(a, b, p) == 0 && std::min(a.x, b.x) <= p.x && p.x <= std::max(a.x, b.x) &&
           std::min(a.y, b.y) <= p.y && p.y <= std::max(a.y, b.y);
}

bool meet(ContourPoint a, ContourPoint b, ContourPoint c, ContourPoint d) {
    if (on_segment(a, b, c) || on_segment(a, b, d) || on_segment(c, d, a) || on_segment(c, d, b))
        return true;
    return sign(cross(a, b, c)) * sign(cross(a, b, d)) < 0 &&
           sign(cross(c, d, a)) * sign(cross(c, d, b)) < 0;
}

/// Every pair of sides, as naively as can be.
bool is_simple(const Ring& r) {
    const size_t n = r.size();
    if (n < 3) return false;
    for (size_t i = 0; i < n; ++i)
        for (size_t j = i + 1; j < n; ++j) {
            const bool next = j == i + 1, previous = (j + 1) % n == i;
            if (next && previous) continue;
            if (next && on_segment(r[i], r[j], r[(j + 1) % n])) return false;
            if (previous && on_segment(r[j], r[i], r[(i + 1) % n])) return false;
            if (!next && !previous && meet(r[i], r[(i + 1) % n], r[j], r[(j + 1) % n]))
                return false;
        }
    return true;
}

double area_px(const Ring& r) {
    int64_t twice = 0;
    for (size_t i = 0; i < r.size(); ++i) {
        const ContourPoint &a = r[i], &b = r[(i + 1) % r.size()];
        twice += int64_t{a.x} * b.y - int64_t{b.x} * a.y;
    }
    return static_cast<double>(twice) / 2e4;
}

TEST(ContourTest, random_blobs_give_simple_rings_of_positive_area) {
    std::mt19937 random(4);
    for (int trial = 0; trial < 2000; ++trial) {
        const Image<uint32_t> labels = random_blob(24, 1 + trial % 140, random);
        for (const double downsample : {0.5, 1.0, 4.0}) {
            const Ring ring = trace_all(labels, {1000, 2000}, downsample).at(1);
            ASSERT_TRUE(is_simple(ring)) << trial << " " << downsample;
            ASSERT_GT(area_px(ring), 0);
        }
    }
}

/// A mosaic without gaps: every pixel to the nearest of random seeds, pieces off their seed left
/// out.
Image<uint32_t> random_mosaic(int side, int seeds, std::mt19937& random) {
    std::vector<PixelPoint> at;
    for (int i = 0; i < seeds; ++i)
        at.push_back({static_cast<int64_t>(random() % static_cast<uint32_t>(side)),
                      static_cast<int64_t>(random() % static_cast<uint32_t>(side))});
    Image<uint32_t> labels(side, side, 0);
    for (int y = 0; y < side; ++y)
        for (int x = 0; x < side; ++x) {
            int64_t least = INT64_MAX;
            for (size_t i = 0; i < at.size(); ++i) {
                const int64_t d = (at[i].x - x) * (at[i].x - x) + (at[i].y - y) * (at[i].y - y);
                if (d < least) {
                    least = d;
                    labels(x, y) = i % 4 == 3 ? 0 : static_cast<uint32_t>(i + 1);
                }
            }
        }
    return labels;
}

/// Gives every 4-connected piece a label of its own: digital cells can fall apart.
Image<uint32_t> connected_pieces(const Image<uint32_t>& from) {
    Image<uint32_t> out(from.width(), from.height(), 0);
    uint32_t next = 1;
    for (int64_t y = 0; y < from.height(); ++y)
        for (int64_t x = 0; x < from.width(); ++x) {
            if (from(x, y) == 0 || out(x, y) != 0) continue;
            std::vector<PixelPoint> piece{{x, y}};
            out(x, y) = next;
            for (size_t i = 0; i < piece.size(); ++i)
                for (const auto& [dx, dy] : {std::pair{1, 0}, {-1, 0}, {0, 1}, {0, -1}}) {
                    const int64_t nx = piece[i].x + dx, ny = piece[i].y + dy;
                    if (nx < 0 || ny < 0 || nx >= from.width() || ny >= from.height()) continue;
                    if (from(nx, ny) != from(x, y) || out(nx, ny) != 0) continue;
                    out(nx, ny) = next;
                    piece.push_back({nx, ny});
                }
            ++next;
        }
    return out;
}

TEST(ContourTest, touching_nuclei_share_the_very_same_vertices) {
    std::mt19937 random(9);
    for (int trial = 0; trial < 60; ++trial) {
        const Image<uint32_t> labels = connected_pieces(random_mosaic(60, 14, random));
        const auto rings = trace_all(labels);
        // Vertices between two labels: on the segment of a pixel pair, so both rings must hold
        // them.
        std::map<std::pair<int32_t, int32_t>, std::set<uint32_t>> owners;
        for (const auto& [label, ring] : rings) {
            ASSERT_TRUE(is_simple(ring));
            for (const ContourPoint& p : ring) owners[{p.x, p.y}].insert(label);
        }
        const auto label_of = [&](double x, double y) {
            const auto i = static_cast<int64_t>(std::floor(x)),
                       j = static_cast<int64_t>(std::floor(y));
            return i < 0 || j < 0 || i >= 60 || j >= 60 ? 0u : labels(i, j);
        };
        for (const auto& [point, who] : owners) {
            const double x = point.first / 200.0, y = point.second / 200.0;  // work pixels
            const double cx = std::round(x - 0.5) + 0.5, cy = std::round(y - 0.5) + 0.5;
            // On a horizontal or a vertical segment between two pixel centres.
            std::set<uint32_t> sides;
            if (std::abs(y - cy) < 1e-6)
                sides = {label_of(std::floor(x - 0.5) + 0.5, y),
                         label_of(std::floor(x - 0.5) + 1.5, y)};
            else if (std::abs(x - cx) < 1e-6)
                sides = {label_of(x, std::floor(y - 0.5) + 0.5),
                         label_of(x, std::floor(y - 0.5) + 1.5)};
            sides.erase(0);
            if (sides.size() == 2) {
                EXPECT_EQ(who, sides) << trial << " at " << x << ", " << y;
            }
        }
    }
}

TEST(ContourTest, circles_keep_area_and_perimeter) {
    double area_bias = 0, perimeter_bias = 0;
    int count = 0;
    for (double radius = 4; radius < 30; radius += 0.7, ++count) {
        Image<uint32_t> labels(70, 70, 0);
        for (int y = 0; y < 70; ++y)
            for (int x = 0; x < 70; ++x)
                labels(x, y) = std::hypot(x + 0.5 - 35.2, y + 0.5 - 34.7) <= radius;
        const Ring ring = trace_all(labels, {}, 1).at(1);
        double length = 0;
        for (size_t i = 0; i < ring.size(); ++i)
            length += std::hypot(ring[(i + 1) % ring.size()].x - ring[i].x,
                                 ring[(i + 1) % ring.size()].y - ring[i].y) /
                      100;
        area_bias += area_px(ring) / (std::numbers::pi * radius * radius) - 1;
        perimeter_bias += length / (2 * std::numbers::pi * radius) - 1;
        EXPECT_LT(std::abs(length / (2 * std::numbers::pi * radius) - 1), 0.05) << radius;
    }
    std::printf("bias over %d circles: area %.2f %%, perimeter %.2f %%\n", count,
                100 * area_bias / count, 100 * perimeter_bias / count);
    EXPECT_LT(std::abs(area_bias / count), 0.01);
    EXPECT_LT(std::abs(perimeter_bias / count), 0.02);
}

TEST(ContourTest, a_ring_does_not_depend_on_where_the_window_lies) {
    std::mt19937 random(2);
    const Image<uint32_t> labels = random_blob(30, 120, random);
    Image<uint32_t> moved(40, 40, 0);
    for (int y = 0; y < 30; ++y)
        for (int x = 0; x < 30; ++x) moved(x + 7, y + 3) = labels(x, y) * 5;
    const Ring a = trace_all(labels, {100, 200}, 1.9).at(1),
               b = trace_all(moved, {93, 197}, 1.9).at(5);
    EXPECT_EQ(a, b);
}

TEST(ContourTest, one_pixel_and_the_windows_edge) {
    Image<uint32_t> labels(3, 1, 0);
    labels(0, 0) = 1;
    labels(1, 0) = labels(2, 0) = 2;
    for (const auto& [label, ring] : trace_all(labels)) {
        EXPECT_TRUE(is_simple(ring));
        EXPECT_GT(area_px(ring), 0);
    }
}

}  // namespace
}  // namespace wsi
