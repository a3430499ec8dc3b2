// A slide with DAB of known density: grades, fraction and H-score of the whole run.
#include <gtest/gtest.h>

#include <cmath>

#include "io/result_store.h"
#include "stages/stain.h"
#include "tests/pipeline/run_harness.h"
#include "tests/support/planted.h"

namespace wsi {
namespace {

constexpr PixelSize kSize{3200, 1600};
constexpr std::array<double, 4> kDab{0.2, 0.6, 1.1, 1.8};  // of four upright strips: 0, 1+, 2+, 3+

size_t strip_of(double x) { return static_cast<size_t>(x / (kSize.width / 4.0)); }

/// Haematoxylin 0.5 and the strip's DAB everywhere, by Beer and Lambert.
test::PixelSource strips() {
    return [](const PixelRect& rect, RgbView out) {
        for (int64_t y = 0; y < rect.height; ++y)
            for (int64_t x = 0; x < rect.width; ++x) {
                const auto at = std::clamp<int64_t>(rect.x + x, 0, kSize.width - 1);
                const double dab = kDab[strip_of(static_cast<double>(at))];
                for (size_t k = 0; k < 3; ++k) {
                    const double od = 0.5 * kReferenceHdab[0][k] + dab * kReferenceHdab[1][k];
                    out.at(x, y)[k] =
                        static_cast<uint8_t>(std::lround(kWhiteLevel * std::exp(-od) - 1));
                }
            }
    };
}

TEST(IhcSlideTest, every_nucleus_has_the_grade_of_its_dab_and_the_slide_its_h_score) {
    const test::TempDir dir;
    test::SlideOptions options;
    options.size = kSize;
    test::write_svs(dir.file("slide.svs"), options, strips());
    const test::PlantedNuclei planted(test::plant_grid(kSize, 60, 15, 5));
    test::SlideTrial trial;
    trial.slide = dir.file("slide.svs");
    trial.outputs = {dir.file("r.h5")};
    trial.region_px = 320;
    trial.config.stain.stains = StainSet::Hdab;
    trial.config.stain.method = StainMethod::None;  // the reference's vectors, as painted
    trial.segmenter = test::finds(planted, test::fake_spec(128, 32, 16));
    const test::ChildEnd end = test::run_child(trial);
    ASSERT_EQ(end.exit_code, 0) << end.message;
    const ResultReader reader(dir.file("r.h5"));
    const FeatureSchema& schema = reader.header().schema;
    const auto column = [&](const std::string& name) {
        for (size_t k = 0; k < schema.size(); ++k)
            if (schema[k].name == name) return k;
        ADD_FAILURE() << name;
        return size_t{0};
    };
    const size_t dab = column("nucleus_DAB_mean"), grade = column("ihc_grade"),
                 degree = column("neighbours_delaunay_degree");
    const NucleiBatch rows = reader.rows(0, reader.count());
    ASSERT_GT(rows.size(), 800u);
    std::array<double, 4> counts{};
    for (size_t i = 0; i < rows.size(); ++i) {
        const double x = rows.identity[i].centroid_x_px;
        const auto row = rows.row(i);
        counts[static_cast<size_t>(row[grade])] += 1;
        EXPECT_GE(row[degree], 2);
        const double to_border = std::abs(std::remainder(x, kSize.width / 4.0));
        if (to_border < 40) continue;
        EXPECT_NEAR(static_cast<double>(row[dab]), kDab[strip_of(x)], 0.05);
        EXPECT_EQ(row[grade], static_cast<float>(strip_of(x)));
    }
    const auto n = static_cast<double>(rows.size());
    EXPECT_EQ(reader.summary("ihc", "moderate"), counts[2]);
    EXPECT_DOUBLE_EQ(reader.summary("ihc", "positive_fraction"),
                     (counts[1] + counts[2] + counts[3]) / n);
    EXPECT_DOUBLE_EQ(reader.summary("ihc", "h_score"),
                     100 * (counts[1] + 2 * counts[2] + 3 * counts[3]) / n);
    EXPECT_NEAR(reader.summary("ihc", "h_score"), 150, 15);
    EXPECT_GT(reader.summary("graph", "delaunay_side_um_mean"), 10);
    EXPECT_THROW(reader.summary("ihc", "no such number"), Error);
}

}  // namespace
}  // namespace wsi
