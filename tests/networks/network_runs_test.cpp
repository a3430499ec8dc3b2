// Whole runs with a network: killed and resumed, threads that are busy, classes, tiles of another
// size.
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "config/config_io.h"
#include "io/result_store.h"
#include "model/nn/network_segmenter.h"
#include "model/nn/networks.h"
#include "model/nn/state.h"
#include "tests/pipeline/run_harness.h"
#include "tests/support/planted.h"

namespace wsi {
namespace {

const std::string kShipped = std::string(WSI_SOURCE_DIR) + "/model/weights/eunet3plus.safetensors";

/// 500 x 200 µm by default: a few tiles, several regions.
void write_slide(const std::string& path, PixelSize size = {1000, 400}) {
    test::SlideOptions options;
    options.size = size;
    options.mpp = 0.5;
    options.objective_power = 20;
    test::write_svs(path, options,
                    test::PlantedNuclei(test::plant_grid(size, 44, 12, 5)).stained());
}

void write_weights(const std::string& path, const Config& config) {
    const std::shared_ptr<nn::Network> network = nn::make_network(config.network, 8);
    nn::Notes notes;
    for (const auto& [key, value] : training_fields(config)) notes[key] = value;
    nn::write_state(path, nn::state_of(*network), notes);
}

/// In a child: OpenMP's threads, once started here, would be missing in later children.
void write_weights_apart(const std::string& path, const Config& config) {
    const test::ChildEnd end = test::run_in_child([&] { write_weights(path, config); });
    ASSERT_EQ(end.exit_code, 0) << end.message;
}

test::SlideTrial trial(const test::TempDir& dir, const std::string& weights,
                       const std::string& name, const ModelConfig& model = {}) {
    test::SlideTrial run;
    run.slide = dir.file("slide.svs");
    if (!std::filesystem::exists(run.slide)) write_slide(run.slide);
    run.segmenter = [=] { return std::make_unique<nn::NetworkSegmenter>(weights, model); };
    std::filesystem::create_directories(dir.path() / name);
    run.outputs = {(dir.path() / name / "r.h5").string(), (dir.path() / name / "r.csv").string()};
    run.region_px = 800;
    run.config.model = model;
    return run;
}

}  // namespace

TEST(NetworkRunTest, killed_and_resumed_with_the_shipped_weights_gives_the_same_bytes) {
    const test::TempDir dir;
    const test::SlideTrial straight = trial(dir, kShipped, "straight");
    const std::map<std::string, int> passed = test::count_points(straight);
    const auto expected = test::digests(straight.outputs);
    ASSERT_GE(passed.at("tile"), 4);
    for (const auto& [point, at] :
         {std::pair{"tile", 1}, std::pair{"tile", passed.at("tile")}, std::pair{"commit", 2}}) {
        test::SlideTrial run = trial(dir, kShipped, std::string(point) + std::to_string(at));
        run.kill_point = point;
        run.kill_at = at;
        ASSERT_EQ(test::run_child(run).signal, SIGKILL) << point << at;
        run.kill_point.clear();
        const test::ChildEnd end = test::run_child(run);
        ASSERT_EQ(end.exit_code, 0) << end.message;
        EXPECT_EQ(test::first_difference(expected, test::digests(run.outputs)), "") << point << at;
    }
    EXPECT_GT(ResultReader(straight.outputs[0]).count(), 50U);
}

namespace {

/// What a sampler in the child saw; shared with the parent.
struct Seen {
    std::atomic<int64_t> samples, busy, most, crowded;
};

/// Threads of this process that run or could run, this one left out.
int busy_threads() {
    int busy = 0;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        if (task.path().filename() == std::to_string(gettid())) continue;
        std::ifstream stat(task.path() / "stat");
        std::string text;
        std::getline(stat, text);
        const size_t end = text.rfind(')');  // the thread's name may hold anything
        busy += end != std::string::npos && text.compare(end, 4, ") R ") == 0;
    }
    return busy;
}

/// Runs on in the child until that ends.
void start_sampling(Seen* seen, int allowed) {
    std::thread([seen, allowed] {
        for (;;) {
            const int busy = busy_threads();
            ++seen->samples;
            seen->busy += busy;
            seen->crowded += busy > allowed;
            if (busy > seen->most) seen->most = busy;
            std::this_thread::sleep_for(std::chrono::milliseconds(3));
        }
    }).detach();
}

}  // namespace

