#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <span>

#include "io/picture.h"
#include "pipeline/commands.h"
#include "pipeline/patch_cutter.h"
#include "pipeline/stop_signals.h"
#include "tests/pipeline/run_harness.h"
#include "tests/support/temp_dir.h"

namespace wsi {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

TEST(PatchesTest, squares_cover_the_axis_to_its_end) {
    EXPECT_THAT(patch_starts(10, 4, 4), ElementsAre(0, 4, 6));
    EXPECT_THAT(patch_starts(8, 4, 4), ElementsAre(0, 4));
    EXPECT_THAT(patch_starts(8, 4, 3), ElementsAre(0, 3, 4));
    EXPECT_THAT(patch_starts(3, 4, 4), ElementsAre(0));
}

TEST(PatchesTest, ids_of_a_patch_have_no_gaps_and_the_outside_is_vague) {
    LabelledImage image;
    image.rgb = RgbImage(4, 3, 50);
    image.labels = Image<uint32_t>(4, 3, 0);
    image.labels(0, 0) = 9;
    image.labels(3, 1) = 700000;
    image.labels(3, 2) = 9;
    const LabelledImage patch = cut_patch(image, {1, 1}, 4);
    EXPECT_EQ(patch.labels(2, 0), 1U);
    EXPECT_EQ(patch.labels(2, 1), 2U);
    EXPECT_EQ(patch.vague(2, 1), 0);
    EXPECT_EQ(patch.rgb(2, 1, 0), 50);
    EXPECT_EQ(patch.vague(3, 1), 1);
    EXPECT_EQ(patch.vague(0, 2), 1);
    EXPECT_EQ(patch.rgb(3, 1, 0), 255);
}

TEST(PatchesTest, a_source_falls_into_one_split_and_fractions_hold) {
    ImageEntry entry;
    entry.dataset = "set";
    int val = 0;
    for (int i = 0; i < 2000; ++i) {
        entry.source = "slide_" + std::to_string(i);
        entry.name = "first";
        const std::string split = split_of(entry, 0.2, 7);
        entry.name = "second";
        EXPECT_EQ(split_of(entry, 0.2, 7), split);
        val += split == "val";
    }
    EXPECT_NEAR(val, 400, 4 * 18);  // binomial, four standard deviations
    entry.split = "test";
    EXPECT_EQ(split_of(entry, 1, 7), "test");
}

/// Half bright, half dark, one nucleus in the dark half.
void write_image(const fs::path& folder, const std::string& stem) {
    RgbImage rgb(80, 64, 200);
    Image<uint32_t> labels(80, 64, 0);
    for (int64_t y = 0; y < 64; ++y)
        for (int64_t x = 40; x < 80; ++x) {
            for (int c = 0; c < 3; ++c) rgb(x, y, c) = 100;
            if (x >= 50 && x < 60 && y >= 20 && y < 30) labels(x, y) = 77;
        }
    write_rgb_picture((folder / "images" / (stem + ".png")).string(), rgb.view());
    write_label_picture((folder / "labels" / (stem + ".png")).string(), labels.view());
}

TEST(PatchesTest, a_patch_file_is_a_data_set_at_the_models_resolution) {
    const test::TempDir dir;
    const fs::path set = dir.path() / "set";
    fs::create_directories(set / "images");
    fs::create_directories(set / "labels");
    for (const char* stem : {"a", "b", "c", "d", "e"}) write_image(set, stem);
    PatchesOptions what;
    what.sources = {set.string()};
    what.output = dir.file("patches.h5");
    what.patch_px = 32;
    what.val_fraction = 0.5;
    CommonOptions common;
    common.model = "classical";
    common.quiet = 1;
    common.slide_mpp = 0.25;
    common.work_mpp = 0.5;
    EXPECT_EQ(patches_command(what, common), 0);
    const auto patches = open_dataset(what.output);
    ASSERT_EQ(patches->entries().size(), 10U);  // 40 x 32 pixels at 0.5: two squares each
    std::map<std::string, std::set<std::string>> splits;
    for (const ImageEntry& entry : patches->entries()) {
        splits[entry.source].insert(entry.split);
        EXPECT_EQ(entry.mpp, 0.5);
        EXPECT_EQ(entry.dataset, "set");
    }
    EXPECT_EQ(splits.size(), 5U);
    for (const auto& [source, of] : splits) EXPECT_EQ(of.size(), 1U) << source;
    EXPECT_EQ(patches->entries()[1].name, "a-0-8");
    const LabelledImage second = patches->read(1);  // work pixels 8..39
    EXPECT_EQ(second.rgb(11, 5, 0), 200);
    EXPECT_EQ(second.rgb(12, 5, 0), 100);
    EXPECT_EQ(second.labels(17, 12), 1U);
    EXPECT_EQ(second.labels(16, 12), 0U);
    EXPECT_EQ(second.labels(21, 14), 1U);
    EXPECT_EQ(second.labels(22, 14), 0U);
    EXPECT_EQ(patches->read(9).rgb(12, 5, 0), 100);
}

class PatchesCommandTest : public testing::Test {
protected:
    /// A plain folder of images.
    void make_set(const std::vector<std::string>& stems) const {
        fs::create_directories(set_ / "images");
        fs::create_directories(set_ / "labels");
        for (const std::string& stem : stems) write_image(set_, stem);
    }
    int cut() const {
        PatchesOptions what;
        what.sources = {set_.string()};
        what.output = output();
        what.patch_px = 32;
        CommonOptions common;
        common.model = "classical";
        common.quiet = 1;
        common.slide_mpp = common.work_mpp = 0.5;
        return patches_command(what, common);
    }
    std::string error_of_cut() const {
        try {
            cut();
        } catch (const Error& error) {
            return error.what();
        }
        return "no error";
    }
    std::string output() const { return dir_.file("patches.h5"); }
    test::TempDir dir_;
    const fs::path set_ = dir_.path() / "set";
};

TEST_F(PatchesCommandTest, a_source_in_two_splits_is_refused_by_name) {
    make_set({"a_1", "a_2", "b_1"});
    std::ofstream(set_ / "manifest.csv")
        << "stem,split,source\na_1,train,slide a\na_2,test,slide a\nb_1,test,slide b\n";
    EXPECT_THAT(error_of_cut(), testing::AllOf(testing::HasSubstr("slide a is in test"),
                                               testing::HasSubstr("in train")));
    EXPECT_FALSE(fs::exists(output()));
    std::ofstream(set_ / "manifest.csv")
        << "stem,split,source\na_1,train,slide a\na_2,train,slide a\nb_1,test,slide b\n";
    EXPECT_EQ(cut(), 0);
}

TEST_F(PatchesCommandTest, one_unreadable_image_is_left_out_and_two_are_too_many) {
    make_set({"a", "b", "c"});
    std::ofstream(set_ / "images" / "b.png") << "no picture";
    EXPECT_EQ(cut(), 0);
    std::set<std::string> sources;
    const auto patches = open_dataset(output());
    for (const ImageEntry& entry : patches->entries()) sources.insert(entry.source);
    EXPECT_THAT(sources, ElementsAre("a", "c"));
    fs::remove(output());
    std::ofstream(set_ / "images" / "c.png") << "no picture";
    EXPECT_THAT(error_of_cut(), testing::AllOf(testing::HasSubstr("2 of 3 images cannot be read"),
                                               testing::HasSubstr("c.png")));
    EXPECT_FALSE(fs::exists(output()));
}

TEST_F(PatchesCommandTest, stopped_it_says_so_and_leaves_nothing) {
    make_set({"a", "b"});
    const test::ChildEnd end = test::run_in_child([this] {
        install_stop_signals() = StopRequest::Finish;  // what a signal does
        cut();
    });
    EXPECT_EQ(end.message, "interrupted; nothing was written");
    size_t files = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator(dir_.path())) ++files;
    EXPECT_EQ(files, 1U) << "only the set";
}

