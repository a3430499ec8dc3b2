#include "model/nn/hovernet.h"

namespace wsi::nn {

namespace {

using torch::nn::BatchNorm2d;
using torch::nn::Conv2d;

Conv2d bare_conv(int64_t in, int64_t out, int64_t kernel, int64_t stride = 1, int64_t groups = 1) {
    return Conv2d(
        torch::nn::Conv2dOptions(in, out, kernel).stride(stride).groups(groups).bias(false));
}

at::Tensor norm_relu(BatchNorm2d& norm, const at::Tensor& x) { return norm->forward(x).relu_(); }

/// TensorFlow's "same" padding: what is odd goes to the end.
at::Tensor same_pad(const at::Tensor& x, int64_t kernel, int64_t stride) {
    const int64_t rest = x.size(2) % stride;
    const int64_t pad = std::max<int64_t>(0, kernel - (rest == 0 ? stride : rest));
    const int64_t before = pad / 2, after = pad - before;
    return at::constant_pad_nd(x, {before, after, before, after});
}

at::Tensor centre(const at::Tensor& x, int64_t cut) {
    return x.narrow(2, cut / 2, x.size(2) - cut).narrow(3, cut / 2, x.size(3) - cut);
}

/// Every pixel four times.
at::Tensor doubled(const at::Tensor& x) {
    return at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
}

std::shared_ptr<torch::nn::Module> group(torch::nn::Module& owner, const std::string& name) {
    return owner.register_module(name, std::make_shared<torch::nn::Module>());
}

}  // namespace

HoverNetImpl::ResidualBlock HoverNetImpl::add_residual(const std::string& name, int64_t in,
                                                       int64_t middle, int units, int64_t stride) {
    const auto block = group(*this, name), list = group(*block, "units");
    const int64_t out = 4 * middle;
    ResidualBlock made;
    for (int i = 0; i < units; ++i) {
        const auto unit = group(*list, std::to_string(i));
        const int64_t from = i == 0 ? in : out;
        ResidualUnit u;
        u.stride = i == 0 ? stride : 1;
        // The block before ended with a norm; only later units have one of their own.
        if (i > 0) u.before = unit->register_module("preact/bn", BatchNorm2d(from));
        u.conv1 = unit->register_module("conv1", bare_conv(from, middle, 1));
        u.after1 = unit->register_module("conv1/bn", BatchNorm2d(middle));
        u.conv2 = unit->register_module("conv2", bare_conv(middle, middle, 3, u.stride));
        u.after2 = unit->register_module("conv2/bn", BatchNorm2d(middle));
        u.conv3 = unit->register_module("conv3", bare_conv(middle, out, 1));
        made.units.push_back(u);
    }
    made.shortcut = block->register_module("shortcut", bare_conv(in, out, 1, stride));
    made.after = group(*block, "blk_bna")->register_module("bn", BatchNorm2d(out));
    return made;
}

HoverNetImpl::DenseBlock HoverNetImpl::add_dense(torch::nn::Module& owner, int64_t in,
                                                 int units) const {
    const auto block = group(owner, "dense"), list = group(*block, "units");
    const int64_t base = options_.base;
    DenseBlock made;
    for (int i = 0; i < units; ++i, in += base / 2) {
        const auto unit = group(*list, std::to_string(i));
        DenseBlock::Unit u;
        u.before = unit->register_module("preact_bna/bn", BatchNorm2d(in));
        u.conv1 = unit->register_module("conv1", bare_conv(in, 2 * base, 1));
        u.between = unit->register_module("conv1/bn", BatchNorm2d(2 * base));
        u.conv2 = unit->register_module("conv2", bare_conv(2 * base, base / 2, kernel_, 1, 4));
        made.units.push_back(u);
    }
    made.after = group(*block, "blk_bna")->register_module("bn", BatchNorm2d(in));
    return made;
}

HoverNetImpl::DecoderStage HoverNetImpl::add_stage(torch::nn::Module& owner,
                                                   const std::string& name, int64_t in, int64_t out,
                                                   int units) const {
    const auto stage = group(owner, name);
    DecoderStage made;
    made.first = stage->register_module("conva", bare_conv(in, out, kernel_));
    made.dense = add_dense(*stage, out, units);
    made.last = stage->register_module("convf", bare_conv(2 * out, 2 * out, 1));
    return made;
}

HoverNetImpl::Branch HoverNetImpl::add_branch(torch::nn::Module& decoder, const std::string& name,
                                              int64_t out) const {
    const auto branch = group(decoder, name);
    const int64_t base = options_.base;
    Branch made;
    made.u3 = add_stage(*branch, "u3", 16 * base, 4 * base, 8);
    made.u2 = add_stage(*branch, "u2", 8 * base, 2 * base, 4);
    made.u1 = group(*branch, "u1")->register_module("conva", bare_conv(4 * base, base, kernel_));
    const auto end = group(*branch, "u0");
    made.norm = end->register_module("bn", BatchNorm2d(base));
    made.head = end->register_module("conv", Conv2d(torch::nn::Conv2dOptions(base, out, 1)));
    return made;
}

HoverNetImpl::HoverNetImpl(const HoverNetOptions& options)
    : options_(options), kernel_(options.mode == HoverNetMode::Fast ? 3 : 5) {
    const auto start = group(*this, "conv0");
    const int64_t base = options.base;
    first_ = start->register_module("/", bare_conv(3, base, 7));
    first_norm_ = start->register_module("bn", BatchNorm2d(base));
    encoder_ = {add_residual("d0", base, base, 3, 1), add_residual("d1", 4 * base, 2 * base, 4, 2),
                add_residual("d2", 8 * base, 4 * base, 6, 2),
                add_residual("d3", 16 * base, 8 * base, 3, 2)};
    bottom_ = register_module("conv_bot", bare_conv(32 * base, 16 * base, 1));
    const auto decoder = group(*this, "decoder");
    if (options.types > 0) tp_ = add_branch(*decoder, "tp", options.types);
    np_ = add_branch(*decoder, "np", 2);
    hv_ = add_branch(*decoder, "hv", 2);
}

at::Tensor HoverNetImpl::run(ResidualBlock& block, at::Tensor x) {
    at::Tensor shortcut = block.shortcut->forward(x);
    for (ResidualUnit& unit : block.units) {
        at::Tensor y = unit.before ? norm_relu(unit.before, x) : x;
        y = norm_relu(unit.after1, unit.conv1->forward(y));
        y = norm_relu(unit.after2, unit.conv2->forward(same_pad(y, 3, unit.stride)));
        x = unit.conv3->forward(y).add_(shortcut);
        shortcut = x;
    }
    return norm_relu(block.after, x);
}

at::Tensor HoverNetImpl::run(DenseBlock& block, at::Tensor x) {
    for (DenseBlock::Unit& unit : block.units) {
        at::Tensor y = unit.conv1->forward(norm_relu(unit.before, x));
        y = unit.conv2->forward(norm_relu(unit.between, y));
        x = at::cat({centre(x, x.size(2) - y.size(2)), y}, 1);
    }
    return norm_relu(block.after, x);
}

at::Tensor HoverNetImpl::run(DecoderStage& stage, const at::Tensor& x) {
    return stage.last->forward(run(stage.dense, stage.first->forward(x)));
}

at::Tensor HoverNetImpl::decode(Branch& branch, const std::array<at::Tensor, 4>& d) {
    const at::Tensor u3 = run(branch.u3, doubled(d[3]).add_(d[2]));
    const at::Tensor u2 = run(branch.u2, doubled(u3).add_(d[1]));
    const at::Tensor u1 = branch.u1->forward(same_pad(doubled(u2).add_(d[0]), kernel_, 1));
    return branch.head->forward(norm_relu(branch.norm, u1));
}

HoverNetImpl::Logits HoverNetImpl::forward(const at::Tensor& images) {
    const bool fast = options_.mode == HoverNetMode::Fast;
    at::Tensor x = first_->forward(fast ? same_pad(images, 7, 1) : images);
    std::array<at::Tensor, 4> d;
    d[0] = run(encoder_[0], norm_relu(first_norm_, x));
    d[1] = run(encoder_[1], d[0]);
    d[2] = run(encoder_[2], d[1]);
    d[3] = bottom_->forward(run(encoder_[3], d[2]));
    d[0] = centre(d[0], fast ? 92 : 184);
    d[1] = centre(d[1], fast ? 36 : 72);
    Logits out{decode(np_, d), decode(hv_, d), {}};
    if (options_.types > 0) out.tp = decode(tp_, d);
    return out;
}

}  // namespace wsi::nn
