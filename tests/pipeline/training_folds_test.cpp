#include "pipeline/training_set.h"

#include <gtest/gtest.h>
#include <tbb/global_control.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "io/picture.h"
#include "pipeline/training_stream.h"
#include "tests/support/temp_dir.h"

namespace wsi {

namespace {

namespace fs = std::filesystem;

class TrainingFoldsTest : public testing::Test {
protected:
    TrainingFoldsTest() {
        fs::create_directories(dir_.path() / "images");
        fs::create_directories(dir_.path() / "labels");
        for (int i = 0; i < 12; ++i) {
            RgbImage rgb(80, 80, static_cast<uint8_t>(150 + 5 * i));
            Image<uint32_t> labels(80, 80, 0);
            for (int y = 10 + i; y < 30 + i; ++y)
                for (int x = 10; x < 30; ++x) labels(x, y) = 1, rgb(x, y, 0) = 80;
            const std::string name = "p" + std::to_string(i) + ".png";
            write_rgb_picture((dir_.path() / "images" / name).string(), rgb.view());
            write_label_picture((dir_.path() / "labels" / name).string(), labels.view());
        }
        config_.train.folds = 5;
        config_.train.patch_px = 48;
        config_.train.batch = 3;
    }
    TrainingSet read() const { return read_training_set({dir_.path().string()}, config_); }

    test::TempDir dir_;
    Config config_;
};

/// Everything that the stream hands out over two epochs and a bit.
std::string bytes_of(const PatchSource& source, int batch, int workers) {
    std::string all;
    TrainingStream stream({batch, int64_t{8} * batch, batch, workers, 2},
                          [&](int64_t sample) { return source.sample(sample); });
    for (int step = 1; step < 8; ++step)
        for (const TrainingPatch& patch : stream.next()) {
            all.append(patch.rgb.data(), patch.rgb.data() + 3 * patch.rgb.size().area());
            for (int64_t i = 0; i < patch.ids.size().area(); ++i)
                all += static_cast<char>(patch.ids.data()[i]);
        }
    return all;
}

}  // namespace

TEST_F(TrainingFoldsTest, the_stream_is_the_same_for_one_and_eight_workers) {
    // More workers than this machine may have cores.
    const tbb::global_control cap(tbb::global_control::max_allowed_parallelism, 12);
    const TrainingSet set = read();
    const PatchSource source(set.train, config_);
    ASSERT_EQ(source.steps_per_epoch(), 3);
    const std::string one = bytes_of(source, 3, 1);
    EXPECT_EQ(one.size(), 7U * 3 * 48 * 48 * 4);
    EXPECT_EQ(one, bytes_of(source, 3, 8));
    EXPECT_EQ(one, bytes_of(PatchSource(set.train, config_), 3, 2));
    Config other = config_;
    other.run.seed = 1;
    EXPECT_NE(one, bytes_of(PatchSource(set.train, other), 3, 2));
}

TEST_F(TrainingFoldsTest, folds_part_the_images_and_do_not_depend_on_the_seed) {
    std::set<std::string> all;
    for (int fold = 0; fold < 5; ++fold) {
        config_.train.fold = fold;
        config_.run.seed = static_cast<uint64_t>(fold);
        const TrainingSet set = read();
        EXPECT_EQ(set.train.size() + set.development.size(), 12U);
        std::set<std::string> here;
        for (const TrainingImage& image : set.development) {
            here.insert(image.name);
            EXPECT_TRUE(all.insert(image.name).second) << image.name << " is in two folds";
        }
        for (const TrainingImage& image : set.train) EXPECT_FALSE(here.contains(image.name));
        config_.run.seed = 99;
        std::set<std::string> again;
        for (const TrainingImage& image : read().development) again.insert(image.name);
        EXPECT_EQ(here, again);
    }
    EXPECT_EQ(all.size(), 12U);
}

TEST_F(TrainingFoldsTest, images_of_one_source_are_in_one_fold) {
    std::ofstream manifest(dir_.path() / "manifest.csv");
    manifest << "stem,split,organ,mpp,dataset,source\n";
    for (int i = 0; i < 12; ++i) manifest << "p" << i << ",,,0.5,planted,slide" << i / 2 << '\n';
    manifest.close();
    config_.train.folds = 3;
    size_t kept_out = 0;
    for (config_.train.fold = 0; config_.train.fold < 3; ++config_.train.fold) {
        std::set<int> here;
        const TrainingSet set = read();
        for (const TrainingImage& image : set.development)
            here.insert(std::stoi(image.name.substr(1)) / 2);
        EXPECT_EQ(here.size(), 2U);
        for (const TrainingImage& image : set.train)
            EXPECT_FALSE(here.contains(std::stoi(image.name.substr(1)) / 2)) << image.name;
        kept_out += set.development.size();
    }
    EXPECT_EQ(kept_out, 12U);
}

}  // namespace wsi
