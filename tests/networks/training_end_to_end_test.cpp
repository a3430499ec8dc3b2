// Training as the command does it: the first steps replayed against recorded losses, and from
// random weights to nuclei on a slide.
#include <gmock/gmock.h>

#include <filesystem>
#include <numeric>

#include "io/csv_table.h"
#include "io/result_store.h"
#include "model/nn/network_segmenter.h"
#include "model/train/torch_trainer.h"
#include "pipeline/runtime.h"
#include "pipeline/train_run.h"
#include "tests/networks/fused_weights.h"
#include "tests/networks/planted_set.h"
#include "tests/pipeline/run_harness.h"
#include "tests/support/data_dir.h"

namespace wsi {

namespace {

/// What the default weights are trained with (model/weights), small: fp32, one thread.
Config small_config() {
    Config config;
    config.network.base = 8;
    config.train.precision = Precision::Fp32;
    config.train.patch_px = 64;
    config.train.batch = 2;
    config.train.epochs = 50;
    config.train.warmup_steps = 10;
    config.train.development = "skin";
    config.run.threads = 1;
    return config;
}

/// The kernels that every x86-64-v3 CPU has, so that all round alike; before LibTorch's first call.
void use_common_kernels() {
    setenv("ATEN_CPU_CAPABILITY", "avx2", 1);
    setenv("ONEDNN_MAX_CPU_ISA", "AVX2", 1);
    setenv("MKL_CBWR", "COMPATIBLE", 1);
}

/// In a child: OpenMP's threads, once started here, would be missing in later children.
void train_in_child(const std::vector<std::string>& data, const std::string& output,
                    const Config& config, int64_t steps) {
    const test::ChildEnd end = test::run_in_child([&] {
        use_common_kernels();
        keep_freed_memory();  // as `train` does
        TrainJob job;
        job.folders = data;
        job.output = output;
        job.max_steps = steps;
        const std::atomic<StopRequest> stop{StopRequest::None};
        run_training(job, config, stop,
                     [](const Config& c) { return std::make_unique<train::TorchTrainer>(c); });
    });
    ASSERT_EQ(end.exit_code, 0) << end.message << " signal " << end.signal;
}

std::vector<double> column(const std::string& path, const char* name) {
    const CsvTable table(path);
    std::vector<double> values;
    for (size_t i = 0; i < table.rows(); ++i) values.push_back(table.number(i, name, -1));
    return values;
}

double mean(std::span<const double> values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// 50 steps lower the loss; the weights find the nuclei of a slide that looks like the pictures.
void learn_and_segment(Config config, const test::TempDir& dir) {
    const std::string set = dir.file("set"), run = dir.file("run");
    test::write_planted_set(set, 6, 128);
    config.train.learning_rate = 3e-3;
    config.train.ema = 0.9;  // 50 steps only
    train_in_child({set}, run, config, 50);
    const std::vector<double> losses = column(run + "/steps.csv", "loss");
    ASSERT_EQ(losses.size(), 50U);
    const double first = mean(std::span(losses).first(10)), last = mean(std::span(losses).last(10));
    EXPECT_LT(last, 0.75 * first);
    const test::PlantedNuclei nuclei(test::plant_grid({512, 512}, 24, 8, 77));
    test::SlideOptions slide;
    slide.size = {512, 512};
    slide.mpp = 0.5;
    slide.objective_power = 20;
    test::write_svs(dir.file("slide.svs"), slide, nuclei.stained());
    test::SlideTrial trial;
    trial.slide = dir.file("slide.svs");
    trial.outputs = {dir.file("out.h5")};
    trial.config.model = config.model;
    trial.segmenter = [&] {
        return std::make_unique<nn::NetworkSegmenter>(run + "/last.safetensors", config.model);
    };
    const test::ChildEnd end = test::run_child(trial);
    ASSERT_EQ(end.exit_code, 0) << end.message << " signal " << end.signal;
    const uint64_t found = ResultReader(dir.file("out.h5")).count();
    std::printf("loss %.3f to %.3f, %lu of %zu nuclei\n", first, last, found, nuclei.all().size());
    EXPECT_GT(found, nuclei.all().size() / 2);
    EXPECT_LT(found, nuclei.all().size() * 2);
}

/// The losses of a run's twenty steps against tests/networks/golden/<golden>.
void expect_recorded(const std::string& run, const char* golden) {
    const std::vector<double> now = column(run + "/steps.csv", "loss");
    const std::vector<double> recorded =
        column(std::string(WSI_SOURCE_DIR) + "/tests/networks/golden/" + golden, "loss");
    ASSERT_EQ(recorded.size(), 20U);
    ASSERT_EQ(now.size(), 20U);
    std::string fresh;
    for (const double loss : now) fresh += std::to_string(loss) + "\n";
    for (size_t i = 0; i < 20; ++i)
        ASSERT_NEAR(now[i], recorded[i], 1e-4)
            << "step " << i + 1
            << "; when patches or the trainer changed on purpose, record anew:\n"
            << fresh;
}

}  // namespace

TEST(TrainingReplayTest, the_first_twenty_steps_have_the_recorded_losses) {
    const test::TempDir dir;
    test::write_planted_set(dir.path() / "set", 10, 96);
    // Steps so small that what CPUs round differently does not grow beyond the bound.
    Config config = small_config();
    config.train.learning_rate = 1e-4;
    train_in_child({dir.file("set")}, dir.file("run"), config, 20);
    expect_recorded(dir.file("run"), "replay.csv");
}

/// The command that the shipped weights began with (model/weights/README.md), on its data, in
/// float32: bfloat16 is rounded differently by CPUs that have it and those that imitate it.
TEST(TrainingReplayDataTest, the_weights_own_command_has_the_recorded_losses) {
    WSI_NEED_DATA();
    const std::string nuclei = test::data_dir() + "/nuclei/";
    const test::TempDir dir;
    Config config;
    config.train.epochs = 16;
    config.train.learning_rate = 0.0015;
    config.train.precision = Precision::Fp32;
    config.run.threads = 1;
    train_in_child({nuclei + "nuinsseg", nuclei + "dsb2018_brightfield"}, dir.file("run"), config,
                   20);
    expect_recorded(dir.file("run"), "replay_weights.csv");
}

TEST(TrainingEndToEndTest, fifty_steps_of_eunet3plus_lower_the_loss_and_find_nuclei_on_a_slide) {
    const test::TempDir dir;
    learn_and_segment(small_config(), dir);
}

TEST(TrainingEndToEndTest, fifty_steps_with_a_frozen_encoder_do_too) {
    const test::TempDir dir;
    Config config = test::fused_config(EncoderContext::Tile);
    config.train.batch = 2;
    config.train.epochs = 50;
    config.train.warmup_steps = 10;
    config.train.development = "skin";
    config.network.base = 8;
    config.model.encoder_weights = dir.file("tiny_sam.safetensors");
    const test::ChildEnd made = test::run_in_child(
        [&] { test::write_random_encoder(config.model.encoder_weights, config, 11); });
    ASSERT_EQ(made.exit_code, 0) << made.message;
    learn_and_segment(config, dir);
}

}  // namespace wsi
