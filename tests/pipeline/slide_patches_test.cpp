// Slides with GeoJSON beside them as a data set.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "io/datasets/dataset.h"
#include "io/result_store.h"
#include "model/segmenter.h"
#include "pipeline/commands.h"
#include "stages/metrics.h"
#include "tests/pipeline/run_harness.h"
#include "tests/support/slide_factory.h"

namespace wsi {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

/// A slide of 512 x 384 level-0 pixels at 0.5 µm, red growing with x, in a folder of its own.
class SlidePatchesTest : public testing::Test {
protected:
    SlidePatchesTest() {
        fs::create_directories(set_);
        test::SlideOptions options;
        options.size = {512, 384};
        options.mpp = 0.5;
        options.objective_power = 20;
        test::write_svs((set_ / "a.svs").string(), options, [](const PixelRect& rect, RgbView out) {
            for (int64_t y = 0; y < rect.height; ++y)
                for (int64_t x = 0; x < rect.width; ++x)
                    for (int c = 0; c < 3; ++c)
                        out(x, y, c) = static_cast<uint8_t>(c == 0 ? (rect.x + x) / 4 : 200);
        });
    }
    void annotate(const std::string& features) const {
        std::ofstream(set_ / "a.geojson")
            << R"({"type":"FeatureCollection","features":[)" << features << "]}";
    }
    static std::string rectangle(int x0, int y0, int x1, int y1, const std::string& name = "") {
        const auto point = [](int x, int y) {
            return "[" + std::to_string(x) + "," + std::to_string(y) + "]";
        };
        return R"({"type":"Feature","geometry":{"type":"Polygon","coordinates":[[)" +
               point(x0, y0) + "," + point(x1, y0) + "," + point(x1, y1) + "," + point(x0, y1) +
               "," + point(x0, y0) + R"(]]},"properties":{"objectType":"annotation")" +
               (name.empty() ? "" : R"(,"classification":{"name":")" + name + "\"}") + "}}";
    }
    std::string error_of_opening() const {
        try {
            open_dataset(set_.string());
        } catch (const Error& error) {
            return error.what();
        }
        return "no error";
    }
    test::TempDir dir_;
    const fs::path set_ = dir_.path() / "slides";
};

TEST_F(SlidePatchesTest,
       an_area_is_read_with_its_nuclei_and_classes_and_what_lies_outside_is_vague) {
    // The area's lower right corner is cut off, so that its box holds a place outside of it.
    annotate(
        R"({"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[100,50],[400,50],[400,150],[300,250],[100,250],[100,50]]]},"properties":{"classification":{"name":"Region"}}},)" +
        rectangle(110, 60, 120, 70, "Tumor") + "," + rectangle(130, 60, 138, 66, "Immune cells") +
        "," + rectangle(420, 300, 430, 310, "Tumor"));
    const auto set = open_dataset(set_.string());
    EXPECT_THAT(set->class_names(), ElementsAre("Tumor", "Immune cells"));
    ASSERT_EQ(set->entries().size(), 1U);
    const ImageEntry& entry = set->entries().front();
    EXPECT_EQ(entry.name, "a-50-100");
    EXPECT_EQ(entry.source, "a");
    EXPECT_DOUBLE_EQ(entry.mpp, 0.5);
    const LabelledImage image = set->read(0);
    ASSERT_EQ(image.rgb.width(), 300);
    ASSERT_EQ(image.rgb.height(), 200);
    EXPECT_NEAR(image.rgb(200, 100, 0), 75, 3);  // level-0 x = 300
    EXPECT_EQ(image.labels(10, 10), 1U);
    EXPECT_EQ(image.labels(19, 19), 1U);
    EXPECT_EQ(image.labels(20, 19), 0U);
    EXPECT_EQ(image.labels(30, 10), 2U);
    EXPECT_EQ(image.classes(10, 10), 1);
    EXPECT_EQ(image.classes(37, 15), 2);
    EXPECT_EQ(image.classes(38, 15), 0);
    EXPECT_EQ(image.vague(10, 10), 0);
    EXPECT_EQ(image.vague(299, 199), 1);
}

TEST_F(SlidePatchesTest, without_areas_squares_that_hold_nuclei_are_cut_into_patches) {
    annotate(rectangle(8, 8, 20, 20) + "," + rectangle(250, 40, 262, 50));
    PatchesOptions what;
    what.sources = {set_.string()};
    what.output = dir_.file("patches.h5");
    what.patch_px = 128;
    CommonOptions common;
    common.model = "classical";
    common.quiet = 1;
    common.work_mpp = 0.5;
    EXPECT_EQ(patches_command(what, common), 0);
    const auto patches = open_dataset(what.output);
    ASSERT_EQ(patches->entries().size(), 12U);  // 512 x 384 pixels
    EXPECT_TRUE(patches->class_names().empty());
    uint32_t pixels = 0;
    for (size_t i = 0; i < patches->entries().size(); ++i) {
        const LabelledImage patch = patches->read(i);
        for (int64_t k = 0; k < patch.labels.size().area(); ++k)
            pixels += patch.labels.data()[k] != 0;
    }
    EXPECT_EQ(pixels, 12U * 12U + 12U * 10U);
}

