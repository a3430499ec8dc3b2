#pragma once

#include <string>

#include "model/nn/batch_norm.h"
#include "model/nn/kernels/winograd.h"

namespace wsi::nn {

/// After batch norm. Glu = first half × sigmoid(second half) of twice the channels.
enum class Activation { Relu, LeakyRelu, Swish, Glu };

at::Tensor activate(const at::Tensor& x, Activation activation);

/// Modules of a folder of names: add(3) of "up" in `owner` is up.3.
class Folder {
public:
    Folder(torch::nn::Module& owner, const std::string& name)
        : module_(owner.register_module(name, std::make_shared<torch::nn::Module>())) {}
    torch::nn::Module& module() const { return *module_; }
    torch::nn::Module& add(size_t index) const {
        return *Folder(*module_, std::to_string(index)).module_;
    }

private:
    std::shared_ptr<torch::nn::Module> module_;
};

/// conv3x3 with the weights of a module, in place of it and what follows.
WinogradConv winograd_conv(const at::Tensor& weight, const at::Tensor& bias, Pointwise after);
/// [N, in, H, W] float32 on the CPU → [N, out, H, W], channels last.
at::Tensor apply(const WinogradConv& convolution, const at::Tensor& x);
Pointwise pointwise(Activation activation);

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
    /// Folds, and from then on float32 on the CPU goes through WinogradConv, in one thread.
    void pack();
    int64_t packed_bytes() const { return packed_ ? packed_->bytes() : 0; }
    const torch::nn::Conv2d& convolution() const { return conv_; }
    Activation activation() const { return activation_; }

private:
    bool folded_ = false;
    std::shared_ptr<const WinogradConv> packed_;
    torch::nn::Conv2d conv_{nullptr};
    BatchNorm bn_{nullptr};
    Activation activation_ = Activation::Relu;
};

/// Two ConvBnAct: `unetConv2` of U-Net 3+ (ZJUGiveLab/UNet-Version, models/layers.py), keys
/// conv{1,2}.{0,1}.
class DoubleConvImpl : public torch::nn::Module {
public:
    DoubleConvImpl(int64_t in, int64_t out, Activation activation);
    at::Tensor forward(const at::Tensor& x) { return second_(first_(x)); }
    void fold();
    void pack();
    int64_t packed_bytes() const { return first_.packed_bytes() + second_.packed_bytes(); }
    const ConvBnAct& first() const { return first_; }
    const ConvBnAct& second() const { return second_; }

private:
    ConvBnAct first_, second_;
};
TORCH_MODULE(DoubleConv);

/// What a blur sees past the image: its border again, or zeros as in the authors' code.
enum class BlurBorder { Replicate, Zeros };

/// 2x2 max pooling, then a fixed 3x3 binomial blur (MaxBlurPool of the authors' code).
at::Tensor max_blur_pool(const at::Tensor& x, BlurBorder border = BlurBorder::Replicate);

/// Bilinear, align_corners = false, by a whole factor.
at::Tensor upsample(const at::Tensor& x, int64_t factor);

/// Kaiming normal (fan-in) for convolutions, variance 1 / fan-in for matrices, N(1, 0.02) for
/// norms' scales, biases 0, drawn from `seed` alone, in the order of the names (U-Net 3+,
/// init_weights.py).
void initialise(torch::nn::Module& module, uint64_t seed);

}  // namespace wsi::nn