TEST_F(PatchesCommandTest, images_without_nuclei_are_cut_like_others) {
    make_set({"a"});
    write_label_picture((set_ / "labels" / "a.png").string(), Image<uint32_t>(80, 64, 0).view());
    EXPECT_EQ(cut(), 0);
    const auto patches = open_dataset(output());
    ASSERT_EQ(patches->entries().size(), 6U);
    const LabelledImage patch = patches->read(0);
    EXPECT_EQ(std::ranges::max(std::span(patch.labels.data(), 32 * 32)), 0U);
}

TEST_F(PatchesCommandTest, pictures_of_other_depths_are_named) {
    make_set({"a"});
    write_label_picture((set_ / "images" / "a.png").string(), Image<uint32_t>(80, 64, 900).view());
    EXPECT_THAT(error_of_cut(), testing::AllOf(testing::HasSubstr("a.png: 1 channels of ushort"),
                                               testing::HasSubstr("expected 8-bit RGB")));
    EXPECT_FALSE(fs::exists(output()));
}

TEST(PatchesTest, other_files_are_no_patch_files) {
    const test::TempDir dir;
    std::ofstream(dir.file("x.h5")) << "not HDF5";
    EXPECT_THROW(open_dataset(dir.file("x.h5")), Error);
}

}  // namespace
}  // namespace wsi
