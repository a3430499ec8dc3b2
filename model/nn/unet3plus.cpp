#include "model/nn/unet3plus.h"

#include <vector>

#include "config/error.h"

namespace wsi::nn {

namespace {
torch::nn::Conv2d head(int64_t in, int64_t out) {
    return torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 3).padding(1));
}

/// Name of the branch that brings scale `scale` into decoder stage `stage`, both counted from 1
/// (finest): pooled from the encoder, taken over, or upsampled from the decoder (hd5 = encoder 5).
std::string branch_name(int stage, int scale) {
    const std::string to = "hd" + std::to_string(stage), from = std::to_string(scale);
    if (scale < stage) return "h" + from + "_PT_" + to;
    if (scale == stage) return "h" + from + "_Cat_" + to;
    return "hd" + from + "_UT_" + to;
}

/// Logits where there is a nucleus. Else, as published, nothing: a probability of one half; of two
/// channels, background and nucleus, certain background, because that is what is meant.
at::Tensor guided(const at::Tensor& logits, const at::Tensor& presence, bool training) {
    if (!presence.defined()) return logits;
    const at::Tensor there = presence.argmax(1).to(logits.scalar_type()).view({-1, 1, 1, 1});
    const at::Tensor kept = logits * there;
    if (training || logits.size(1) != 2) return kept;
    constexpr double kCertain = 20;
    const at::Tensor background =
        at::tensor({kCertain, -kCertain}, logits.options()).view({1, 2, 1, 1});
    return kept + background * (1 - there);
}
}  // namespace

UNet3PlusImpl::UNet3PlusImpl(const UNet3PlusOptions& options) : options_(options) {
    int64_t in = 3;
    for (int i = 0; i < kScales; ++i) {
        const int64_t out = options.base << i;
        encoder_[static_cast<size_t>(i)] = register_module("conv" + std::to_string(i + 1),
                                                           DoubleConv(in, out, options.activation));
        in = out;
    }
    for (int stage = kScales - 1; stage >= 1; --stage) add_stage(stage);
    head_ = register_module("outconv1", head(kScales * options.base, options.classes));
    if (options.distance)
        distance_head_ = register_module("distance", head(kScales * options.base, 1));
    if (options.nucleus_classes > 0)
        class_head_ =
            register_module("classes", head(kScales * options.base, options.nucleus_classes));
    for (int scale = 2; options.deep_supervision && scale <= kScales; ++scale)
        coarser_heads_[static_cast<size_t>(scale - 2)] =
            register_module("outconv" + std::to_string(scale),
                            head((scale < kScales ? kScales : 16) * options.base, options.classes));
    if (options.classification)
        classifier_ =
            Folder(*this, "cls")
                .module()
                .register_module(
                    "1", torch::nn::Conv2d(torch::nn::Conv2dOptions(16 * options.base, 2, 1)));
    if (auto fusion = make_fusion(options.fusion))
        fusion_ = register_module("fusion", std::move(fusion));
}

void UNet3PlusImpl::add_stage(int stage) {
    const int64_t b = options_.base, joined = kScales * b;
    const Activation activation =
        options_.place == ActivationPlace::All ? options_.activation : Activation::Relu;
    Stage& s = stages_[static_cast<size_t>(stage - 1)];
    for (int scale = 1; scale <= kScales; ++scale) {
        const bool from_encoder = scale <= stage || scale == kScales;
        const std::string name = branch_name(stage, scale);
        s.branches[static_cast<size_t>(scale - 1)] =
            ConvBnAct(*this, name + "_conv", *this, name + "_bn",
                      from_encoder ? b << (scale - 1) : joined, b, activation);
    }
    const std::string number = std::to_string(stage);
    s.fusion = ConvBnAct(*this, "conv" + number + "d_1", *this, "bn" + number + "d_1", joined,
                         joined, activation);
}

std::array<at::Tensor, 5> UNet3PlusImpl::encode(const at::Tensor& images) {
    if (planned(images)) return plan_->encode(images);
    std::array<at::Tensor, 5> maps;
    at::Tensor x = images;
    for (size_t i = 0; i < maps.size(); ++i) {
        if (i > 0) x = options_.blur_pool ? max_blur_pool(x) : at::max_pool2d(x, 2);
        maps[i] = x = encoder_[i]->forward(x);
    }
    return maps;
}

at::Tensor UNet3PlusImpl::branch_input(const std::array<at::Tensor, 5>& encoded,
                                       const std::array<at::Tensor, 5>& decoded, int stage,
                                       int scale) const {
    const auto i = static_cast<size_t>(scale - 1);
    if (scale < stage) return at::max_pool2d(encoded[i], int64_t{1} << (stage - scale));
    if (scale == stage) return encoded[i];
    return upsample(decoded[i], int64_t{1} << (scale - stage));
}