TEST(NetworkRunTest, no_more_threads_are_busy_than_allowed) {
    constexpr int kThreads = 2;
    const test::TempDir dir;
    Config config;
    config.network.base = 8;
    config.network.place = ActivationPlacement::All;  // LibTorch's convolutions, which have a pool
    write_weights_apart(dir.file("w.safetensors"), config);
    void* memory =
        mmap(nullptr, sizeof(Seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    auto* const seen = static_cast<Seen*>(memory);
    test::SlideTrial run = trial(dir, dir.file("w.safetensors"), "busy");
    run.threads = kThreads;
    const auto open = run.segmenter;
    run.segmenter = [&] {
        start_sampling(seen, kThreads);
        return open();
    };
    const test::ChildEnd end = test::run_child(run);
    ASSERT_EQ(end.exit_code, 0) << end.message;
    const double samples = static_cast<double>(seen->samples);
    std::printf(
        "%.0f samples, %.2f threads busy on average, %ld at most, more than %d in %.1f %%\n",
        samples, static_cast<double>(seen->busy) / samples, seen->most.load(), kThreads,
        100 * static_cast<double>(seen->crowded) / samples);
    EXPECT_GT(samples, 100);
    // One that hands over to another is still running for a moment.
    EXPECT_LE(static_cast<double>(seen->crowded), 0.05 * samples);
    EXPECT_GT(static_cast<double>(seen->busy), 0.5 * samples);
    munmap(memory, sizeof(Seen));
}

TEST(NetworkRunTest, a_class_head_gives_every_nucleus_a_class_and_its_probability) {
    const test::TempDir dir;
    Config config;
    config.network.base = 4;
    config.network.classes = "Epithelial;Stroma;Lymphocyte";
    write_weights_apart(dir.file("w.safetensors"), config);
    std::map<std::string, std::string> expected;
    for (const int threads : {1, 2}) {
        test::SlideTrial run = trial(dir, dir.file("w.safetensors"), std::to_string(threads));
        run.threads = threads;
        const test::ChildEnd end = test::run_child(run);
        ASSERT_EQ(end.exit_code, 0) << end.message;
        const auto got = test::digests(run.outputs);
        if (expected.empty()) expected = got;
        EXPECT_EQ(test::first_difference(expected, got), "");
    }
    const ResultReader reader((dir.path() / "2" / "r.h5").string());
    ASSERT_EQ(reader.header().classes.size(), 3U);
    EXPECT_EQ(reader.header().classes[0].name, "Epithelial");
    EXPECT_EQ(reader.header().classes[0].rgb[1], 159);  // PanNuke's colour for that name
    EXPECT_EQ(reader.header().classes[2].name, "Lymphocyte");
    std::set<int> seen;
    ASSERT_GT(reader.count(), 10U);
    for (const NucleusIdentity& who : reader.rows(0, reader.count()).identity) {
        seen.insert(who.class_id);
        EXPECT_GE(who.class_id, 1);
        EXPECT_LE(who.class_id, 3);
        EXPECT_GE(who.class_probability, 1.0 / 3 - 0.01);
        EXPECT_LE(who.class_probability, 1.0);
    }
    std::printf("%lu nuclei of %zu classes\n", reader.count(), seen.size());
}

TEST(NetworkRunTest, tiles_of_another_size_find_the_same_nuclei) {
    const test::TempDir dir;
    write_slide(dir.file("slide.svs"), {700, 700});
    std::map<int, size_t> nuclei;
    for (const int tile_px : {0, 256, 1024}) {
        ModelConfig model;
        model.tile_px = tile_px;
        test::SlideTrial run = trial(dir, kShipped, std::to_string(tile_px), model);
        run.region_px = 2048;
        const test::ChildEnd end = test::run_child(run);
        ASSERT_EQ(end.exit_code, 0) << end.message;
        const ResultReader reader(run.outputs[0]);
        nuclei[tile_px] = reader.count();
        if (tile_px == 0) continue;
        const double apart = static_cast<double>(nuclei[tile_px]) / static_cast<double>(nuclei[0]);
        std::printf("tiles of %d px: %zu nuclei, %zu with the model's own\n", tile_px,
                    nuclei[tile_px], nuclei[0]);
        EXPECT_NEAR(apart, 1, 0.01) << tile_px;
    }
    EXPECT_GT(nuclei[0], 150U);
}

TEST(NetworkRunTest, tiles_that_a_model_cannot_have_are_refused) {
    const auto message = [](int tile_px) {
        ModelConfig model;
        model.tile_px = tile_px;
        try {
            nn::NetworkSegmenter(kShipped, model);
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    EXPECT_THAT(message(64), testing::HasSubstr("expected at least 128"));
    EXPECT_EQ(message(1024), "");
    ModelConfig model;
    model.tile_px = 1024;
    EXPECT_EQ(nn::NetworkSegmenter(kShipped, model).input_spec().input_px(), 1024 + 2 * 64);
}

}  // namespace wsi
