#include "io/nuclei_import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "io/picture.h"
#include "io/text_file.h"
#include "tests/support/temp_dir.h"

namespace wsi {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ForeignFrame frame() {
    ForeignFrame f;
    f.slide.levels = {{{800, 600}, 1, {}}};
    f.slide.mpp_x = f.slide.mpp_y = 0.25;
    f.slide.objective_power = 40;
    f.slide.bounds = {100, 50, 600, 400};
    f.frame = {{400, 300}, 2, 0.5, 0.5};
    f.origin0 = {100, 50};
    f.most_side_px = 64;
    return f;
}

struct Read {
    std::vector<ForeignNucleus> nuclei;
    std::vector<NucleusClass> classes;
    std::vector<std::string> unreadable;
};

class NucleiImportTest : public testing::Test {
protected:
    Read read(const std::string& name) {
        Read out;
        ForeignClasses classes;
        read_foreign_nuclei(dir_.file(name), frame(), classes,
                            {[&](ForeignNucleus&& n) { out.nuclei.push_back(std::move(n)); },
                             [&](const std::string& why) { out.unreadable.push_back(why); },
                             {}});
        out.classes = classes.all();
        return out;
    }
    Read read_text(const std::string& name, const std::string& text) {
        TextFile file(dir_.file(name));
        file.write(text);
        file.commit();
        return read(name);
    }
    std::string error_of(const std::string& name, const std::string& text) {
        try {
            read_text(name, text);
        } catch (const Error& error) {
            return error.what();
        }
        return "";
    }
    test::TempDir dir_;
};

constexpr const char* kSquare = R"("geometry":{"type":"Polygon","coordinates":
    [[[10,20],[30,20],[30,40],[10,40],[10,20]],[[12,22],[14,22],[14,24],[12,22]]]})";

std::string feature(const std::string& properties) {
    return R"({"type":"Feature",)" + std::string(kSquare) + R"(,"properties":{)" + properties +
           "}}";
}

TEST_F(NucleiImportTest, reads_geojson_as_qupath_and_others_write_it) {
    const std::string features =
        feature(R"("objectType":"detection","classification":{"name":"Tumor","color":[1,2,3]},
                  "measurements":{"Detection probability":0.75})") +
        "," + feature(R"("classification":{"names":["Tumor","Positive"],"color":[4,5,6]})") + "," +
        feature(R"("classification":"Stroma")") + "," + feature(R"("type":"neutrophil")") + "," +
        feature(R"("objectType":"tile")") + "," +
        R"({"type":"Feature","geometry":{"type":"MultiPolygon","coordinates":
            [[[[0,0],[4,0],[4,4]]],[[[8,8],[12,8],[12,12]]]]},"properties":null})" +
        "," + R"({"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]}})" + "," +
        R"({"type":"Feature","geometry":{"type":"Polygon","coordinates":[[["a",2]]]}})";
    for (const std::string& text :
         {R"({"type":"FeatureCollection","features":[)" + features + "]}", "[" + features + "]"})
        for (const char* name : {"n.geojson", "n.json.gz"}) {
            const Read got = read_text(name, text);
            ASSERT_EQ(got.nuclei.size(), 6u);
            EXPECT_EQ(got.nuclei[0].ring.size(), 4u) << "the closing point is no corner";
            EXPECT_EQ(got.nuclei[0].ring[0].x, 110) << "QuPath's origin is the bounds'";
            EXPECT_EQ(got.nuclei[0].ring[0].y, 70);
            EXPECT_EQ(got.nuclei[0].detection_probability, 0.75f);
            EXPECT_TRUE(std::isnan(got.nuclei[1].detection_probability));
            ASSERT_EQ(got.classes.size(), 5u);
            EXPECT_EQ(got.classes[0].name, "Tumor");
            EXPECT_EQ(got.classes[0].rgb[2], 3);
            EXPECT_EQ(got.classes[1].name, "Tumor: Positive");
            EXPECT_EQ(got.classes[got.nuclei[3].class_id - 1u].name, "neutrophil");
            EXPECT_EQ(got.nuclei[4].source, got.nuclei[5].source) << "parts of one feature";
            ASSERT_EQ(got.unreadable.size(), 2u);
            EXPECT_THAT(got.unreadable[0], HasSubstr("record 7: a Point, expected a Polygon"));
        }
}

