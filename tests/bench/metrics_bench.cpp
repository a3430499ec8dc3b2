// All metrics of one pair of 512 x 512 label images with 400 nuclei; 1,000 such images must take
// less than 30 s.
#include <benchmark/benchmark.h>

#include "stages/metrics.h"

namespace {

/// Discs on a grid, `shift` pixels to the right.
wsi::Image<uint32_t> discs(int64_t shift) {
    wsi::Image<uint32_t> image(512, 512, 0);
    for (int64_t y = 0; y < 512; ++y)
        for (int64_t x = shift; x < 512; ++x) {
            const int64_t u = (x - shift) % 25 - 12, v = y % 25 - 12;
            if (u * u + v * v <= 121)
                image(x, y) = static_cast<uint32_t>(1 + (y / 25) * 100 + (x - shift) / 25);
        }
    return image;
}

void one_image(benchmark::State& state) {
    const wsi::Image<uint32_t> truth = discs(0), found = discs(state.range(0));
    for (auto _ : state)
        benchmark::DoNotOptimize(
            wsi::count_metrics(wsi::contingency(truth, found), wsi::Compat::Ours));
}

BENCHMARK(one_image)->Arg(3)->Arg(12)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
