#include "model/train/losses.h"

namespace wsi::train {

namespace {

/// The sum over processes; its gradient goes to this process's share alone.
at::Tensor over_all(const at::Tensor& own, nn::SumOverProcesses* processes) {
    return processes ? own + (processes->sum(own) - own.detach()) : own;
}

}  // namespace

at::Tensor dice_loss(const at::Tensor& logits, const at::Tensor& truth,
                     nn::SumOverProcesses* processes) {
    constexpr double kSmooth = 1;
    const at::Tensor p = at::sigmoid(logits);
    const at::Tensor overlap = over_all((p * truth).sum({0, 2, 3}), processes);
    const at::Tensor sizes = over_all(p.sum({0, 2, 3}) + truth.sum({0, 2, 3}), processes);
    return (1 - (2 * overlap + kSmooth) / (sizes + kSmooth)).mean();
}

at::Tensor focal_loss(const at::Tensor& logits, const at::Tensor& truth, double gamma) {
    // log p_t = log sigmoid(±logit), which does not overflow.
    const at::Tensor log_pt = at::log_sigmoid(logits * (2 * truth - 1));
    return -((1 - log_pt.exp()).pow(gamma) * log_pt).mean();
}

at::Tensor presence_loss(const at::Tensor& logits, const at::Tensor& truth) {
    const at::Tensor there = truth.select(1, 1).amax({1, 2});
    return at::binary_cross_entropy_with_logits(logits, at::stack({1 - there, there}, 1));
}

at::Tensor class_loss(const at::Tensor& logits, const at::Tensor& truth,
                      nn::SumOverProcesses* processes) {
    const at::Tensor known = truth.gt(0);
    const at::Tensor share =
        at::log_softmax(logits, 1).gather(1, truth.sub(1).clamp_min(0).unsqueeze(1)).squeeze(1);
    at::Tensor pixels = known.sum().to(at::kFloat);
    if (processes) pixels = processes->sum(pixels) / processes->processes();
    return -(share * known).sum() / pixels.clamp_min(1);
}

at::Tensor distance_loss(const at::Tensor& logits, const at::Tensor& distance) {
    return at::smooth_l1_loss(at::sigmoid(logits), distance, at::Reduction::Mean, 0.1);
}

}  // namespace wsi::train
