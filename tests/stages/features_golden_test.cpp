// The table against scikit-image, scipy and numpy on real nuclei (tests/fixtures/README.md).
#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "io/slide.h"
#include "stages/contour.h"
#include "stages/features.h"

namespace wsi {
namespace {

const std::string kFolder = std::string(WSI_SOURCE_DIR) + "/tests/fixtures/nuclei/";
constexpr PixelPoint kCrop{130, 140};  // of image.png in labels.png

RgbImage read_png(const std::string& name) {
    SlideConfig config;
    config.mpp = 1;
    const auto slide = open_slide(kFolder + name, config);
    const PixelSize size = slide->info().size();
    RgbImage image(size.width, size.height);
    EXPECT_FALSE(slide->read(0, {0, 0, size.width, size.height}, image));
    return image;
}

using Row = std::map<std::string, double>;  // columns with a value

std::vector<Row> read_golden() {
    std::ifstream file(kFolder + "golden.csv");
    std::string line, cell;
    std::vector<std::string> names;
    std::getline(file, line);
    for (std::stringstream cells(line); std::getline(cells, cell, ',');) names.push_back(cell);
    std::vector<Row> rows;
    while (std::getline(file, line)) {
        Row& row = rows.emplace_back();
        std::stringstream cells(line);
        for (size_t k = 0; std::getline(cells, cell, ','); ++k) {
            double value = 0;
            if (std::from_chars(cell.data(), cell.data() + cell.size(), value).ec == std::errc())
                row[names[k]] = value;
        }
    }
    return rows;
}

class FeaturesGoldenTest : public testing::Test {
protected:
    FeaturesGoldenTest() : rgb(read_png("image.png")), golden(read_golden()) {
        const RgbImage coded = read_png("labels.png");
        frame = {coded.size(), 1, 1, 1};
        labels.resize(coded.width(), coded.height());
        for (int64_t y = 0; y < coded.height(); ++y)
            for (int64_t x = 0; x < coded.width(); ++x)
                labels(x, y) = coded(x, y, 0) + 256u * coded(x, y, 1);
    }

    /// Our row of a label: shape and moments alone, or all of it on the crop.
    Row measure(uint32_t label, bool colours, bool stretched = false) {
        std::vector<PixelRun> runs;
        for (int32_t y = 0; y < labels.height(); ++y)
            for (int32_t x = 0; x < labels.width(); ++x) {
                if (labels(x, y) != label) continue;
                if (!runs.empty() && runs.back().y == y && runs.back().x1 == x)
                    ++runs.back().x1;
                else
                    runs.push_back({y, x, x + 1});
            }
        std::vector<ContourPoint> ring;
        ContourTracer{}(labels.view(), label, {runs[0].x0, runs[0].y}, {0, 0}, 1, ring);
        FeatureConfig config;
        config.intensity = config.texture = colours;
        config.zernike = !colours;
        config.stretch_grey_levels = stretched;
        FeatureExtractor extract(frame, kReferenceHe, config);
        const FeatureSchema schema = feature_schema(config);
        std::vector<float> values(schema.size());
        const auto others =
            std::as_const(labels).view().crop({kCrop.x, kCrop.y, rgb.width(), rgb.height()});
        extract({runs, ring, rgb.view(), others, kCrop}, values);
        Row row;
        for (size_t k = 0; k < values.size(); ++k)
            row[schema[k].name] = static_cast<double>(values[k]);
        return row;
    }

    /// Compares every column of the golden row that `select` takes.
    template <class Select>
    size_t expect_equal(const Row& expected, const Row& found, double tolerance, Select&& select) {
        size_t compared = 0;
        for (const auto& [name, value] : expected) {
            if (name == "label" || !select(name)) continue;
            ++compared;
            EXPECT_TRUE(found.contains(name)) << name;
            if (!found.contains(name)) continue;
            // Normalised moments are far below 1, and Hu's differences of their products.
            const double least = name.find("_hu_") != std::string::npos ? 1e-8
                                 : name.starts_with("shape_nu")         ? 1e-3
                                                                        : 1;
            EXPECT_NEAR(found.at(name), value, tolerance * std::max(least, std::abs(value)))
                << name << " of label " << expected.at("label");
        }
        return compared;
    }

