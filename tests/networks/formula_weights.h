#pragma once

#include <cmath>

#include "model/nn/state.h"

namespace wsi::nn {

/// The weights of tests/reference/task_golden.py: element i of the n-th name is a sine, so that no
/// fixture has to hold them.
inline void fill_by_formula(torch::nn::Module& module) {
    int64_t n = 0;
    for (auto& [name, value] : state_of(module)) {
        const auto at = static_cast<double>(n++);
        if (!value.is_floating_point()) continue;
        const at::Tensor i = at::arange(value.numel(), at::kDouble);
        at::Tensor wave = at::sin(i * (0.7 + 0.01 * at) + at).view(value.sizes());
        const bool about_one =
            name.ends_with("running_var") ||
            (value.dim() == 1 && !name.ends_with("bias") && !name.ends_with("running_mean"));
        if (about_one)
            wave = 1 + 0.3 * wave;
        else if (value.dim() > 1)
            wave = wave * std::sqrt(4.0 * static_cast<double>(value.size(0)) /
                                    static_cast<double>(value.numel()));
        else
            wave = 0.2 * wave;
        if (name == "cls.1.bias") wave = at::tensor({0.0, 9.0});
        at::Tensor(value).copy_(wave);
    }
}

}  // namespace wsi::nn
