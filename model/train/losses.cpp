#include "model/train/losses.h"

namespace wsi::train {

at::Tensor dice_loss(const at::Tensor& logits, const at::Tensor& truth) {
    constexpr double kSmooth = 1;
    const at::Tensor p = at::sigmoid(logits);
    const at::Tensor overlap = (p * truth).sum({0, 2, 3});
    const at::Tensor sizes = p.sum({0, 2, 3}) + truth.sum({0, 2, 3});
    return (1 - (2 * overlap + kSmooth) / (sizes + kSmooth)).mean();
}

at::Tensor focal_loss(const at::Tensor& logits, const at::Tensor& truth, double gamma) {
    // log p_t = log sigmoid(±logit), which does not overflow.
    const at::Tensor log_pt = at::log_sigmoid(logits * (2 * truth - 1));
    return -((1 - log_pt.exp()).pow(gamma) * log_pt).mean();
}

at::Tensor distance_loss(const at::Tensor& logits, const at::Tensor& distance) {
    return at::smooth_l1_loss(at::sigmoid(logits), distance, at::Reduction::Mean, 0.1);
}

}  // namespace wsi::train
