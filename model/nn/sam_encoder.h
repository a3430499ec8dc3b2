#pragma once

#include <string>
#include <vector>

#include "io/types/image.h"
#include "model/nn/image_encoder.h"
#include "model/nn/state.h"

namespace wsi::nn {

/// Shape of a SAM image encoder (facebookresearch/segment-anything, build_sam.py).
struct SamOptions {
    int64_t dim = 768, depth = 12, heads = 12;
    std::vector<int64_t> global_blocks{2, 5, 8, 11};  ///< the others attend in windows
    int64_t image_px = 1024;                          ///< side of the input; 512 and 256 as well
    int64_t patch_px = 16, window = 14, out_channels = 256;
    int64_t grid() const { return image_px / patch_px; }
};
/// "vit_b", "vit_l" or "vit_h"; "tiny", a shape for tests. Throws Error{Config}.
SamOptions sam_options(const std::string& size, int64_t image_px = 1024);

/// What SAM subtracts and divides by, RGB 0..255 (models.md 1.2).
inline constexpr std::array<double, 3> kSamMean{123.675, 116.28, 103.53};
inline constexpr std::array<double, 3> kSamSd{58.395, 57.12, 57.375};

/// One transformer block; names and layout of the published code, so that its files load.
class SamBlockImpl : public torch::nn::Module {
public:
    /// window 0 = attention over the whole grid.
    SamBlockImpl(const SamOptions& options, int64_t window);
    /// tokens [N, H, W, D] → the same shape
    at::Tensor forward(const at::Tensor& tokens);

private:
    at::Tensor attention(const at::Tensor& tokens);
    int64_t heads_, window_;
    torch::nn::Linear qkv_{nullptr}, proj_{nullptr}, lin1_{nullptr}, lin2_{nullptr};
    torch::nn::LayerNorm norm1_{nullptr}, norm2_{nullptr};
    at::Tensor rel_pos_h_, rel_pos_w_;
};
TORCH_MODULE(SamBlock);

/// SAM's image encoder (ViT with windowed attention and decomposed relative positions). Frozen:
/// call it without gradients.
class SamEncoderImpl : public ImageEncoder {
public:
    explicit SamEncoderImpl(const SamOptions& options);
    /// images [N, 3, S, S] float32, normalised by kSamMean and kSamSd, S = options.image_px
    /// → embedding [N, 256, S / 16, S / 16]
    at::Tensor forward(const at::Tensor& images) override;
    /// Tokens [N, dim, S / 16, S / 16] after each of the given blocks, from 1 and rising.
    std::vector<at::Tensor> tokens_after(const at::Tensor& images,
                                         const std::vector<int64_t>& blocks);
    int64_t working_bytes() const override;
    const SamOptions& options() const { return options_; }

private:
    at::Tensor layer_norm_2d(const at::Tensor& x, int index) const;
    SamOptions options_;
    torch::nn::Conv2d patches_{nullptr}, neck_in_{nullptr}, neck_out_{nullptr};
    std::vector<SamBlock> blocks_;
    at::Tensor pos_embed_, norm_weight_[2], norm_bias_[2];
};
TORCH_MODULE(SamEncoder);

/// The encoder's tensors out of a checkpoint, whatever names it has (io/weights_names.h), with
/// positions interpolated when it was made for another image size: absolute ones bilinear, relative
/// ones of global blocks linear (models.md 1.4 B). Decoder tensors are left out.
StateDict sam_encoder_state(const StateDict& checkpoint, const SamOptions& options);

/// RGB 8 bit of any size → [1, 3, S, S]: longest side to S as Pillow's bilinear does, normalised,
/// then padded with zeros right and below.
at::Tensor sam_input(ConstRgbView rgb, int64_t image_px);
/// The same at a given size, at most S on either side.
at::Tensor sam_input_of_size(ConstRgbView rgb, PixelSize size, int64_t image_px);
/// MedSAM's: enlarged with a cubic spline, its own least and most value to 0 and 1 (models.md 1.6).
at::Tensor medsam_input_of_size(ConstRgbView rgb, PixelSize size, int64_t image_px);

}  // namespace wsi::nn
