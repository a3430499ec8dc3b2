#include "pipeline/experiments.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "io/csv_table.h"
#include "model/train/torch_trainer.h"
#include "tests/networks/fused_weights.h"
#include "tests/networks/planted_set.h"
#include "tests/support/temp_dir.h"

namespace wsi {

namespace {

std::string text_of(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST(ExperimentsTest, a_table_is_run_over_seeds_and_folds_resumed_and_names_what_it_cannot_run) {
    const test::TempDir dir;
    test::write_planted_set(dir.path() / "set", 6, 48);
    ExperimentJob job;
    job.table = {"Tiny",
                 "",
                 {"network.base=4", "train.folds=2"},
                 2,
                 "a",
                 {{"a", {}},
                  {"b", {"network.activation=relu"}},
                  {"nobody's net", {"network.architecture=imagined"}}}};
    job.data = {dir.file("set")};
    job.output = dir.file("out");
    Config base;
    base.train.precision = Precision::Fp32;
    base.train.patch_px = 32;
    base.train.batch = 1;
    base.train.epochs = 1;
    base.run.threads = 1;
    std::atomic<StopRequest> stop{StopRequest::None};
    int made = 0;
    const auto run = [&] {
        return run_experiments(job, base, stop, [&](const Config& config) {
            if (++made == 6) stop = StopRequest::Finish;  // while the second run trains
            return std::make_unique<train::TorchTrainer>(config);
        });
    };
    EXPECT_FALSE(run());
    stop = StopRequest::None;
    EXPECT_TRUE(run());
    const CsvTable table(dir.file("out/table.csv"));
    ASSERT_EQ(table.rows(), 15U);  // three rows, five metrics
    EXPECT_EQ(table.number(0, "runs", 0), 4);
    EXPECT_EQ(table.number(5, "runs", 0), 4);
    EXPECT_LE(table.number(5, "p", 2), 1);
    EXPECT_GT(table.number(0, "mean", -1), -0.5);
    EXPECT_EQ(table.number(10, "runs", -1), 0);
    EXPECT_THAT(table.text(10, "problem"), testing::HasSubstr("imagined"));
    EXPECT_EQ(table.text(10, "mean"), "");
    EXPECT_THAT(text_of(dir.file("out/table.md")),
                testing::HasSubstr("| nobody's net | | not run |"));
    // The figures show the rows that ran, and each run keeps its overlays.
    for (const char* figure : {"bars.svg", "violin.svg"}) {
        const std::string svg = text_of(dir.file(std::string("out/") + figure));
        EXPECT_THAT(svg, testing::HasSubstr(">a</text>")) << figure;
        EXPECT_THAT(svg, testing::HasSubstr(">b</text>")) << figure;
        EXPECT_THAT(svg, testing::Not(testing::HasSubstr("nobody"))) << figure;
        EXPECT_THAT(svg, testing::HasSubstr("</svg>")) << figure;
        EXPECT_THAT(svg, testing::Not(testing::HasSubstr("nan"))) << figure;
    }
    EXPECT_THAT(text_of(dir.file("out/bars.svg")), testing::HasSubstr("<rect x="));
    EXPECT_THAT(text_of(dir.file("out/violin.svg")), testing::HasSubstr("<polygon points="));
    EXPECT_TRUE(std::filesystem::exists(dir.file("out/b/seed-1-fold-1/overlay-best.png")));
    // Each image is in one fold: three of six per run, all six in the paired test.
    EXPECT_EQ(CsvTable(dir.file("out/a/seed-0-fold-0/scores.csv")).rows(), 3U);
    made = 100;
    EXPECT_TRUE(run());  // only reads what is there
    EXPECT_EQ(made, 103);
    base.train.epochs = 2;
    EXPECT_THROW(run(), Error);
}

TEST(ExperimentsTest, a_row_with_a_frozen_encoder_shows_its_encodings) {
    const test::TempDir dir;
    test::write_planted_set(dir.path() / "set", 8, 128);
    ExperimentJob job;
    job.table = {"Tiny", "", {"train.folds=2"}, 1, "fused", {{"fused", {}}}};
    job.data = {dir.file("set")};
    job.output = dir.file("out");
    Config base = test::fused_config(EncoderContext::Tile);
    base.train.batch = 2;
    base.train.epochs = 1;
    base.model.encoder_weights = dir.file("tiny_sam.safetensors");
    test::write_random_encoder(base.model.encoder_weights, base, 11);
    const std::atomic<StopRequest> stop{StopRequest::None};
    EXPECT_TRUE(run_experiments(job, base, stop, [](const Config& config) {
        return std::make_unique<train::TorchTrainer>(config);
    }));
    const CsvTable encodings(dir.file("out/fused/seed-0-fold-0/encodings.csv"));
    EXPECT_EQ(encodings.rows(), 4U);
    EXPECT_GT(std::ranges::count(encodings.text(0, "values"), ' '), 8);
    EXPECT_NE(encodings.text(0, "values"), encodings.text(1, "values"));
    const std::string svg = text_of(dir.file("out/encodings.svg"));
    size_t dots = 0;
    for (size_t at = svg.find("<circle"); at != std::string::npos; at = svg.find("<circle", at + 1))
        ++dots;
    EXPECT_GE(dots, 5U);  // four images and the organs' key
    EXPECT_THAT(svg, testing::Not(testing::HasSubstr("nan")));
}

}  // namespace wsi
