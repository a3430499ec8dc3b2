// Readers on tiny data sets of tests/reference/dataset_fixtures.py, and on damaged files.
#include "io/datasets/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "io/datasets/components.h"
#include "io/datasets/mat_file.h"
#include "io/datasets/npy_file.h"
#include "io/datasets/outlines.h"
#include "io/datasets/zip_file.h"
#include "io/picture.h"
#include "tests/support/temp_dir.h"

namespace wsi {
namespace {

namespace fs = std::filesystem;

fs::path fixtures() { return fs::path(WSI_SOURCE_DIR) / "tests" / "io" / "fixtures"; }

/// 1 and 2 in the fixtures' two nuclei, 0 elsewhere.
int nucleus_at(int64_t x, int64_t y) {
    if (x >= 1 && x < 4 && y >= 1 && y < 4) return 1;
    return x >= 6 && x < 10 && y >= 2 && y < 7 ? 2 : 0;
}

/// The fixtures' image with `first` and `second` as ids, and classes 2 and 4 if there are any.
void expect_fixture(const LabelledImage& image, uint32_t first, uint32_t second) {
    ASSERT_EQ(image.rgb.size(), (PixelSize{12, 10}));
    const uint32_t ids[] = {0, first, second};
    const int classes[] = {0, 2, 4};
    for (int64_t y = 0; y < 10; ++y)
        for (int64_t x = 0; x < 12; ++x) {
            const int nucleus = nucleus_at(x, y);
            ASSERT_EQ(image.labels(x, y), ids[nucleus]) << x << "," << y;
            if (!image.classes.empty()) {
                ASSERT_EQ(image.classes(x, y), classes[nucleus]) << x << "," << y;
            }
            ASSERT_EQ(image.rgb(x, y, 1), static_cast<uint8_t>((y * 12 + x) * 3 + 1));
        }
}

template <class Function>
std::string error_of(Function&& function) {
    try {
        function();
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

TEST(DatasetsTest, consep_reads_matlab_arrays_compressed_or_not) {
    const auto set = open_dataset((fixtures() / "consep").string());
    ASSERT_EQ(set->entries().size(), 2U);
    EXPECT_EQ(set->entries()[0].split, "train");
    EXPECT_EQ(set->entries()[1].split, "test");
    for (size_t i = 0; i < 2; ++i) {
        expect_fixture(set->read(i), 1, 5);
        EXPECT_FALSE(set->read(i).classes.empty());
    }
}

TEST(DatasetsTest, pannuke_keeps_equal_ids_of_two_classes_apart) {
    const auto set = open_dataset((fixtures() / "pannuke").string());
    ASSERT_EQ(set->entries().size(), 2U);
    EXPECT_EQ(set->entries()[1].organ, "Bile-duct");
    EXPECT_EQ(set->entries()[1].split, "fold1");
    expect_fixture(set->read(1), 1, 2);
    EXPECT_EQ(set->read(0).labels(2, 2), 0U);
}

TEST(DatasetsTest, tnbc_splits_its_masks_into_nuclei) {
    const auto set = open_dataset((fixtures() / "tnbc").string());
    ASSERT_EQ(set->entries().size(), 1U);
    EXPECT_EQ(set->entries()[0].source, "Slide_01");
    expect_fixture(set->read(0), 1, 2);
}

TEST(DatasetsTest, dsb_has_one_mask_per_nucleus_and_no_resolution) {
    const auto set = open_dataset((fixtures() / "dsb").string());
    ASSERT_EQ(set->entries().size(), 1U);
    EXPECT_EQ(set->entries()[0].mpp, 0);
    expect_fixture(set->read(0), 1, 2);
}

TEST(DatasetsTest, monuseg_fills_outlines_of_both_parts) {
    const auto set = open_dataset((fixtures() / "monuseg").string());
    ASSERT_EQ(set->entries().size(), 2U);
    EXPECT_EQ(set->entries()[0].split, "train");
    EXPECT_EQ(set->entries()[0].source, "TCGA-A7-A13E");
    EXPECT_EQ(set->entries()[1].split, "test");
    for (size_t i = 0; i < 2; ++i) {
        const LabelledImage image = set->read(i);
        // MATLAB counts from 1: the square over 1.5..4.5 covers centres 2, 3, 4, our pixels 1,
        // 2, 3.
        expect_fixture(image, 1, 2);
    }
}

TEST(DatasetsTest, a_strange_folder_is_refused_with_what_is_expected) {
    const test::TempDir dir;
    EXPECT_THAT(error_of([&] { open_dataset(dir.path().string()); }),
                testing::HasSubstr("no known data set; expected images/ and labels/"));
    EXPECT_THAT(error_of([&] { open_dataset(dir.file("none")); }),
                testing::HasSubstr("no such folder"));
}

TEST(DatasetsTest, missing_arrays_and_wrong_shapes_are_named) {
    const std::string mat = (fixtures() / "consep/Train/Labels/train_1.mat").string();
    EXPECT_THAT(error_of([&] { read_mat_labels(mat, "nothing"); }),
                testing::HasSubstr("holds no array named nothing"));
    const NpyFile masks((fixtures() / "pannuke/Fold 1/masks/fold1/masks.npy").string());
    EXPECT_THAT(error_of([&] {
                    masks.expect_shape({0, 256, 256, 6});
                }),
                testing::HasSubstr("is 2x10x12x6; expected nx256x256x6"));
}

/// Every beginning of a file, and every file with one byte turned over, must give numbers or Error.
template <class Read>
void damage(const fs::path& file, Read&& read) {
    std::ifstream in(file, std::ios::binary);
    const std::string whole((std::istreambuf_iterator<char>(in)), {});
    const test::TempDir dir;
    const std::string path = dir.file("damaged" + file.extension().string());
    const auto attempt = [&](const std::string& content) {
        std::ofstream(path, std::ios::binary) << content;
        try {
            read(path);
        } catch (const Error&) {
        }
    };
    const size_t step = std::max<size_t>(1, whole.size() / 200);
    for (size_t i = 1; i < whole.size(); i += step) attempt(whole.substr(0, i));
    for (size_t i = 0; i < whole.size(); i += i < 300 ? 1 : step) {
        std::string turned = whole;
        turned[i] = static_cast<char>(~turned[i]);
        attempt(turned);
    }
}

TEST(DatasetsTest, damaged_files_end_in_an_error_or_in_numbers) {
    const auto mat = [](const std::string& path) { read_mat_labels(path, "type_map"); };
    damage(fixtures() / "consep/Train/Labels/train_1.mat", mat);
    damage(fixtures() / "consep/Test/Labels/test_1.mat", mat);
    damage(fixtures() / "pannuke/Fold 1/images/fold1/types.npy", [](const std::string& path) {
        const NpyFile file(path);
        if (!file.shape().empty() && file.shape()[0] > 0) file.text(0);
    });
    damage(fixtures() / "outline.zip", [](const std::string& path) {
        read_roi_set(path, {20, 20});
    });
}

TEST(DatasetsTest, roi_sets_are_numbered_by_name_and_the_later_one_wins) {
    const Image<uint32_t> labels = read_roi_set(fixtures() / "outline.zip", {20, 20});
    // a.roi: 3..9 in whole numbers relative to its box; b.roi: 6.5..12.5, exact coordinates.
    EXPECT_EQ(labels(4, 4), 1U);
    EXPECT_EQ(labels(8, 8), 2U);
    EXPECT_EQ(labels(11, 11), 2U);
    EXPECT_EQ(labels(14, 14), 0U);
}

TEST(DatasetsTest, components_join_over_corners_and_count_in_raster_order) {
    Image<uint32_t> mask(4, 3, 0);
    mask(0, 0) = mask(1, 1) = mask(3, 0) = 255;
    const Image<uint32_t> labels = connected_components(mask);
    EXPECT_EQ(labels(0, 0), 1U);
    EXPECT_EQ(labels(1, 1), 1U);
    EXPECT_EQ(labels(3, 0), 2U);
    EXPECT_EQ(labels(0, 2), 0U);
}

TEST(PictureTest, labels_survive_a_round_trip_and_colours_are_no_labels) {
    const test::TempDir dir;
    Image<uint32_t> labels(3, 2, 7);
    labels(2, 1) = 65535;
    write_label_picture(dir.file("l.png"), labels.view());
    const Image<uint32_t> again = read_label_picture(dir.file("l.png"));
    EXPECT_EQ(again(2, 1), 65535U);
    EXPECT_EQ(again(0, 0), 7U);
    RgbImage rgb(3, 2, 9);
    write_rgb_picture(dir.file("grey.png"), rgb.view());
    EXPECT_EQ(read_label_picture(dir.file("grey.png"))(0, 0), 9U);
    rgb(1, 1, 2) = 10;
    write_rgb_picture(dir.file("colour.png"), rgb.view());
    EXPECT_THAT(error_of([&] { read_label_picture(dir.file("colour.png")); }),
                testing::HasSubstr("this is a colour picture"));
    EXPECT_EQ(read_rgb_picture(dir.file("colour.png"))(1, 1, 2), 10);
    labels(0, 0) = 65536;
    EXPECT_THAT(error_of([&] { write_label_picture(dir.file("m.png"), labels.view()); }),
                testing::HasSubstr("does not fit 16 bits"));
}

}  // namespace
}  // namespace wsi
