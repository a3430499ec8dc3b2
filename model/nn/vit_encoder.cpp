#include <algorithm>
#include <cmath>

#include "model/nn/cellvit.h"

namespace wsi::nn {

namespace {
torch::nn::LayerNorm layer_norm(int64_t dim) {
    return torch::nn::LayerNorm(torch::nn::LayerNormOptions({dim}).eps(1e-6));
}
}  // namespace

VitEncoderImpl::VitEncoderImpl(const CellVitOptions& options)
    : dim_(options.encoder.dim), heads_(options.encoder.heads), trained_grid_(options.positions) {
    cls_token_ = register_parameter("cls_token", at::zeros({1, 1, dim_}));
    pos_embed_ =
        register_parameter("pos_embed", at::zeros({1, trained_grid_ * trained_grid_ + 1, dim_}));
    const auto embed = register_module("patch_embed", std::make_shared<torch::nn::Module>());
    patches_ = embed->register_module(
        "proj", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, dim_, 16).stride(16)));
    const auto list = register_module("blocks", std::make_shared<torch::nn::Module>());
    for (int64_t i = 0; i < options.encoder.depth; ++i) {
        const auto owner =
            list->register_module(std::to_string(i), std::make_shared<torch::nn::Module>());
        const auto attn = owner->register_module("attn", std::make_shared<torch::nn::Module>());
        const auto mlp = owner->register_module("mlp", std::make_shared<torch::nn::Module>());
        Block b;
        b.norm1 = owner->register_module("norm1", layer_norm(dim_));
        b.norm2 = owner->register_module("norm2", layer_norm(dim_));
        b.qkv = attn->register_module("qkv", torch::nn::Linear(dim_, 3 * dim_));
        b.proj = attn->register_module("proj", torch::nn::Linear(dim_, dim_));
        b.fc1 = mlp->register_module("fc1", torch::nn::Linear(dim_, 4 * dim_));
        b.fc2 = mlp->register_module("fc2", torch::nn::Linear(4 * dim_, dim_));
        blocks_.push_back(b);
    }
}

/// Bicubic, with the scale factors of the published code, whose tenth of a token is there to stay.
at::Tensor VitEncoderImpl::positions(int64_t grid) const {
    if (grid == trained_grid_) return pos_embed_;
    const double scale = (static_cast<double>(grid) + 0.1) / static_cast<double>(trained_grid_);
    const at::Tensor table = pos_embed_.narrow(1, 1, trained_grid_ * trained_grid_)
                                 .view({1, trained_grid_, trained_grid_, dim_})
                                 .permute({0, 3, 1, 2});
    const double scales[] = {scale, scale};
    const at::Tensor resized =
        at::upsample_bicubic2d(table, std::nullopt, false, at::ArrayRef<double>(scales));
    return at::cat(
        {pos_embed_.narrow(1, 0, 1), resized.permute({0, 2, 3, 1}).reshape({1, grid * grid, dim_})},
        1);
}

at::Tensor VitEncoderImpl::attend(Block& block, const at::Tensor& x) const {
    const int64_t n = x.size(0), t = x.size(1);
    const at::Tensor qkv = block.qkv->forward(x)
                               .view({n, t, 3, heads_, dim_ / heads_})
                               .permute({2, 0, 3, 1, 4})
                               .contiguous();
    const at::Tensor out = at::scaled_dot_product_attention(qkv[0], qkv[1], qkv[2]);
    return block.proj->forward(out.transpose(1, 2).reshape({n, t, dim_}));
}

std::vector<at::Tensor> VitEncoderImpl::tokens_after(const at::Tensor& images,
                                                     const std::vector<int64_t>& blocks) {
    const int64_t n = images.size(0), grid = images.size(2) / 16;
    at::Tensor x = patches_->forward(images).flatten(2).transpose(1, 2);
    x = at::cat({cls_token_.expand({n, 1, dim_}), x}, 1) + positions(grid);
    std::vector<at::Tensor> out;
    for (size_t i = 0; i < blocks_.size(); ++i) {
        Block& block = blocks_[i];
        x = x + attend(block, block.norm1->forward(x));
        x = x + block.fc2->forward(at::gelu(block.fc1->forward(block.norm2->forward(x))));
        if (std::ranges::count(blocks, static_cast<int64_t>(i) + 1) > 0)
            out.push_back(
                x.narrow(1, 1, grid * grid).transpose(1, 2).reshape({n, dim_, grid, grid}));
    }
    return out;
}

}  // namespace wsi::nn
