#pragma once

#include "model/nn/batch_norm.h"

namespace wsi::train {

/// 1 - soft Dice per class, over all pixels of the batch, mean over classes (models.md 5.1).
/// logits, truth: [N, C, H, W] float32; truth 0 or 1. The sums of the batch, not of each image, so
/// that images without nuclei do no harm; with `processes` those of all their batches, so that each
/// has the whole loss, and the sum of their gradients is its gradient.
at::Tensor dice_loss(const at::Tensor& logits, const at::Tensor& truth,
                     nn::SumOverProcesses* processes = nullptr);

/// Mean of -(1 - p_t)^gamma log p_t over all pixels and classes (Lin et al. 2017), no alpha.
at::Tensor focal_loss(const at::Tensor& logits, const at::Tensor& truth, double gamma = 2);

/// Binary cross entropy of what says "no nucleus" and "a nucleus" in each image (U-Net 3+'s
/// classification-guided module). logits [N, 2] float32; truth [N, 2, H, W] background, nucleus.
at::Tensor presence_loss(const at::Tensor& logits, const at::Tensor& truth);

/// Cross entropy of nuclei's classes, mean over the pixels whose class is known, 0 without any.
/// logits [N, K, H, W] float32; truth [N, H, W] int64, 1 to K, or 0 where no class is given.
/// With `processes` over the mean number of such pixels in them, so that the mean of their losses
/// is the loss of all.
at::Tensor class_loss(const at::Tensor& logits, const at::Tensor& truth,
                      nn::SumOverProcesses* processes = nullptr);

/// Smooth L1 between sigmoid(logits) and the distance in [0, 1], beta 0.1.
at::Tensor distance_loss(const at::Tensor& logits, const at::Tensor& distance);

}  // namespace wsi::train