TEST_F(NucleiImportTest, takes_the_nucleus_of_a_cell) {
    const Read got = read_text("n.geojson", R"([{"type":"Feature","geometry":{"type":"Polygon",
        "coordinates":[[[0,0],[90,0],[90,90]]]},"nucleusGeometry":{"type":"Polygon",
        "coordinates":[[[5,5],[9,5],[9,9]]]},"properties":{"objectType":"cell"}}])");
    ASSERT_EQ(got.nuclei.size(), 1u);
    EXPECT_EQ(got.nuclei[0].ring[0].x, 105);
    EXPECT_EQ(read_text("one.geojson", feature("")).nuclei.size(), 1u) << "a single feature";
    EXPECT_EQ(
        read_text("none.geojson", R"({"type":"FeatureCollection","features":[]})").nuclei.size(),
        0u);
}

TEST_F(NucleiImportTest, reads_cellvit_with_its_scale_and_names) {
    const std::string cells = R"("cells":[{"bbox":[[1,2],[3,4]],"centroid":[5,6],
        "contour":[[10,20],[14,20],[14,26]],"type_prob":0.5,"type":2},
        {"centroid":[5,6],"type":1}])";
    const Read got =
        read_text("c.json", R"({"wsi_metadata":{"base_mpp":0.25,"target_patch_mpp":0.5},)" + cells +
                                R"(,"type_map":{"2":"Inflammatory"}})");
    ASSERT_EQ(got.nuclei.size(), 1u);
    EXPECT_EQ(got.nuclei[0].ring[0].x, 11) << "centres of its pixels, two level-0 pixels wide";
    EXPECT_EQ(got.nuclei[0].grow_px, 1);
    EXPECT_EQ(got.nuclei[0].class_probability, 0.5f);
    EXPECT_EQ(got.classes[0].name, "Inflammatory");
    EXPECT_EQ(got.unreadable.size(), 1u) << "a cell without contour";
}

TEST_F(NucleiImportTest, reads_hovernet_at_its_magnification) {
    const Read got = read_text("h.json", R"({"mag":20,"nuc":{"1":{"bbox":[[1,2],[3,4]],
        "centroid":[5,6],"contour":[[10,20],[14,20],[14,26]],"type_prob":0.25,"type":null},
        "2":{"contour":[[10,20],[14,20],[14,26]],"type":3}}})");
    ASSERT_EQ(got.nuclei.size(), 2u);
    EXPECT_EQ(got.nuclei[0].ring[1].x, 29);
    EXPECT_EQ(got.nuclei[0].grow_px, 1);
    EXPECT_EQ(got.classes[0].name, "Nucleus");
    EXPECT_EQ(got.classes[1].name, "Type 3");
    EXPECT_EQ(read_text("m.json", R"({"mag":null,"nuc":{"1":{"contour":[[1,2],[3,2],[3,4]]}}})")
                  .nuclei[0]
                  .ring[0]
                  .x,
              1.5);
}

TEST_F(NucleiImportTest, counts_what_stands_in_the_place_of_a_nucleus) {
    for (const std::string& text :
         {"[3,[[]],null," + feature("") + "]",
          R"({"features":[3,[[]],null,)" + feature("") + R"(],"more":[1,2]})",
          std::string(
              R"({"nuc":{"1":3,"2":[[]],"3":null,"4":{"contour":[[1,1],[9,1],[9,9]]}}})")}) {
        const Read got = read_text("odd.json", text);
        EXPECT_EQ(got.nuclei.size(), 1u) << text;
        EXPECT_THAT(got.unreadable, testing::SizeIs(3)) << text;
        EXPECT_THAT(got.unreadable, testing::Contains("record 2: not an object")) << text;
    }
}

