#pragma once

#include <cmath>

#include "model/nn/state.h"

namespace wsi::nn::test {

/// Numbers in [0, 1) that tests/reference/foreign_golden.py draws as well: a hash of index and
/// stream.
inline double formula_noise(uint64_t index, uint64_t stream) {
    constexpr uint64_t kMask = 0xFFFFFFFF;
    uint64_t u = ((index + 1) * 2654435761U + stream * (uint64_t{40503} << 8)) & kMask;
    u ^= u >> 15;
    u = (u * 2246822519U) & kMask;
    u ^= u >> 13;
    return static_cast<double>(u) / 4294967296.0;
}

/// One value of a tensor of that name: norms near 1, convolutions scaled by their fan-in.
inline double formula_value(const std::string& name, const at::Tensor& tensor, double u) {
    if (name.ends_with("running_var")) return 0.5 + u;
    if (name.ends_with("running_mean") || name.ends_with("bias")) return 0.2 * (u - 0.5);
    if (tensor.dim() == 1) return 0.8 + 0.4 * u;
    const int64_t fan_in = tensor.numel() / tensor.size(0);
    return (2 * u - 1) * std::sqrt(3.0 / static_cast<double>(fan_in));
}

/// Fills a network's parameters and statistics. `more`: names of tensors that the published code
/// has beside the network's; they take their places in the order of names.
inline void fill_by_noise(torch::nn::Module& network, const std::vector<std::string>& more = {}) {
    const at::NoGradGuard no_gradients;
    StateDict state = state_of(network);
    for (const std::string& name : more) state[name] = at::Tensor();
    uint64_t stream = 0;
    for (auto& [name, tensor] : state) {
        ++stream;
        if (!tensor.defined() || name.ends_with("num_batches_tracked")) continue;
        auto* out = tensor.data_ptr<float>();
        for (int64_t i = 0; i < tensor.numel(); ++i)
            out[i] = static_cast<float>(
                formula_value(name, tensor, formula_noise(static_cast<uint64_t>(i), stream)));
    }
}

/// [1, 3, side, side] whole numbers 0..255 over 255.
inline at::Tensor formula_image(int64_t side) {
    const at::Tensor image = at::empty({1, 3, side, side});
    auto* out = image.data_ptr<float>();
    for (int64_t i = 0; i < image.numel(); ++i)
        out[i] = static_cast<float>(std::floor(256 * formula_noise(static_cast<uint64_t>(i), 77)));
    return image.div_(255);
}

inline int64_t count_parameters(const torch::nn::Module& network) {
    int64_t count = 0;
    for (const at::Tensor& p : network.parameters()) count += p.numel();
    return count;
}

}  // namespace wsi::nn::test
