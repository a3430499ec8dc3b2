#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "io/csv_table.h"
#include "io/datasets/dataset.h"
#include "io/picture.h"
#include "pipeline/commands.h"
#include "pipeline/evaluate_overlays.h"
#include "stages/overlay.h"
#include "tests/support/temp_dir.h"

namespace wsi {
namespace {

namespace fs = std::filesystem;

/// A pink picture with dark discs, and their labels; ids have gaps.
void write_pair(const fs::path& folder, const std::string& stem, int64_t shift) {
    RgbImage rgb(320, 256);
    Image<uint32_t> labels(320, 256, 0);
    for (int64_t y = 0; y < 256; ++y)
        for (int64_t x = 0; x < 320; ++x) {
            const int64_t u = (x + shift) % 64 - 32, v = y % 64 - 32;
            const bool nucleus = u * u + v * v <= 144;
            if (nucleus)
                labels(x, y) = static_cast<uint32_t>(10 * (1 + y / 64 * 100 + (x + shift) / 64));
            const uint8_t colour[3] = {nucleus ? uint8_t{90} : uint8_t{225},
                                       nucleus ? uint8_t{60} : uint8_t{160},
                                       nucleus ? uint8_t{130} : uint8_t{200}};
            // A grain, so that nothing is a constant picture.
            for (int c = 0; c < 3; ++c)
                rgb(x, y, c) = static_cast<uint8_t>(colour[c] + (x * 7 + y * 13) % 9);
        }
    write_rgb_picture((folder / "images" / (stem + ".png")).string(), rgb.view());
    write_label_picture((folder / "labels" / (stem + ".png")).string(), labels.view());
}

class EvaluateTest : public testing::Test {
protected:
    EvaluateTest() {
        fs::create_directories(dir_.path() / "set" / "images");
        fs::create_directories(dir_.path() / "set" / "labels");
        for (const char* stem : {"a", "b", "c"}) write_pair(set(), stem, *stem);
        std::ofstream(set() / "manifest.csv") << "stem,split,organ,mpp\na,val,liver,0.25\nb,val,"
                                                 "\"skin, inner\",0.25\nc,train,liver,0.25\n";
        what_.data = {set().string()};
        what_.output = dir_.file("report.csv");
        common_.set = {"separate.min_area_um2=1"};  // also of nuclei that the edge cuts
        common_.model = "classical";
        common_.quiet = 1;
        common_.threads = 2;
    }
    fs::path set() const { return dir_.path() / "set"; }
    std::string error_of() {
        try {
            evaluate_command(what_, common_);
        } catch (const Error& error) {
            return error.what();
        }
        return "no error";
    }
    /// First row of that scope and statistic.
    static double cell(const CsvTable& table, const std::string& scope,
                       const std::string& statistic, const std::string& predictor,
                       const std::string& column) {
        for (size_t row = 0; row < table.rows(); ++row)
            if (table.text(row, "scope") == scope && table.text(row, "statistic") == statistic &&
                table.text(row, "predictor") == predictor)
                return table.number(row, column, -1);
        return -2;
    }

