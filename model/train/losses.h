#pragma once

#include "model/nn/torch.h"

namespace wsi::train {

/// 1 - soft Dice per class, over all pixels of the batch, mean over classes (models.md 5.1).
/// logits, truth: [N, C, H, W] float32; truth 0 or 1. The sums of the batch, not of each image, so
/// that images without nuclei do no harm.
at::Tensor dice_loss(const at::Tensor& logits, const at::Tensor& truth);

/// Mean of -(1 - p_t)^gamma log p_t over all pixels and classes (Lin et al. 2017), no alpha.
at::Tensor focal_loss(const at::Tensor& logits, const at::Tensor& truth, double gamma = 2);

/// Smooth L1 between sigmoid(logits) and the distance in [0, 1], beta 0.1.
at::Tensor distance_loss(const at::Tensor& logits, const at::Tensor& distance);

}  // namespace wsi::train
