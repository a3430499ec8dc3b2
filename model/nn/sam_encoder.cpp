#include "model/nn/sam_encoder.h"

#include <algorithm>

#include "config/error.h"
#include "io/weights_names.h"
#include "model/nn/attention.h"
#include "model/nn/execution.h"
#include "model/nn/tensors.h"
#include "stages/cubic_resize.h"
#include "stages/pillow_resize.h"

namespace wsi::nn {

namespace {

constexpr double kEpsilon = 1e-6;

torch::nn::LayerNorm layer_norm(int64_t dim) {
    return torch::nn::LayerNorm(torch::nn::LayerNormOptions({dim}).eps(kEpsilon));
}

/// Its weights are not drawn, since they come from a file: memory that nobody wrote to takes no
/// room, which for ViT-H is 2.5 GB.
torch::nn::Linear bare_linear(int64_t in, int64_t out) {
    torch::nn::Linear linear(1, 1);
    linear->weight.set_data(at::empty({out, in}));
    linear->bias.set_data(at::empty({out}));
    return linear;
}

torch::nn::Conv2d bare_conv(int64_t in, int64_t out, int64_t side) {
    return torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, side).padding(side / 2).bias(false));
}

}  // namespace

SamOptions sam_options(const std::string& size, int64_t image_px) {
    SamOptions options;
    options.image_px = image_px;
    if (size == "vit_b") return options;
    if (size == "vit_l") {
        options.dim = 1024;
        options.depth = 24;
        options.heads = 16;
        options.global_blocks = {5, 11, 17, 23};
        return options;
    }
    if (size == "vit_h") {
        options.dim = 1280;
        options.depth = 32;
        options.heads = 16;
        options.global_blocks = {7, 15, 23, 31};
        return options;
    }
    if (size == "tiny") {
        options.dim = 32;
        options.depth = 2;
        options.heads = 2;
        options.global_blocks = {1};
        options.window = 7;
        options.out_channels = 16;
        return options;
    }
    fail(ErrorKind::Config, "SAM encoder '", size, "': expected vit_b, vit_l or vit_h");
}

SamBlockImpl::SamBlockImpl(const SamOptions& options, int64_t window)
    : heads_(options.heads), window_(window) {
    const int64_t d = options.dim, side = window > 0 ? window : options.grid();
    norm1_ = register_module("norm1", layer_norm(d));
    const auto attn = register_module("attn", std::make_shared<torch::nn::Module>());
    rel_pos_h_ = attn->register_parameter("rel_pos_h", at::zeros({2 * side - 1, d / heads_}));
    rel_pos_w_ = attn->register_parameter("rel_pos_w", at::zeros({2 * side - 1, d / heads_}));
    qkv_ = attn->register_module("qkv", bare_linear(d, 3 * d));
    proj_ = attn->register_module("proj", bare_linear(d, d));
    norm2_ = register_module("norm2", layer_norm(d));
    const auto mlp = register_module("mlp", std::make_shared<torch::nn::Module>());
    lin1_ = mlp->register_module("lin1", bare_linear(d, 4 * d));
    lin2_ = mlp->register_module("lin2", bare_linear(4 * d, d));
}

at::Tensor SamBlockImpl::attention(const at::Tensor& tokens) {
    const int64_t n = tokens.size(0), h = tokens.size(1), w = tokens.size(2), d = tokens.size(3);
    // Rows of the linear map: all of q head by head, then k, then v.
    const at::Tensor qkv = qkv_->forward(tokens)
                               .view({n, h * w, 3, heads_, d / heads_})
                               .permute({2, 0, 3, 1, 4})
                               .reshape({3, n * heads_, h * w, d / heads_});
    const at::Tensor out =
        attend_with_positions(qkv[0], qkv[1], qkv[2], rel_pos_h_, rel_pos_w_, h, w);
    return proj_->forward(
        out.view({n, heads_, h * w, d / heads_}).transpose(1, 2).reshape({n, h, w, d}));
}

at::Tensor SamBlockImpl::forward(const at::Tensor& tokens) {
    const at::Tensor normed = norm1_->forward(widened(tokens));
    // Padding comes after the norm and is not masked: padded tokens enter with q, k, v = bias.
    const at::Tensor attended = window_ == 0
                                    ? attention(normed)
                                    : from_windows(attention(to_windows(normed, window_)), window_,
                                                   tokens.size(1), tokens.size(2));
    at::Tensor x = tokens + attended;
    at::Tensor hidden = lin1_->forward(norm2_->forward(widened(x)));
    at::gelu_(hidden);
    return x.add_(lin2_->forward(hidden));
}

SamEncoderImpl::SamEncoderImpl(const SamOptions& options) : options_(options) {
    pos_embed_ = register_parameter("pos_embed",
                                    at::zeros({1, options.grid(), options.grid(), options.dim}));
    const auto embed = register_module("patch_embed", std::make_shared<torch::nn::Module>());
    patches_ = embed->register_module(
        "proj",
        torch::nn::Conv2d(
            torch::nn::Conv2dOptions(3, options.dim, options.patch_px).stride(options.patch_px)));
    const auto blocks = register_module("blocks", std::make_shared<torch::nn::Module>());
    for (int64_t i = 0; i < options.depth; ++i) {
        const bool global = std::ranges::count(options.global_blocks, i) > 0;
        blocks_.push_back(blocks->register_module(std::to_string(i),
                                                  SamBlock(options, global ? 0 : options.window)));
    }
    const auto neck = register_module("neck", std::make_shared<torch::nn::Module>());
    const int64_t out = options.out_channels;
    neck_in_ = neck->register_module("0", bare_conv(options.dim, out, 1));
    neck_out_ = neck->register_module("2", bare_conv(out, out, 3));
    for (size_t k = 0; k < 2; ++k) {
        const auto norm =
            neck->register_module(std::to_string(2 * k + 1), std::make_shared<torch::nn::Module>());
        norm_weight_[k] = norm->register_parameter("weight", at::ones({out}));
        norm_bias_[k] = norm->register_parameter("bias", at::zeros({out}));
    }
}