std::array<at::Tensor, 5> UNet3PlusImpl::decoded(const std::array<at::Tensor, 5>& maps) {
    std::array<at::Tensor, 5> decoded;
    decoded[kScales - 1] = at::feature_dropout(maps.back(), options_.dropout, is_training());
    for (int stage = kScales - 1; stage >= 1; --stage) {
        Stage& s = stages_[static_cast<size_t>(stage - 1)];
        std::vector<at::Tensor> parts;
        for (int scale = 1; scale <= kScales; ++scale)
            parts.push_back(s.branches[static_cast<size_t>(scale - 1)](
                branch_input(maps, decoded, stage, scale)));
        const at::Tensor joined = at::cat(parts, 1);
        parts.clear();  // the finest stage's branches are the largest maps there are
        decoded[static_cast<size_t>(stage - 1)] = s.fusion(joined);
    }
    return decoded;
}

at::Tensor UNet3PlusImpl::presence(const at::Tensor& bottleneck) {
    if (!options_.classification) return {};
    const at::Tensor dropped = at::dropout(bottleneck, 0.5, is_training());
    return classifier_->forward(dropped).amax({2, 3});
}

at::Tensor UNet3PlusImpl::decode(const std::array<at::Tensor, 5>& maps) {
    if (planned(maps[0])) return plan_->decode(maps);
    return finest_logits(decoded(maps)[0], presence(maps.back()));
}

at::Tensor UNet3PlusImpl::finest_logits(const at::Tensor& finest, const at::Tensor& presence) {
    std::vector<at::Tensor> all{guided(head_->forward(finest), presence, is_training())};
    if (options_.distance) all.push_back(distance_head_->forward(finest));
    if (class_head_) all.push_back(class_head_->forward(finest));
    return all.size() > 1 ? at::cat(all, 1) : all[0];
}

Supervised UNet3PlusImpl::supervised(const at::Tensor& images, const at::Tensor& embedding) {
    const std::array<at::Tensor, 5> maps = fused(images, embedding);
    const std::array<at::Tensor, 5> scales = decoded(maps);
    Supervised out;
    out.presence = presence(maps.back());
    out.scales.push_back(finest_logits(scales[0], out.presence));
    for (size_t i = 1; options_.deep_supervision && i < scales.size(); ++i) {
        const at::Tensor logits = coarser_heads_[i - 1]->forward(scales[i]);
        out.scales.push_back(
            guided(upsample(logits, int64_t{1} << i), out.presence, is_training()));
    }
    return out;
}

void UNet3PlusImpl::fold_batch_norm() {
    for (DoubleConv& block : encoder_) block->fold();
    for (Stage& stage : stages_) {
        for (ConvBnAct& branch : stage.branches) branch.fold();
        stage.fusion.fold();
    }
}

void UNet3PlusImpl::open_gates() {
    if (fusion_) fusion_->open_gates();
}

std::pair<at::Tensor, at::Tensor> UNet3PlusImpl::heads() const {
    std::vector<at::Tensor> weights, biases;
    for (const torch::nn::Conv2d& head : {head_, distance_head_, class_head_})
        if (head) {
            weights.push_back(head->weight);
            biases.push_back(head->bias);
        }
    return {at::cat(weights), at::cat(biases)};
}

void UNet3PlusImpl::prepare_for_inference() {
    fold_batch_norm();
    const bool relu =
        options_.place == ActivationPlace::Encoder || options_.activation == Activation::Relu;
    if (relu && !options_.classification) plan_ = std::make_shared<UNet3PlusPlan>(*this);
}

bool UNet3PlusImpl::planned(const at::Tensor& x) const {
    return plan_ && x.is_cpu() && x.scalar_type() == at::kFloat && !is_training();
}

std::array<at::Tensor, 5> UNet3PlusImpl::fused(const at::Tensor& images,
                                               const at::Tensor& embedding) {
    WSI_CHECK(embedding.defined() == wants_embedding());
    std::array<at::Tensor, 5> maps = encode(images);
    if (fusion_) maps.back() = fusion_->forward(maps.back(), embedding);
    return maps;
}

at::Tensor UNet3PlusImpl::forward(const at::Tensor& images, const at::Tensor& embedding) {
    at::Tensor storage;
    return forward_in(storage, images, embedding);
}

at::Tensor UNet3PlusImpl::forward_in(at::Tensor& storage, const at::Tensor& images,
                                     const at::Tensor& embedding) {
    if (planned(images) && !fusion_) return plan_->forward(images, storage);
    return decode(fused(images, embedding));
}

}  // namespace wsi::nn
