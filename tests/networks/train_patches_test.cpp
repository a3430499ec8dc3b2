// Training on a patch file alone, which needs neither slides nor pictures: what a build without the
// imaging libraries is for.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "io/datasets/patch_file.h"
#include "io/picture.h"
#include "io/types/random.h"
#include "model/nn/network_segmenter.h"
#include "model/train/torch_trainer.h"
#include "pipeline/train_run.h"
#include "tests/support/temp_dir.h"

namespace wsi {

namespace {

/// Three dark discs on a light ground.
LabelledImage discs(uint64_t seed) {
    LabelledImage patch;
    patch.entry = {.name = "p" + std::to_string(seed),
                   .dataset = "discs",
                   .source = "image" + std::to_string(seed),
                   .organ = seed < 6 ? "liver" : "skin",
                   .split = "train",
                   .mpp = 0.5,
                   .file = ""};
    patch.rgb = RgbImage(64, 64, 220);
    patch.labels = Image<uint32_t>(64, 64, 0);
    Random random(seed);
    for (uint32_t id = 1; id <= 3; ++id) {
        const double cx = random.uniform(6, 58), cy = random.uniform(6, 58);
        for (int y = 0; y < 64; ++y)
            for (int x = 0; x < 64; ++x)
                if ((x - cx) * (x - cx) + (y - cy) * (y - cy) < 30) {
                    patch.labels(x, y) = id;
                    patch.rgb(x, y, 0) = 90, patch.rgb(x, y, 1) = 60, patch.rgb(x, y, 2) = 130;
                }
    }
    return patch;
}

}  // namespace

TEST(TrainPatchesTest, a_patch_file_is_all_that_training_needs) {
    const test::TempDir dir;
    PatchFileWriter writer(dir.file("patches.h5"), {0.5, 64, {}});
    for (uint64_t k = 0; k < 8; ++k) writer.append(discs(k), {0, 0}, 0.5);
    writer.finish();
    TrainJob job;
    job.folders = {dir.file("patches.h5")};
    job.output = dir.file("run");
    Config config;
    config.network.base = 4;
    config.train.precision = Precision::Fp32;
    config.train.patch_px = 32;
    config.train.batch = 2;
    config.train.epochs = 2;
    config.train.development = "skin";
    config.run.threads = 1;
    const std::atomic<StopRequest> stop{StopRequest::None};
    const TrainReport report = run_training(job, config, stop, [](const Config& c) {
        return std::make_unique<train::TorchTrainer>(c);
    });
    EXPECT_TRUE(report.finished);
    EXPECT_EQ(report.steps, 2 * 3);
    const nn::NetworkSegmenter trained(dir.file("run/last.safetensors"), {});
    EXPECT_EQ(trained.input_spec().name, "eunet3plus");
    std::ifstream in(dir.file("run/progress.html"));
    const std::string page(std::istreambuf_iterator<char>(in), {});
    EXPECT_THAT(page, testing::HasSubstr("<polyline"));
    EXPECT_EQ(page.find("<img") != std::string::npos, can_read_and_write_pictures());
}

}  // namespace wsi
