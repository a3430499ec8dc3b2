// Two processes that train one model do what one does with the doubled batch.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "io/csv_table.h"
#include "model/train/torch_trainer.h"
#include "pipeline/train_run.h"
#include "tests/networks/planted_set.h"
#include "tests/pipeline/run_harness.h"

namespace wsi {

namespace {

namespace fs = std::filesystem;

Config config_of(int batch) {
    Config config;
    config.network.base = 4;
    config.network.dropout = 0;  // draws differ between processes
    config.train.precision = Precision::Fp32;
    config.train.patch_px = 64;
    config.train.batch = batch;
    config.train.epochs = 2;
    config.train.warmup_steps = 2;
    config.train.learning_rate = 1e-4;  // what is rounded differently does not grow
    config.train.clip_norm = 0;
    config.train.development = "skin";
    config.run.threads = 1;
    return config;
}

/// A port of the loopback that nobody listens on.
std::string free_port() {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    WSI_CHECK(bind(fd, plain, length) == 0 && getsockname(fd, plain, &length) == 0);
    close(fd);
    return std::to_string(ntohs(address.sin_port));
}

/// `body` in `processes` children that find each other as torchrun's do.
void run_together(int processes, const std::function<void(int rank)>& body) {
    const std::string port = free_port();
    const test::ChildEnd end = test::run_in_child([&] {
        setenv("MASTER_ADDR", "127.0.0.1", 1);
        setenv("MASTER_PORT", port.c_str(), 1);
        setenv("WORLD_SIZE", std::to_string(processes).c_str(), 1);
        std::vector<pid_t> others;
        int rank = 0;
        for (int other = 1; other < processes && rank == 0; ++other) {
            const pid_t child = fork();
            WSI_CHECK(child >= 0);
            if (child == 0)
                rank = other;
            else
                others.push_back(child);
        }
        setenv("RANK", std::to_string(rank).c_str(), 1);
        alarm(120);  // one that waits for ever is an error
        body(rank);
        if (rank > 0) _exit(0);
        for (const pid_t other : others) {
            int status = 0;
            waitpid(other, &status, 0);
            if (status != 0) fail(ErrorKind::Internal, "another process ended with ", status);
        }
    });
    ASSERT_EQ(end.exit_code, 0) << end.message << " signal " << end.signal;
}

/// Random nuclei on noise; process `rank` of 2 takes its half. Not on one colour: where pooling
/// chooses among equal values, rounding would decide who gets the gradient.
std::vector<TrainingPatch> patches(int first, int count) {
    std::vector<TrainingPatch> all;
    for (int k = first; k < first + count; ++k) {
        TrainingPatch patch{RgbImage(64, 64), LabelImage(64, 64)};
        Random random(static_cast<uint64_t>(k));
        for (int64_t i = 0; i < 3 * 64 * 64; ++i)
            patch.rgb.data()[i] = static_cast<uint8_t>(180 + random.index(60));
        // Unequal halves: their own sums differ from those of the whole batch.
        for (uint32_t id = 1; id <= static_cast<uint32_t>(1 + 3 * k); ++id) {
            const int64_t x0 = random.index(56), y0 = random.index(56);
            for (int64_t i = 0; i < 64; ++i) {
                patch.ids(x0 + i % 8, y0 + i / 8) = id;
                patch.rgb(x0 + i % 8, y0 + i / 8, 0) = static_cast<uint8_t>(60 + random.index(60));
            }
        }
        all.push_back(std::move(patch));
    }
    return all;
}

/// Gradients of the first step, times 0.1: Adam's first moments.
void one_step(const std::string& path, int batch, int first) {
    train::TorchTrainer trainer(config_of(batch));
    trainer.step(patches(first, batch), 1e-3);
    trainer.save_checkpoint(path, {});
}

}  // namespace

TEST(SeveralProcessesTest, gradients_equal_those_of_one_process_with_the_doubled_batch) {
    const test::TempDir dir;
    const std::string two = dir.file("two.safetensors"), one = dir.file("one.safetensors");
    run_together(2, [&](int rank) { one_step(two, 2, 2 * rank); });
    run_together(1, [&](int) { one_step(one, 4, 0); });
    const nn::StateFile a = nn::read_state(two), b = nn::read_state(one);
    double difference = 0, norm = 0, statistics = 0;
    for (const auto& [name, tensor] : b.tensors) {
        if (name.starts_with("first.")) {
            difference += (a.tensors.at(name) - tensor).square().sum().item<double>();
            norm += tensor.square().sum().item<double>();
        } else if (name.starts_with("network.") && name.find("running_") != std::string::npos) {
            statistics =
                std::max(statistics, (a.tensors.at(name) - tensor).abs().max().item<double>());
        }
    }
    std::printf("relative L2 %.3g, running statistics %.3g\n", std::sqrt(difference / norm),
                statistics);
    EXPECT_GT(norm, 0);
    EXPECT_LT(std::sqrt(difference / norm), 1e-5);
    EXPECT_LT(statistics, 1e-5);
}

TEST(SeveralProcessesTest, one_with_other_settings_ends_and_says_which) {
    run_together(2, [&](int rank) {
        Config config = config_of(2);
        if (rank == 1) config.train.weight_decay = 0.5;
        std::string said;
        try {
            const train::TorchTrainer trainer(config);
        } catch (const Error& error) {
            said = error.what();
        }
        const bool named =
            said.find(
                "process 1 has other settings than the first: train.weight_decay = 0.5, "
                "there train.weight_decay = ") != std::string::npos;
        WSI_CHECK(rank == 0 ? said.empty() : named, said);
    });
}

TEST(SeveralProcessesTest, a_place_that_cannot_be_is_named) {
    const auto said = [](const char* rank, const char* size, const char* port) {
        const test::ChildEnd end = test::run_in_child([&] {
            setenv("MASTER_ADDR", "127.0.0.1", 1);
            setenv("MASTER_PORT", port, 1);
            setenv("RANK", rank, 1);
            setenv("WORLD_SIZE", size, 1);
            const train::TorchTrainer trainer(config_of(2));
        });
        return end.message;
    };
    EXPECT_THAT(said("5", "2", "29500"), testing::HasSubstr("RANK = 5 with WORLD_SIZE = 2: "
                                                            "expected a rank from 0 to 1"));
    EXPECT_THAT(said("one", "2", "29500"), testing::HasSubstr("RANK = 'one': expected a number"));
    EXPECT_THAT(said("0", "2", "70000"), testing::HasSubstr("MASTER_PORT = 70000"));
}

TEST(SeveralProcessesTest, a_whole_run_logs_the_losses_of_one_process_with_the_doubled_batch) {
    const test::TempDir dir;
    test::write_planted_set(dir.path() / "set", 8, 64);
    const auto run = [&](const std::string& output, int batch) {
        TrainJob job;
        job.folders = {dir.file("set")};
        job.output = output;
        const std::atomic<StopRequest> stop{StopRequest::None};
        const TrainReport report = run_training(
            job, config_of(batch), stop,
            [](const Config& config) { return std::make_unique<train::TorchTrainer>(config); });
        WSI_CHECK(report.finished);
    };
    run_together(2, [&](int) { run(dir.file("two"), 1); });
    run_together(1, [&](int) { run(dir.file("one"), 2); });
    const CsvTable two(dir.file("two/steps.csv")), one(dir.file("one/steps.csv"));
    ASSERT_EQ(two.rows(), 6U);
    ASSERT_EQ(one.rows(), 6U);
    for (size_t i = 0; i < 6; ++i)
        EXPECT_NEAR(two.number(i, "loss", -1), one.number(i, "loss", -2), 1e-4) << "step " << i + 1;
    EXPECT_TRUE(fs::exists(dir.path() / "two" / "progress.html"));
}

}  // namespace wsi
