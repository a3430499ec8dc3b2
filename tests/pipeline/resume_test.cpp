// A run that was killed at any point goes on and ends in the same bytes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

    /// Kills at `kills` evenly spread passes of a point, resumes each time, compares with a
    /// straight run.
    void kill_and_resume(const std::string& point, int kills) {
        const SlideTrial straight = run_into("straight");
        const int passes = test::count_points(straight).at(point);
        const auto expected = test::digests(straight.outputs);
        const int points = std::min(kills, passes);
        ASSERT_GE(passes, 1);
        for (int i = 0; i < points; ++i) {
            const int at = 1 + i * (passes - 1) / std::max(1, points - 1);
            SlideTrial killed = run_into(point + std::to_string(at));
            killed.kill_point = point;
            killed.kill_at = at;
            const test::ChildEnd end = test::run_child(killed);
            ASSERT_EQ(end.signal, SIGKILL) << point << " " << at << ": " << end.message;
            SlideTrial again = run_into(point + std::to_string(at));
            const test::ChildEnd resumed = test::run_child(again);
            if (resumed.exit_code != 0) {  // killed after the last step: already complete
                again.expected = SlideOutcome::AlreadyComplete;
                ASSERT_EQ(test::run_child(again).exit_code, 0) << resumed.message;
            }
            ASSERT_EQ(test::first_difference(expected, test::digests(again.outputs)), "")
                << point << " " << at;
            EXPECT_FALSE(fs::exists(again.outputs.front() + ".parts"));
            fs::remove_all(dir_.path() / (point + std::to_string(at)));
        }
        std::printf("%s: killed at %d of %d points, resumed to the same bytes\n", point.c_str(),
                    points, passes);
    }

    test::TempDir dir_;
    std::unique_ptr<test::PlantedNuclei> planted_;
};

TEST_F(ResumeTest, killed_while_fitting) { kill_and_resume("fit", 20); }
TEST_F(ResumeTest, killed_between_tiles) { kill_and_resume("tile", 24); }
TEST_F(ResumeTest, killed_around_commits) { kill_and_resume("commit", 24); }
TEST_F(ResumeTest, killed_in_assembly) { kill_and_resume("assembly", 20); }
TEST_F(ResumeTest, killed_in_export) { kill_and_resume("export", 20); }

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
    EXPECT_TRUE(header.ends_with("cut_at_reach,shape_area_um2")) << header;
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
