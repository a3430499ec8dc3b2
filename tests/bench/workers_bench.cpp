// Tiles by W workers of one torch thread, or one after the other by one worker of W threads.
//   workers_bench BASE SIDE TILES W REPEATS
// eU-Net3+ with random weights and batch norm folded, float32. Prints the least wall time of
// LibTorch's layers both ways (W threads share one tile's work), and of kernels of our own by W
// workers.
#include <cstdio>
#include <functional>
#include <thread>

#include "model/nn/networks.h"
#include "tests/bench/bench_clock.h"

namespace {

using namespace wsi;
using test::wall_s, test::whole_number;

std::shared_ptr<nn::Network> network(int base, bool own_kernels) {
    NetworkConfig config;
    config.base = base;
    const std::shared_ptr<nn::Network> made = nn::make_network(config, 1);
    made->eval();
    if (own_kernels)
        made->prepare_for_inference();
    else
        made->fold_batch_norm();
    for (at::Tensor& p : made->parameters()) p.set_requires_grad(false);
    return made;
}

/// Channels-last images, one after the other, in `workers` threads with `torch_threads` each.
void run(nn::Network& network, const at::Tensor& image, int tiles, int workers, int torch_threads) {
    std::vector<std::jthread> threads;
    for (int w = 0; w < workers; ++w)
        threads.emplace_back([&, w] {
            const c10::InferenceMode inference;
            at::set_num_threads(torch_threads);
            for (int i = w; i < tiles; i += workers) network.forward(image);
        });
}

double least_wall(int repeats, const std::function<void()>& work) {
    work();  // warms up
    double least = 1e9;
    for (int r = 0; r < repeats; ++r) {
        const double start = wall_s();
        work();
        least = std::min(least, wall_s() - start);
    }
    return least;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 6) return 1;
    const int base = whole_number(argv[1]), side = whole_number(argv[2]),
              tiles = whole_number(argv[3]), w = whole_number(argv[4]),
              repeats = whole_number(argv[5]);
    const auto plain = network(base, false), own = network(base, true);
    const at::Tensor image =
        at::rand({1, 3, side, side}).contiguous(at::MemoryFormat::ChannelsLast);
    const double workers = least_wall(repeats, [&] { run(*plain, image, tiles, w, 1); });
    const double threads = least_wall(repeats, [&] { run(*plain, image, tiles, 1, w); });
    const double kernels = least_wall(repeats, [&] { run(*own, image, tiles, w, 1); });
    std::printf("%.3f s by workers, %.3f s by threads, %.3f s by workers with own kernels\n",
                workers, threads, kernels);
}
