// Separation and features again from kept maps give what a whole run with these settings gives.

#include "pipeline/resegment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <filesystem>

#include "config/config_io.h"
#include "pipeline/kept_maps_segmenter.h"
#include "tests/pipeline/run_harness.h"
#include "tests/support/message_of.h"
#include "tests/support/planted.h"

namespace wsi {
namespace {

namespace fs = std::filesystem;
using test::SlideTrial;
using testing::HasSubstr;

/// Tissue in a disk and a corner, so that nuclei and feathers reach into tiles that are not run.
test::PixelSource tissue_with_glass() {
    return [](const PixelRect& rect, RgbView out) {
        for (int64_t y = 0; y < out.height; ++y)
            for (int64_t x = 0; x < out.width; ++x) {
                const int64_t dx = rect.x + x - 900, dy = rect.y + y - 900;
                const bool tissue = dx * dx + dy * dy < 700 * 700 || rect.x + x > 2000;
                const uint8_t rgb[3] = {uint8_t(tissue ? 200 : 250), uint8_t(tissue ? 140 : 250),
                                        uint8_t(tissue ? 190 : 250)};
                std::copy_n(rgb, 3, out.at(x, y));
            }
    };
}

class ResegmentTest : public testing::Test {
protected:
    ResegmentTest() {
        test::SlideOptions options;
        options.size = {2400, 1900};
        planted_ = std::make_unique<test::PlantedNuclei>(test::plant_grid(options.size, 40, 14, 3));
        test::write_svs(dir_.file("slide.svs"), options, tissue_with_glass());
    }

    SlideTrial trial(const std::string& folder) const {
        fs::create_directories(dir_.path() / folder);
        SlideTrial run;
        run.slide = dir_.file("slide.svs");
        run.segmenter = test::finds(*planted_, test::fake_spec(128, 32, 16));
        for (const char* name : {"r.h5", "r.csv"})
            run.outputs.push_back((dir_.path() / folder / name).string());
        return run;
    }

    /// A whole run that keeps its maps.
    std::string first_result() const {
        SlideTrial run = trial("first");
        run.config.run.keep_maps = true;
        const test::ChildEnd end = test::run_child(run);
        EXPECT_EQ(end.exit_code, 0) << end.message;
        return run.outputs.front();
    }

    SlideTrial again(const std::string& folder, const std::string& first,
                     const std::vector<std::string>& changes = {}) const {
        SlideTrial run = trial(folder);
        const EarlierRun earlier = read_earlier_run(first, changes);
        run.config = earlier.config;
        run.known = std::make_shared<const KnownRun>(earlier.known);
        run.segmenter = [=] {
            return std::make_unique<KeptMapsSegmenter>(first, earlier.tile_px, earlier.halo_px);
        };
        return run;
    }

