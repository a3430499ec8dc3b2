// Whole training runs on a few small pictures, with the real network.
#include "pipeline/train_run.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "io/csv_table.h"
#include "io/picture.h"
#include "io/weights_file.h"
#include "model/train/torch_trainer.h"
#include "pipeline/runtime.h"
#include "tests/support/temp_dir.h"

namespace wsi {

namespace {

namespace fs = std::filesystem;
using train::TorchTrainer;

/// Dark discs on a light ground, and their labels.
void write_pair(const fs::path& folder, const std::string& stem, uint64_t seed) {
    RgbImage rgb(48, 48, 220);
    Image<uint32_t> labels(48, 48, 0);
    Random random(seed);
    for (uint32_t id = 1; id <= 3; ++id) {
        const double cx = random.uniform(6, 42), cy = random.uniform(6, 42);
        for (int y = 0; y < 48; ++y)
            for (int x = 0; x < 48; ++x)
                if ((x - cx) * (x - cx) + (y - cy) * (y - cy) < 30) {
                    labels(x, y) = id;
                    rgb(x, y, 0) = 90, rgb(x, y, 1) = 60, rgb(x, y, 2) = 130;
                }
    }
    write_rgb_picture((folder / "images" / (stem + ".png")).string(), rgb.view());
    write_label_picture((folder / "labels" / (stem + ".png")).string(), labels.view());
}

class TrainRunTest : public testing::Test {
protected:
    TrainRunTest() {
        const fs::path set = dir_.path() / "set";
        fs::create_directories(set / "images");
        fs::create_directories(set / "labels");
        std::ofstream manifest(set / "manifest.csv");
        manifest << "stem,split,organ,mpp\n";
        for (int i = 0; i < 10; ++i) {
            const std::string stem = "p" + std::to_string(i);
            write_pair(set, stem, static_cast<uint64_t>(i));
            manifest << stem << ",train," << (i < 8 ? "liver" : "skin") << ",0.5\n";
        }
        job_.folders = {set.string()};
        job_.output = dir_.file("run");
        config_.network.base = 4;
        config_.train.precision = Precision::Fp32;
        config_.train.patch_px = 32;
        config_.train.batch = 2;
        config_.train.epochs = 2;  // of 4 steps
        config_.train.warmup_steps = 2;
        config_.train.development = "skin";
        config_.run.threads = 1;
    }
    TrainReport run() {
        return run_training(job_, config_, stop_, [](const Config& config) {
            return std::make_unique<TorchTrainer>(config);
        });
    }
    std::string error_of_run() {
        try {
            run();
        } catch (const Error& error) {
            return error.what();
        }
        return "no error";
    }
    std::string in_run(const char* name) const { return (fs::path(job_.output) / name).string(); }
    nn::StateFile checkpoint() const { return nn::read_state(in_run("checkpoint.safetensors")); }

    test::TempDir dir_;
    TrainJob job_;
    Config config_;
    std::atomic<StopRequest> stop_{StopRequest::None};
};

void expect_equal(const nn::StateFile& a, const nn::StateFile& b) {
    ASSERT_EQ(a.tensors.size(), b.tensors.size());
    for (const auto& [name, tensor] : a.tensors)
        EXPECT_TRUE(tensor.equal(b.tensors.at(name))) << name;
}

/// Asks to stop after so many steps, as a signal would.
class StoppingTrainer : public Trainer {
public:
    StoppingTrainer(const Config& config, std::atomic<StopRequest>& stop, int steps)
        : trainer_(config), stop_(stop), steps_(steps) {}
    StepLoss step(std::span<const TrainingPatch> batch, double learning_rate) override {
        if (--steps_ == 0) stop_ = StopRequest::Finish;
        return trainer_.step(batch, learning_rate);
    }
    void predict(const RgbImage& rgb, GrayImage& probability, GrayImage& distance) override {
        trainer_.predict(rgb, probability, distance);
    }
    void save_weights(const std::string& path, const WeightsNotes& notes) override {
        trainer_.save_weights(path, notes);
    }
    void save_checkpoint(const std::string& path, const WeightsNotes& notes) override {
        trainer_.save_checkpoint(path, notes);
    }
    WeightsNotes load_checkpoint(const std::string& path) override {
        return trainer_.load_checkpoint(path);
    }
    int64_t parameter_count() const override { return trainer_.parameter_count(); }
    void start_from(const std::string& weights) override { trainer_.start_from(weights); }

private:
    TorchTrainer trainer_;
    std::atomic<StopRequest>& stop_;
    int steps_;
};

/// Its fourth loss is not a number.
class BreakingTrainer final : public StoppingTrainer {
public:
    BreakingTrainer(const Config& config, std::atomic<StopRequest>& stop)
        : StoppingTrainer(config, stop, 1000) {}
    StepLoss step(std::span<const TrainingPatch> batch, double learning_rate) override {
        if (++done_ == 4) return {std::nan(""), 0, 0, 0, 0};
        return StoppingTrainer::step(batch, learning_rate);
    }

private:
    int done_ = 0;
};

}  // namespace

TEST_F(TrainRunTest, the_weights_before_a_loss_that_is_not_finite_are_kept) {
    try {
        run_training(job_, config_, stop_, [&](const Config& config) {
            return std::make_unique<BreakingTrainer>(config, stop_);
        });
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("the loss is not finite at step 4"));
        EXPECT_THAT(error.what(), testing::HasSubstr(in_run("last.safetensors")));
    }
    const WeightsNotes notes = WeightsFile(in_run("last.safetensors")).metadata();
    EXPECT_EQ(notes.at("run.step"), "3");
    EXPECT_FALSE(nn::read_state(in_run("last.safetensors")).tensors.empty());
}