/// Over channels, per pixel.
at::Tensor SamEncoderImpl::layer_norm_2d(const at::Tensor& x, int index) const {
    const auto k = static_cast<size_t>(index);
    return at::layer_norm(widened(x).permute({0, 2, 3, 1}), {options_.out_channels},
                          norm_weight_[k], norm_bias_[k], kEpsilon)
        .permute({0, 3, 1, 2});
}

int64_t SamEncoderImpl::working_bytes() const {
    // The widest moment: tokens, their norm, and twice four times as many after the first linear
    // map of an MLP; attention's q, k, v and their windows are as much. An estimate from
    // shapes, not a measurement.
    const int64_t tokens = options_.grid() * options_.grid();
    return 16 * tokens * options_.dim * 4 + (int64_t{96} << 20);
}

at::Tensor SamEncoderImpl::forward(const at::Tensor& images) {
    at::Tensor x = patches_->forward(images).permute({0, 2, 3, 1}) + pos_embed_;
    for (SamBlock& block : blocks_) x = block->forward(x);
    x = layer_norm_2d(neck_in_->forward(x.permute({0, 3, 1, 2})), 0);
    return layer_norm_2d(neck_out_->forward(x), 1);
}

std::vector<at::Tensor> SamEncoderImpl::tokens_after(const at::Tensor& images,
                                                     const std::vector<int64_t>& blocks) {
    at::Tensor x = patches_->forward(images).permute({0, 2, 3, 1}) + pos_embed_;
    std::vector<at::Tensor> out;
    for (size_t i = 0; i < blocks_.size(); ++i) {
        x = blocks_[i]->forward(x);
        if (std::ranges::count(blocks, static_cast<int64_t>(i) + 1) > 0)
            out.push_back(x.permute({0, 3, 1, 2}));
    }
    return out;
}

namespace {

at::Tensor resized_positions(const at::Tensor& table, int64_t grid) {
    if (table.size(1) == grid) return table;
    return at::upsample_bilinear2d(table.permute({0, 3, 1, 2}), {grid, grid}, false)
        .permute({0, 2, 3, 1})
        .contiguous();
}

at::Tensor resized_relative(const at::Tensor& table, int64_t rows) {
    if (table.size(0) == rows) return table;
    return at::upsample_linear1d(table.t().unsqueeze(0), {rows}, false)[0].t().contiguous();
}

}  // namespace

StateDict sam_encoder_state(const StateDict& checkpoint, const SamOptions& options) {
    constexpr std::string_view kPrefix = "image_encoder.";
    StateDict state;
    for (const auto& [key, tensor] : checkpoint) {
        const std::string name = sam_to_original(key).value_or(key);
        if (name.starts_with(kPrefix)) state[name.substr(kPrefix.size())] = tensor;
    }
    if (state.empty() && checkpoint.contains("pos_embed")) state = checkpoint;
    for (auto& [name, tensor] : state) {
        if (name == "pos_embed") tensor = resized_positions(tensor, options.grid());
        if (!name.ends_with("rel_pos_h") && !name.ends_with("rel_pos_w")) continue;
        const bool global = std::ranges::any_of(options.global_blocks, [&](int64_t block) {
            return name.starts_with("blocks." + std::to_string(block) + ".");
        });
        if (global) tensor = resized_relative(tensor, 2 * options.grid() - 1);
    }
    return state;
}

at::Tensor sam_input(ConstRgbView rgb, int64_t image_px) {
    const double scale =
        static_cast<double>(image_px) / static_cast<double>(std::max(rgb.width, rgb.height));
    const auto side = [&](int64_t n) {
        return static_cast<int64_t>(static_cast<double>(n) * scale + 0.5);
    };
    return sam_input_of_size(rgb, {side(rgb.width), side(rgb.height)}, image_px);
}

at::Tensor sam_input_of_size(ConstRgbView rgb, PixelSize size, int64_t image_px) {
    RgbImage resized;
    pillow_resize_bilinear(rgb, size.width, size.height, resized);
    const std::array<ConstRgbView, 1> view{resized.view()};
    const auto row = [](const std::array<double, 3>& v) {
        return at::tensor(at::ArrayRef<double>(v)).to(at::kFloat).view({1, 3, 1, 1});
    };
    const at::Tensor image = (to_images(view) * 255 - row(kSamMean)).div_(row(kSamSd)).contiguous();
    return at::constant_pad_nd(image,
                               {0, image_px - resized.width(), 0, image_px - resized.height()});
}

at::Tensor medsam_input_of_size(ConstRgbView rgb, PixelSize size, int64_t image_px) {
    RgbImage resized;
    cubic_enlarge(rgb, size.width, size.height, resized);
    const std::array<ConstRgbView, 1> view{resized.view()};
    const at::Tensor image = to_images(view);
    const at::Tensor least = image.min(), range = (image.max() - least).clamp_min(1e-8);
    return at::constant_pad_nd(((image - least) / range).contiguous(),
                               {0, image_px - size.width, 0, image_px - size.height});
}

}  // namespace wsi::nn
