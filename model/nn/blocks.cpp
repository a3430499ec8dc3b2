#include "model/nn/blocks.h"

#include <ATen/CPUGeneratorImpl.h>

#include <cmath>

#include "config/error.h"

namespace wsi::nn {

at::Tensor activate(const at::Tensor& x, Activation activation) {
    switch (activation) {
        case Activation::Relu: return at::relu(x);
        case Activation::LeakyRelu: return at::leaky_relu(x, 0.01);
        case Activation::Swish: return at::silu(x);
        case Activation::Glu: return at::glu(x, 1);
    }
    return x;
}

ConvBnAct::ConvBnAct(torch::nn::Module& conv_owner, const std::string& conv_name,
                     torch::nn::Module& bn_owner, const std::string& bn_name, int64_t in,
                     int64_t out, Activation activation)
    : activation_(activation) {
    const int64_t made = activation == Activation::Glu ? 2 * out : out;
    conv_ = conv_owner.register_module(
        conv_name, torch::nn::Conv2d(torch::nn::Conv2dOptions(in, made, 3).padding(1)));
    bn_ = bn_owner.register_module(bn_name, BatchNorm(made));
}

Pointwise pointwise(Activation activation) {
    switch (activation) {
        case Activation::Relu: return Pointwise::Relu;
        case Activation::LeakyRelu: return Pointwise::LeakyRelu;
        case Activation::Swish: return Pointwise::Swish;
        case Activation::Glu: return Pointwise::Glu;
    }
    return Pointwise::None;
}

WinogradConv winograd_conv(const at::Tensor& weight, const at::Tensor& bias, Pointwise after) {
    const auto values_of = [](const at::Tensor& tensor) {
        return std::span<const float>(tensor.const_data_ptr<float>(),
                                      static_cast<size_t>(tensor.numel()));
    };
    const at::Tensor plain_weight = weight.contiguous(), plain_bias = bias.contiguous();
    return {values_of(plain_weight), values_of(plain_bias), weight.size(1), after};
}

at::Tensor apply(const WinogradConv& convolution, const at::Tensor& x) {
    const at::Tensor in = x.contiguous(at::MemoryFormat::ChannelsLast);
    const int64_t rows = in.size(2), columns = in.size(3),
                  out_channels = convolution.out_channels();
    const at::Tensor out = at::empty({in.size(0), out_channels, rows, columns},
                                     in.options().memory_format(at::MemoryFormat::ChannelsLast));
    std::vector<float> scratch;
    for (int64_t n = 0; n < in.size(0); ++n)
        convolution(
            {in.data_ptr<float>() + n * in.size(1) * rows * columns, rows, columns, in.size(1)},
            {out.data_ptr<float>() + n * out_channels * rows * columns, rows, columns,
             out_channels},
            scratch);
    return out;
}

at::Tensor ConvBnAct::operator()(const at::Tensor& x) {
    if (packed_ && x.is_cpu() && x.scalar_type() == at::kFloat) return apply(*packed_, x);
    const at::Tensor y = conv_->forward(x);
    return activate(folded_ ? y : bn_->forward(y), activation_);
}

void ConvBnAct::fold() {
    WSI_CHECK(!folded_);
    const at::NoGradGuard no_gradients;
    const at::Tensor scale = bn_->weight / (bn_->running_var + bn_->options.eps()).sqrt();
    conv_->weight.mul_(scale.view({-1, 1, 1, 1}));
    conv_->bias.sub_(bn_->running_mean).mul_(scale).add_(bn_->bias);
    folded_ = true;
}

void ConvBnAct::pack() {
    fold();
    packed_ = std::make_shared<const WinogradConv>(
        winograd_conv(conv_->weight, conv_->bias, pointwise(activation_)));
}

DoubleConvImpl::DoubleConvImpl(int64_t in, int64_t out, Activation activation) {
    const auto step = [&](const char* name) -> torch::nn::Module& {
        return *register_module(name, std::make_shared<torch::nn::Module>());
    };
    torch::nn::Module& one = step("conv1");
    first_ = ConvBnAct(one, "0", one, "1", in, out, activation);
    torch::nn::Module& two = step("conv2");
    second_ = ConvBnAct(two, "0", two, "1", out, out, activation);
}

void DoubleConvImpl::fold() {
    first_.fold();
    second_.fold();
}

void DoubleConvImpl::pack() {
    first_.pack();
    second_.pack();
}

at::Tensor max_blur_pool(const at::Tensor& x, BlurBorder border) {
    const at::Tensor pooled = at::max_pool2d(x, 2);
    const int64_t channels = pooled.size(1);
    const at::Tensor row = at::tensor({0.25, 0.5, 0.25}, at::kFloat).to(pooled.options());
    const at::Tensor kernel = at::outer(row, row).expand({channels, 1, 3, 3});
    const at::Tensor padded = border == BlurBorder::Zeros
                                  ? at::constant_pad_nd(pooled, {1, 1, 1, 1}, 0)
                                  : at::replication_pad2d(pooled, {1, 1, 1, 1});
    return at::conv2d(padded, kernel, {}, {1, 1}, at::IntArrayRef({0, 0}), {1, 1}, channels);
}

at::Tensor upsample(const at::Tensor& x, int64_t factor) {
    return at::upsample_bilinear2d(x, {x.size(2) * factor, x.size(3) * factor}, false);
}

void initialise(torch::nn::Module& module, uint64_t seed) {
    const at::NoGradGuard no_gradients;
    at::Generator generator = at::detail::createCPUGenerator(seed);
    for (auto& item : module.named_parameters()) {
        at::Tensor& value = item.value();
        if (value.dim() == 4) {
            const double fan_in = static_cast<double>(value.numel() / value.size(0));
            value.normal_(0, std::sqrt(2 / fan_in), generator);
        } else if (item.key().ends_with(".weight") && value.dim() == 1) {
            value.normal_(1, 0.02, generator);
        } else if (value.dim() == 2) {
            value.normal_(0, std::sqrt(1 / static_cast<double>(value.size(1))), generator);
        } else if (item.key().ends_with("bias")) {
            value.zero_();
        }
    }
}

}  // namespace wsi::nn