TEST_F(TrainRunTest, stopped_anywhere_it_ends_with_the_same_bits_and_each_step_logged_once) {
    EXPECT_TRUE(run().finished);
    const nn::StateFile whole = checkpoint();
    const std::string whole_run = job_.output;
    job_.output = dir_.file("pieces");
    for (const int steps : {3, 1, 2}) {  // the second stop is at the end of an epoch, unscored
        stop_ = StopRequest::None;
        const TrainReport report = run_training(job_, config_, stop_, [&](const Config& config) {
            return std::make_unique<StoppingTrainer>(config, stop_, steps);
        });
        EXPECT_FALSE(report.finished);
    }
    stop_ = StopRequest::None;
    config_.run.threads = 3;  // of patches; the network's arithmetic is per thread count
    at::set_num_threads(1);
    EXPECT_TRUE(run_training(job_, config_, stop_, [](const Config& config) {
                    Config one = config;
                    one.run.threads = 1;
                    return std::make_unique<TorchTrainer>(one);
                }).finished);
    expect_equal(whole, checkpoint());
    for (const char* log : {"steps.csv", "log.csv"}) {
        std::ifstream a((fs::path(whole_run) / log).string()), b(in_run(log));
        EXPECT_EQ(std::string(std::istreambuf_iterator<char>(a), {}),
                  std::string(std::istreambuf_iterator<char>(b), {}))
            << log;
    }
    EXPECT_EQ(CsvTable(in_run("steps.csv")).rows(), 8U);
}

TEST_F(TrainRunTest, a_page_holds_curves_and_pictures_of_every_epoch) {
    run();
    std::ifstream in(in_run("progress.html"));
    const std::string page(std::istreambuf_iterator<char>(in), {});
    const auto count = [&](const std::string& what) {
        size_t found = 0;
        for (size_t at = page.find(what); at != std::string::npos; at = page.find(what, at + 1))
            ++found;
        return found;
    };
    EXPECT_EQ(count("<polyline"), 7U);
    EXPECT_EQ(count("<img src=\"data:image/jpeg;base64,/9j/"), 4U);  // two samples, two epochs
    EXPECT_THAT(page, testing::HasSubstr("network.base = 4"));
    EXPECT_EQ(count("http"), 0U);  // all in one file
}

TEST_F(TrainRunTest, a_loss_that_is_not_finite_stops_it_and_keeps_the_last_good_weights) {
    job_.max_steps = 5;
    run();
    const nn::StateFile good = checkpoint();
    job_.max_steps = 0;
    config_.train.learning_rate = 1e30;  // what validate() would refuse
    EXPECT_THAT(error_of_run(), testing::HasSubstr("train.learning_rate = "));
    // The same settings are needed to go on; so the weights break in a run of their own.
    job_.output = dir_.file("broken");
    config_.train.learning_rate = 1e30;
    EXPECT_THAT(error_of_run(),
                testing::ContainsRegex("(loss|gradient) is not finite at step [2-8]"));
    EXPECT_FALSE(fs::exists(in_run("checkpoint.safetensors")));
    EXPECT_FALSE(fs::exists(in_run("best.safetensors")));
    EXPECT_FALSE(fs::exists(in_run("last.safetensors")));  // too large to be any good
    job_.output = dir_.file("run");
    expect_equal(good, checkpoint());
}

TEST_F(TrainRunTest, a_full_disk_keeps_the_last_good_checkpoint) {
    job_.max_steps = 3;
    run();
    const nn::StateFile good = checkpoint();
    const Runtime runtime(1);  // SIGXFSZ is ignored: writing fails instead
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small{20000, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    job_.max_steps = 0;
    const std::string message = error_of_run();
    setrlimit(RLIMIT_FSIZE, &before);
    EXPECT_THAT(message, testing::HasSubstr("free disk space"));
    expect_equal(good, checkpoint());
    EXPECT_TRUE(run().finished);
}

TEST_F(TrainRunTest, stops_early_without_a_better_score) {
    config_.train.epochs = 6;
    config_.train.patience = 2;
    config_.train.learning_rate = 0;
    const TrainReport report = run();
    EXPECT_TRUE(report.finished);
    EXPECT_LE(report.steps, 3 * 4);  // the first may be the best; two more
    EXPECT_GE(report.steps, 2 * 4);
}

TEST_F(TrainRunTest, scores_every_so_many_epochs_and_the_last) {
    config_.train.epochs = 5;
    config_.train.score_every = 2;
    job_.max_steps = 2 * 4 + 1;
    EXPECT_FALSE(run().finished);
    job_.max_steps = 0;
    EXPECT_TRUE(run().finished);
    std::ifstream in(fs::path(job_.output) / "log.csv");
    std::string epochs, line;
    while (std::getline(in, line)) epochs += line.substr(0, line.find(',')) + ' ';
    EXPECT_EQ(epochs, "epoch 2 4 5 ");
}

TEST_F(TrainRunTest, a_corrupt_picture_is_left_out_and_two_in_ten_are_too_many) {
    const fs::path images = dir_.path() / "set" / "images";
    std::ofstream(images / "p3.png") << "not a picture";
    job_.max_steps = 1;
    EXPECT_EQ(run().steps, 1);
    std::ofstream(images / "p4.png") << "nor is this";
    job_.output = dir_.file("other");
    EXPECT_THAT(error_of_run(), testing::HasSubstr("2 of 10 images cannot be read"));
}

}  // namespace wsi
