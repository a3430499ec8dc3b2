// The table for nuclei that another tool found: the same as for our own, whatever the regions.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "io/picture.h"
#include "tests/pipeline/run_harness.h"
#include "tests/support/planted.h"

namespace wsi {
namespace {

namespace fs = std::filesystem;
using test::SlideTrial;
using testing::HasSubstr;

class MeasureTest : public testing::Test {
protected:
    MeasureTest() {
        test::SlideOptions options;
        options.size = {2600, 2100};
        planted_ = std::make_unique<test::PlantedNuclei>(test::plant_grid(options.size, 36, 14, 3));
        test::write_svs(slide(), options, planted_->stained());
    }

    std::string slide() const { return dir_.file("slide.svs"); }

    SlideTrial trial(const std::string& folder, std::vector<std::string> names = {"r.h5"}) const {
        fs::create_directories(dir_.path() / folder);
        SlideTrial run;
        run.slide = slide();
        for (const std::string& name : names)
            run.outputs.push_back((dir_.path() / folder / name).string());
        return run;
    }

    /// A whole run, its nuclei as files that measuring reads.
    SlideTrial found() const {
        SlideTrial run = trial("found", {"r.h5", "r.labels.tif", "r.geojson.gz"});
        // Tiles as measuring cuts them: the stain fit looks at the same ones.
        run.segmenter = test::finds(*planted_, test::fake_spec(512, 32, 0));
        const test::ChildEnd end = test::run_child(run);
        EXPECT_EQ(end.exit_code, 0) << end.message;
        return run;
    }

    SlideTrial measuring(const std::string& folder, const std::string& nuclei) const {
        SlideTrial run = trial(folder, {"r.h5", "r.csv", "r.geojson"});
        run.nuclei = ForeignNuclei{nuclei, 0.05};
        run.segmenter = [nuclei] { return segmenter_for_measuring({nuclei}, Frame::Qupath); };
        return run;
    }

    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(dir_.file(name)) << text;
        return dir_.file(name);
    }

    static std::string box(double x0, double y0, double x1, double y1) {
        std::ostringstream out;
        out << R"({"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[)"
            << x0 << "," << y0 << "],[" << x1 << "," << y0 << "],[" << x1 << "," << y1 << "],["
            << x0 << "," << y1 << "],[" << x0 << "," << y0 << "]]]}}";
        return out.str();
    }

