#pragma once

#include <array>
#include <vector>

#include "model/nn/image_encoder.h"
#include "model/nn/state.h"

namespace wsi::nn {

/// Shape of MobileSAM's encoder (ChaoningZhang/MobileSAM, tiny_vit_sam.py), TinyViT-5M.
struct TinyVitOptions {
    std::array<int64_t, 4> widths{64, 128, 160, 320};
    std::array<int64_t, 4> depths{2, 2, 6, 2};
    std::array<int64_t, 4> windows{0, 7, 14, 7};  ///< the first stage convolves
    int64_t head_width = 32;                      ///< channels of one attention head
    int64_t out_channels = 256;
    int64_t unused_classes = 1000;  ///< of the classifier that its files still hold
    int64_t image_px = 1024;        ///< for working_bytes() alone: any multiple of 16 goes
};

/// Convolution without a bias and its batch norm: `c` and `bn` of the published code.
class PlainConvBn {
public:
    PlainConvBn() = default;
    PlainConvBn(torch::nn::Module& owner, const std::string& name,
                const torch::nn::Conv2dOptions& options);
    at::Tensor operator()(const at::Tensor& x);
    /// Batch norm into a copy of the weights; the module's own stay as loaded.
    void fold();

private:
    torch::nn::Conv2d conv_{nullptr};
    torch::nn::BatchNorm2d norm_{nullptr};
    at::Tensor weight_, bias_;
};

/// Window attention with a bias per distance, a depthwise convolution, an MLP.
class TinyVitBlockImpl : public torch::nn::Module {
public:
    TinyVitBlockImpl(int64_t width, int64_t head_width, int64_t window);
    /// [N, C, H, W] → the same shape
    at::Tensor forward(const at::Tensor& x);
    void fold() { local_.fold(); }

private:
    at::Tensor attention(const at::Tensor& windows);
    int64_t heads_, window_;
    torch::nn::LayerNorm attention_norm_{nullptr}, mlp_norm_{nullptr};
    torch::nn::Linear qkv_{nullptr}, proj_{nullptr}, fc1_{nullptr}, fc2_{nullptr};
    at::Tensor biases_, distances_;
    PlainConvBn local_;
};
TORCH_MODULE(TinyVitBlock);

/// MobileSAM's image encoder: SAM's embedding, distilled from ViT-H. Frozen.
class TinyVitImpl : public ImageEncoder {
public:
    explicit TinyVitImpl(const TinyVitOptions& options);
    /// images [N, 3, S, S] float32, normalised as SAM's → embedding [N, 256, S / 16, S / 16]
    at::Tensor forward(const at::Tensor& images) override;
    int64_t working_bytes() const override;
    void fold_batch_norm() override;

private:
    /// Widen, convolve per channel, narrow; added to what came in (MBConv), or a stage's end.
    struct Three {
        PlainConvBn widen, depthwise, narrow;
        at::Tensor operator()(const at::Tensor& x);
    };
    static Three add_three(torch::nn::Module& owner, int64_t in, int64_t middle, int64_t out,
                           int64_t stride);
    void add_neck();
    std::vector<PlainConvBn*> convolutions();

    TinyVitOptions options_;
    std::array<PlainConvBn, 2> patches_;
    std::vector<Three> first_;
    std::array<std::vector<TinyVitBlock>, 3> blocks_;
    std::array<Three, 3> shrink_;
    torch::nn::Conv2d neck_in_{nullptr}, neck_out_{nullptr};
    at::Tensor norm_weight_[2], norm_bias_[2];
};
TORCH_MODULE(TinyVit);

/// The encoder's tensors out of MobileSAM's file: `image_encoder.` removed, the decoder left out.
StateDict tiny_vit_state(const StateDict& checkpoint);

}  // namespace wsi::nn
