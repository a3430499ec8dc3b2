// Time and peak memory of a frozen encoder, one image. usage:
// encoder_bench WEIGHTS ENCODER PX THREADS REPEATS [IMAGE_AND_EMBEDDING.safetensors]
// encoder_bench random ENCODER PX PRECISION REPEATS     random weights, on the CUDA device
// With a last one, the image is read from it and the embedding is compared with the one there.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "config/config_io.h"
#include "model/nn/blocks.h"
#include "model/nn/encoders.h"
#include "model/nn/execution.h"
#include "pipeline/provenance.h"
#include "pipeline/runtime.h"

namespace {

std::shared_ptr<wsi::nn::ImageEncoder> random_encoder(const wsi::NetworkConfig& config,
                                                      const wsi::nn::Execution& execution) {
    auto encoder = wsi::nn::bare_encoder(config);
    wsi::nn::initialise(*encoder, 1);
    wsi::nn::narrow_weights(*encoder, execution);
    encoder->to(execution.device);
    return encoder;
}

}  // namespace

int main(int argc, char** argv) {
    using namespace wsi;
    if (argc < 6) return 1;
    const auto number = [&](int i) { return static_cast<int>(std::strtol(argv[i], nullptr, 10)); };
    NetworkConfig config;
    config.encoder = argv[2];
    config.encoder_px = number(3);
    const int threads = std::max(1, number(4));
    const Runtime runtime(threads);  // memory is given back as in the program
    const bool on_device = std::string(argv[1]) == "random";
    nn::Execution execution;
    if (on_device) {
        Config settings;
        apply_set(settings, "model.precision=" + std::string(argv[4]));
        execution = nn::execution_of(settings.model, "cuda");
    }
    const auto encoder =
        on_device ? random_encoder(config, execution)
                  : nn::make_encoder(config, nn::read_state(argv[1], nn::Reading::Mapped).tensors,
                                     argv[1]);
    const nn::ExecutionScope scope(execution);
    at::set_num_threads(threads);
    at::Tensor image = at::randn({1, 3, config.encoder_px, config.encoder_px}), expected;
    if (argc > 6) {
        const nn::StateFile file = nn::read_state(argv[6]);
        image = file.tensors.at("image");
        expected = file.tensors.at("embedding");
    }
    image = image.to(execution.device);
    double best = 1e9, cpu = 1e9;
    at::Tensor got;
    for (int i = 0; i < number(5); ++i) {
        const auto start = std::chrono::steady_clock::now();
        const std::clock_t before = std::clock();  // CPU time of all threads
        got = encoder->forward(image).to(at::kCPU);
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        best = std::min(best, took.count());
        cpu = std::min(cpu, static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC);
        std::printf("%.3f s\n", took.count());
    }
    std::printf("best %.3f s, peak %ld MiB, cpu %.2f s\n", best, peak_rss_mib(), cpu);
    if (expected.defined())
        std::printf("difference %.3g\n",
                    ((got - expected).abs().max() / expected.abs().max()).item<double>());
}
