#include "model/nn/unet.h"

#include <vector>

#include "config/error.h"
#include "model/nn/execution.h"

namespace wsi::nn {

namespace {

torch::nn::Conv2d one_by_one(int64_t in, int64_t out) {
    return torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 1));
}

/// A fixed filter per channel: 8 in the middle, -1 around (Zunair & Ben Hamza 2021, eq. 1).
at::Tensor sharpened(const at::Tensor& x) {
    at::Tensor kernel = at::full({1, 1, 3, 3}, -1.0, x.options());
    kernel.select(2, 1).select(2, 1).fill_(8);
    return at::conv2d(x, kernel.expand({x.size(1), 1, 3, 3}), {}, {1, 1}, at::IntArrayRef({1, 1}),
                      {1, 1}, x.size(1));
}

}  // namespace

at::Tensor haematoxylin(const at::Tensor& images) {
    // First row of the pseudo-inverse of [0.5626 0.2159; 0.7201 0.8012; 0.4062 0.5581].
    const at::Tensor row =
        at::tensor({2.515712987967977, -0.14621682448072304, -0.7632924463865446}, at::kFloat)
            .to(images.device())
            .view({1, 3, 1, 1});
    const at::Tensor density = images.to(at::kFloat).mul(255).add_(1).div_(240).log_().neg_();
    return density.mul_(row).sum(1, true).clamp_min_(0).to(images.scalar_type());
}

AtrousPyramidImpl::AtrousPyramidImpl(int64_t channels) {
    constexpr std::array<int64_t, 4> kRates{1, 6, 12, 18};
    const Folder branches(*this, "branches");
    for (size_t i = 0; i < kRates.size(); ++i) {
        torch::nn::Module& branch = branches.add(i);
        const auto options = torch::nn::Conv2dOptions(channels, channels / 4, 3)
                                 .padding(kRates[i])
                                 .dilation(kRates[i]);
        convolutions_[i] = branch.register_module("0", torch::nn::Conv2d(options));
        norms_[i] = branch.register_module("1", BatchNorm(channels / 4));
    }
    const Folder project(*this, "project");
    project_ = project.module().register_module("0", one_by_one(channels, channels));
    project_norm_ = project.module().register_module("1", BatchNorm(channels));
}

at::Tensor AtrousPyramidImpl::forward(const at::Tensor& x) {
    std::vector<at::Tensor> parts;
    for (size_t i = 0; i < convolutions_.size(); ++i)
        parts.push_back(at::relu(norms_[i]->forward(widened(convolutions_[i]->forward(x)))));
    return at::relu(project_norm_->forward(widened(project_->forward(at::cat(parts, 1)))));
}

AttentionGateImpl::AttentionGateImpl(int64_t channels)
    : skip_(register_module("skip", one_by_one(channels, channels / 2))),
      signal_(register_module("signal", one_by_one(channels, channels / 2))),
      score_(register_module("score", one_by_one(channels / 2, 1))) {}

at::Tensor AttentionGateImpl::forward(const at::Tensor& skip, const at::Tensor& signal) {
    const at::Tensor both = at::relu(skip_->forward(skip) + signal_->forward(signal));
    return skip * at::sigmoid(score_->forward(both));
}

UNetImpl::UNetImpl(const UNetOptions& options) : options_(options) {
    const auto width = [&](size_t scale) { return options.base << scale; };
    const Folder down(*this, "down"), up(*this, "up"), join(*this, "join");
    const auto block = [](const Folder& in, size_t i, int64_t from, int64_t to) {
        return in.module().register_module(std::to_string(i),
                                           DoubleConv(from, to, Activation::Relu));
    };
    for (size_t i = 0; i < kScales; ++i)
        down_[i] = block(down, i, i == 0 ? 3 : width(i - 1), width(i));
    for (size_t i = 0; i < kSkips; ++i) {
        const auto twice = torch::nn::ConvTranspose2dOptions(width(i + 1), width(i), 2).stride(2);
        up_[i] = up.module().register_module(std::to_string(i), torch::nn::ConvTranspose2d(twice));
        join_[i] = block(join, i, 2 * width(i), width(i));
    }
    head_ = register_module("head", one_by_one(options.base, options.classes));
    if (options.distance) distance_head_ = register_module("distance", one_by_one(options.base, 1));
    if (options.nucleus_classes > 0)
        class_head_ = register_module("classes", one_by_one(options.base, options.nucleus_classes));
    if (options.pyramid)
        pyramid_ = register_module("pyramid", std::make_shared<AtrousPyramidImpl>(width(4)));
    if (!options.gated) return;
    const Folder stain(*this, "stain"), gate(*this, "stain_gate"), attention(*this, "attention");
    for (size_t i = 0; i < kSkips; ++i) {
        const std::string name = std::to_string(i);
        stain_[i] = block(stain, i, i == 0 ? 1 : width(i - 1), width(i));
        stain_gate_[i] = gate.module().register_module(name, one_by_one(width(i), width(i)));
        attention_[i] =
            attention.module().register_module(name, std::make_shared<AttentionGateImpl>(width(i)));
    }
}

std::array<at::Tensor, UNetImpl::kSkips> UNetImpl::stain_gates(const at::Tensor& images) {
    std::array<at::Tensor, kSkips> gates;
    if (!options_.gated) return gates;
    at::Tensor x = haematoxylin(images);
    for (size_t i = 0; i < kSkips; ++i) {
        x = stain_[i]->forward(i == 0 ? x : at::max_pool2d(x, 2));
        gates[i] = at::sigmoid(stain_gate_[i]->forward(x));
    }
    return gates;
}

at::Tensor UNetImpl::skip_of(size_t scale, const at::Tensor& map, const at::Tensor& gate,
                             const at::Tensor& signal) {
    const at::Tensor skip = options_.sharp ? sharpened(map) : map;
    return options_.gated ? attention_[scale]->forward(skip * gate, signal) : skip;
}

at::Tensor UNetImpl::forward(const at::Tensor& images, const at::Tensor& embedding) {
    WSI_CHECK(!embedding.defined());
    std::array<at::Tensor, kScales> maps;
    for (size_t i = 0; i < kScales; ++i)
        maps[i] = down_[i]->forward(i == 0 ? images : at::max_pool2d(maps[i - 1], 2));
    const std::array<at::Tensor, kSkips> gates = stain_gates(images);
    at::Tensor y = options_.pyramid ? pyramid_->forward(maps.back()) : maps.back();
    for (size_t i = kSkips; i-- > 0;) {
        y = up_[i]->forward(y);
        y = join_[i]->forward(at::cat({skip_of(i, maps[i], gates[i], y), y}, 1));
    }
    std::vector<at::Tensor> all{head_->forward(y)};
    if (options_.distance) all.push_back(distance_head_->forward(y));
    if (class_head_) all.push_back(class_head_->forward(y));
    return all.size() > 1 ? at::cat(all, 1) : all[0];
}

std::vector<DoubleConv> UNetImpl::blocks() const {
    std::vector<DoubleConv> all(down_.begin(), down_.end());
    all.insert(all.end(), join_.begin(), join_.end());
    if (options_.gated) all.insert(all.end(), stain_.begin(), stain_.end());
    return all;
}

void UNetImpl::fold_batch_norm() {
    for (DoubleConv& block : blocks()) block->fold();
}

void UNetImpl::prepare_for_inference() {
    for (DoubleConv& block : blocks()) block->pack();
}

int64_t UNetImpl::packed_bytes() const {
    int64_t sum = 0;
    for (const DoubleConv& block : blocks()) sum += block->packed_bytes();
    return sum;
}

}  // namespace wsi::nn
