#include "io/roi.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temp_dir.h"

namespace wsi {
namespace {

std::string write(const test::TempDir& dir, const std::string& text) {
    std::ofstream(dir.file("roi.geojson")) << text;
    return dir.file("roi.geojson");
}

TEST(RoiTest, every_form_of_geojson_gives_the_polygons_in_it) {
    const test::TempDir dir;
    const std::string ring = R"([[[0,0],[8,0],[8,8],[0,8],[0,0]],[[2,2],[4,2],[4,4],[2,4],[2,2]]])";
    const std::string geometry = R"({"type":"Polygon","coordinates":)" + ring + "}";
    const std::string feature = R"({"type":"Feature","properties":{},"geometry":)" + geometry + "}";
    const std::string multi = R"({"type":"MultiPolygon","coordinates":[)" + ring + "]}";
    for (const std::string& text :
         {geometry, feature, "[" + feature + "]", multi,
          R"({"type":"FeatureCollection","features":[)" + feature + "]}"}) {
        const auto polygons = read_roi_geojson(write(dir, text), {100, 50});
        ASSERT_EQ(polygons.size(), 1u) << text;
        ASSERT_EQ(polygons[0].rings.size(), 2u);
        EXPECT_EQ(polygons[0].rings[0][2].x, 108);
        EXPECT_EQ(polygons[0].rings[0][2].y, 58);
    }
}

TEST(RoiTest, cells_are_inside_by_their_centre_and_holes_stay_open) {
    const RoiPolygon square{{{{0, 0}, {8, 0}, {8, 8}, {0, 8}}, {{2, 2}, {4, 2}, {4, 4}, {2, 4}}}};
    const GrayImage cells = rasterise_roi({square}, {6, 5}, 2);
    for (int64_t y = 0; y < 5; ++y)
        for (int64_t x = 0; x < 6; ++x)
            EXPECT_EQ(cells(x, y), x < 4 && y < 4 && !(x == 1 && y == 1)) << x << "," << y;
}

TEST(RoiTest, bad_files_are_named) {
    const test::TempDir dir;
    for (const char* text : {"{", R"({"type":"Point","coordinates":[1,2]})",
                             R"({"type":"Polygon","coordinates":[[["a",2]]]})"}) {
        try {
            read_roi_geojson(write(dir, text), {});
            ADD_FAILURE() << text;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::Config);
            EXPECT_THAT(error.what(), testing::HasSubstr("roi.geojson"));
        }
    }
}

}  // namespace
}  // namespace wsi
