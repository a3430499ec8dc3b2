#pragma once

#include <span>

#include "io/types/image.h"
#include "model/nn/torch.h"

namespace wsi::nn {

/// Images of equal size, RGB 8 bit → [N, 3, H, W] float32 in [0, 1], channels last in memory.
at::Tensor to_images(std::span<const ConstRgbView> images);

/// Logits [1, C ≥ 2, H, W] of background, nucleus (and distance) → probability of nucleus, the mean
/// of what both channels say, and distance; uint8, 255 = 1. Without a distance channel the
/// probability takes its place.
void to_maps(const at::Tensor& logits, GrayView probability, GrayView distance);

}  // namespace wsi::nn
