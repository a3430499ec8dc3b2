// A run that was killed at any point goes on and ends in the same bytes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/pipeline/run_harness.h"
#include "tests/support/data_dir.h"
#include "tests/support/planted.h"

namespace wsi {
namespace {

namespace fs = std::filesystem;
using test::SlideTrial;

class ResumeTest : public testing::Test {
protected:
    ResumeTest() {
        test::SlideOptions options;
        options.size = {4600, 3400};
        planted_ = std::make_unique<test::PlantedNuclei>(test::plant_grid(options.size, 60, 14, 3));
        test::write_svs(dir_.file("slide.svs"), options, test::plain_tissue());
    }

    SlideTrial run_into(const std::string& folder) const {
        fs::create_directories(dir_.path() / folder);
        SlideTrial run;
        run.slide = dir_.file("slide.svs");
        run.segmenter = test::finds(*planted_, test::fake_spec(256, 16, 8));
        for (const char* name : {"r.h5", "r.csv", "r.geojson.gz", "r.tif"})
            run.outputs.push_back((dir_.path() / folder / name).string());
        return run;
    }

    /// To the end; a run that ended after its last step is complete already.
    static void resume(SlideTrial run) {
        run.expected = fs::exists(run.outputs.front()) ? SlideOutcome::AlreadyComplete
                                                       : SlideOutcome::Complete;
        const test::ChildEnd end = test::run_child(run);
        ASSERT_EQ(end.exit_code, 0) << end.message;
    }

    /// Kills at evenly spread passes of a point, resumes each time, compares with a straight run.
    void kill_and_resume(const std::string& point) {
        constexpr int kKills = 20;
        const SlideTrial straight = run_into("straight");
        const int passes = test::count_points(straight).at(point);
        const auto expected = test::digests(straight.outputs);
        ASSERT_GE(passes, kKills) << "no two kills at one place";
        for (int i = 0; i < kKills; ++i) {
            const int at = 1 + i * (passes - 1) / (kKills - 1);
            SlideTrial killed = run_into(point + std::to_string(at));
            killed.kill_point = point;
            killed.kill_at = at;
            const test::ChildEnd end = test::run_child(killed);
            ASSERT_EQ(end.signal, SIGKILL) << point << " " << at << ": " << end.message;
            const SlideTrial again = run_into(point + std::to_string(at));
            resume(again);
            ASSERT_EQ(test::first_difference(expected, test::digests(again.outputs)), "")
                << point << " " << at;
            EXPECT_FALSE(fs::exists(again.outputs.front() + ".parts"));
            fs::remove_all(dir_.path() / (point + std::to_string(at)));
        }
        std::printf("%s: killed at %d of %d points, resumed to the same bytes\n", point.c_str(),
                    kKills, passes);
    }

