// Nuclei per second of the feature table, all of it and group by group: drawn nuclei of about 200
// pixels at 0.5 µm per pixel, crowded so that rings touch neighbours, on noisy colours.
// usage: features_bench [Google Benchmark's options]; `nuclei_per_s` counts one core.
#include <benchmark/benchmark.h>

#include <cmath>
#include <random>

#include "stages/contour.h"
#include "stages/features.h"

namespace {

using namespace wsi;

constexpr int64_t kSide = 512, kPitch = 20;
const WorkFrame kFrame{{kSide, kSide}, 2, 0.5, 0.5};

struct Nucleus {
    std::vector<PixelRun> runs;
    std::vector<ContourPoint> ring;
};

struct Field {
    Field() : labels(kSide, kSide, 0u), rgb(kSide, kSide) {
        std::mt19937 random(7);
        for (int64_t i = 0; i < 3 * kSide * kSide; ++i)
            rgb.data()[i] = static_cast<uint8_t>(150 + random() % 90);
        ContourTracer trace;
        for (int64_t cy = kPitch; cy + kPitch < kSide; cy += kPitch)
            for (int64_t cx = kPitch; cx + kPitch < kSide; cx += kPitch)
                draw(static_cast<double>(cx + static_cast<int64_t>(random() % 3)),
                     static_cast<double>(cy + static_cast<int64_t>(random() % 3)),
                     8.2 + 0.1 * static_cast<double>(random() % 10),
                     7 + 0.1 * static_cast<double>(random() % 10),
                     0.1 * static_cast<double>(random() % 31), random);
        for (size_t k = 0; k < nuclei.size(); ++k) {
            Nucleus& n = nuclei[k];
            trace(labels.view(), static_cast<uint32_t>(k + 1), {n.runs[0].x0, n.runs[0].y}, {0, 0},
                  kFrame.downsample, n.ring);
            for (const PixelRun& run : n.runs) pixels += run.x1 - run.x0;
        }
    }

    void draw(double cx, double cy, double a, double b, double angle, std::mt19937& random) {
        Nucleus n;
        const auto label = static_cast<uint32_t>(nuclei.size() + 1);
        for (int32_t y = 0; y < kSide; ++y)
            for (int32_t x = 0; x < kSide; ++x) {
                const double u = x + 0.5 - cx, v = y + 0.5 - cy;
                const double p = (u * std::cos(angle) + v * std::sin(angle)) / a,
                             q = (v * std::cos(angle) - u * std::sin(angle)) / b;
                if (p * p + q * q > 1 || labels(x, y) != 0) continue;
                labels(x, y) = label;
                uint8_t* c = rgb.view().at(x, y);
                c[0] = static_cast<uint8_t>(80 + random() % 60);
                c[1] = static_cast<uint8_t>(50 + random() % 60);
                c[2] = static_cast<uint8_t>(120 + random() % 60);
                if (!n.runs.empty() && n.runs.back().y == y && n.runs.back().x1 == x)
                    ++n.runs.back().x1;
                else
                    n.runs.push_back({y, x, x + 1});
            }
        nuclei.push_back(n);
    }

    Image<uint32_t> labels;
    RgbImage rgb;
    std::vector<Nucleus> nuclei;
    int64_t pixels = 0;
};

void features(benchmark::State& state, FeatureConfig config) {
    static const Field field;
    FeatureExtractor extract(kFrame, kReferenceHe, config);
    std::vector<float> row(feature_schema(config).size());
    for (auto _ : state)
        for (const Nucleus& n : field.nuclei) {
            extract({n.runs, n.ring, field.rgb.view(), field.labels.view(), {0, 0}}, row);
            benchmark::DoNotOptimize(row.data());
        }
    const auto count = static_cast<double>(field.nuclei.size());
    state.counters["nuclei_per_s"] = benchmark::Counter(
        count * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
    state.counters["columns"] = static_cast<double>(row.size());
    state.counters["pixels_each"] = static_cast<double>(field.pixels) / count;
}

FeatureConfig only(bool moments, bool intensity, bool texture, bool ring = false) {
    FeatureConfig config;
    config.moments = moments;
    config.intensity = intensity;
    config.texture = texture;
    if (!ring) config.ring_um = 0;
    return config;
}

FeatureConfig brief() {
    FeatureConfig config;
    config.brief = true;
    return config;
}

BENCHMARK_CAPTURE(features, brief, brief());
BENCHMARK_CAPTURE(features, shape, only(false, false, false));
BENCHMARK_CAPTURE(features, shape_moments, only(true, false, false));
BENCHMARK_CAPTURE(features, shape_intensity, only(false, true, false));
BENCHMARK_CAPTURE(features, shape_intensity_ring, only(false, true, false, true));
BENCHMARK_CAPTURE(features, shape_texture, only(false, false, true));
BENCHMARK_CAPTURE(features, everything, FeatureConfig{});

}  // namespace

BENCHMARK_MAIN();
