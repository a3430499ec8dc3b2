#pragma once

#include <string>

#include "model/nn/torch.h"

namespace wsi::nn {

/// After batch norm. Glu = first half × sigmoid(second half) of twice the channels.
enum class Activation { Relu, LeakyRelu, Swish, Glu };

at::Tensor activate(const at::Tensor& x, Activation activation);

/// conv3x3 (padding 1, bias) → batch norm → activation; with a GLU the convolution makes twice the
/// channels. Registered in the owner under the names of the published code, so that its files load.
class ConvBnAct {
public:
    ConvBnAct() = default;
    ConvBnAct(torch::nn::Module& conv_owner, const std::string& conv_name,
              torch::nn::Module& bn_owner, const std::string& bn_name, int64_t in, int64_t out,
              Activation activation);
    /// [N, in, H, W] → [N, out, H, W]
    at::Tensor operator()(const at::Tensor& x);
    /// Moves the batch norm (its running statistics) into the convolution: the same map, to
    /// rounding, in one pass less. For inference; the owner's parameters are changed.
    void fold();
    const torch::nn::Conv2d& convolution() const { return conv_; }
    Activation activation() const { return activation_; }

private:
    bool folded_ = false;
    torch::nn::Conv2d conv_{nullptr};
    torch::nn::BatchNorm2d bn_{nullptr};
    Activation activation_ = Activation::Relu;
};

/// Two ConvBnAct: `unetConv2` of U-Net 3+ (ZJUGiveLab/UNet-Version, models/layers.py), keys
/// conv{1,2}.{0,1}.
class DoubleConvImpl : public torch::nn::Module {
public:
    DoubleConvImpl(int64_t in, int64_t out, Activation activation);
    at::Tensor forward(const at::Tensor& x) { return second_(first_(x)); }
    void fold();
    const ConvBnAct& first() const { return first_; }
    const ConvBnAct& second() const { return second_; }

private:
    ConvBnAct first_, second_;
};
TORCH_MODULE(DoubleConv);

/// 2x2 max pooling, then a fixed 3x3 binomial blur with replicated borders (MaxBlurPool of the
/// authors' code; they pad with zeros, which darkens borders).
at::Tensor max_blur_pool(const at::Tensor& x);

/// Bilinear, align_corners = false, by a whole factor.
at::Tensor upsample(const at::Tensor& x, int64_t factor);

/// Kaiming normal (fan-in) for convolutions, variance 1 / fan-in for matrices, N(1, 0.02) for
/// norms' scales, biases 0, drawn from `seed` alone, in the order of the names (U-Net 3+,
/// init_weights.py).
void initialise(torch::nn::Module& module, uint64_t seed);

}  // namespace wsi::nn