    test::TempDir dir_;
    std::unique_ptr<test::PlantedNuclei> planted_;
};

TEST_F(ResumeTest, killed_while_fitting) { kill_and_resume("fit"); }
TEST_F(ResumeTest, killed_between_tiles) { kill_and_resume("tile"); }
TEST_F(ResumeTest, killed_around_commits) { kill_and_resume("commit"); }
TEST_F(ResumeTest, killed_in_assembly) { kill_and_resume("assembly"); }
TEST_F(ResumeTest, killed_in_export) { kill_and_resume("export"); }

TEST_F(ResumeTest, a_run_killed_many_times_ends_the_same) {
    const SlideTrial straight = run_into("straight");
    ASSERT_EQ(test::run_child(straight).exit_code, 0);
    SlideTrial run = run_into("again");
    run.kill_point = "tile";
    for (run.kill_at = 2; run.kill_at < 12; ++run.kill_at)
        ASSERT_EQ(test::run_child(run).signal, SIGKILL);
    run.kill_point.clear();
    ASSERT_EQ(test::run_child(run).exit_code, 0);
    EXPECT_EQ(test::first_difference(test::digests(straight.outputs), test::digests(run.outputs)),
              "");
}

TEST_F(ResumeTest, an_error_in_any_node_ends_the_run_in_its_words_and_loses_nothing) {
    const SlideTrial straight = run_into("straight");
    ASSERT_EQ(test::run_child(straight).exit_code, 0);
    for (const char* point : {"fit", "tile", "commit", "assembly", "export"}) {
        SlideTrial run = run_into(point);
        run.kill_point = point;
        run.kill_at = 12;
        run.thrown = "the device is lost";
        const test::ChildEnd end = test::run_child(run);
        EXPECT_EQ(end.exit_code, exit_code(ErrorKind::Device)) << point << end.signal;
        EXPECT_THAT(end.message, testing::HasSubstr("the device is lost")) << point;
        if (std::string(point) != "export") {
            EXPECT_FALSE(fs::exists(run.outputs.front())) << point;
        }
        resume(run_into(point));
        EXPECT_EQ(
            test::first_difference(test::digests(straight.outputs), test::digests(run.outputs)), "")
            << point;
    }
}

TEST_F(ResumeTest, an_error_on_a_device_thread_ends_the_run_too) {
    SlideTrial run = run_into("device");
    run.segmenter = [] {
        auto segmenter = std::make_unique<test::FakeSegmenter>(
            test::fake_spec(256, 16, 8), test::percolating_maps(), test::FakeKind::Device);
        segmenter->before_tile([left = std::make_shared<std::atomic<int>>(20)] {
            if (--*left == 0) fail(ErrorKind::Device, "out of device memory");
        });
        return segmenter;
    };
    const test::ChildEnd end = test::run_child(run);
    EXPECT_EQ(end.exit_code, exit_code(ErrorKind::Device));
    EXPECT_THAT(end.message, testing::HasSubstr("out of device memory"));
    EXPECT_FALSE(fs::exists(run.outputs.front()));
}

TEST_F(ResumeTest, other_settings_are_refused_and_named) {
    SlideTrial run = run_into("mismatch");
    run.kill_point = "commit";
    run.kill_at = 5;
    ASSERT_EQ(test::run_child(run).signal, SIGKILL);
    run.kill_point.clear();
    run.config.separate.threshold = 0.6;
    const test::ChildEnd end = test::run_child(run);
    EXPECT_EQ(end.exit_code, 1);
    EXPECT_THAT(end.message, testing::HasSubstr("separate.threshold (0.5, now 0.6)"));
    EXPECT_THAT(end.message, testing::HasSubstr("--restart"));
    run.config.separate.threshold = 0.5;
    run.region_px *= 2;  // the parts on disk are cut otherwise
    const test::ChildEnd cut = test::run_child(run);
    EXPECT_EQ(cut.exit_code, 1);
    EXPECT_THAT(cut.message, testing::HasSubstr("tiling.region_px = 512, now 1024"));
}

TEST_F(ResumeTest, a_finished_result_is_left_alone) {
    SlideTrial run = run_into("done");
    ASSERT_EQ(test::run_child(run).exit_code, 0);
    const auto before = fs::last_write_time(run.outputs.front());
    run.expected = SlideOutcome::AlreadyComplete;
    ASSERT_EQ(test::run_child(run).exit_code, 0);
    EXPECT_EQ(fs::last_write_time(run.outputs.front()), before);
    run.config.separate.threshold = 0.6;
    run.expected = SlideOutcome::Complete;
    ASSERT_EQ(test::run_child(run).exit_code, 0);
    EXPECT_NE(fs::last_write_time(run.outputs.front()), before);
}

TEST_F(ResumeTest, files_of_a_finished_result_are_written_as_they_are_asked_for) {
    SlideTrial run = run_into("done");
    ASSERT_EQ(test::run_child(run).exit_code, 0);
    const auto before = fs::last_write_time(run.outputs.front());
    run.expected = SlideOutcome::AlreadyComplete;
    run.columns = {"shape_area_um2"};
    ASSERT_EQ(test::run_child(run).exit_code, 0);
    EXPECT_EQ(fs::last_write_time(run.outputs.front()), before);
    std::ifstream table(run.outputs[1]);
    std::string header;
    std::getline(table, header);
    EXPECT_TRUE(header.ends_with("on_artefact,shape_area_um2")) << header;
}

TEST_F(ResumeTest, torn_parts_are_made_again) {
    const SlideTrial straight = run_into("straight");
    ASSERT_EQ(test::run_child(straight).exit_code, 0);
    SlideTrial run = run_into("torn");
    run.kill_point = "assembly";
    run.kill_at = 1;
    ASSERT_EQ(test::run_child(run).signal, SIGKILL);
    int torn = 0;
    for (const auto& entry : fs::directory_iterator(run.outputs.front() + ".parts"))
        if (entry.path().extension() == ".nuclei" && torn++ % 3 == 0)
            fs::resize_file(entry.path(), entry.file_size() / 2);
    ASSERT_GT(torn, 3);
    run.kill_point.clear();
    ASSERT_EQ(test::run_child(run).exit_code, 0);
    EXPECT_EQ(test::first_difference(test::digests(straight.outputs), test::digests(run.outputs)),
              "");
}

}  // namespace
}  // namespace wsi
