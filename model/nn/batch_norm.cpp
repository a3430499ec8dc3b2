#include "model/nn/batch_norm.h"

#include <torch/csrc/autograd/custom_function.h>

namespace wsi::nn {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

constexpr std::array<int64_t, 3> kAllButChannels{0, 2, 3};

at::Tensor per_channel(const at::Tensor& values) { return values.view({1, -1, 1, 1}); }

/// (x - mean) / sqrt(var + eps) over the batches of all processes; also returns mean and var.
class NormaliseTogether : public torch::autograd::Function<NormaliseTogether> {
public:
    static tensor_list forward(AutogradContext* context, const at::Tensor& x, double eps,
                               SumOverProcesses* processes) {
        // Centred before squaring: sums of squares would lose digits.
        const double count = static_cast<double>(x.numel() / x.size(1)) * processes->processes();
        const at::Tensor mean = processes->sum(x.sum(kAllButChannels)) / count;
        const at::Tensor centred = x - per_channel(mean);
        const at::Tensor var = processes->sum(centred.square().sum(kAllButChannels)) / count;
        const at::Tensor scale = (var + eps).rsqrt();
        const at::Tensor normal = centred * per_channel(scale);
        context->save_for_backward({normal, scale});
        context->saved_data["count"] = count;
        // The graph is gone before the group: TorchTrainer owns both.
        context->saved_data["processes"] = reinterpret_cast<int64_t>(processes);
        context->mark_non_differentiable({mean, var});
        return {normal, mean, var};
    }

    static tensor_list backward(AutogradContext* context, const tensor_list& gradients) {
        const auto saved = context->get_saved_variables();
        const at::Tensor &normal = saved[0], &scale = saved[1], &gradient = gradients[0];
        const double count = context->saved_data["count"].toDouble();
        auto* const processes = reinterpret_cast<SumOverProcesses*>(
            static_cast<intptr_t>(context->saved_data["processes"].toInt()));
        const at::Tensor sums =
            processes->sum(at::stack(
                {gradient.sum(kAllButChannels), (gradient * normal).sum(kAllButChannels)})) /
            count;
        const at::Tensor x =
            per_channel(scale) * (gradient - per_channel(sums[0]) - normal * per_channel(sums[1]));
        return {x, at::Tensor(), at::Tensor()};
    }
};

}  // namespace

at::Tensor BatchNormImpl::forward(const at::Tensor& x) {
    if (!sum_ || !is_training()) return BatchNorm2dImpl::forward(x);
    const tensor_list result = NormaliseTogether::apply(x.to(at::kFloat), options.eps(), sum_);
    {
        const at::NoGradGuard no_gradients;
        const double count = static_cast<double>(x.numel() / x.size(1)) * sum_->processes();
        const double momentum = options.momentum().value_or(0.1);
        running_mean.lerp_(result[1], momentum);
        running_var.lerp_(result[2] * (count / (count - 1)), momentum);
        num_batches_tracked.add_(1);
    }
    return (result[0] * per_channel(weight) + per_channel(bias)).to(x.scalar_type());
}

}  // namespace wsi::nn
