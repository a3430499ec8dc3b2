#include "model/nn/awgunet.h"

#include <cmath>
#include <numbers>

#include "config/error.h"
#include "model/nn/execution.h"

namespace wsi::nn {

namespace {

torch::nn::Conv2d conv(int64_t in, int64_t out, int64_t side, bool bias = true) {
    return torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, side).padding(side / 2).bias(bias));
}

torch::nn::ConvTranspose2d doubling(int64_t in, int64_t out) {
    return torch::nn::ConvTranspose2d(torch::nn::ConvTranspose2dOptions(in, out, 2).stride(2));
}

/// Averages, then differences across rows, columns and both; orthonormal.
at::Tensor haar(const at::Tensor& x) {
    const auto part = [&](int64_t row, int64_t column) {
        return x.slice(2, row, x.size(2), 2).slice(3, column, x.size(3), 2);
    };
    const at::Tensor a = part(0, 0), b = part(0, 1), c = part(1, 0), d = part(1, 1);
    return at::cat({a + b + c + d, a + b - c - d, a - b + c - d, a - b - c + d}, 1) / 2;
}

double gaussian(double away) { return std::exp(-away * away / (2 * 0.5 * 0.5)); }

double sinc(double x) {
    return x == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x);
}

double lanczos(double away) { return sinc(away) * sinc(away / 5); }

/// [2 size, size]: rows of normalised kernel weights at half-pixel centres, as tf.image.resize.
at::Tensor doubling_matrix(int64_t size, double (*kernel)(double), double radius) {
    const at::Tensor matrix = at::zeros({2 * size, size}, at::kDouble);
    auto* row = matrix.data_ptr<double>();
    for (int64_t i = 0; i < 2 * size; ++i, row += size) {
        const double at = (static_cast<double>(i) + 0.5) / 2 - 0.5;
        double sum = 0;
        for (int64_t j = 0; j < size; ++j) {
            const double away = static_cast<double>(j) - at;
            row[j] = std::abs(away) <= radius ? kernel(away) : 0;
            sum += row[j];
        }
        for (int64_t j = 0; j < size; ++j) row[j] /= sum;
    }
    return matrix;
}

/// Twice as large each way, separably.
at::Tensor resized(const at::Tensor& x, double (*kernel)(double), double radius) {
    const at::Tensor rows = doubling_matrix(x.size(2), kernel, radius).to(x.options());
    const at::Tensor columns = doubling_matrix(x.size(3), kernel, radius).to(x.options());
    return at::matmul(at::matmul(rows, x), columns.t());
}

}  // namespace

WaveletAttentionImpl::WaveletAttentionImpl(int64_t channels)
    : raise_(register_module("raise_", doubling(4 * channels, 4 * channels))),
      wavelet_(add_separable("wavelet", 4 * channels, channels)),
      direct_(add_separable("direct", channels, channels)),
      score_(add_separable("score", channels, channels)),
      importance_(register_parameter("importance", at::ones({channels}))) {
    const int64_t squeezed = std::max<int64_t>(1, channels / 4);
    squeeze_ = register_module("squeeze", torch::nn::Linear(channels, squeezed));
    excite_ = register_module("excite", torch::nn::Linear(squeezed, channels));
}

WaveletAttentionImpl::Separable WaveletAttentionImpl::add_separable(const std::string& name,
                                                                    int64_t in, int64_t out) {
    const Folder folder(*this, name);
    const auto each = torch::nn::Conv2dOptions(in, in, 1).groups(in).bias(false);
    return {folder.module().register_module("depth", torch::nn::Conv2d(each)),
            folder.module().register_module("point", conv(in, out, 1))};
}

at::Tensor WaveletAttentionImpl::forward(const at::Tensor& x) {
    const at::Tensor waves = wavelet_(raise_->forward(haar(x)));
    const at::Tensor place = at::sigmoid(score_(direct_(x) + waves));
    const at::Tensor weight = importance_.to(x.scalar_type());
    const at::Tensor pooled = (x * weight.view({-1, 1, 1})).sum({2, 3}) / weight.sum();
    const at::Tensor channel = at::sigmoid(excite_->forward(at::relu(squeeze_->forward(pooled))));
    return x * place * channel.unsqueeze(2).unsqueeze(3);
}

AwgUNetImpl::AwgUNetImpl(int64_t base, int64_t classes, bool distance) : base_(base) {
    int64_t in = add_encoder();
    bridge_ = register_module("bridge", std::make_shared<WaveletAttentionImpl>(in));
    const std::array<int64_t, kStages> skips{skip_channels_[1], skip_channels_[0], base, 3};
    const Folder up(*this, "up");
    for (size_t i = 0; i < kStages; ++i) {
        const int64_t out = 8 * base >> i;
        up_[i] = add_stage(up.add(i), in, skips[i], out);
        in = out;
    }
    head_ = register_module("head", conv(base, classes, 1));
    if (distance) distance_head_ = register_module("distance", conv(base, 1, 1));
}

