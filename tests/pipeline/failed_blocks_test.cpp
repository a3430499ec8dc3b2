// A slide with unreadable blocks: a few are listed and left out, too many fail the slide.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "io/result_store.h"
#include "tests/pipeline/run_harness.h"
#include "tests/support/planted.h"

namespace wsi {
namespace {

class FailedBlocksTest : public testing::Test {
protected:
    /// A slide of 4 x 4 blocks of 512; the tiles given are no images.
    test::SlideTrial slide_with(const std::vector<int64_t>& corrupt_tiles, double most) const {
        test::SlideOptions options;
        options.size = {2048, 2048};
        options.mpp = 0.5;
        options.objective_power = 20;
        options.corrupt_tiles = corrupt_tiles;
        test::write_svs(dir_.file("s.svs"), options, test::plain_tissue());
        test::SlideTrial run;
        run.slide = dir_.file("s.svs");
        run.outputs = {dir_.file("r.h5")};
        run.config.slide.max_failed_fraction = most;
        run.segmenter = [] {
            InputSpec spec;
            spec.name = spec.hash = "fake";
            spec.core_px = 256;
            spec.halo_px = 16;
            spec.feather_px = 8;
            return std::make_unique<test::FakeSegmenter>(spec, test::percolating_maps());
        };
        return run;
    }
    test::TempDir dir_;
};

TEST_F(FailedBlocksTest, too_many_fail_the_slide_and_name_the_remedy) {
    const test::ChildEnd end = test::run_child(slide_with({0, 13}, 0.12));
    EXPECT_EQ(end.exit_code, exit_code(ErrorKind::Slide));
    EXPECT_THAT(end.message, testing::HasSubstr("2 blocks could not be decoded"));
    EXPECT_THAT(end.message, testing::HasSubstr("slide.max_failed_fraction"));
}

TEST_F(FailedBlocksTest, as_many_as_allowed_are_listed_in_order) {
    test::SlideTrial run = slide_with({0, 13}, 0.13);  // 2 of 16
    run.expected = SlideOutcome::CompleteWithFailures;
    std::map<std::string, std::string> expected;
    for (const int threads : {1, 8}) {
        run.threads = threads;
        ASSERT_EQ(test::run_child(run).exit_code, 0) << threads << " threads";
        EXPECT_EQ(ResultReader(run.outputs.front()).header().failed_tiles.size(), 2u);
        const auto got = test::digests(run.outputs);
        if (expected.empty()) expected = got;
        EXPECT_EQ(test::first_difference(expected, got), "");
        std::filesystem::remove(run.outputs.front());
    }
}

TEST_F(FailedBlocksTest, one_alone_never_fails_a_slide) {
    test::SlideTrial run = slide_with({27}, 0);
    run.expected = SlideOutcome::CompleteWithFailures;
    const test::ChildEnd end = test::run_child(run);
    EXPECT_EQ(end.exit_code, 0) << end.message;
}

// Tissue is found on a coarse level: what is unreadable there may hide tissue.
TEST_F(FailedBlocksTest, so_are_those_of_the_level_that_tissue_is_found_on) {
    test::SlideTrial run = slide_with({}, 0.2);
    test::SlideOptions options;
    options.size = {8192, 2048};
    options.mpp = 0.5;
    options.objective_power = 20;
    options.corrupt_last_level_tiles = {5};  // of 8 by 2
    test::write_svs(run.slide, options, test::plain_tissue());
    run.expected = SlideOutcome::CompleteWithFailures;
    const test::ChildEnd end = test::run_child(run);
    ASSERT_EQ(end.exit_code, 0) << end.message;
    const auto failed = ResultReader(run.outputs.front()).header().failed_tiles;
    ASSERT_EQ(failed.size(), 1u);
    EXPECT_EQ(failed.front().level, 2);
    // The same where the result is there already.
    run.expected = SlideOutcome::AlreadyComplete;
    EXPECT_EQ(test::run_child(run).exit_code, 0);
}

TEST_F(FailedBlocksTest, texture_is_undefined_where_its_finer_pixels_are_unreadable) {
    test::SlideTrial run = slide_with({}, 0.2);
    test::SlideOptions options;  // 0.25 µm, worked on at 0.5
    options.size = {2048, 2048};
    options.corrupt_tiles = {18};  // in the block from (512, 512)
    test::write_svs(run.slide, options, test::plain_tissue());
    run.expected = SlideOutcome::CompleteWithFailures;
    run.config.features.texture_mpp = 0.25;
    ASSERT_EQ(test::run_child(run).exit_code, 0);
    const ResultReader reader(run.outputs.front());
    EXPECT_EQ(reader.header().failed_tiles.size(), 1u);
    const auto who = reader.rows(0, reader.count()).identity;
    const std::vector<float> gradient = reader.feature("nucleus_H_gradient_mean"),
                             mean = reader.feature("nucleus_H_mean");
    // The nucleus and its ring of 16 pixels, and 6 around that are looked at.
    const auto within = [](const NucleusIdentity& n, float margin) {
        return n.bbox_x1_px + margin > 512 && n.bbox_x0_px - margin < 1024 &&
               n.bbox_y1_px + margin > 512 && n.bbox_y0_px - margin < 1024;
    };
    size_t unread = 0;
    for (size_t i = 0; i < who.size(); ++i) {
        EXPECT_FALSE(std::isnan(mean[i])) << i;
        if (within(who[i], 0)) {
            EXPECT_TRUE(std::isnan(gradient[i])) << i;
        } else if (!within(who[i], 32)) {
            EXPECT_FALSE(std::isnan(gradient[i])) << i;
        }
        unread += std::isnan(gradient[i]);
    }
    EXPECT_GE(unread, 20u);
    EXPECT_LT(unread, who.size() / 4);
}

}  // namespace
}  // namespace wsi
