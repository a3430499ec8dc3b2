// Readers on real samples in the layouts in which the data sets are distributed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "io/datasets/dataset.h"
#include "io/datasets/outlines.h"
#include "io/picture.h"
#include "tests/support/data_dir.h"
#include "tests/support/temp_dir.h"

namespace wsi {
namespace {

namespace fs = std::filesystem;

fs::path layouts() { return fs::path(test::data_dir()) / "nuclei" / "official_layouts"; }

size_t count_ids(const Image<uint32_t>& labels) {
    std::set<uint32_t> ids(labels.data(), labels.data() + labels.size().area());
    ids.erase(0);
    return ids.size();
}

int64_t differing(const Image<uint32_t>& a, const Image<uint32_t>& b) {
    if (a.size() != b.size()) return -1;
    int64_t count = 0;
    for (int64_t i = 0; i < a.size().area(); ++i) count += a.data()[i] != b.data()[i];
    return count;
}

TEST(OfficialLayoutsDataTest, nuinsseg_has_labels_and_vague_areas) {
    WSI_NEED_DATA();
    const auto set = open_dataset((layouts() / "NuInsSeg").string());
    ASSERT_EQ(set->entries().size(), 2U);
    const ImageEntry& entry = set->entries()[0];
    EXPECT_EQ(entry.name, "human_bladder_01");
    EXPECT_EQ(entry.organ, "human bladder");
    EXPECT_EQ(entry.mpp, 0.25);
    const LabelledImage image = set->read(0);
    EXPECT_EQ(image.rgb.size(), (PixelSize{512, 512}));
    EXPECT_EQ(count_ids(image.labels), 24U);
    EXPECT_EQ(count_ids(set->read(1).labels), 3U);
    const auto vague = std::count(image.vague.data(), image.vague.data() + 512 * 512, 1);
    EXPECT_GT(vague, 0);
    EXPECT_LT(vague, 512 * 512 / 2);
}

TEST(OfficialLayoutsDataTest, imagej_outlines_give_the_official_labels_bit_for_bit) {
    WSI_NEED_DATA();
    const fs::path organ = layouts() / "NuInsSeg" / "human bladder";
    for (const char* stem : {"human_bladder_01", "human_bladder_02"}) {
        const Image<uint32_t> official =
            read_label_picture((organ / "label masks modify" / stem).string() + ".tif");
        const Image<uint32_t> drawn =
            read_roi_set((organ / "Imagj_zips" / stem).string() + ".zip", official.size());
        EXPECT_EQ(differing(official, drawn), 0) << stem;
    }
}

TEST(OfficialLayoutsDataTest, nuinsseg_without_label_masks_is_read_from_its_outlines) {
    WSI_NEED_DATA();
    const test::TempDir dir;
    const fs::path organ = layouts() / "NuInsSeg" / "human bladder", copy = dir.path() / "organ";
    fs::create_directories(copy);
    for (const char* part : {"tissue images", "Imagj_zips"})
        fs::create_directory_symlink(organ / part, copy / part);
    const auto outlines = open_dataset(dir.path().string());
    const auto masks = open_dataset((layouts() / "NuInsSeg").string());
    EXPECT_EQ(outlines->entries()[0].organ, "organ");
    EXPECT_EQ(differing(outlines->read(0).labels, masks->read(0).labels), 0);
}

TEST(OfficialLayoutsDataTest, cryonuseg_takes_the_first_round_of_the_first_annotator) {
    WSI_NEED_DATA();
    const test::TempDir dir;
    const fs::path from = layouts() / "CryoNuSeg";
    fs::create_directories(dir.path() / "Annotator 1 (biologist)");
    fs::create_directory_symlink(from / "tissue images", dir.path() / "tissue images");
    fs::create_directory_symlink(from / "Annotator 1 (biologist)" / "label masks modify DERIVED",
                                 dir.path() / "Annotator 1 (biologist)" / "label masks modify");
    const auto set = open_dataset(dir.path().string());
    ASSERT_EQ(set->entries().size(), 2U);
    EXPECT_EQ(set->entries()[0].organ, "Pancreas");
    const LabelledImage image = set->read(0);
    const Image<uint32_t> mask = read_label_picture(
        (from / "Annotator 1 (biologist)" / "mask binary" / "Human_Pancreas_01.png").string());
    int64_t unlike = 0;
    for (int64_t i = 0; i < mask.size().area(); ++i)
        unlike += (mask.data()[i] != 0) != (image.labels.data()[i] != 0);
    EXPECT_EQ(unlike, 0);
}

TEST(OfficialLayoutsDataTest, cryonuseg_outlines_lie_on_its_image) {
    WSI_NEED_DATA();
    const fs::path sample = layouts() / "CryoNuSeg" / "partial_roi_sample";
    const RgbImage rgb = read_rgb_picture((sample / "TCGA-S4-A8RO.tif").string());
    const Image<uint32_t> labels = read_roi_set(sample / "TCGA-S4-A8RO_RoiSet.zip", rgb.size());
    EXPECT_GT(count_ids(labels), 50U);
    // Nuclei are darker in red than what lies around them.
    double inside = 0, outside = 0;
    int64_t n = 0;
    for (int64_t i = 0; i < labels.size().area(); ++i) {
        const bool nucleus = labels.data()[i] != 0;
        n += nucleus;
        (nucleus ? inside : outside) += rgb.data()[3 * i];
    }
    EXPECT_LT(inside / static_cast<double>(n) + 20,
              outside / static_cast<double>(labels.size().area() - n));
}

TEST(OfficialLayoutsDataTest, conic_patches_know_their_source_and_classes) {
    WSI_NEED_DATA();
    const auto set = open_dataset((layouts() / "CoNIC_format_surrogate").string());
    ASSERT_EQ(set->entries().size(), 8U);
    EXPECT_EQ(set->entries()[3].name, "consepsurrogate_10-0000");
    EXPECT_EQ(set->entries()[3].source, "consepsurrogate_10");
    EXPECT_THAT(set->class_names(), testing::SizeIs(6));
    const LabelledImage image = set->read(3);
    EXPECT_EQ(image.rgb.size(), (PixelSize{256, 256}));
    for (int64_t i = 0; i < image.labels.size().area(); ++i)
        ASSERT_EQ(image.labels.data()[i] != 0, image.classes.data()[i] != 0) << i;
    EXPECT_GT(count_ids(image.labels), 90U);
}

TEST(OfficialLayoutsDataTest, plain_folder_takes_its_rows_of_the_manifest_beside_it) {
    WSI_NEED_DATA();
    const auto set = open_dataset(test::data_dir() + "/nuclei/consep_train");
    ASSERT_EQ(set->entries().size(), 27U);
    EXPECT_EQ(set->entries()[0].mpp, 0.25);
    EXPECT_THAT(set->entries()[0].split, testing::AnyOf("train", "val"));
    EXPECT_FALSE(set->read(0).classes.empty());
}

}  // namespace
}  // namespace wsi
