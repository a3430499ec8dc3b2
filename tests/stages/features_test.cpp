#include "stages/features.h"
#include "stages/table_schema.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <numbers>
#include <numeric>
#include <random>
#include <set>
#include <sstream>

#include "stages/contour.h"
#include "stages/feature_groups.h"
#include "stages/ihc.h"

namespace wsi {
namespace {

const WorkFrame kFrame{{4096, 4096}, 2, 0.5, 0.5};

/// One object drawn by a predicate on pixel centres into a window of `side` pixels.
struct Drawn {
    template <class Inside>
    Drawn(int64_t side, Inside&& inside) : labels(side, side, 0u), rgb(side, side, uint8_t{200}) {
        for (int64_t y = 0; y < side; ++y)
            for (int64_t x = 0; x < side; ++x) labels(x, y) = inside(x, y) ? 1 : 0;
        for (int32_t y = 0; y < side; ++y)
            for (int32_t x = 0, begin = 0; x < side; x = begin) {
                while (x < side && labels(x, y) == 0) ++x;
                begin = x;
                while (begin < side && labels(begin, y) != 0) ++begin;
                if (x < side) runs.push_back({y, x, begin});
            }
        ContourTracer trace;
        trace(labels.view(), 1, {runs[0].x0, runs[0].y}, {0, 0}, kFrame.downsample, ring);
    }
    NucleusPixels pixels() const { return {runs, ring, rgb.view(), labels.view(), {0, 0}}; }
    Image<uint32_t> labels;
    RgbImage rgb;
    std::vector<PixelRun> runs;
    std::vector<ContourPoint> ring;
};

Drawn ellipse(double a, double b, double angle, double dx = 0, double dy = 0) {
    const int64_t side = 2 * static_cast<int64_t>(std::ceil(std::max(a, b))) + 7;
    const double c = static_cast<double>(side) / 2;
    return Drawn(side, [=](int64_t x, int64_t y) {
        const double u = static_cast<double>(x) + 0.5 - c - dx,
                     v = static_cast<double>(y) + 0.5 - c - dy;
        const double p = (u * std::cos(angle) + v * std::sin(angle)) / a,
                     q = (v * std::cos(angle) - u * std::sin(angle)) / b;
        return p * p + q * q <= 1;
    });
}

std::map<std::string, double> measure(const Drawn& drawn) {
    FeatureExtractor extract(kFrame, kReferenceHe, FeatureConfig{});
    std::vector<float> row(feature_schema(FeatureConfig{}).size());
    extract(drawn.pixels(), row);
    std::map<std::string, double> out;
    for (size_t k = 0; k < row.size(); ++k)
        out[feature_schema(FeatureConfig{})[k].name] = static_cast<double>(row[k]);
    return out;
}

/// Perimeter of an ellipse (Ramanujan's second approximation).
double ellipse_perimeter(double a, double b) {
    const double h = (a - b) * (a - b) / ((a + b) * (a + b));
    return std::numbers::pi * (a + b) * (1 + 3 * h / (10 + std::sqrt(4 - 3 * h)));
}

TEST(FeaturesTest, perimeters_of_digital_ellipses_are_unbiased) {
    double sum = 0;
    int n = 0;
    for (const double a : {5.0, 6.5, 8.0, 11.0, 16.0})
        for (const double ratio : {1.0, 0.8, 0.6})
            for (const double angle : {0.0, 0.4, 0.785, 1.3})
                for (const double shift : {0.0, 0.25, 0.5}) {
                    const auto f = measure(ellipse(a, ratio * a, angle, shift, -shift / 2));
                    const double exact = ellipse_perimeter(a, ratio * a) * kFrame.mpp();
                    const double relative = f.at("shape_perimeter_um") / exact - 1;
                    EXPECT_LT(std::abs(relative), 0.06) << a << " " << ratio << " " << angle;
                    sum += relative;
                    ++n;
                }
    EXPECT_LT(std::abs(sum / n), 0.02);
}

TEST(FeaturesTest, a_disk_has_the_sizes_of_a_circle) {
    const auto f = measure(ellipse(16, 16, 0, 0.5, 0.5));
    const double d = 32 * kFrame.mpp();
    EXPECT_NEAR(f.at("shape_equivalent_diameter_um"), d, 0.02 * d);
    EXPECT_NEAR(f.at("shape_max_caliper_um"), d, 0.03 * d);
    EXPECT_NEAR(f.at("shape_min_caliper_um"), d, 0.03 * d);
    EXPECT_NEAR(f.at("shape_bounding_circle_diameter_um"), d, 0.03 * d);
    EXPECT_NEAR(f.at("shape_max_radius_um"), d / 2, 0.05 * d);
    EXPECT_NEAR(f.at("shape_mean_radius_um"), d / 6, 0.03 * d);
    EXPECT_NEAR(f.at("shape_convexity"), 1, 0.02);
    EXPECT_NEAR(f.at("shape_roundness"), 1, 0.02);
    EXPECT_NEAR(f.at("shape_extent"), std::numbers::pi / 4, 0.03);
    EXPECT_NEAR(f.at("shape_hu_1"), 1 / (2 * std::numbers::pi), 1e-3);
    // A tangent that turns once around is the frequency 1, which lies in the second band.
    EXPECT_GT(f.at("shape_fsd_2"), 0.98);
}

TEST(FeaturesTest, the_euler_number_counts_pieces_and_holes) {
    const auto euler = [](auto&& inside) {
        return measure(Drawn(12, inside)).at("shape_euler_number");
    };
    EXPECT_EQ(euler([](int64_t x, int64_t y) { return x == 5 && y == 5; }), 1);
    EXPECT_EQ(euler([](int64_t x, int64_t y) { return x == y && (x == 5 || x == 6); }), 1);
    EXPECT_EQ(euler([](int64_t x, int64_t y) { return y == 5 && (x == 3 || x == 5); }), 2);
    // A ring that is closed at corners only, and one around a piece of its own.
    EXPECT_EQ(euler([](int64_t x, int64_t y) { return std::abs(x - 5) + std::abs(y - 5) == 1; }),
              0);
    EXPECT_EQ(euler([](int64_t x, int64_t y) {
                  const int64_t r = std::max(std::abs(x - 5), std::abs(y - 5));
                  return r == 0 || r == 2;
              }),
              1);
}

TEST(FeaturesTest, shapes_do_not_depend_on_where_they_lie) {
    const Drawn here = ellipse(9, 6, 0.5);
    Drawn there = here;
    for (PixelRun& run : there.runs) run = {run.y + 4000, run.x0 + 70000, run.x1 + 70000};
    for (ContourPoint& p : there.ring) p = {p.x + 14000000, p.y + 800000};
    FeatureExtractor extract(kFrame, kReferenceHe, FeatureConfig{});
    std::vector<float> a(feature_schema(FeatureConfig{}).size()), b(a.size());
    extract(here.pixels(), a);
    extract({there.runs, there.ring, there.rgb.view(), {}, {70000, 4000}}, b);
    for (size_t k = 0; k < a.size(); ++k)
        EXPECT_TRUE(a[k] == b[k] || (std::isnan(a[k]) && std::isnan(b[k])))
            << feature_schema(FeatureConfig{})[k].name;
}

TEST(FeaturesTest, one_pixel_has_a_defined_size_and_no_direction) {
    const auto f = measure(Drawn(5, [](int64_t x, int64_t y) { return x == 2 && y == 2; }));
    EXPECT_EQ(f.at("shape_area_um2"), 0.25);
    EXPECT_EQ(f.at("shape_solidity"), 1);
    EXPECT_EQ(f.at("shape_extent"), 1);
    EXPECT_FLOAT_EQ(static_cast<float>(f.at("shape_max_radius_um")), 0.5f);
    EXPECT_TRUE(std::isnan(f.at("shape_orientation_rad")));
    EXPECT_TRUE(std::isnan(f.at("shape_roundness")));
    EXPECT_TRUE(std::isnan(f.at("shape_fractal_dimension")));
}

/// A nucleus among others on random colours, and the same with everything scrambled that lies
/// farther than `reach` from it.
TEST(FeaturesTest, nothing_beyond_the_ring_matters_and_nothing_of_other_nuclei_in_it) {
    FeatureConfig config;
    const int reach = ring_px(config, kFrame);
    ASSERT_EQ(reach, 8);
    std::mt19937 random(6);
    Drawn drawn = ellipse(9, 6, 0.5);
    const int64_t side = 64, dx = 20, dy = 17;
    Image<uint32_t> labels(side, side, 0u);
    RgbImage rgb(side, side);
    for (int64_t i = 0; i < 3 * side * side; ++i) rgb.data()[i] = static_cast<uint8_t>(random());
    for (PixelRun& run : drawn.runs) {
        run = {static_cast<int32_t>(run.y + dy), static_cast<int32_t>(run.x0 + dx),
               static_cast<int32_t>(run.x1 + dx)};
        for (int64_t x = run.x0; x < run.x1; ++x) labels(x, run.y) = 1;
    }
    const auto distance_to = [&](int64_t x, int64_t y) {
        double least = INFINITY;
        for (const PixelRun& run : drawn.runs)
            for (int64_t u = run.x0; u < run.x1; ++u)
                least = std::min(
                    least, std::hypot(static_cast<double>(u - x), static_cast<double>(run.y - y)));
        return least;
    };
    // A neighbour that cuts into the ring on the right.
    for (int64_t y = 0; y < side; ++y)
        for (int64_t x = 0; x < side; ++x)
            if (distance_to(x, y) > 2 && x > 38) labels(x, y) = 2;
    const auto run = [&](const RgbImage& colours, const Image<uint32_t>& marks) {
        FeatureExtractor extract(kFrame, kReferenceHe, config);
        std::vector<float> row(feature_schema(config).size());
        extract({drawn.runs, drawn.ring, colours.view(), marks.view(), {0, 0}}, row);
        return row;
    };
    const std::vector<float> expected = run(rgb, labels);
    RgbImage scrambled = rgb;
    Image<uint32_t> other_labels = labels;
    for (int64_t y = 0; y < side; ++y)
        for (int64_t x = 0; x < side; ++x) {
            const double d = distance_to(x, y);
            if (d > reach) other_labels(x, y) = static_cast<uint32_t>(random() % 3);
            // The ring's texture looks 6 pixels far from it in both axes, 6 √2 in corners; into
            // another nucleus as well.
            if (d > reach + 6 * std::numbers::sqrt2)
                for (int c = 0; c < 3; ++c) scrambled(x, y, c) = static_cast<uint8_t>(random());
        }
    EXPECT_EQ(run(scrambled, other_labels), expected);
    // Ring columns, and they alone, see the neighbour's outline.
    other_labels = labels;
    for (int64_t y = 0; y < side; ++y)
        for (int64_t x = 0; x < side; ++x)
            if (other_labels(x, y) == 2) other_labels(x, y) = 0;
    const std::vector<float> alone = run(rgb, other_labels);
    const FeatureSchema schema = feature_schema(config);
    size_t changed = 0;
    for (size_t k = 0; k < schema.size(); ++k) {
        changed += alone[k] != expected[k];
        if (schema[k].name.starts_with("ring_")) continue;
        EXPECT_EQ(alone[k], expected[k]) << schema[k].name;
    }
    EXPECT_GT(changed, 50u);
}

/// A nucleus on random colours, and the same field on pixels of half the side.
struct TwoScales {
    static constexpr int64_t kSide = 60, kAt = 20;  // work pixels
    TwoScales() : labels(kSide, kSide, 0u), coarse(kSide, kSide), fine(2 * kSide, 2 * kSide) {
        std::mt19937 random(11);
        for (int64_t i = 0; i < 12 * kSide * kSide; ++i)
            fine.data()[i] = static_cast<uint8_t>(60 + random() % 150);
        for (int64_t i = 0; i < 3 * kSide * kSide; ++i)
            coarse.data()[i] = static_cast<uint8_t>(random());
        for (PixelRun run : drawn.runs) {
            run = {static_cast<int32_t>(run.y + kAt), static_cast<int32_t>(run.x0 + kAt),
                   static_cast<int32_t>(run.x1 + kAt)};
            runs.push_back(run);
            for (int64_t x = run.x0; x < run.x1; ++x) labels(x, run.y) = 1;
            for (int32_t row : {2 * run.y, 2 * run.y + 1})
                fine_runs.push_back({row, 2 * run.x0, 2 * run.x1});
        }
        std::ranges::sort(fine_runs, {}, &PixelRun::y);
    }
    /// The texture of finer pixels; those that are read lie where texture_rect() says.
    std::map<std::string, float> of_finer(const FeatureConfig& config, bool readable = true) const {
        FeatureExtractor extract(kFrame, kReferenceHe, config, fine_frame);
        const PixelRect rect = extract.texture_rect(runs);
        EXPECT_GE(rect.x, 0);
        EXPECT_LE(rect.right(), 2 * kSide);
        NucleusPixels pixels{runs, drawn.ring, coarse.view(), labels.view(), {0, 0}};
        if (readable) pixels.texture_rgb = std::as_const(fine).view().crop(rect);
        pixels.texture_origin = {rect.x, rect.y};
        return named(config, extract, pixels);
    }
    static std::map<std::string, float> named(const FeatureConfig& config,
                                              FeatureExtractor& extract,
                                              const NucleusPixels& pixels) {
        std::vector<float> row(feature_schema(config).size());
        extract(pixels, row);
        std::map<std::string, float> out;
        for (size_t k = 0; k < row.size(); ++k) out[feature_schema(config)[k].name] = row[k];
        return out;
    }
    WorkFrame fine_frame{{8192, 8192}, 1, 0.25, 0.25};
    Drawn drawn = ellipse(7, 5, 0.5);
    std::vector<PixelRun> runs, fine_runs;
    Image<uint32_t> labels;
    RgbImage coarse, fine;
};

bool is_texture(const std::string& name) {
    return name.find("gradient") != std::string::npos || name.find("canny") != std::string::npos ||
           name.find("haralick") != std::string::npos;
}

bool same(float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }

TEST(FeaturesTest, texture_of_finer_pixels_is_that_of_the_finer_picture) {
    const TwoScales field;
    FeatureConfig config;
    const auto found = field.of_finer(config);
    FeatureExtractor there(field.fine_frame, kReferenceHe, config);
    const auto fine = TwoScales::named(
        config, there, {field.fine_runs, field.drawn.ring, field.fine.view(), {}, {0, 0}});
    FeatureExtractor here(kFrame, kReferenceHe, config);
    const auto coarse = TwoScales::named(
        config, here,
        {field.runs, field.drawn.ring, field.coarse.view(), field.labels.view(), {0, 0}});
    size_t of_fine = 0;
    for (const auto& [name, value] : found) {
        if (!is_texture(name)) {
            EXPECT_TRUE(same(value, coarse.at(name))) << name;
        } else if (name.starts_with("nucleus")) {
            EXPECT_EQ(value, fine.at(name)) << name;
            ++of_fine;
        }
    }
    EXPECT_EQ(of_fine, 34u);
}

/// Mean length of the gradient of E over the finer pixels whose work pixel lies in the ring.
double ring_gradient(const TwoScales& field, double reach) {
    const Deconvolver deconvolve(kReferenceHe);
    const auto density = [&](int64_t x, int64_t y) {
        return static_cast<double>(deconvolve.density(field.fine.view().at(x, y), 1));
    };
    double sum = 0, n = 0;
    for (int64_t y = 0; y < TwoScales::kSide; ++y)
        for (int64_t x = 0; x < TwoScales::kSide; ++x) {
            double least = INFINITY;
            for (const PixelRun& run : field.runs)
                for (int64_t u = run.x0; u < run.x1; ++u)
                    least = std::min(least, std::hypot(static_cast<double>(u - x),
                                                       static_cast<double>(run.y - y)));
            if (least == 0 || least > reach) continue;
            for (int64_t v = 2 * y; v < 2 * y + 2; ++v)
                for (int64_t u = 2 * x; u < 2 * x + 2; ++u, ++n)
                    sum += std::hypot(density(u + 1, v) - density(u - 1, v),
                                      density(u, v + 1) - density(u, v - 1)) /
                           2;
        }
    return sum / n;
}

TEST(FeaturesTest, the_rings_texture_is_that_of_the_second_stain_in_the_ring) {
    const TwoScales field;
    const FeatureConfig config;
    const auto found = field.of_finer(config);
    EXPECT_NEAR(static_cast<double>(found.at("ring_E_gradient_mean")),
                ring_gradient(field, ring_px(config, kFrame)), 1e-5);
    EXPECT_GT(found.at("ring_E_canny_sum"), 0);
    FeatureConfig without;
    without.ring_texture = false;
    for (const FeatureColumn& column : feature_schema(without))
        EXPECT_FALSE(is_texture(column.name) && column.name.starts_with("ring")) << column.name;
    EXPECT_EQ(feature_schema(without).size() + 34, feature_schema(config).size());
}

TEST(FeaturesTest, texture_that_cannot_be_read_is_undefined_and_nothing_else) {
    const TwoScales field;
    const auto found = field.of_finer({}, false), whole = field.of_finer({});
    for (const auto& [name, value] : found) {
        EXPECT_TRUE(is_texture(name) ? std::isnan(value) : same(value, whole.at(name))) << name;
    }
}

TEST(FeaturesTest, groups_that_are_off_leave_the_others_as_they_are) {
    const Drawn drawn = ellipse(9, 6, 0.5);
    const auto all = measure(drawn);
    for (int groups = 0; groups < 16; ++groups) {
        FeatureConfig config;
        config.moments = groups & 1;
        config.intensity = groups & 2;
        config.texture = groups & 4;
        if (groups & 8) config.ring_um = 0;
        FeatureExtractor extract(kFrame, kReferenceHe, config);
        const FeatureSchema schema = feature_schema(config);
        std::vector<float> row(schema.size() + 1, -7.5f);
        extract(drawn.pixels(), std::span(row).first(schema.size()));
        EXPECT_EQ(row.back(), -7.5f);
        for (size_t k = 0; k < schema.size(); ++k) {
            const double value = all.at(schema[k].name), found = static_cast<double>(row[k]);
            EXPECT_TRUE(found == value || (std::isnan(found) && std::isnan(value)))
                << schema[k].name;
        }
    }
}

TEST(FeaturesTest, the_brief_table_holds_the_first_columns_of_the_whole_one) {
    const Drawn drawn = ellipse(9, 6, 0.5);
    const auto all = measure(drawn);
    FeatureConfig config;
    config.brief = true;
    const FeatureSchema schema = feature_schema(config);
    ASSERT_EQ(schema.size(), 26u);
    EXPECT_EQ(ring_px(config, kFrame), 0);
    FeatureExtractor extract(kFrame, kReferenceHe, config);
    std::vector<float> row(schema.size() + 1, -7.5f);
    extract(drawn.pixels(), std::span(row).first(schema.size()));
    EXPECT_EQ(row.back(), -7.5f);
    for (size_t k = 0; k < schema.size(); ++k) {
        const double value = all.at(schema[k].name);
        EXPECT_NEAR(static_cast<double>(row[k]), value, 1e-6 * std::abs(value)) << schema[k].name;
    }
    EXPECT_EQ(schema.back().name, "nucleus_E_sd");
}

/// Random points, their hull made by the code under test.
std::vector<PixelPoint> random_hull(std::mt19937& random, std::vector<PixelPoint>& points) {
    points.resize(3 + random() % 30);
    const auto spread = static_cast<int64_t>(2 + random() % 1000);
    for (PixelPoint& p : points)
        p = {static_cast<int64_t>(random()) % spread, static_cast<int64_t>(random()) % spread};
    std::vector<PixelPoint> hull = points, chain;
    std::sort(hull.begin(), hull.end(), [](const PixelPoint& a, const PixelPoint& b) {
        return a.y != b.y ? a.y < b.y : a.x < b.x;
    });
    hull.erase(std::unique(hull.begin(), hull.end()), hull.end());
    features::convex_hull(hull, chain);
    return hull;
}

double distance(const PixelPoint& a, const PixelPoint& b) {
    return std::hypot(static_cast<double>(a.x - b.x), static_cast<double>(a.y - b.y));
}

TEST(FeaturesTest, calipers_equal_those_of_all_pairs_of_points) {
    std::mt19937 random(3);
    std::vector<PixelPoint> points;
    for (int trial = 0; trial < 500; ++trial) {
        const auto hull = random_hull(random, points);
        double most = 0, least = INFINITY;
        for (const PixelPoint& a : points)
            for (const PixelPoint& b : points) {
                most = std::max(most, distance(a, b));
                if (a == b) continue;
                // The width across the direction a-b; the least one is along a side of the hull.
                double low = INFINITY, high = -INFINITY;
                for (const PixelPoint& p : points) {
                    const auto across =
                        static_cast<double>((b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x));
                    low = std::min(low, across);
                    high = std::max(high, across);
                }
                least = std::min(least, (high - low) / distance(a, b));
            }
        const features::Calipers found = features::calipers_of(hull);
        ASSERT_NEAR(found.most, most, 1e-9) << trial;
        ASSERT_NEAR(found.least, hull.size() > 1 ? least : 0, 1e-9) << trial;
    }
}

TEST(FeaturesTest, the_bounding_circle_is_the_least_of_those_through_two_or_three_points) {
    std::mt19937 random(4);
    std::vector<PixelPoint> points;
    for (int trial = 0; trial < 100; ++trial) {
        const auto hull = random_hull(random, points);
        double least = INFINITY;
        const auto offer = [&](double x, double y, double r) {
            for (const PixelPoint& p : hull)
                if (std::hypot(static_cast<double>(p.x) - x, static_cast<double>(p.y) - y) >
                    r + 1e-6)
                    return;
            least = std::min(least, r);
        };
        for (const PixelPoint& a : hull)
            for (const PixelPoint& b : hull) {
                offer(static_cast<double>(a.x + b.x) / 2, static_cast<double>(a.y + b.y) / 2,
                      distance(a, b) / 2);
                for (const PixelPoint& c : hull) {
                    // Where the perpendicular bisectors of a-b and a-c meet (Cramer's rule).
                    const auto u = static_cast<double>(b.x - a.x),
                               v = static_cast<double>(b.y - a.y);
                    const auto w = static_cast<double>(c.x - a.x),
                               z = static_cast<double>(c.y - a.y);
                    const double determinant = u * z - v * w;
                    if (determinant == 0) continue;
                    const double p = (u * u + v * v) / 2, q = (w * w + z * z) / 2;
                    const double x = (p * z - v * q) / determinant,
                                 y = (u * q - p * w) / determinant;
                    offer(static_cast<double>(a.x) + x, static_cast<double>(a.y) + y,
                          std::hypot(x, y));
                }
            }
        ASSERT_NEAR(2 * features::bounding_circle(hull).r, 2 * least, 1e-5) << trial;
    }
}

TEST(FeaturesTest, distances_to_the_outside_equal_a_search_over_all_pixels) {
    std::mt19937 random(5);
    for (int trial = 0; trial < 30; ++trial) {
        const auto a = static_cast<double>(3 + random() % 9),
                   b = static_cast<double>(2 + random() % 5);
        const Drawn drawn = ellipse(a, b, trial * 0.3);
        std::vector<double> radii;
        for (int64_t y = 0; y < drawn.labels.height(); ++y)
            for (int64_t x = 0; x < drawn.labels.width(); ++x) {
                if (drawn.labels(x, y) == 0) continue;
                double least = INFINITY;
                for (int64_t v = 0; v < drawn.labels.height(); ++v)
                    for (int64_t u = 0; u < drawn.labels.width(); ++u)
                        if (drawn.labels(u, v) == 0)
                            least = std::min(least, distance({x, y}, {u, v}));
                radii.push_back(least * kFrame.mpp());
            }
        std::sort(radii.begin(), radii.end());
        const size_t n = radii.size();
        const auto f = measure(drawn);
        EXPECT_NEAR(f.at("shape_max_radius_um"), radii.back(), 1e-6);
        EXPECT_NEAR(f.at("shape_median_radius_um"), (radii[(n - 1) / 2] + radii[n / 2]) / 2, 1e-6);
        EXPECT_NEAR(f.at("shape_mean_radius_um"),
                    std::accumulate(radii.begin(), radii.end(), 0.0) / static_cast<double>(n),
                    1e-5);
    }
}

/// "a_{x,y}_b" as a_x_b, a_y_b; any number of braces, none inside others.
std::vector<std::string> expanded(const std::string& text) {
    const size_t open = text.find('{'), close = text.find('}');
    if (open == std::string::npos) return {text};
    std::vector<std::string> out;
    std::stringstream parts(text.substr(open + 1, close - open - 1));
    for (std::string part; std::getline(parts, part, ',');)
        for (const std::string& rest : expanded(text.substr(close + 1)))
            out.push_back(text.substr(0, open) + part + rest);
    return out;
}

TEST(FeaturesTest, every_column_is_explained_once_and_nothing_else) {
    std::ifstream file(std::string(WSI_SOURCE_DIR) + "/docs/features.md");
    std::multiset<std::string> explained, columns;
    for (std::string line; std::getline(file, line);)
        if (line.starts_with("| `")) {
            const size_t end = line.find('`', 3);
            for (const std::string& name : expanded(line.substr(3, end - 3)))
                explained.insert(name);
        }
    FeatureConfig everything;
    everything.zernike = true;
    for (const FeatureColumn& column : table_schema(everything, StainSet::He))
        columns.insert(column.name);
    columns.insert(ihc_columns().front().name);
    EXPECT_EQ(explained, columns);
}

}  // namespace
}  // namespace wsi
