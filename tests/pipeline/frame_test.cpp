// What goes out as GeoJSON comes back in at the same place, on a slide whose bounds do not begin at
// its corner, in QuPath's frame and in that of level 0.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/pipeline/run_harness.h"
#include "tests/support/planted.h"

namespace wsi {
namespace {

namespace fs = std::filesystem;
using test::SlideTrial;

using Centroids = std::vector<std::pair<double, double>>;

class FrameTest : public testing::Test {
protected:
    FrameTest() {
        test::ScnOptions options;
        // Larger than a cell of the tissue mask: each holds the centre of the cell of its centroid.
        std::vector<test::PlantedNucleus> nuclei;
        for (const test::PlantedNucleus& n : test::plant_grid(options.scan, 130, 44, 3))
            nuclei.push_back({n.x + 300, n.y + 200, 42, 38, n.angle});
        planted_ = std::make_unique<test::PlantedNuclei>(nuclei);
        test::write_leica_scn(slide(), options, planted_->stained());
    }

    std::string slide() const { return dir_.file("slide.scn"); }

    SlideTrial trial(const std::string& folder, Frame frame) const {
        fs::create_directories(dir_.path() / folder);
        SlideTrial run;
        run.slide = slide();
        run.frame = frame;
        for (const char* name : {"r.h5", "r.geojson"})
            run.outputs.push_back((dir_.path() / folder / name).string());
        run.segmenter = test::finds(*planted_, test::fake_spec(512, 32, 0));
        return run;
    }

    static Centroids run(const SlideTrial& trial) {
        const test::ChildEnd end = test::run_child(trial);
        EXPECT_EQ(end.exit_code, 0) << end.message;
        if (end.exit_code != 0) return {};
        const ResultReader reader(trial.outputs[0]);
        EXPECT_GT(reader.header().slide.bounds.x, 0);
        EXPECT_GT(reader.header().slide.bounds.y, 0);
        Centroids out;
        for (const NucleusIdentity& who : reader.rows(0, reader.count()).identity)
            out.emplace_back(who.centroid_x_px, who.centroid_y_px);
        return out;
    }

    test::TempDir dir_;
    std::unique_ptr<test::PlantedNuclei> planted_;
};

TEST_F(FrameTest, an_export_read_as_region_of_interest_finds_the_same_nuclei) {
    Centroids first;
    for (const auto& [name, frame] :
         {std::pair{"qupath", Frame::Qupath}, {"level0", Frame::Level0}}) {
        const SlideTrial all = trial(name, frame);
        first = run(all);
        EXPECT_GT(first.size(), 100u);
        SlideTrial there = trial(std::string(name) + "-roi", frame);
        there.roi = all.outputs[1];
        EXPECT_EQ(run(there), first) << name;
    }
    SlideTrial elsewhere = trial("mixed", Frame::Level0);
    elsewhere.roi = (dir_.path() / "qupath" / "r.geojson").string();
    EXPECT_LT(run(elsewhere).size(), first.size() / 2) << "the frames are not the same";
}

TEST_F(FrameTest, an_export_measured_again_is_where_it_was) {
    const SlideTrial all = trial("all", Frame::Qupath);
    const Centroids first = run(all);
    SlideTrial again = trial("again", Frame::Qupath);
    again.nuclei = ForeignNuclei{all.outputs[1]};
    again.segmenter = [&] { return segmenter_for_measuring(*again.nuclei, again.frame); };
    EXPECT_EQ(run(again), first);
    again = trial("wrong", Frame::Level0);
    again.nuclei = ForeignNuclei{all.outputs[1]};
    const Centroids shifted = run(again);
    ASSERT_EQ(shifted.size(), first.size());
    EXPECT_NEAR(shifted.front().first, first.front().first - 300, 60);
}

}  // namespace
}  // namespace wsi