    test::TempDir dir_;
    EvaluateOptions what_;
    CommonOptions common_;
};

TEST_F(EvaluateTest, labels_of_a_run_score_the_same_when_read_as_predictions) {
    what_.split = "val";
    what_.oracle = 1;
    what_.save_labels = dir_.file("found");
    EXPECT_EQ(evaluate_command(what_, common_), 0);
    const CsvTable run(what_.output);
    what_.predictions = what_.save_labels;
    what_.save_labels.clear();
    what_.output = dir_.file("again.csv");
    EXPECT_EQ(evaluate_command(what_, common_), 0);
    const CsvTable again(what_.output);
    for (const char* statistic : {"mean", "low", "high", "median", "pooled"})
        for (const char* column : {"dice_fg", "pq", "aji", "detection_f1", "images", "found"})
            EXPECT_EQ(cell(run, "all", statistic, "classical", column),
                      cell(again, "all", statistic, "predictions", column))
                << statistic << " " << column;
    EXPECT_GT(cell(run, "all", "mean", "classical", "dice_fg"), 0.8);
    EXPECT_EQ(cell(run, "all", "mean", "oracle", "dq"), 1);
    EXPECT_EQ(cell(run, "all", "mean", "classical", "images"), 2);
    EXPECT_EQ(cell(run, "organ", "mean", "classical", "images"), 1);
    EXPECT_TRUE(fs::exists(dir_.path() / "report.md"));
}

TEST_F(EvaluateTest, labels_follow_the_outlines_and_have_no_stairs_of_work_pixels) {
    what_.save_labels = dir_.file("labels");
    common_.work_mpp = 0.5;  // twice the images' pixels
    ASSERT_EQ(evaluate_command(what_, common_), 0);
    const Image<uint32_t> labels = read_label_picture(dir_.file("labels/a.png"));
    int cut = 0;
    for (int64_t y = 0; y < labels.height(); y += 2)
        for (int64_t x = 0; x < labels.width(); x += 2)
            cut += labels(x, y) != labels(x + 1, y) || labels(x, y) != labels(x, y + 1) ? 1 : 0;
    EXPECT_GT(cut, 50) << "work pixels that an outline cuts";
}

TEST_F(EvaluateTest, unpaired_and_unequal_files_are_named) {
    fs::remove(set() / "labels" / "b.png");
    EXPECT_THAT(error_of(),
                testing::ContainsRegex("1 of 3 files in .*images have no partner.*b.png"));
    write_pair(set(), "b", 0);
    fs::create_directory(dir_.path() / "found");
    what_.predictions = dir_.file("found");
    EXPECT_THAT(error_of(), testing::HasSubstr("no prediction for 3 of 3 images, the first is a"));
    for (const char* stem : {"a", "b", "c"})
        write_label_picture((dir_.path() / "found" / (std::string(stem) + ".png")).string(),
                            Image<uint32_t>(320, 250, 1).view());
    EXPECT_THAT(error_of(), testing::ContainsRegex("a.png is 320x250, but .* a are 320x256"));
    write_label_picture((set() / "labels" / "a.png").string(), Image<uint32_t>(10, 250, 1).view());
    EXPECT_THAT(error_of(),
                testing::HasSubstr("set a: the image is 320x256, but its labels are 10x250"));
}

TEST_F(EvaluateTest, a_folder_gets_the_report_and_pictures_of_best_median_and_worst) {
    what_.output = dir_.file("report");
    EXPECT_EQ(evaluate_command(what_, common_), 0);
    const CsvTable report(dir_.file("report/report.csv"));
    EXPECT_EQ(cell(report, "all", "mean", "classical", "images"), 3);
    std::vector<double> each;
    for (size_t row = 0; row < 3; ++row) each.push_back(report.number(row, "pq", -1));
    std::sort(each.begin(), each.end());
    EXPECT_LT(each[0], each[2]);
    EXPECT_EQ(cell(report, "all", "median", "classical", "pq"), each[1]);
    for (const char* rank : {"best", "median", "worst"}) {
        const RgbImage picture = read_rgb_picture(
            (fs::path(what_.output) / ("classical-" + std::string(rank) + ".png")).string());
        ASSERT_EQ(picture.width(), 640);  // the image, and beside it the same with outlines
        int64_t hits = 0, on_the_left = 0;
        for (int64_t y = 0; y < 256; ++y)
            for (int64_t x = 0; x < 640; ++x)
                if (std::equal(kHitColour.begin(), kHitColour.end(), picture.view().at(x, y)))
                    ++(x < 320 ? on_the_left : hits);
        EXPECT_GT(hits, 300) << rank;
        EXPECT_EQ(on_the_left, 0) << rank;
    }
    what_.output = dir_.file("report.txt");
    EXPECT_THAT(error_of(), testing::HasSubstr("expected a folder, or a name that ends in .csv"));
}

/// Class 1 left of the middle, 2 right of it.
GrayImage halves(const Image<uint32_t>& labels) {
    GrayImage classes(labels.width(), labels.height(), 0);
    for (int64_t y = 0; y < labels.height(); ++y)
        for (int64_t x = 0; x < labels.width(); ++x)
            if (labels(x, y) != 0) classes(x, y) = x < labels.width() / 2 ? 1 : 2;
    return classes;
}

void write_classes(const std::string& path, const GrayImage& classes) {
    Image<uint32_t> wide(classes.width(), classes.height(), 0);
    std::copy_n(classes.data(), classes.size().area(), wide.data());
    write_label_picture(path, wide.view());
}

TEST_F(EvaluateTest, classes_of_predictions_are_scored_and_averaged) {
    fs::create_directories(set() / "classes");
    fs::create_directories(dir_.path() / "found" / "labels");
    fs::create_directories(dir_.path() / "found" / "classes");
    for (const char* stem : {"a", "b", "c"}) {
        const std::string name = std::string(stem) + ".png";
        fs::copy_file(set() / "labels" / name, dir_.path() / "found" / "labels" / name);
        const GrayImage classes = halves(read_label_picture((set() / "labels" / name).string()));
        write_classes((set() / "classes" / name).string(), classes);
        GrayImage found = classes;
        if (*stem == 'b') std::replace(found.data(), found.data() + found.size().area(), 2, 0);
        write_classes((dir_.path() / "found" / "classes" / name).string(), found);
    }
    what_.predictions = dir_.file("found");
    EXPECT_EQ(evaluate_command(what_, common_), 0);
    const CsvTable scores(dir_.file("report.classes.csv"));
    ASSERT_EQ(scores.rows(), 3U);
    EXPECT_EQ(scores.text(0, "class"), "class 1");
    EXPECT_EQ(scores.number(0, "pq", -1), 1);
    EXPECT_EQ(scores.number(0, "r2", -1), 1);
    // Of class 2 a third of the nuclei, those of picture b, were not found.
    const double truth = scores.number(1, "truth", -1), found = scores.number(1, "found", -1);
    EXPECT_NEAR(scores.number(1, "pq", -1), found / (0.5 * (truth + found)), 1e-6);
    EXPECT_LT(scores.number(1, "r2", 2), 1);
    EXPECT_EQ(scores.text(2, "class"), "mean of classes");
    EXPECT_NEAR(scores.number(2, "pq", -1), (1 + scores.number(1, "pq", -1)) / 2, 1e-6);
    std::ifstream in(dir_.path() / "report.md");
    const std::string page(std::istreambuf_iterator<char>(in), {});
    EXPECT_THAT(page, testing::HasSubstr("## Classes, predictions"));
}

/// NumPy's format 1.0: two bytes a value.
void write_npy(const fs::path& path, const std::string& shape,
               const std::vector<uint16_t>& values) {
    std::string header = "{'descr': '<u2', 'fortran_order': False, 'shape': (" + shape + "), }";
    header.resize(117, ' ');
    header += '\n';
    std::ofstream out(path, std::ios::binary);
    out.write("\x93NUMPY\x01\x00\x76\x00", 10);
    out << header;
    out.write(reinterpret_cast<const char*>(values.data()),
              static_cast<std::streamsize>(2 * values.size()));
}

TEST_F(EvaluateTest, arrays_as_submitted_to_conic_are_scored_by_its_rules) {
    const fs::path conic = dir_.path() / "conic";
    fs::create_directories(conic);
    std::vector<uint16_t> images(size_t{3} * 64 * 64 * 3, 200), labels(size_t{3} * 64 * 64 * 2);
    // In image k a nucleus of each class 1 ... 2 + k, in rows of 8 px squares.
    for (size_t k = 0; k < 3; ++k)
        for (size_t c = 0; c < 2 + k; ++c)
            for (size_t i = 0; i < 64; ++i) {
                const size_t x = 20 + 10 * (c % 2) + i % 8, y = 20 + 10 * (c / 2) + i / 8;
                const size_t at = 2 * ((k * 64 + y) * 64 + x);
                labels[at] = static_cast<uint16_t>(c + 1);
                labels[at + 1] = static_cast<uint16_t>(c + 1);
            }
    write_npy(conic / "images.npy", "3, 64, 64, 3", images);
    write_npy(conic / "labels.npy", "3, 64, 64, 2", labels);
    what_.data = {conic.string()};
    what_.predictions = (conic / "labels.npy").string();
    what_.compat = "conic";
    EXPECT_EQ(evaluate_command(what_, common_), 0);
    const CsvTable scores(dir_.file("report.classes.csv"));
    ASSERT_EQ(scores.rows(), 7U);  // six classes and their mean
    EXPECT_EQ(scores.text(0, "class"), "neutrophil");
    EXPECT_EQ(scores.number(3, "truth", -1), 1);
    EXPECT_NEAR(scores.number(0, "pq", -1), 1, 1e-5);
    EXPECT_EQ(scores.number(5, "pq", -1), 0);  // a class that is nowhere counts 0
    EXPECT_NEAR(scores.number(6, "pq", -1), 4.0 / 6, 1e-5);
    EXPECT_EQ(scores.number(6, "r2", -1), 1);
    write_npy(dir_.path() / "short.npy", "1, 64, 64, 2", std::vector<uint16_t>(64 * 64 * 2));
    what_.predictions = dir_.file("short.npy");
    EXPECT_THAT(error_of(), testing::HasSubstr("short.npy has 1 images; "));
}

/// A patch file: what lies beyond the image is vague, and there something was found.
TEST_F(EvaluateTest, vague_areas_do_not_count_unless_asked_for) {
    PatchesOptions cut;
    cut.sources = {set().string()};
    cut.output = dir_.file("patches.h5");
    cut.patch_px = 512;
    CommonOptions common = common_;
    common.set.clear();
    common.work_mpp = 0.25;
    ASSERT_EQ(patches_command(cut, common), 0);
    const auto patches = open_dataset(cut.output);
    ASSERT_EQ(patches->entries().size(), 3U);
    fs::create_directories(dir_.path() / "found");
    for (size_t i = 0; i < 3; ++i) {
        Image<uint32_t> labels = patches->read(i).labels;
        for (int64_t x = 400; x < 420; ++x)
            for (int64_t y = 400; y < 420; ++y) labels(x, y) = 9000;  // beyond 320 x 256
        write_label_picture(dir_.file("found/" + patches->entries()[i].name + ".png"),
                            labels.view());
    }
    what_.data = {cut.output};
    what_.predictions = dir_.file("found");
    EXPECT_EQ(evaluate_command(what_, common_), 0);
    EXPECT_EQ(cell(CsvTable(what_.output), "all", "mean", "predictions", "pq"), 1);
    what_.keep_vague = 1;
    what_.output = dir_.file("kept.csv");
    EXPECT_EQ(evaluate_command(what_, common_), 0);
    const CsvTable kept(what_.output);
    EXPECT_LT(cell(kept, "all", "mean", "predictions", "pq"), 1);
    EXPECT_EQ(cell(kept, "all", "pooled", "predictions", "found"),
              cell(kept, "all", "pooled", "predictions", "truth") + 3);
}

TEST(OverlayChoiceTest, ranks_by_pq_and_passes_over_images_without_nuclei) {
    const auto score = [](const char* predictor, double pq, int64_t truth) {
        ImageScore s{predictor, {}, {}, {}};
        s.values.pq = pq;
        s.counts.truth = truth;
        return s;
    };
    const std::vector<ImageScore> scores{score("a", 0.5, 3), score("b", 0.9, 3),
                                         score("a", 0.2, 3), score("a", 0.7, 3),
                                         score("a", 1.0, 0), score("b", 0.9, 3)};
    const auto a = images_to_show(scores, "a");
    ASSERT_EQ(a.size(), 3U);
    EXPECT_EQ(a[0].index, 2U);  // the third image of this predictor
    EXPECT_EQ(a[1].index, 0U);
    EXPECT_EQ(a[2].index, 1U);
    const auto b = images_to_show(scores, "b");
    ASSERT_EQ(b.size(), 2U);
    EXPECT_EQ(b[0].index, 0U);
    EXPECT_EQ(b[1].rank, "worst");
    EXPECT_TRUE(images_to_show(scores, "c").empty());
}

TEST_F(EvaluateTest, an_unknown_split_is_an_error) {
    what_.split = "test";
    EXPECT_THAT(error_of(), testing::HasSubstr("no image is in split 'test'"));
}

}  // namespace
}  // namespace wsi
