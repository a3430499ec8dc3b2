// The training stream alone: samples per second at 256 px with every augmentation on.
// usage: training_stream_bench WORKERS [SAMPLES]; images of 256 px at 0.5 µm per pixel as training
// holds them (512 px at 40x); prints wall and CPU time.
#include <algorithm>
#include <cstdio>

#include "pipeline/runtime.h"
#include "pipeline/training_set.h"
#include "pipeline/training_stream.h"
#include "tests/bench/bench_clock.h"
#include "tests/support/planted.h"

namespace {

std::vector<wsi::TrainingImage> make_images(int count) {
    std::vector<wsi::TrainingImage> images;
    for (int i = 0; i < count; ++i) {
        wsi::TrainingImage image;
        const wsi::test::PlantedNuclei nuclei(
            wsi::test::plant_grid({256, 256}, 20, 7, static_cast<uint64_t>(i) + 1));
        image.rgb = wsi::RgbImage(256, 256);
        nuclei.stained()({0, 0, 256, 256}, image.rgb.view());
        image.normalised = image.rgb;
        image.ids = wsi::LabelImage(256, 256);
        uint32_t id = 0;
        for (const auto& n : nuclei.all()) {
            ++id;
            for (int y = std::max(0, static_cast<int>(n.y) - 5); y < std::min(256.0, n.y + 5); ++y)
                for (int x = std::max(0, static_cast<int>(n.x) - 5); x < std::min(256.0, n.x + 5);
                     ++x)
                    image.ids(x, y) = id;
        }
        images.push_back(std::move(image));
    }
    return images;
}

}  // namespace

int main(int argc, char** argv) {
    using namespace wsi;
    const int workers = argc > 1 ? test::whole_number(argv[1]) : 2;
    const int samples = argc > 2 ? test::whole_number(argv[2]) : 400;
    const Runtime runtime(workers);
    Config config;
    config.train.batch = 8;
    const std::vector<TrainingImage> images = make_images(32);
    const PatchSource source(images, config);
    const double start = test::wall_s(), cpu = test::cpu_s();
    {
        TrainingStream stream({0, samples / 8 * 8, 8, workers, 3},
                              [&](int64_t sample) { return source.sample(sample); });
        for (int step = 0; step < samples / 8; ++step) stream.next();
    }
    const double wall = test::wall_s() - start, used = test::cpu_s() - cpu;
    std::printf("%d workers: %.1f samples/s, %.2f ms of CPU each (%.1f samples/s and core)\n",
                workers, samples / wall, 1e3 * used / samples, samples / used);
}