    test::TempDir dir_;
    std::unique_ptr<test::PlantedNuclei> planted_;
};

TEST_F(MeasureTest, our_own_nuclei_measured_again_have_the_same_row) {
    const SlideTrial first = found();
    const ResultReader a(first.outputs[0]);
    const NucleiBatch rows_a = a.rows(0, a.count());
    for (const size_t file : {1u, 2u}) {
        const SlideTrial run = measuring("again" + std::to_string(file), first.outputs[file]);
        const test::ChildEnd end = test::run_child(run);
        ASSERT_EQ(end.exit_code, 0) << end.message;
        const ResultReader b(run.outputs[0]);
        ASSERT_EQ(a.count(), b.count());
        const NucleiBatch rows_b = b.rows(0, b.count());
        size_t same = 0;
        for (size_t i = 0; i < rows_a.size(); ++i) {
            const auto bytes = [](std::span<const float> row) {
                return std::string(reinterpret_cast<const char*>(row.data()), row.size_bytes());
            };
            same += bytes(rows_a.row(i)) == bytes(rows_b.row(i)) &&
                    std::ranges::equal(rows_a.contour(i), rows_b.contour(i));
        }
        std::printf("%s: %zu of %zu rows and contours are the same to the last bit\n",
                    first.outputs[file].c_str(), same, rows_a.size());
        EXPECT_EQ(same, rows_a.size());
    }
}

TEST_F(MeasureTest, it_comes_out_the_same_however_the_slide_is_cut_and_when_killed) {
    const SlideTrial first = found();
    std::map<std::string, std::string> expected;
    for (const auto& [folder, region_px, threads] :
         {std::tuple{"one", 512, 1}, {"two", 512, 2}, {"large", 1100, 3}}) {
        SlideTrial run = measuring(folder, first.outputs[2]);
        run.region_px = region_px;
        run.threads = threads;
        ASSERT_EQ(test::run_child(run).exit_code, 0);
        const auto got = test::digests(run.outputs);
        if (expected.empty()) expected = got;
        EXPECT_EQ(test::first_difference(expected, got), "") << folder;
    }
    for (const auto& [point, at] :
         {std::pair{"import", 1}, {"commit", 1}, {"commit", 7}, {"assembly", 1}}) {
        SlideTrial run = measuring(point + std::to_string(at), first.outputs[2]);
        run.kill_point = point;
        run.kill_at = at;
        ASSERT_EQ(test::run_child(run).signal, SIGKILL) << point;
        run.kill_point.clear();
        ASSERT_EQ(test::run_child(run).exit_code, 0) << point;
        EXPECT_EQ(test::first_difference(expected, test::digests(run.outputs)), "") << point;
    }
}

TEST_F(MeasureTest, overlapping_nuclei_share_no_pixel) {
    // A small one on a large one, a twin, one cut in two by a bar, nuclei across region borders.
    const std::string file =
        write("n.geojson", "[" + box(100, 100, 160, 160) + "," + box(120, 120, 140, 140) + "," +
                               box(120, 120, 140, 140) + "," + box(300, 300, 380, 340) + "," +
                               box(320, 280, 330, 360) + "," + box(1000, 1000, 1060, 1050) + "]");
    const SlideTrial run = measuring("overlaps", file);
    const test::ChildEnd end = test::run_child(run);
    ASSERT_EQ(end.exit_code, 0) << end.message;
    const ResultReader reader(run.outputs[0]);
    ASSERT_EQ(reader.count(), 5u) << "the twin has no pixel left";
    const WorkFrame& frame = reader.header().frame;
    Image<uint32_t> labels(frame.size.width, frame.size.height, 0);
    reader.read(Raster::Labels, frame.rect(), labels.view());
    std::map<uint32_t, int> area;
    for (int64_t i = 0; i < frame.size.area(); ++i) ++area[labels.data()[i]];
    const NucleiBatch rows = reader.rows(0, 5);
    std::map<uint32_t, int> by_source;
    for (uint32_t i = 0; i < 5; ++i) by_source[rows.identity[i].source] = area[i + 1];
    EXPECT_EQ(by_source[1], 30 * 30 - 10 * 10);
    EXPECT_EQ(by_source[2], 10 * 10) << "the smaller keeps the shared pixels, the earlier twin";
    EXPECT_EQ(by_source[4], 25 * 20) << "the larger piece right of the bar";
    EXPECT_EQ(by_source[5], 5 * 40);
    EXPECT_EQ(by_source[6], 30 * 25);
}

TEST_F(MeasureTest, unusable_nuclei_are_counted_up_to_a_limit) {
    std::string good;
    for (int i = 0; i < 40; ++i) good += box(50 + 40 * i, 100, 70 + 40 * i, 120) + ",";
    const std::string bad = box(-500, 1, -400, 90) + "," + box(10, 10, 10, 40) + "," +
                            box(0, 0, 2000, 2000) + R"(,{"type":"Feature","geometry":null})";
    const SlideTrial run = measuring("some", write("some.geojson", "[" + good + bad + "]"));
    const test::ChildEnd end = test::run_child(run);
    ASSERT_EQ(end.exit_code, 0) << end.message;
    EXPECT_EQ(ResultReader(run.outputs[0]).count(), 40u);
    std::string many;
    for (int i = 0; i < 5; ++i) many += bad + ",";
    const test::ChildEnd refused = test::run_child(
        measuring("many", write("many.geojson", "[" + good + many + box(5, 500, 30, 530) + "]")));
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_THAT(refused.message, HasSubstr("20 of 61 nuclei cannot be used"));
    EXPECT_THAT(refused.message, HasSubstr("5 off the slide"));
    EXPECT_THAT(refused.message, HasSubstr("--max-skipped"));
}

TEST_F(MeasureTest, a_file_without_nuclei_gives_empty_results) {
    const SlideTrial run = measuring("none", write("none.geojson", "[]"));
    const test::ChildEnd end = test::run_child(run);
    ASSERT_EQ(end.exit_code, 0) << end.message;
    EXPECT_EQ(ResultReader(run.outputs[0]).count(), 0u);
    EXPECT_TRUE(fs::exists(run.outputs[2]));
}

TEST_F(MeasureTest, another_file_does_not_go_on_with_the_parts_of_this_one) {
    const std::string file = write("n.geojson", "[" + box(100, 100, 160, 160) + "]");
    SlideTrial run = measuring("parts", file);
    run.kill_point = "assembly";
    run.kill_at = 1;
    ASSERT_EQ(test::run_child(run).signal, SIGKILL);
    run.kill_point.clear();
    write("n.geojson", "[" + box(100, 100, 150, 160) + "]");
    const test::ChildEnd end = test::run_child(run);
    EXPECT_EQ(end.exit_code, 1);
    EXPECT_THAT(end.message, HasSubstr("model hash"));
}

}  // namespace
}  // namespace wsi
