#include "model/nn/tiny_vit.h"

#include <cmath>

#include "model/nn/attention.h"
#include "model/nn/blocks.h"
#include "model/nn/execution.h"

namespace wsi::nn {

namespace {
constexpr double kNeckEpsilon = 1e-6;

torch::nn::Conv2dOptions conv(int64_t in, int64_t out, int64_t side, int64_t stride = 1,
                              int64_t groups = 1) {
    return torch::nn::Conv2dOptions(in, out, side)
        .stride(stride)
        .padding(side / 2)
        .groups(groups)
        .bias(false);
}

/// [window², window²]: row of the bias table for a pair of places, |dy| window + |dx|.
at::Tensor distance_index(int64_t window) {
    const at::Tensor place = at::arange(window * window);
    const at::Tensor row = place.div(window, "floor"), column = place.remainder(window);
    return (row.unsqueeze(1) - row).abs() * window + (column.unsqueeze(1) - column).abs();
}
}  // namespace

PlainConvBn::PlainConvBn(torch::nn::Module& owner, const std::string& name,
                         const torch::nn::Conv2dOptions& options) {
    const Folder folder(owner, name);
    conv_ = folder.module().register_module("c", torch::nn::Conv2d(options));
    norm_ = folder.module().register_module("bn", torch::nn::BatchNorm2d(options.out_channels()));
}

void PlainConvBn::fold() {
    const at::Tensor scale = norm_->weight / (norm_->running_var + norm_->options.eps()).sqrt();
    weight_ = conv_->weight * scale.view({-1, 1, 1, 1});
    bias_ = norm_->bias - norm_->running_mean * scale;
}

at::Tensor PlainConvBn::operator()(const at::Tensor& x) {
    if (!weight_.defined()) return norm_->forward(widened(conv_->forward(x)));
    const auto& o = conv_->options;
    const int64_t padding = conv_->weight.size(2) / 2;
    return at::conv2d(x, weight_, bias_, *o.stride(), {padding, padding}, {1, 1}, o.groups());
}

TinyVitBlockImpl::TinyVitBlockImpl(int64_t width, int64_t head_width, int64_t window)
    : heads_(width / head_width), window_(window), distances_(distance_index(window)) {
    const Folder attn(*this, "attn"), mlp(*this, "mlp");
    const auto norm = [&] { return torch::nn::LayerNorm(torch::nn::LayerNormOptions({width})); };
    biases_ =
        attn.module().register_parameter("attention_biases", at::zeros({heads_, window * window}));
    attention_norm_ = attn.module().register_module("norm", norm());
    qkv_ = attn.module().register_module("qkv", torch::nn::Linear(width, 3 * width));
    proj_ = attn.module().register_module("proj", torch::nn::Linear(width, width));
    mlp_norm_ = mlp.module().register_module("norm", norm());
    fc1_ = mlp.module().register_module("fc1", torch::nn::Linear(width, 4 * width));
    fc2_ = mlp.module().register_module("fc2", torch::nn::Linear(4 * width, width));
    local_ = PlainConvBn(*this, "local_conv", conv(width, width, 3, 1, width));
}

/// windows [B, side, side, C]; each head's q, k and v lie together in the linear map's rows.
at::Tensor TinyVitBlockImpl::attention(const at::Tensor& windows) {
    const int64_t b = windows.size(0), tokens = window_ * window_, width = windows.size(3);
    const at::Tensor qkv = qkv_->forward(attention_norm_->forward(widened(windows)))
                               .view({b, tokens, heads_, 3, width / heads_})
                               .permute({3, 0, 2, 1, 4});
    const double scale = 1 / std::sqrt(static_cast<double>(width / heads_));
    const at::Tensor bias = biases_.index({at::indexing::Slice(), distances_.to(biases_.device())});
    const at::Tensor logits = widened(at::matmul(qkv[0] * scale, qkv[1].transpose(2, 3))) + bias;
    const at::Tensor weights = at::softmax(logits, 3).to(qkv.scalar_type());
    const at::Tensor out = at::matmul(weights, qkv[2]);
    return proj_->forward(out.transpose(1, 2).reshape({b, window_, window_, width}));
}

at::Tensor TinyVitBlockImpl::forward(const at::Tensor& x) {
    const at::Tensor tokens = x.permute({0, 2, 3, 1});
    const at::Tensor attended = from_windows(attention(to_windows(tokens, window_)), window_,
                                             tokens.size(1), tokens.size(2));
    const at::Tensor mixed =
        local_((tokens + attended).permute({0, 3, 1, 2})).permute({0, 2, 3, 1});
    const at::Tensor y =
        mixed + fc2_->forward(at::gelu(fc1_->forward(mlp_norm_->forward(widened(mixed)))));
    return y.permute({0, 3, 1, 2});
}

at::Tensor TinyVitImpl::Three::operator()(const at::Tensor& x) {
    return narrow(at::gelu(depthwise(at::gelu(widen(x)))));
}

TinyVitImpl::Three TinyVitImpl::add_three(torch::nn::Module& owner, int64_t in, int64_t middle,
                                          int64_t out, int64_t stride) {
    return {PlainConvBn(owner, "conv1", conv(in, middle, 1)),
            PlainConvBn(owner, "conv2", conv(middle, middle, 3, stride, middle)),
            PlainConvBn(owner, "conv3", conv(middle, out, 1))};
}

TinyVitImpl::TinyVitImpl(const TinyVitOptions& options) : options_(options) {
    const auto& widths = options.widths;
    const Folder embed(*this, "patch_embed"), layers(*this, "layers");
    const Folder sequence(embed.module(), "seq");
    patches_ = {PlainConvBn(sequence.module(), "0", conv(3, widths[0] / 2, 3, 2)),
                PlainConvBn(sequence.module(), "2", conv(widths[0] / 2, widths[0], 3, 2))};
    for (size_t k = 0; k < widths.size(); ++k) {
        const Folder layer(layers.module(), std::to_string(k));
        const Folder blocks(layer.module(), "blocks");
        for (int64_t b = 0; b < options.depths[k]; ++b)
            if (k == 0)
                first_.push_back(add_three(blocks.add(static_cast<size_t>(b)), widths[0],
                                           4 * widths[0], widths[0], 1));
            else
                blocks_[k - 1].push_back(blocks.module().register_module(
                    std::to_string(b),
                    TinyVitBlock(widths[k], options.head_width, options.windows[k])));
        if (k + 1 == widths.size()) break;
        const Folder shrink(layer.module(), "downsample");
        shrink_[k] = add_three(shrink.module(), widths[k], widths[k + 1], widths[k + 1],
                               k + 2 < widths.size() ? 2 : 1);  // the last keeps SAM's grid
    }
    // In the file, but not asked.
    register_module("norm_head",
                    torch::nn::LayerNorm(torch::nn::LayerNormOptions({widths.back()})));
    register_module("head", torch::nn::Linear(widths.back(), options.unused_classes));
    add_neck();
}

void TinyVitImpl::add_neck() {
    const Folder neck(*this, "neck");
    const int64_t out = options_.out_channels;
    neck_in_ =
        neck.module().register_module("0", torch::nn::Conv2d(conv(options_.widths.back(), out, 1)));
    neck_out_ = neck.module().register_module("2", torch::nn::Conv2d(conv(out, out, 3)));
    for (size_t k = 0; k < 2; ++k) {
        torch::nn::Module& norm = neck.add(2 * k + 1);
        norm_weight_[k] = norm.register_parameter("weight", at::ones({out}));
        norm_bias_[k] = norm.register_parameter("bias", at::zeros({out}));
    }
}

at::Tensor TinyVitImpl::forward(const at::Tensor& images) {
    at::Tensor x = patches_[1](at::gelu(patches_[0](images)));
    for (Three& block : first_) x = at::gelu(x + block(x));
    for (size_t k = 0; k < blocks_.size(); ++k) {
        x = shrink_[k](x);
        for (TinyVitBlock& block : blocks_[k]) x = block->forward(x);
    }
    const auto norm = [&](const at::Tensor& map, size_t k) {
        return at::layer_norm(map.permute({0, 2, 3, 1}), {options_.out_channels}, norm_weight_[k],
                              norm_bias_[k], kNeckEpsilon)
            .permute({0, 3, 1, 2});
    };
    return norm(neck_out_->forward(norm(neck_in_->forward(x), 0)), 1);
}

std::vector<PlainConvBn*> TinyVitImpl::convolutions() {
    std::vector<PlainConvBn*> all{&patches_[0], &patches_[1]};
    const auto add = [&](Three& three) {
        all.insert(all.end(), {&three.widen, &three.depthwise, &three.narrow});
    };
    for (Three& three : first_) add(three);
    for (Three& three : shrink_) add(three);
    return all;
}

void TinyVitImpl::fold_batch_norm() {
    const at::NoGradGuard no_gradients;
    for (PlainConvBn* convolution : convolutions()) convolution->fold();
    for (auto& stage : blocks_)
        for (TinyVitBlock& block : stage) block->fold();
}

int64_t TinyVitImpl::working_bytes() const {
    // The widest moment: a quarter of the image's side, four times the first width, before and
    // after the depthwise convolution and its activation.
    const int64_t places = options_.image_px * options_.image_px / 16;
    return 4 * 4 * options_.widths[0] * places * 4 + (int64_t{64} << 20);
}

StateDict tiny_vit_state(const StateDict& checkpoint) {
    constexpr std::string_view kPrefix = "image_encoder.";
    StateDict state;
    for (const auto& [name, tensor] : checkpoint)
        if (name.starts_with(kPrefix) && !name.ends_with("attention_bias_idxs"))
            state[name.substr(kPrefix.size())] = tensor;
    return state.empty() ? checkpoint : state;
}

}  // namespace wsi::nn
