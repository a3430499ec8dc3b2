#include "pipeline/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "pipeline/compare_report.h"
#include "tests/support/temp_dir.h"

namespace wsi {
namespace {

using testing::HasSubstr;

/// A square nucleus on a 512x512 frame of 0.5 µm, its row of two columns.
struct Square {
    int32_t x, y, side;
    float value = 0;
    uint8_t class_id = 1;
};

class CompareTest : public testing::Test {
protected:
    static ResultHeader header() {
        ResultHeader h;
        h.slide.path = "s.svs";
        h.slide.hash = "abc";
        h.slide.levels = {{{1024, 1024}, 1, {}}};
        h.slide.bounds = {100, 50, 800, 800};
        h.slide.mpp_x = h.slide.mpp_y = 0.25;
        h.frame = {{512, 512}, 2, 0.5, 0.5};
        h.schema = {{"v", "um", "a value"}, {"odd", "1", "undefined for every other"}};
        h.classes = {{1, "One", {}}, {2, "Two", {}}};
        h.tissue = GrayImage(20, 20, 1);
        return h;
    }

    std::string write(const std::string& name, const std::vector<Square>& squares,
                      ResultHeader h = header()) const {
        ResultWriter writer(dir_.file(name), h);
        NucleiBatch rows;
        rows.columns = h.schema.size();
        Image<uint32_t> labels(512, 512, 0);
        for (const Square& s : squares) {
            NucleusIdentity who;
            who.centroid_x_px = 2 * s.x + s.side;
            who.centroid_y_px = 2 * s.y + s.side;
            who.class_id = s.class_id;
            const int32_t x0 = 200 * s.x, y0 = 200 * s.y, w = 200 * s.side;
            const std::vector<ContourPoint> ring{
                {x0, y0}, {x0 + w, y0}, {x0 + w, y0 + w}, {x0, y0 + w}};
            const std::vector<float> row{s.value, rows.size() % 2 ? NAN : 1.f};
            rows.append(who, std::span(row).first(rows.columns), ring, {});
            for (int32_t y = 0; y < s.side; ++y)
                for (int32_t x = 0; x < s.side; ++x)
                    labels(s.x + x, s.y + y) = static_cast<uint32_t>(rows.size());
        }
        writer.append(rows);
        if (!squares.empty())
            writer.write_chunk(Raster::Labels, 0, 0, compress_chunk(labels.view()));
        writer.finish();
        return dir_.file(name);
    }

    Comparison compare(const std::string& a, const std::string& b) const {
        return compare_results(ResultReader(a), ResultReader(b), {});
    }

