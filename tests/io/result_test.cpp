#include "io/result_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>

#include "io/column_choice.h"
#include "io/export.h"
#include "io/hdf5_file.h"
#include "io/result_summary.h"
#include "io/roi.h"
#include "io/sha.h"
#include "io/text_file.h"
#include "tests/support/temp_dir.h"

namespace wsi {
namespace {

namespace fs = std::filesystem;

ResultHeader header() {
    ResultHeader h;
    h.slide.path = "s.svs";
    h.slide.hash = "abc";
    h.slide.levels = {{{2000, 1400}, 1, {}}};
    h.slide.bounds = {100, 50, 1500, 1200};
    h.slide.mpp_x = h.slide.mpp_y = 0.25;
    h.frame = {{1000, 700}, 2, 0.5, 0.5};
    h.schema = {{"shape_area_um2", "um2", "area"}, {"b", "1", "other"}};
    h.tissue = GrayImage(20, 10, 1);
    h.tissue_mm2 = 0.5;
    h.identity_hash = "id";
    h.provenance = {{"command", "x"}};
    return h;
}

NucleiBatch nuclei(size_t n) {
    NucleiBatch batch;
    batch.columns = 2;
    for (size_t i = 0; i < n; ++i) {
        NucleusIdentity who;
        who.centroid_x_px = 10.25 * static_cast<double>(i);
        who.centroid_y_px = 20.5;
        who.detection_probability = 0.75f;
        who.flags = i % 2 ? kAtSlideEdge : 0;
        const auto x = static_cast<int32_t>(1000 * i);
        const std::vector<ContourPoint> ring{{x, 0}, {x + 500, 50}, {x + 125, 700}};
        const std::vector<float> row{static_cast<float>(i), i == 3 ? NAN : 1.5f};
        batch.append(who, row, ring, {});
    }
    return batch;
}

void write(const std::string& path, size_t n) {
    ResultWriter writer(path, header());
    const NucleiBatch all = nuclei(n);
    NucleiBatch part;
    part.columns = 2;
    for (size_t i = 0; i < n; ++i) part.append(all, i);
    writer.append(part);
    Image<uint32_t> chunk(kChunkPx, kChunkPx, 0);
    chunk(5, 7) = 70000;
    writer.write_chunk(Raster::Labels, 0, 1, compress_chunk(chunk.view()));
    writer.finish();
}

TEST(ResultTest, what_is_written_reads_back) {
    const test::TempDir dir;
    write(dir.file("é r.h5"), 9);
    EXPECT_FALSE(fs::exists(dir.file("é r.h5.tmp")));
    const ResultReader reader(dir.file("é r.h5"));
    EXPECT_TRUE(reader.complete());
    EXPECT_EQ(reader.count(), 9u);
    EXPECT_EQ(reader.header().slide.bounds, (PixelRect{100, 50, 1500, 1200}));
    EXPECT_EQ(reader.header().frame.size, (PixelSize{1000, 700}));
    const NucleiBatch rows = reader.rows(2, 5);
    EXPECT_DOUBLE_EQ(rows.identity[1].centroid_x_px, 30.75);
    EXPECT_EQ(rows.identity[1].flags, kAtSlideEdge);
    EXPECT_TRUE(std::isnan(rows.row(1)[1]));
    EXPECT_EQ(rows.contour(4)[1], (ContourPoint{6500, 50}));
    EXPECT_EQ(reader.uuids(0, 1)[0], nucleus_uuid("abc", 0, 20.5));
    Image<uint32_t> labels(20, 20);
    reader.read(Raster::Labels, {510, 0, 20, 20}, labels.view());
    EXPECT_EQ(labels(7, 7), 70000u);
    EXPECT_EQ(labels(8, 7), 0u);
}

TEST(ResultTest, flags_are_counted_in_the_summary) {
    const test::TempDir dir;
    write(dir.file("r.h5"), 9);
    const ResultReader reader(dir.file("r.h5"));
    EXPECT_EQ(reader.summary("flags", "at_slide_edge"), 4);
    EXPECT_EQ(reader.summary("flags", "cut_at_reach"), 0);
}

TEST(ResultTest, a_file_without_the_newest_columns_of_identity_is_read) {
    const test::TempDir dir;
    write(dir.file("r.h5"), 9);
    {
        h5::set_up();
        const h5::Id file(H5Fopen(dir.file("r.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT), &H5Fclose);
        for (const char* name : {"nuclei/tissue_fraction", "nuclei/on_artefact"})
            ASSERT_GE(H5Ldelete(file.get(), name, H5P_DEFAULT), 0) << name;
    }
    const NucleiBatch rows = ResultReader(dir.file("r.h5")).rows(0, 9);
    EXPECT_TRUE(std::isnan(rows.identity[3].tissue_fraction));
    EXPECT_EQ(rows.identity[3].flags, kAtSlideEdge);
    EXPECT_EQ(rows.identity[3].detection_probability, 0.75F);
}

TEST(ResultTest, columns_of_more_rows_than_a_chunk_read_back) {
    const test::TempDir dir;
    constexpr size_t kPart = 11000, kRows = 4 * kPart;  // chunks of 16384 rows end inside parts
    {
        ResultWriter writer(dir.file("r.h5"), header());
        const NucleiBatch all = nuclei(kRows);
        for (size_t first = 0; first < kRows; first += kPart) {
            NucleiBatch part;
            part.columns = 2;
            for (size_t i = first; i < first + kPart; ++i) part.append(all, i);
            writer.append(part);
        }
        writer.finish();
    }
    const NucleiBatch rows = ResultReader(dir.file("r.h5")).rows(0, kRows);
    ASSERT_EQ(rows.size(), kRows);
    for (size_t i = 0; i < kRows; ++i) {
        ASSERT_EQ(rows.row(i)[0], static_cast<float>(i));
        ASSERT_DOUBLE_EQ(rows.identity[i].centroid_x_px, 10.25 * static_cast<double>(i));
    }
}

TEST(ResultTest, an_empty_result_is_valid_in_every_format) {
    const test::TempDir dir;
    write(dir.file("r.h5"), 0);
    const ResultReader reader(dir.file("r.h5"));
    for (const char* name :
         {"r.csv", "r.csv.gz", "r.geojson", "r.geojson.gz", "r.tif", "r.labels.tif", "r.parquet",
          "r.gpkg", "r.fgb", "r.db", "r.h5ad", "r.html", "r.cellvit.json", "r.hovernet.json",
          "r.mask.ome.tif", "r.labels.ome.tif"}) {
        export_result(reader, dir.file(name), {});
        EXPECT_GT(fs::file_size(dir.file(name)), 0u) << name;
    }
}

TEST(ResultTest, foreign_truncated_and_unfinished_files_are_refused) {
    const test::TempDir dir;
    write(dir.file("r.h5"), 50);
    std::ofstream(dir.file("text.h5")) << "hello";
    fs::copy_file(dir.file("r.h5"), dir.file("cut.h5"));
    fs::resize_file(dir.file("cut.h5"), fs::file_size(dir.file("r.h5")) / 2);
    for (const char* name : {"text.h5", "cut.h5", "absent.h5"}) {
        try {
            const ResultReader reader(dir.file(name));
            ADD_FAILURE() << name;
        } catch (const Error& error) {
            EXPECT_THAT(error.what(), testing::HasSubstr(name));
        }
    }
    { const ResultWriter unfinished(dir.file("u.h5"), header()); }
    EXPECT_FALSE(fs::exists(dir.file("u.h5")));
    EXPECT_FALSE(fs::exists(dir.file("u.h5.tmp")));
}

TEST(ExportTest, a_full_disk_leaves_nothing_under_the_final_name) {
    const test::TempDir dir;
    write(dir.file("r.h5"), 4000);
    const ResultReader reader(dir.file("r.h5"));
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit old{};
    getrlimit(RLIMIT_FSIZE, &old);
    const rlimit small{2000, old.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    for (const char* name : {"f.csv", "f.geojson.gz", "f.tif", "f.parquet"}) {
        try {
            export_result(reader, dir.file(name), {});
            ADD_FAILURE() << name;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::Output) << error.what();
        }
        EXPECT_FALSE(fs::exists(dir.file(name))) << name;
        EXPECT_FALSE(fs::exists(dir.file(std::string(name) + ".tmp"))) << name;
    }
    setrlimit(RLIMIT_FSIZE, &old);
}

TEST(ExportTest, rings_are_closed_and_shifted_by_the_bounds_for_qupath) {
    const test::TempDir dir;
    write(dir.file("r.h5"), 2);
    const ResultReader reader(dir.file("r.h5"));
    ExportOptions level0;
    level0.frame = Frame::Level0;
    export_result(reader, dir.file("q.geojson"), {});
    export_result(reader, dir.file("l.geojson"), level0);
    const auto text = [&](const char* name) {
        std::ifstream in(dir.file(name));
        return std::string(std::istreambuf_iterator<char>(in), {});
    };
    EXPECT_THAT(text("l.geojson"), testing::HasSubstr("[[10,0],[15,0.5],[11.25,7],[10,0]]"));
    EXPECT_THAT(text("q.geojson"),
                testing::HasSubstr("[[-90,-50],[-85,-49.5],[-88.75,-43],[-90,-50]]"));
}

TEST(ExportTest, outlines_come_back_as_a_region_of_interest_on_a_slide_with_bounds) {
    const test::TempDir dir;
    write(dir.file("r.h5"), 3);
    const ResultReader reader(dir.file("r.h5"));
    const NucleiBatch rows = reader.rows(0, 3);
    const PixelRect bounds = reader.header().slide.bounds;
    for (const Frame frame : {Frame::Qupath, Frame::Level0}) {
        ExportOptions options;
        options.frame = frame;
        export_result(reader, dir.file("o.geojson"), options);
        const auto polygons = read_roi_geojson(
            dir.file("o.geojson"),
            frame == Frame::Qupath ? PixelPoint{bounds.x, bounds.y} : PixelPoint{});
        ASSERT_EQ(polygons.size(), 3u);
        for (size_t i = 0; i < 3; ++i)
            for (size_t k = 0; k < rows.contour(i).size(); ++k) {
                EXPECT_NEAR(polygons[i].rings[0][k].x, rows.contour(i)[k].x / 100.0, 1e-9);
                EXPECT_NEAR(polygons[i].rings[0][k].y, rows.contour(i)[k].y / 100.0, 1e-9);
            }
    }
}

TEST(ExportTest, parts_are_named_by_number_and_hold_as_many_as_asked_for) {
    EXPECT_THAT(split_names("a b/o.geojson.gz", 10, 4),
                testing::ElementsAre("a b/o.part-0001.geojson.gz", "a b/o.part-0002.geojson.gz",
                                     "a b/o.part-0003.geojson.gz"));
    EXPECT_THAT(split_names("o.csv", 10, 10), testing::ElementsAre("o.csv"));
    EXPECT_THAT(split_names("o.csv", 0, 10), testing::ElementsAre("o.csv"));
    EXPECT_THAT(split_names("o.csv", 10, 0), testing::ElementsAre("o.csv"));
}

TEST(ExportTest, the_suffix_decides_and_unknown_ones_are_refused) {
    EXPECT_EQ(export_suffix("a/b.labels.tif"), ".labels.tif");
    EXPECT_EQ(export_suffix("b.geojson.gz"), ".geojson.gz");
    for (const char* bad : {"x", "x.shp", ".csv", "a.gz"}) {
        try {
            export_suffix(bad);
            ADD_FAILURE() << bad;
        } catch (const Error& error) {
            EXPECT_THAT(error.what(), testing::HasSubstr(".geojson.gz"));
        }
    }
}

TEST(ExportTest, an_unknown_column_is_refused_with_the_nearest_names) {
    const FeatureSchema schema{{"shape_area_um2", "um2", ""},
                               {"shape_area_px", "px", ""},
                               {"nucleus_H_mean", "od", ""},
                               {"ring_E_mean", "od", ""}};
    const auto choose = [&](std::vector<std::string> wanted) {
        return choose_columns(schema, wanted);
    };
    EXPECT_THAT(choose({"ring_E_mean", "shape_*"}), testing::ElementsAre(3, 0, 1));
    EXPECT_THAT(choose({"*_mean", "ring_*"}), testing::ElementsAre(2, 3));
    EXPECT_THAT(choose({"id", "class"}), testing::IsEmpty());
    for (const char* bad : {"shape_area", "Shape_area_um2", "shape_*_mm", ""}) {
        try {
            choose({bad});
            ADD_FAILURE() << bad;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::Config);
            EXPECT_THAT(error.what(), testing::HasSubstr("nearest"));
        }
    }
    EXPECT_THAT(nearest_names("shape_aera_um2", std::vector<std::string>{"b", "shape_area_um2"}, 1),
                testing::ElementsAre("shape_area_um2"));
}

TEST(SummaryTest, order_statistics_are_exact) {
    std::mt19937 random(5);
    for (const size_t n : {1u, 2u, 3u, 10u, 1001u}) {
        std::vector<float> values(n);
        for (float& v : values)
            v = static_cast<float>(static_cast<int>(random() % 2000) - 1000) / 7;
        std::vector<float> with_nan = values;
        with_nan.insert(with_nan.begin() + static_cast<std::ptrdiff_t>(n / 2), NAN);
        const ColumnSummary s = summarise_column([&](const auto& use) {
            use(std::span<const float>(with_nan).first(with_nan.size() / 3));
            use(std::span<const float>(with_nan).subspan(with_nan.size() / 3));
        });
        std::sort(values.begin(), values.end());
        const auto quantile = [&](double f) {
            const double at = f * static_cast<double>(n - 1);
            const auto low = static_cast<size_t>(at);
            const double a = values[low], b = values[std::min(low + 1, n - 1)];
            return a + (b - a) * (at - std::floor(at));
        };
        EXPECT_EQ(s.count, n);
        EXPECT_DOUBLE_EQ(s.quartile1, quantile(0.25));
        EXPECT_DOUBLE_EQ(s.median, quantile(0.5));
        EXPECT_DOUBLE_EQ(s.quartile3, quantile(0.75));
        EXPECT_DOUBLE_EQ(s.most, static_cast<double>(values.back()));
    }
    EXPECT_TRUE(std::isnan(summarise_column([](const auto&) {}).median));
}

TEST(UuidTest, is_a_version_5_uuid_of_slide_and_place) {
    const std::string uuid = nucleus_uuid("abc", 12.345, 6);
    EXPECT_EQ(uuid.size(), 36u);
    EXPECT_EQ(uuid[14], '5');
    EXPECT_THAT(std::string("89ab"), testing::HasSubstr(uuid.substr(19, 1)));
    EXPECT_EQ(uuid, nucleus_uuid("abc", 12.345, 6));
    EXPECT_NE(uuid, nucleus_uuid("abc", 12.36, 6));
    EXPECT_NE(uuid, nucleus_uuid("abd", 12.345, 6));
}

TEST(ShaTest, known_answers) {
    EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(sha256_hex("abc"),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(hex(sha1("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
    EXPECT_EQ(hex(sha1("")), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    const std::string million(1000000, 'a');
    EXPECT_EQ(sha256_hex(million),
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(TextTest, hundredths_have_no_trailing_zeros) {
    const auto text = [](int64_t v) {
        std::string out;
        append_hundredths(out, v);
        return out;
    };
    EXPECT_EQ(text(0), "0");
    EXPECT_EQ(text(1250), "12.5");
    EXPECT_EQ(text(-5), "-0.05");
    EXPECT_EQ(text(100), "1");
    EXPECT_EQ(text(-1207), "-12.07");
}

}  // namespace
}  // namespace wsi