/// DenseNet-121 to the end of its third block (Huang et al. 2017); returns that block's channels.
int64_t AwgUNetImpl::add_encoder() {
    const Folder stem(*this, "stem"), dense(*this, "dense"), norms(*this, "norm"),
        shrink(*this, "shrink");
    const auto options = torch::nn::Conv2dOptions(3, base_, 7).stride(2).padding(3).bias(false);
    stem_ = stem.module().register_module("0", torch::nn::Conv2d(options));
    stem_norm_ = stem.module().register_module("1", BatchNorm(base_));
    constexpr std::array<size_t, kBlocks> kLayers{6, 12, 24};
    int64_t channels = base_;
    for (size_t i = 0; i < kBlocks; ++i) {
        const Folder block(dense.module(), std::to_string(i));
        for (size_t j = 0; j < kLayers[i]; ++j, channels += base_ / 2)
            dense_[i].push_back(add_dense_layer(block.add(j), channels, base_ / 2));
        const std::string name = std::to_string(i);
        norms_[i] = norms.module().register_module(name, BatchNorm(channels));
        skip_channels_[i] = channels;
        if (i + 1 == kBlocks) break;
        shrink_[i] = shrink.module().register_module(name, conv(channels, channels / 2, 1, false));
        channels /= 2;
    }
    return channels;
}

AwgUNetImpl::DenseLayer AwgUNetImpl::add_dense_layer(torch::nn::Module& owner, int64_t in,
                                                     int64_t growth) {
    return {owner.register_module("norm1", BatchNorm(in)),
            owner.register_module("norm2", BatchNorm(4 * growth)),
            owner.register_module("conv1", conv(in, 4 * growth, 1, false)),
            owner.register_module("conv2", conv(4 * growth, growth, 3, false))};
}

AwgUNetImpl::UpStage AwgUNetImpl::add_stage(torch::nn::Module& owner, int64_t in, int64_t skip,
                                            int64_t out) {
    const auto normed = [&](const char* name, int64_t from, int64_t to, int64_t side) {
        const Folder folder(owner, name);
        torch::nn::Module& norm = folder.add(1);
        return NormedConv{folder.module().register_module("0", conv(from, to, side)),
                          norm.register_parameter("weight", at::ones({to})),
                          norm.register_parameter("bias", at::zeros({to}))};
    };
    const int64_t joined = 2 * in + skip;
    UpStage stage;
    stage.smooth = owner.register_module("smooth", conv(in, in, 1));
    stage.mix = owner.register_module("mix", conv(out, out, 1));
    stage.raise = owner.register_module("raise_", doubling(in, in));
    stage.attention =
        owner.register_module("attention", std::make_shared<WaveletAttentionImpl>(skip));
    stage.five = normed("five", joined, out / 2, 5);
    stage.three = normed("three", joined, out / 2, 3);
    stage.one = normed("one", joined, out, 1);
    stage.last = normed("last", 2 * out, out, 3);
    return stage;
}

at::Tensor AwgUNetImpl::NormedConv::operator()(const at::Tensor& x) {
    return at::relu(
        at::instance_norm(widened(conv->forward(x)), weight, bias, {}, {}, true, 0.1, 1e-5, false));
}

at::Tensor AwgUNetImpl::run(UpStage& stage, const at::Tensor& x, const at::Tensor& skip) {
    const at::Tensor smooth = resized(x, gaussian, 1.5) + resized(x, lanczos, 5);
    const at::Tensor joined = at::cat(
        {stage.smooth->forward(smooth), stage.raise->forward(x), stage.attention->forward(skip)},
        1);
    const at::Tensor mixed =
        stage.mix->forward(at::cat({stage.five(joined), stage.three(joined)}, 1));
    return stage.last(at::cat({mixed, stage.one(joined)}, 1));
}

at::Tensor AwgUNetImpl::forward(const at::Tensor& images, const at::Tensor& embedding) {
    WSI_CHECK(!embedding.defined());
    const at::Tensor stem = at::relu(stem_norm_->forward(widened(stem_->forward(images))));
    at::Tensor x = at::max_pool2d(stem, 3, 2, 1);
    std::array<at::Tensor, kBlocks> maps;
    for (size_t i = 0; i < kBlocks; ++i) {
        for (DenseLayer& layer : dense_[i]) {
            const at::Tensor narrow =
                layer.conv1->forward(at::relu(layer.norm1->forward(widened(x))));
            x = at::cat({x, layer.conv2->forward(at::relu(layer.norm2->forward(widened(narrow))))},
                        1);
        }
        maps[i] = at::relu(norms_[i]->forward(widened(x)));
        if (i + 1 < kBlocks) x = at::avg_pool2d(shrink_[i]->forward(maps[i]), 2);
    }
    const std::array<at::Tensor, kStages> skips{maps[1], maps[0], stem, images};
    at::Tensor y = bridge_->forward(maps[2]);
    for (size_t i = 0; i < kStages; ++i) y = run(up_[i], y, skips[i]);
    const at::Tensor logits = head_->forward(y);
    return distance_head_ ? at::cat({logits, distance_head_->forward(y)}, 1) : logits;
}

}  // namespace wsi::nn
