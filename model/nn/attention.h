#pragma once

#include "model/nn/torch.h"

namespace wsi::nn {

/// Self-attention on an H x W grid with decomposed relative positions (SAM's image encoder, after
/// MViTv2). q, k, v: [B, H·W, hd], heads folded into B; q is scaled by hd^-1/2 for the products but
/// not for the positions. rel_h: [2H - 1, hd], rel_w: [2W - 1, hd], row y_q - y_k + H - 1.
/// → [B, H·W, hd]. Logits are made in pieces (on a CPU of a few MB), never all at once; softmax is
/// in float32 whatever type q, k and v have. Inference only.
at::Tensor attend_with_positions(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                 const at::Tensor& rel_h, const at::Tensor& rel_w, int64_t height,
                                 int64_t width);

/// Cuts [N, H, W, D] into windows, zero-padded at the bottom and right: [N·windows, side, side, D],
/// windows in raster order.
at::Tensor to_windows(const at::Tensor& tokens, int64_t side);
/// The inverse; what was padded is cropped.
at::Tensor from_windows(const at::Tensor& windows, int64_t side, int64_t height, int64_t width);

}  // namespace wsi::nn