    static bool has_ring_texture(const Row& row) { return row.contains("ring_E_canny_sum"); }
    static bool has_colours(const Row& row) { return row.contains("nucleus_H_mean"); }

    RgbImage rgb;
    Image<uint32_t> labels;
    WorkFrame frame;
    std::vector<Row> golden;
};

TEST_F(FeaturesGoldenTest, shapes_of_145_nuclei_equal_scikit_images) {
    ASSERT_EQ(golden.size(), 145u);
    for (const Row& row : golden) {
        const Row found = measure(static_cast<uint32_t>(row.at("label")), false);
        EXPECT_GT(expect_equal(row, found, 1e-6,
                               [](const std::string& name) { return name.starts_with("shape_"); }),
                  60u);
    }
}

TEST_F(FeaturesGoldenTest, intensities_equal_numpys_and_scipys) {
    size_t nuclei = 0;
    for (const Row& row : golden) {
        if (!has_colours(row)) continue;
        ++nuclei;
        const Row found = measure(static_cast<uint32_t>(row.at("label")), true);
        EXPECT_GT(expect_equal(row, found, 1e-5,
                               [](const std::string& name) {
                                   return !name.starts_with("shape_") &&
                                          name.find("haralick") == std::string::npos &&
                                          name.find("radial") == std::string::npos &&
                                          name.find("canny") == std::string::npos;
                               }),
                  250u);
    }
    EXPECT_GE(nuclei, 10u);
}

TEST_F(FeaturesGoldenTest, haralicks_features_equal_those_of_the_definitions) {
    for (const Row& row : golden) {
        if (!has_colours(row)) continue;
        const Row found = measure(static_cast<uint32_t>(row.at("label")), true);
        EXPECT_EQ(expect_equal(row, found, 1e-6,
                               [](const std::string& name) {
                                   return name.find("haralick") != std::string::npos &&
                                          !name.starts_with("stretched");
                               }),
                  has_ring_texture(row) ? 52u : 26u);
    }
}

TEST_F(FeaturesGoldenTest, grey_levels_can_span_each_nucleus_of_its_own) {
    size_t compared = 0;
    for (const Row& row : golden) {
        if (!has_colours(row)) continue;
        const Row found = measure(static_cast<uint32_t>(row.at("label")), true, true);
        for (const auto& [name, value] : row) {
            if (!name.starts_with("stretched")) continue;
            const std::string ours = "nucleus" + name.substr(std::string("stretched").size());
            EXPECT_NEAR(found.at(ours), value, 1e-6 * std::max(1.0, std::abs(value)))
                << ours << " of label " << row.at("label");
            ++compared;
        }
    }
    EXPECT_GE(compared, 260u);
}

TEST_F(FeaturesGoldenTest, shells_hold_what_cellprofilers_definition_says) {
    for (const Row& row : golden) {
        if (!has_colours(row)) continue;
        const Row found = measure(static_cast<uint32_t>(row.at("label")), true);
        EXPECT_EQ(expect_equal(row, found, 1e-6,
                               [](const std::string& name) {
                                   return name.find("radial") != std::string::npos;
                               }),
                  12u);
    }
}

TEST_F(FeaturesGoldenTest, edges_are_those_of_scikit_images_canny) {
    size_t rings = 0;
    for (const Row& row : golden) {
        if (!has_colours(row)) continue;
        const Row found = measure(static_cast<uint32_t>(row.at("label")), true);
        EXPECT_EQ(found.at("nucleus_H_canny_sum"), row.at("nucleus_H_canny_sum"))
            << row.at("label");
        EXPECT_GT(row.at("nucleus_H_canny_sum"), 0);
        if (!has_ring_texture(row)) continue;
        ++rings;
        EXPECT_EQ(found.at("ring_E_canny_sum"), row.at("ring_E_canny_sum")) << row.at("label");
    }
    EXPECT_GE(rings, 5u);
}

}  // namespace
}  // namespace wsi
