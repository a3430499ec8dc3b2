// Compression of label and mask chunks on dense tissue: 441 nuclei per 512 x 512 chunk.
#include <benchmark/benchmark.h>

#include "tests/support/synthetic_result.h"

namespace {

void per_pixel(benchmark::State& state, size_t bytes) {
    const auto pixels = static_cast<double>(state.iterations()) * wsi::kChunkPx * wsi::kChunkPx;
    state.counters["per_px"] =
        benchmark::Counter(pixels, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
    state.counters["bytes"] = static_cast<double>(bytes);
}

void labels(benchmark::State& state) {
    const wsi::Image<uint32_t> chunk = wsi::test::SyntheticResult(200000).labels(8, 8);
    size_t bytes = 0;
    for (auto _ : state) bytes = wsi::compress_chunk(chunk.view()).size();
    per_pixel(state, bytes);
}

void mask(benchmark::State& state) {
    const wsi::Image<uint32_t> chunk = wsi::test::SyntheticResult(200000).labels(8, 8);
    wsi::GrayImage pixels(chunk.width(), chunk.height());
    for (int64_t i = 0; i < chunk.size().area(); ++i) pixels.data()[i] = chunk.data()[i] != 0;
    size_t bytes = 0;
    for (auto _ : state) bytes = wsi::compress_chunk(pixels.view()).size();
    per_pixel(state, bytes);
}

BENCHMARK(labels);
BENCHMARK(mask);

}  // namespace

BENCHMARK_MAIN();