/// QuPath counts from the corner of what was scanned.
TEST_F(SlidePatchesTest, outlines_count_from_the_corner_of_the_scanned_part) {
    fs::remove(set_ / "a.svs");
    test::ScnOptions options;
    options.scan = {600, 400};
    options.levels = {{600, 400}};
    options.collection = {1000, 800};
    test::write_leica_scn((set_ / "a.scn").string(), options, [](const PixelRect&, RgbView out) {
        for (int64_t y = 0; y < out.height; ++y)
            for (int64_t x = 0; x < out.width; ++x)
                for (int c = 0; c < 3; ++c) out(x, y, c) = 150;
    });
    annotate(rectangle(10, 20, 30, 40));
    const auto set = open_dataset(set_.string());
    ASSERT_EQ(set->entries().size(), 1U);
    const LabelledImage image = set->read(0);
    EXPECT_EQ(image.labels(options.offset.x + 10, options.offset.y + 20), 1U);
    EXPECT_EQ(image.labels(options.offset.x + 9, options.offset.y + 20), 0U);
    EXPECT_EQ(image.labels(10, 20), 0U);
}

TEST_F(SlidePatchesTest, what_does_not_pair_or_is_no_outline_is_named) {
    EXPECT_THAT(error_of_opening(), HasSubstr("no known data set"));
    annotate(
        rectangle(8, 8, 20, 20) +
        R"(,{"type":"Feature","geometry":{"type":"Point","coordinates":[3,3]},"properties":{}})");
    EXPECT_THAT(error_of_opening(), HasSubstr("1 records are no outlines; the first: record 2: a "
                                              "Point"));
    annotate(rectangle(8, 8, 20, 20));
    fs::copy_file(set_ / "a.svs", set_ / "b.svs");
    EXPECT_THAT(error_of_opening(), HasSubstr("b.svs: no b.geojson beside it"));
    fs::rename(set_ / "a.geojson", set_ / "c.geojson");
    EXPECT_THAT(error_of_opening(), HasSubstr("c.geojson: no slide c"));
}

TEST(SlidePatchesRoundTripTest, our_own_geojson_gives_back_the_labels_it_was_made_from) {
    const test::TempDir dir;
    const fs::path set = dir.path() / "set";
    fs::create_directories(set);
    const fs::path slide = fs::path(WSI_SOURCE_DIR) / "examples/data/CMU-1-Small-Region.svs";
    fs::create_symlink(slide, set / "CMU-1.svs");
    test::SlideTrial trial;
    trial.slide = slide.string();
    trial.outputs = {dir.file("out.h5"), (set / "CMU-1.geojson.gz").string()};
    trial.config.model.name = "classical";
    trial.config.features.brief = true;
    trial.segmenter = [&] { return make_segmenter(trial.config.model); };
    const test::ChildEnd end = test::run_child(trial);
    ASSERT_EQ(end.exit_code, 0) << end.message << " signal " << end.signal;
    const ResultReader result(dir.file("out.h5"));
    ASSERT_EQ(result.header().frame.downsample, 1);
    const auto dataset = open_dataset(set.string());
    MetricCounts all;
    for (size_t i = 0; i < dataset->entries().size(); ++i) {
        const LabelledImage field = dataset->read(i);
        const std::string& name = field.entry.name;  // CMU-1-<y>-<x>
        const size_t last = name.rfind('-'), before = name.rfind('-', last - 1);
        Image<uint32_t> labels(field.rgb.width(), field.rgb.height(), 0);
        result.read(Raster::Labels,
                    {std::stol(name.substr(last + 1)),  // ci-allow: in a test
                     std::stol(name.substr(before + 1)), labels.width(), labels.height()},
                    labels.view());
        all += count_metrics(contingency(labels.view(), field.labels.view()), Compat::Ours);
    }
    const Metrics scores = metrics(all, Compat::Ours);
    std::printf("%ld nuclei, %ld of them drawn; PQ %.4f, Dice %.4f\n", all.truth, all.found,
                scores.pq, scores.dice_fg);
    EXPECT_GT(all.truth, 1000);
    EXPECT_EQ(all.found, all.truth);
    EXPECT_GT(scores.pq, 0.98);
    EXPECT_GT(scores.dice_fg, 0.99);
}

}  // namespace
}  // namespace wsi