    test::TempDir dir_;
};

TEST_F(CompareTest, finds_what_is_the_same_lost_new_and_in_pieces) {
    // The same; moved by 2 of 10 px (IoU 80 / 120); lost; one that becomes two halves; new.
    const std::string a =
        write("a.h5", {{10, 10, 10, 1}, {40, 10, 10, 2}, {80, 10, 10, 3}, {120, 10, 20, 4}});
    const std::string b = write("b.h5", {{10, 10, 10, 1.5f},
                                         {42, 10, 10, 4, 2},
                                         {120, 10, 10, 5},
                                         {130, 20, 10, 6},
                                         {300, 300, 10, 7}});
    const Comparison c = compare(a, b);
    EXPECT_THAT(c.fate_a,
                testing::ElementsAre(Fate::Matched, Fate::Matched, Fate::Only, Fate::InPieces));
    EXPECT_THAT(c.fate_b, testing::ElementsAre(Fate::Matched, Fate::Matched, Fate::Only, Fate::Only,
                                               Fate::Only));
    ASSERT_EQ(c.pairs.size(), 2u);
    EXPECT_FLOAT_EQ(c.pairs[1].iou, 80.f / 120.f);
    EXPECT_DOUBLE_EQ(c.dq, 2 / 4.5);
    EXPECT_NEAR(c.pq, (1 + 80.0 / 120) / 4.5, 1e-7);
    EXPECT_DOUBLE_EQ(c.dice, 2.0 * (100 + 80 + 200) / (700 + 500));
    EXPECT_EQ(c.other_class, 1u);
    ASSERT_EQ(c.shifts.size(), 2u);
    EXPECT_EQ(c.shifts[0].median_difference, 1.25) << "of +0.5 and +2";
    EXPECT_EQ(c.shifts[0].median_a, 1.5);
    EXPECT_EQ(c.shifts[1].pairs, 1u) << "only where both are defined";
    const Comparison same = compare(a, a);
    EXPECT_EQ(same.pq, 1);
    EXPECT_EQ(same.dice, 1);
    EXPECT_EQ(same.shifts[0].median_absolute_difference, 0);
}

TEST_F(CompareTest, results_at_other_resolutions_are_laid_on_each_other) {
    ResultHeader fine = header();
    fine.frame = {{1024, 1024}, 1, 0.25, 0.25};
    const std::string a = write("a.h5", {{10, 10, 10}, {100, 60, 20}});
    const std::string b = write("b.h5", {{20, 20, 20}, {200, 120, 40}}, fine);
    const Comparison c = compare(a, b);
    EXPECT_EQ(c.pq, 1);
    EXPECT_EQ(compare(b, a).pq, 1);
}

TEST_F(CompareTest, results_of_different_slides_are_refused_with_both) {
    ResultHeader other = header();
    other.slide.hash = "def";
    other.slide.path = "t.svs";
    const std::string a = write("a.h5", {}), b = write("b.h5", {}, other);
    EXPECT_THAT([&] { compare(a, b); },
                testing::ThrowsMessage<Error>(testing::AllOf(
                    HasSubstr("different slides"), HasSubstr("s.svs (1024x1024, hash abc)"),
                    HasSubstr("t.svs (1024x1024, hash def)"))));
    EXPECT_EQ(compare(a, a).pq, 1) << "two empty results are the same";
}

TEST_F(CompareTest, columns_that_one_lacks_are_named) {
    ResultHeader less = header();
    less.schema.pop_back();
    const Comparison c =
        compare(write("a.h5", {{10, 10, 10}}), write("b.h5", {{10, 10, 10}}, less));
    EXPECT_THAT(c.only_a, testing::ElementsAre("odd"));
    EXPECT_THAT(comparison_markdown(c, "A", "B"), HasSubstr("Columns only in A: odd"));
}

TEST_F(CompareTest, the_layer_shows_what_differs_where_qupath_shows_it) {
    const std::string a = write("a.h5", {{10, 10, 10}, {40, 10, 10}, {80, 10, 10}});
    const std::string b = write("b.h5", {{10, 10, 10}, {42, 10, 10}, {300, 300, 10}});
    const ResultReader reader_a(a), reader_b(b);
    write_difference_layer(dir_.file("d.geojson"), reader_a, reader_b, compare(a, b),
                           Frame::Qupath);
    std::ifstream in(dir_.file("d.geojson"));
    const auto layer = nlohmann::json::parse(in);
    const auto& features = layer.at("features");
    ASSERT_EQ(features.size(), 3u);
    const auto name = [&](size_t i) {
        return features[i]["properties"]["classification"]["name"].get<std::string>();
    };
    EXPECT_EQ(name(0), "Drawn otherwise");
    EXPECT_EQ(name(1), "Only in A");
    EXPECT_EQ(name(2), "Only in B");
    EXPECT_EQ(features[1]["geometry"]["coordinates"][0][0], (nlohmann::json{60, -30}));
    EXPECT_EQ(features[1]["geometry"]["coordinates"][0].size(), 5u) << "closed";
    const std::string csv = comparison_csv(compare(a, b));
    EXPECT_THAT(csv, HasSubstr("nuclei,3,3,0,,,1\n"));
    EXPECT_THAT(csv, HasSubstr("matched,2,2,0,,,1\n"));
}

}  // namespace
}  // namespace wsi
