#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "io/slide.h"
#include "pipeline/batch.h"
#include "tests/support/data_dir.h"
#include "tests/support/temp_dir.h"

namespace wsi {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names(const std::vector<std::string>& inputs) {
    std::vector<std::string> out;
    for (const BatchSlide& slide : find_batch_slides(inputs)) out.push_back(slide.relative);
    return out;
}

/// Three slides in four files, in one folder.
class BatchInputsDataTest : public testing::Test {
protected:
    void SetUp() override {
        WSI_NEED_DATA();
        for (const char* name :
             {"Dana-Farber-AIOS-pathml/small_dicom_wsm.dcm",
              "GoogleCloudPlatform-EZ-WSI-DICOMweb/"
              "multiframe_camelyon_challenge_image.dcm",
              "openslide-openslide-python/boxes_0.dcm", "openslide-openslide-python/boxes_1.dcm"}) {
            const fs::path from = fs::path(test::data_dir()) / "slides" / name;
            fs::copy_file(from, dir_.path() / from.filename());
        }
    }
    test::TempDir dir_;
};

TEST_F(BatchInputsDataTest, each_dicom_series_of_a_folder_is_one_slide) {
    const auto expected = testing::ElementsAre(
        "boxes_0.dcm", "multiframe_camelyon_challenge_image.dcm", "small_dicom_wsm.dcm");
    EXPECT_THAT(names({dir_.path().string()}), expected);
    EXPECT_THAT(names({dir_.file("*.dcm")}), expected);
    EXPECT_THAT(names({dir_.file("boxes_1.dcm"), dir_.file("boxes_0.dcm")}),
                testing::ElementsAre("boxes_0.dcm"));
    EXPECT_THAT(names({dir_.file("boxes_1.dcm")}), testing::ElementsAre("boxes_1.dcm"));
}

TEST_F(BatchInputsDataTest, files_of_one_series_are_one_slide_for_openslide_too) {
    const auto hash = [&](const char* name) {
        return open_slide(dir_.file(name), {})->info().hash;
    };
    EXPECT_EQ(hash("boxes_0.dcm"), hash("boxes_1.dcm"));
    EXPECT_NE(hash("boxes_0.dcm"), hash("multiframe_camelyon_challenge_image.dcm"));
}

}  // namespace
}  // namespace wsi
