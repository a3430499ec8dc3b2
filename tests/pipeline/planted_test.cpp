// Slides with planted nuclei of known geometry: every nucleus once, where and as large as it is.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "io/result_store.h"
#include "tests/pipeline/run_harness.h"
#include "tests/support/planted.h"

namespace wsi {
namespace {

using test::PlantedNucleus;
using test::SlideTrial;

struct Found {
    NucleiBatch rows;
    FeatureSchema schema;
    WorkFrame frame;
    SlideInfo slide;
    float feature(size_t i, const char* name) const {
        for (size_t k = 0; k < schema.size(); ++k)
            if (schema[k].name == name) return rows.row(i)[k];
        ADD_FAILURE() << name;
        return 0;
    }
};

Found read_result(const std::string& path) {
    const ResultReader reader(path);
    return {reader.rows(0, reader.count()), reader.header().schema, reader.header().frame,
            reader.header().slide};
}

/// For each planted nucleus the found one whose centroid is nearest, which must be one of its own.
std::vector<size_t> match(const std::vector<PlantedNucleus>& planted, const Found& found) {
    std::vector<size_t> nearest;
    for (const PlantedNucleus& n : planted) {
        size_t best = 0;
        double least = 1e9;
        for (size_t i = 0; i < found.rows.size(); ++i) {
            const NucleusIdentity& who = found.rows.identity[i];
            const double d = std::hypot(who.centroid_x_px - n.x, who.centroid_y_px - n.y);
            if (d < least) {
                least = d;
                best = i;
            }
        }
        nearest.push_back(best);
    }
    std::vector<size_t> once = nearest;
    std::sort(once.begin(), once.end());
    EXPECT_EQ(std::unique(once.begin(), once.end()), once.end())
        << "two planted nuclei share one found";
    for (size_t i = 0; i < planted.size(); ++i) {
        const NucleusIdentity& who = found.rows.identity[nearest[i]];
        EXPECT_LT(std::hypot(who.centroid_x_px - planted[i].x, who.centroid_y_px - planted[i].y),
                  std::max(planted[i].a, planted[i].b))
            << "nothing near " << planted[i].x << ", " << planted[i].y << " of half axes "
            << planted[i].a << ", " << planted[i].b;
    }
    return nearest;
}

/// Without those that the slide's end would cut.
std::vector<PlantedNucleus> inside(PixelSize slide, std::vector<PlantedNucleus> nuclei) {
    constexpr double kMargin = 60;
    std::erase_if(nuclei, [&](const PlantedNucleus& n) {
        return n.x < kMargin || n.y < kMargin || n.x > static_cast<double>(slide.width) - kMargin ||
               n.y > static_cast<double>(slide.height) - kMargin;
    });
    return nuclei;
}

Found run_planted(const test::TempDir& dir, const test::PlantedNuclei& planted, PixelSize size) {
    test::SlideOptions options;
    options.size = size;
    test::write_svs(dir.file("slide.svs"), options, test::plain_tissue());
    SlideTrial trial;
    trial.slide = dir.file("slide.svs");
    trial.outputs = {dir.file("r.h5")};
    trial.region_px = 320;
    // Cores smaller than the largest nuclei.
    trial.segmenter = test::finds(planted, test::fake_spec(32, 12, 6));
    const test::ChildEnd end = test::run_child(trial);
    EXPECT_EQ(end.exit_code, 0) << end.message;
    return read_result(dir.file("r.h5"));
}

TEST(PlantedMapsTest, every_nucleus_comes_out_once_with_its_geometry) {
    const test::TempDir dir;
    const PixelSize size{4000, 3000};
    std::vector<PlantedNucleus> nuclei = inside(size, test::plant_grid(size, 110, 24, 11));
    // On the corner of four regions, on borders, and larger than a tile's core (64 level-0 pixels).
    std::erase_if(nuclei, [](const PlantedNucleus& n) {
        return std::hypot(n.x - 640, n.y - 640) < 110 || std::hypot(n.x - 1280, n.y - 900) < 130 ||
               std::hypot(n.x - 2000, n.y - 1920) < 130;
    });
    nuclei.push_back({640, 640, 20, 14, 0.5});
    nuclei.push_back({1280, 900, 45, 40, 0.3});
    nuclei.push_back({2000, 1920, 48, 36, 1.2});
    const test::PlantedNuclei planted(nuclei);
    const Found found = run_planted(dir, planted, size);
    const std::vector<size_t> pair = match(nuclei, found);
    ASSERT_EQ(found.rows.size(), nuclei.size());
    double worst_area = 0, worst_centroid = 0;
    for (size_t i = 0; i < nuclei.size(); ++i) {
        const NucleusIdentity& who = found.rows.identity[pair[i]];
        const double area = found.feature(pair[i], "shape_area_px") / nuclei[i].area() - 1;
        const double off =
            std::hypot(who.centroid_x_px - nuclei[i].x, who.centroid_y_px - nuclei[i].y) / 2;
        worst_area = std::max(worst_area, std::abs(area));
        worst_centroid = std::max(worst_centroid, off);
    }
    std::printf("%zu nuclei: area within %.2f %%, centroid within %.3f work px\n", nuclei.size(),
                100 * worst_area, worst_centroid);
    EXPECT_LT(worst_area, 0.03);
    EXPECT_LT(worst_centroid, 0.2);
}

TEST(PlantedMapsTest, nuclei_on_the_slides_edge_come_out_once_and_are_flagged) {
    const test::TempDir dir;
    const PixelSize size{1600, 1200};
    const std::vector<PlantedNucleus> nuclei{{0, 600, 20, 16, 0},    {800, 2, 18, 18, 0},
                                             {1598, 600, 16, 20, 0}, {800, 1199, 20, 18, 0},
                                             {2, 2, 30, 30, 0},      {800, 600, 20, 20, 0}};
    const Found found = run_planted(dir, test::PlantedNuclei(nuclei), size);
    const std::vector<size_t> pair = match(nuclei, found);
    ASSERT_EQ(found.rows.size(), nuclei.size());
    for (size_t i = 0; i < nuclei.size(); ++i)
        EXPECT_EQ(found.rows.identity[pair[i]].flags & kAtSlideEdge, i < 5 ? kAtSlideEdge : 0) << i;
}

TEST(PlantedMapsTest, what_is_larger_than_the_floods_reach_is_cut_there_and_flagged) {
    const test::TempDir dir;
    const PixelSize size{1600, 1200};
    // Half axes of 60 work pixels; the reach is 32.
    const std::vector<PlantedNucleus> nuclei{{800, 600, 120, 120, 0}, {300, 300, 20, 16, 0}};
    const Found found = run_planted(dir, test::PlantedNuclei(nuclei), size);
    const std::vector<size_t> pair = match(nuclei, found);
    ASSERT_EQ(found.rows.size(), nuclei.size());
    EXPECT_EQ(found.rows.identity[pair[0]].flags & kCutAtReach, kCutAtReach);
    EXPECT_EQ(found.rows.identity[pair[1]].flags & kCutAtReach, 0);
    const NucleusIdentity& cut = found.rows.identity[pair[0]];
    EXPECT_LE(cut.bbox_x1_px - cut.bbox_x0_px, 2 * 66);
    EXPECT_LE(cut.bbox_y1_px - cut.bbox_y0_px, 2 * 66);
}

TEST(PlantedMapsTest, the_perimeter_of_circles_is_unbiased) {
    const test::TempDir dir;
    const PixelSize size{4000, 3000};
    std::vector<PlantedNucleus> nuclei;
    double radius = 10;  // 5 work pixels
    for (const PlantedNucleus& n : inside(size, test::plant_grid(size, 130, 10, 5))) {
        nuclei.push_back({n.x, n.y, radius, radius, 0});
        radius = radius < 48 ? radius + 0.37 : 10;
    }
    const Found found = run_planted(dir, test::PlantedNuclei(nuclei), size);
    const std::vector<size_t> pair = match(nuclei, found);
    ASSERT_EQ(found.rows.size(), nuclei.size());
    double sum = 0;
    for (size_t i = 0; i < nuclei.size(); ++i)
        sum +=
            found.feature(pair[i], "shape_perimeter_px") / (2 * std::numbers::pi * nuclei[i].a) - 1;
    const double bias = sum / static_cast<double>(nuclei.size());
    std::printf("perimeter of %zu circles, radius 5 to 24 work px: bias %.2f %%\n", nuclei.size(),
                100 * bias);
    EXPECT_LT(std::abs(bias), 0.02);
}

TEST(PlantedMapsTest, touching_pairs_are_told_apart) {
    const test::TempDir dir;
    const PixelSize size{3000, 2200};
    std::vector<PlantedNucleus> nuclei;
    for (const PlantedNucleus& n : inside(size, test::plant_grid(size, 150, 42, 8)))
        for (const double side : {-1.0, 1.0})
            nuclei.push_back({n.x + side * 19 * std::cos(n.angle),
                              n.y + side * 19 * std::sin(n.angle), 20, 20, 0});
    const Found found = run_planted(dir, test::PlantedNuclei(nuclei), size);
    EXPECT_EQ(found.rows.size(), nuclei.size());
    match(nuclei, found);
}

TEST(PlantedSlideTest, stained_nuclei_are_found_by_the_classical_segmenter) {
    const test::TempDir dir;
    const PixelSize size{3000, 2400};
    // From 6 µm across: half axes of 12 level-0 pixels at 0.25 µm.
    std::vector<PlantedNucleus> nuclei = inside(size, test::plant_grid(size, 100, 18, 21));
    for (PlantedNucleus& n : nuclei) {
        n.a = std::max(n.a, 12.5);
        n.b = std::max(n.b, 12.5);
    }
    const test::PlantedNuclei planted(nuclei);
    test::SlideOptions options;
    options.size = size;
    test::write_svs(dir.file("slide.svs"), options, planted.stained());
    SlideTrial trial;
    trial.slide = dir.file("slide.svs");
    trial.outputs = {dir.file("r.h5")};
    trial.segmenter = [] { return make_segmenter({.name = "classical"}); };
    const test::ChildEnd end = test::run_child(trial);
    ASSERT_EQ(end.exit_code, 0) << end.message;
    const Found found = read_result(dir.file("r.h5"));
    EXPECT_EQ(found.rows.size(), nuclei.size());
    const std::vector<size_t> pair = match(nuclei, found);
    double worst_area = 0, worst_centroid = 0, mean_area = 0;
    for (size_t i = 0; i < nuclei.size(); ++i) {
        const NucleusIdentity& who = found.rows.identity[pair[i]];
        const double area = found.feature(pair[i], "shape_area_px") / nuclei[i].area() - 1;
        mean_area += area / static_cast<double>(nuclei.size());
        worst_area = std::max(worst_area, std::abs(area));
        worst_centroid = std::max(
            worst_centroid,
            std::hypot(who.centroid_x_px - nuclei[i].x, who.centroid_y_px - nuclei[i].y) / 2);
    }
    std::printf(
        "%zu stained nuclei, %zu found: area within %.2f %% (mean %.2f %%), centroid within %.3f "
        "work px\n",
        nuclei.size(), found.rows.size(), 100 * worst_area, 100 * mean_area, worst_centroid);
    EXPECT_LT(worst_area, 0.08);
    EXPECT_LT(worst_centroid, 0.5);
}

TEST(PlantedSlideTest, bounds_and_odd_level_ratios_keep_level0_coordinates) {
    const test::TempDir dir;
    test::ScnOptions options;
    options.scan = {3000, 2400};
    options.offset = {410, 270};
    options.collection = {3800, 3000};
    options.levels = {
        {3000, 2400}, {1431, 1145}, {357, 286}};  // 2.096: within 5 % of the work frame
    std::vector<PlantedNucleus> nuclei = test::plant_grid({3000, 2400}, 110, 20, 4);
    std::erase_if(nuclei, [](const PlantedNucleus& n) {
        return n.x < 80 || n.y < 80 || n.x > 2900 || n.y > 2300;
    });
    for (PlantedNucleus& n : nuclei) {
        n.x += 410;
        n.y += 270;
    }
    const test::PlantedNuclei planted(nuclei);
    test::write_leica_scn(dir.file("slide.scn"), options, planted.stained());
    SlideTrial trial;
    trial.slide = dir.file("slide.scn");
    trial.outputs = {dir.file("r.h5"), dir.file("r.geojson")};
    trial.segmenter = [] { return make_segmenter({.name = "classical"}); };
    const test::ChildEnd end = test::run_child(trial);
    ASSERT_EQ(end.exit_code, 0) << end.message;
    const Found found = read_result(dir.file("r.h5"));
    EXPECT_EQ(found.slide.bounds, (PixelRect{410, 270, 3000, 2400}));
    double mean_x = 0, mean_y = 0;
    const std::vector<size_t> pair = match(nuclei, found);
    for (size_t i = 0; i < nuclei.size(); ++i) {
        const NucleusIdentity& who = found.rows.identity[pair[i]];
        mean_x += (who.centroid_x_px - nuclei[i].x) / static_cast<double>(nuclei.size());
        mean_y += (who.centroid_y_px - nuclei[i].y) / static_cast<double>(nuclei.size());
        EXPECT_LT(std::hypot(who.centroid_x_px - nuclei[i].x, who.centroid_y_px - nuclei[i].y),
                  1.5);
    }
    std::printf(
        "%zu nuclei on a slide with bounds and ratio %.3f: mean shift %.3f, %.3f level-0 px\n",
        nuclei.size(), found.frame.downsample, mean_x, mean_y);
    EXPECT_LT(std::abs(mean_x), 0.5);
    EXPECT_LT(std::abs(mean_y), 0.5);
}

}  // namespace
}  // namespace wsi