    test::TempDir dir_;
    std::unique_ptr<test::PlantedNuclei> planted_;
};

TEST_F(ResegmentTest, unchanged_settings_give_the_same_bytes) {
    const std::string first = first_result();
    for (const int region_px : {512, 900}) {
        SlideTrial run = again("again" + std::to_string(region_px), first);
        run.config.run.keep_maps = true;
        run.region_px = region_px;
        const test::ChildEnd end = test::run_child(run);
        ASSERT_EQ(end.exit_code, 0) << end.message;
        EXPECT_EQ(test::first_difference(test::digests(trial("first").outputs),
                                         test::digests(run.outputs)),
                  "");
    }
    std::printf("%lu nuclei\n", ResultReader(first).count());
}

TEST_F(ResegmentTest, changed_settings_give_what_a_whole_run_gives) {
    const std::vector<std::string> changes{"separate.h=0.5", "separate.reach_um=9",
                                           "features.ring_um=2", "features.moments=false"};
    SlideTrial whole = trial("whole");
    for (const std::string& change : changes) apply_set(whole.config, change);
    ASSERT_EQ(test::run_child(whole).exit_code, 0);
    const std::string first = first_result();
    const SlideTrial run = again("again", first, changes);
    ASSERT_EQ(test::run_child(run).exit_code, 0);
    EXPECT_EQ(test::first_difference(test::digests(whole.outputs), test::digests(run.outputs)), "");
    EXPECT_NE(
        test::first_difference(test::digests(trial("first").outputs), test::digests(run.outputs)),
        "");
}

TEST_F(ResegmentTest, classes_come_out_of_the_kept_maps_too) {
    const auto with_classes = [this](const std::string& folder) {
        SlideTrial run = trial(folder);
        InputSpec spec = test::fake_spec(128, 32, 16);
        spec.distance = false;
        spec.classes = {{1, "One"}, {2, "Two"}, {3, "Three"}};
        run.segmenter = [spec] {
            return std::make_unique<test::FakeSegmenter>(spec, test::percolating_maps());
        };
        run.config.run.keep_maps = true;
        return run;
    };
    const SlideTrial whole = with_classes("whole");
    ASSERT_EQ(test::run_child(whole).exit_code, 0);
    SlideTrial run = again("again", whole.outputs.front());
    run.config.run.keep_maps = true;
    run.region_px = 900;
    const test::ChildEnd end = test::run_child(run);
    ASSERT_EQ(end.exit_code, 0) << end.message;
    EXPECT_EQ(test::first_difference(test::digests(whole.outputs), test::digests(run.outputs)), "");
    const ResultReader reader(run.outputs.front());
    std::array<int, 4> count{};
    for (const uint8_t id : reader.classes()) ++count.at(id);
    std::printf("%d, %d, %d nuclei of three classes\n", count[1], count[2], count[3]);
    EXPECT_GE(std::min({count[1], count[2], count[3]}), 20);
}

TEST_F(ResegmentTest, killed_it_goes_on) {
    const std::string first = first_result();
    for (const char* point : {"tile", "commit", "assembly"}) {
        SlideTrial run = again(point, first);
        run.config.run.keep_maps = true;
        run.kill_point = point;
        run.kill_at = 3;
        ASSERT_EQ(test::run_child(run).signal, SIGKILL) << point;
        run.kill_point.clear();
        ASSERT_EQ(test::run_child(run).exit_code, 0) << point;
        EXPECT_EQ(test::first_difference(test::digests(trial("first").outputs),
                                         test::digests(run.outputs)),
                  "")
            << point;
    }
}

TEST_F(ResegmentTest, parts_of_a_whole_run_are_not_mixed_with_those_from_kept_maps) {
    const std::string first = first_result();
    SlideTrial whole = trial("mixed");
    whole.kill_point = "commit";
    whole.kill_at = 9;
    ASSERT_EQ(test::run_child(whole).signal, SIGKILL);
    const test::ChildEnd end = test::run_child(again("mixed", first));
    EXPECT_EQ(end.exit_code, 1);
    EXPECT_THAT(end.message, HasSubstr("source of maps"));
    EXPECT_THAT(end.message, HasSubstr("--restart"));
}

TEST_F(ResegmentTest, what_cannot_be_done_from_the_maps_is_named) {
    const std::string first = first_result();
    EXPECT_THAT(test::message_of([&] { read_earlier_run(first, {"stain.method=none"}); }),
                HasSubstr("stain.method=none: the kept maps fix everything but separate.*"));
    EXPECT_THAT(test::message_of([&] { read_earlier_run(first, {"separate.hh=1"}); }),
                HasSubstr("did you mean separate.h"));
    ASSERT_EQ(test::run_child(trial("without")).exit_code, 0);
    EXPECT_THAT(
        test::message_of([&] { KeptMapsSegmenter(trial("without").outputs.front(), 128, 32); }),
        HasSubstr("--keep-maps"));
    test::SlideOptions options;
    options.size = {2400, 1900};
    test::write_svs(dir_.file("other.svs"), options, test::plain_tissue());
    SlideTrial run = again("other", first);
    run.slide = dir_.file("other.svs");
    const test::ChildEnd end = test::run_child(run);
    EXPECT_EQ(end.exit_code, 1);
    EXPECT_THAT(end.message, HasSubstr("is another slide than the result's"));
    EXPECT_THAT(end.message, HasSubstr(ResultReader(first).header().slide.hash));
}

TEST_F(ResegmentTest, maps_that_are_asked_for_later_are_made) {
    const SlideTrial plain = trial("later");
    ASSERT_EQ(test::run_child(plain).exit_code, 0);
    SlideTrial with_maps = plain;
    with_maps.config.run.keep_maps = true;
    ASSERT_EQ(test::run_child(with_maps).exit_code, 0) << "taken for complete without its maps";
    EXPECT_TRUE(ResultReader(plain.outputs.front()).header().keep_maps);
    SlideTrial killed = trial("killed");
    killed.kill_point = "assembly";  // all regions are finished, their maps are gone
    killed.kill_at = 1;
    ASSERT_EQ(test::run_child(killed).signal, SIGKILL);
    killed.kill_point.clear();
    killed.config.run.keep_maps = true;
    const test::ChildEnd end = test::run_child(killed);
    ASSERT_EQ(end.exit_code, 0) << end.message;
    EXPECT_EQ(test::first_difference(test::digests({plain.outputs.front()}),
                                     test::digests({killed.outputs.front()})),
              "");
}

}  // namespace
}  // namespace wsi
