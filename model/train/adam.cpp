#include "model/train/adam.h"

#include <cmath>

namespace wsi::train {

namespace {
constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;
}

Adam::Adam(std::vector<at::Tensor> parameters, WeightDecay kind, double weight_decay)
    : parameters_(std::move(parameters)), kind_(kind), weight_decay_(weight_decay) {
    for (const at::Tensor& p : parameters_) {
        first_.push_back(at::zeros_like(p));
        second_.push_back(at::zeros_like(p));
        if (p.dim() > 1) decayed_.push_back(p);
    }
}

std::vector<at::Tensor> Adam::gradients() const {
    std::vector<at::Tensor> all;
    for (const at::Tensor& p : parameters_)
        all.push_back(p.grad().defined() ? p.grad() : at::zeros_like(p));
    return all;
}

double Adam::clip(double limit) {
    const at::NoGradGuard no_gradients;
    std::vector<at::Tensor> all = gradients();
    const at::Tensor norms = at::stack(at::_foreach_norm(all, 2));
    const double norm = norms.norm().item<double>();
    if (limit > 0 && norm > limit) at::_foreach_mul_(all, limit / norm);
    return norm;
}

void Adam::step(double learning_rate) {
    const at::NoGradGuard no_gradients;
    std::vector<at::Tensor> all = gradients();
    ++steps_;
    const auto t = static_cast<double>(steps_);
    if (kind_ == WeightDecay::Apart) {
        at::_foreach_mul_(decayed_, 1 - learning_rate * weight_decay_);
    } else {
        for (size_t i = 0; i < all.size(); ++i)
            if (parameters_[i].dim() > 1) all[i].add_(parameters_[i], weight_decay_);
    }
    at::_foreach_lerp_(first_, all, 1 - kBeta1);
    at::_foreach_mul_(second_, kBeta2);
    at::_foreach_addcmul_(second_, all, all, 1 - kBeta2);
    std::vector<at::Tensor> roots = at::_foreach_sqrt(second_);
    at::_foreach_div_(roots, std::sqrt(1 - std::pow(kBeta2, t)));
    at::_foreach_add_(roots, kEpsilon);
    at::_foreach_addcdiv_(parameters_, first_, roots, -learning_rate / (1 - std::pow(kBeta1, t)));
    for (const at::Tensor& p : parameters_) p.mutable_grad().reset();
}

}  // namespace wsi::train