TEST_F(NucleiImportTest, refuses_what_is_no_file_of_nuclei) {
    EXPECT_THAT(error_of("a.json", R"({"images":[{"id":1}]})"), HasSubstr("holds no nuclei"));
    EXPECT_THAT(error_of("a.json", R"({"type":"FeatureCollection","features":[)" + feature("")),
                HasSubstr("a.json is truncated or not JSON (at byte"));
    EXPECT_THAT(error_of("a.json", "[1e999]"), HasSubstr("a number that no coordinate can be"));
    EXPECT_THAT(error_of("a.txt", "x"), HasSubstr(".geojson and .json (.gz)"));
    EXPECT_THAT(error_of("a.db", "this is no data base, but long enough to be one's header"),
                HasSubstr("not an AnnotationStore"));
    std::string many = "[";
    for (int i = 0; i < 256; ++i)
        many += (i ? "," : "") + feature(R"("classification":"c)" + std::to_string(i) + "\"");
    EXPECT_THAT(error_of("many.geojson", many + "]"), HasSubstr("more than 255 classes"));
    read_text("whole.json.gz", "[" + feature("") + "]");
    std::filesystem::resize_file(dir_.file("whole.json.gz"), 80);
    EXPECT_THAT([&] { read("whole.json.gz"); },
                testing::ThrowsMessage<Error>(HasSubstr("truncated")));
}

class LabelImportTest : public NucleiImportTest {
protected:
    Read read_labels(const Image<uint32_t>& labels) {
        write_label_picture(dir_.file("l.png"), labels.view());
        return read("l.png");
    }
    static void square(Image<uint32_t>& labels, int64_t x, int64_t y, int64_t side, uint32_t id) {
        for (int64_t j = 0; j < side; ++j)
            for (int64_t i = 0; i < side; ++i) labels(x + i, y + j) = id;
    }
};

TEST_F(LabelImportTest, labels_have_gaps_and_any_scale) {
    Image<uint32_t> work(400, 300, 0), level0(800, 600, 0), cropped(300, 200, 0);
    square(work, 20, 30, 10, 7), square(work, 31, 30, 10, 60000), square(work, 20, 200, 4, 2);
    square(level0, 40, 60, 20, 7), square(level0, 62, 60, 20, 60000), square(level0, 40, 400, 8, 2);
    const Read a = read_labels(work), b = read_labels(level0);
    ASSERT_EQ(a.nuclei.size(), 3u);
    EXPECT_EQ(a.nuclei[0].source, 7u);
    EXPECT_EQ(a.nuclei[0].runs.front(), (PixelRun{30, 20, 30}));
    EXPECT_EQ(a.nuclei[1].source, 60000u);
    ASSERT_EQ(b.nuclei.size(), 3u);
    for (size_t i = 0; i < 3; ++i) EXPECT_EQ(a.nuclei[i].runs, b.nuclei[i].runs);
    square(cropped, 0, 0, 10, 1);  // of the bounds only
    EXPECT_EQ(read_labels(cropped).nuclei[0].runs.front(), (PixelRun{25, 50, 60}));
}

TEST_F(LabelImportTest, a_number_used_again_elsewhere_is_another_nucleus) {
    Image<uint32_t> labels(400, 300, 0);
    for (int64_t y = 0; y < 4; ++y)
        for (int64_t x = 0; x < 5; ++x) square(labels, 10 + 80 * x, 10 + 70 * y, 12, 1);
    const Read got = read_labels(labels);
    EXPECT_EQ(got.nuclei.size(), 20u) << "a mask of one value";
    for (const ForeignNucleus& n : got.nuclei) EXPECT_EQ(n.runs.size(), 12u);
}

TEST_F(LabelImportTest, another_slides_labels_are_refused) {
    EXPECT_THAT(
        [&] { read_labels(Image<uint32_t>(500, 300, 0)); },
        testing::ThrowsMessage<Error>(HasSubstr("500x300 pixels, which is not the slide's")));
    EXPECT_EQ(read_labels(Image<uint32_t>(400, 300, 0)).nuclei.size(), 0u);
    std::ofstream(dir_.file("l.tif")) << "no image";
    EXPECT_THAT([&] { read("l.tif"); },
                testing::ThrowsMessage<Error>(HasSubstr("l.tif: cannot be decoded")));
}

}  // namespace
}  // namespace wsi
