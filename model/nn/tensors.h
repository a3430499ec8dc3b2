#pragma once

#include <array>
#include <span>

#include "io/types/image.h"
#include "model/nn/torch.h"

namespace wsi::nn {

/// Images of equal size, RGB 8 bit → [N, 3, H, W] float32 in [0, 1], channels last in memory, on
/// `device`, to which the bytes go.
at::Tensor to_images(std::span<const ConstRgbView> images, at::Device device = at::kCPU);

/// Maps of shape [N, C, H, W], channels last, in a part of `storage`, which grows when it is too
/// small. What they hold is undefined until written. `options`: of the storage when it is made.
at::Tensor maps_in(at::Tensor& storage, const std::array<int64_t, 4>& shape,
                   const at::TensorOptions& options);

/// Logits [N, 2 (+ 1) + classes, H, W] float32 of background, nucleus (, distance) and classes →
/// [N, 2 + classes, H, W] uint8 on their device, 255 = 1: probability of nucleus, the mean of what
/// both channels say; distance, in whose place the probability stands where there is none; each
/// class's share of the probability of nucleus (softmax over the classes).
at::Tensor byte_maps(const at::Tensor& logits, int64_t classes);

/// Top left corners of byte_maps() of one picture [2 + classes, H, W] into the maps that are
/// wanted.
void copy_maps(const at::Tensor& maps, std::span<const GrayView> out);

/// byte_maps() and copy_maps() of picture `n` at once, for the CPU and without allocating; `says`
/// is the logits' sigmoid, of their shape.
void write_maps(const at::Tensor& logits, const at::Tensor& says, int64_t n, int64_t classes,
                std::span<const GrayView> out);

}  // namespace wsi::nn
