#include "model/nn/cellvit.h"

namespace wsi::nn {

namespace {

using torch::nn::Conv2d;
using torch::nn::ConvTranspose2d;

std::shared_ptr<torch::nn::Module> group(torch::nn::Module& owner, const std::string& name) {
    return owner.register_module(name, std::make_shared<torch::nn::Module>());
}

ConvTranspose2d doubling(int64_t in, int64_t out) {
    return ConvTranspose2d(torch::nn::ConvTranspose2dOptions(in, out, 2).stride(2));
}

/// The published Conv2DBlock `name`: block.0 is the convolution, block.1 its norm.
ConvBnAct conv_block(torch::nn::Module& owner, const std::string& name, int64_t in, int64_t out) {
    const auto block = group(*group(owner, name), "block");
    return {*block, "0", *block, "1", in, out, Activation::Relu};
}

at::Tensor run_all(std::vector<ConvBnAct>& convs, at::Tensor x) {
    for (ConvBnAct& conv : convs) x = conv(x);
    return x;
}

}  // namespace

CellVitImpl::Deconvs CellVitImpl::add_deconvs(const std::string& name,
                                              const std::vector<int64_t>& widths) {
    const auto owner = group(*this, name);
    Deconvs made;
    for (size_t i = 0; i + 1 < widths.size(); ++i) {
        const auto block = group(*group(*owner, std::to_string(i)), "block");
        const auto up = block->register_module("0", doubling(widths[i], widths[i + 1]));
        made.push_back({up, ConvBnAct(*block, "1", *block, "2", widths[i + 1], widths[i + 1],
                                      Activation::Relu)});
    }
    return made;
}

CellVitImpl::Branch CellVitImpl::add_branch(const std::string& name, int64_t out) {
    const auto owner = group(*this, name);
    const int64_t b = bottleneck_;
    Branch made;
    made.bottleneck =
        owner->register_module("bottleneck_upsampler", doubling(options_.encoder.dim, b));
    const struct {
        const char* name;
        int64_t width, out;
        int convs;
    } stages[] = {{"decoder3_upsampler", b, 256, 3},
                  {"decoder2_upsampler", 256, 128, 2},
                  {"decoder1_upsampler", 128, 64, 2}};
    for (size_t s = 0; s < 3; ++s) {
        const auto& [stage_name, width, to, convs] = stages[s];
        const auto stage = group(*owner, stage_name);
        for (int i = 0; i < convs; ++i)
            made.stages[s].convs.push_back(
                conv_block(*stage, std::to_string(i), i == 0 ? 2 * width : width, width));
        made.stages[s].up = stage->register_module(std::to_string(convs), doubling(width, to));
    }
    const auto header = group(*owner, "decoder0_header");
    made.convs.push_back(conv_block(*header, "0", 128, 64));
    made.convs.push_back(conv_block(*header, "1", 64, 64));
    made.head = header->register_module("2", Conv2d(torch::nn::Conv2dOptions(64, out, 1)));
    return made;
}

CellVitImpl::CellVitImpl(const CellVitOptions& options)
    : options_(options), bottleneck_(options.encoder.dim < 512 ? 312 : 512) {
    const int64_t dim = options.encoder.dim;
    if (options.sam)
        sam_ = register_module("encoder", SamEncoder(options.encoder));
    else
        vit_ = register_module("encoder", VitEncoder(options));
    const auto start = group(*this, "decoder0");
    decoder0_.push_back(conv_block(*start, "0", 3, 32));
    decoder0_.push_back(conv_block(*start, "1", 32, 64));
    const int64_t wide = dim < 512 ? 256 : 512, narrow = dim < 512 ? 128 : 256;
    decoder1_ = add_deconvs("decoder1", {dim, wide, narrow, 128});
    decoder2_ = add_deconvs("decoder2", {dim, wide, 256});
    decoder3_ = add_deconvs("decoder3", {dim, bottleneck_});
    branches_ = {add_branch("nuclei_binary_map_decoder", options.binary),
                 add_branch("hv_map_decoder", 2),
                 add_branch("nuclei_type_maps_decoder", options.types)};
}

at::Tensor CellVitImpl::run(Deconvs& deconvs, at::Tensor x) {
    for (Deconv& deconv : deconvs) x = deconv.conv(deconv.up->forward(x));
    return x;
}

at::Tensor CellVitImpl::decode(Branch& branch, const std::array<at::Tensor, 5>& skips) {
    at::Tensor x = branch.bottleneck->forward(skips[4]);
    for (size_t s = 0; s < 3; ++s)
        x = branch.stages[s].up->forward(
            run_all(branch.stages[s].convs, at::cat({skips[3 - s], x}, 1)));
    return branch.head->forward(run_all(branch.convs, at::cat({skips[0], x}, 1)));
}

std::vector<at::Tensor> CellVitImpl::encode(const at::Tensor& images) {
    const int64_t quarter = options_.encoder.depth / 4;
    const std::vector<int64_t> blocks{quarter, 2 * quarter, 3 * quarter, 4 * quarter};
    return sam_ ? sam_->tokens_after(images, blocks) : vit_->tokens_after(images, blocks);
}

CellVitImpl::Logits CellVitImpl::forward(const at::Tensor& images) {
    const std::vector<at::Tensor> z = encode(images);
    const std::array<at::Tensor, 5> skips{run_all(decoder0_, images), run(decoder1_, z[0]),
                                          run(decoder2_, z[1]), run(decoder3_, z[2]), z[3]};
    return {decode(branches_[0], skips).narrow(1, 0, 2), decode(branches_[1], skips),
            decode(branches_[2], skips)};
}

void CellVitImpl::fold_batch_norm() {
    for (Deconvs* deconvs : {&decoder1_, &decoder2_, &decoder3_})
        for (Deconv& deconv : *deconvs) deconv.conv.fold();
    for (ConvBnAct& conv : decoder0_) conv.fold();
    for (Branch& branch : branches_) {
        for (ConvBnAct& conv : branch.convs) conv.fold();
        for (Upsampler& stage : branch.stages)
            for (ConvBnAct& conv : stage.convs) conv.fold();
    }
}

}  // namespace wsi::nn
