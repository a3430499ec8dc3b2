#include "model/nn/ddunet.h"

#include "config/error.h"

namespace wsi::nn {

namespace {
/// By level, finest first; encoder and decoder alike.
constexpr std::array kDropout{0.1, 0.1, 0.2, 0.2};
constexpr double kBottomDropout = 0.1;

torch::nn::Conv2d conv(int64_t in, int64_t out, int64_t side) {
    return torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, side).padding(side / 2));
}
}  // namespace

DdUNetImpl::DdUNetImpl(int64_t base) : base_(base) {
    const Folder down(*this, "down");
    for (size_t i = 0; i < kLevels; ++i)
        down_[i] =
            add_pair(down.add(i), i == 0 ? 3 : base << (i - 1), base << i, base << i, kDropout[i]);
    const int64_t deepest = base << (kLevels - 1);
    bottom_ = add_pair(Folder(*this, "bottom").module(), deepest, 2 * deepest, 4 * deepest,
                       kBottomDropout);
    segmentation_ = add_decoder("segmentation");
    distance_ = add_decoder("distance");
}

DdUNetImpl::Pair DdUNetImpl::add_pair(torch::nn::Module& owner, int64_t in, int64_t middle,
                                      int64_t out, double dropout) const {
    return {owner.register_module("0", conv(in, middle, 3)),
            owner.register_module("1", conv(middle, out, 3)), dropout};
}

DdUNetImpl::Decoder DdUNetImpl::add_decoder(const std::string& name) {
    Decoder decoder;
    const Folder folder(*this, name);
    const Folder up(folder.module(), "up"), join(folder.module(), "join");
    for (size_t i = 0; i < kLevels; ++i) {
        const int64_t width = base_ << i;
        const int64_t below = i + 1 < kLevels ? 2 * width : 4 * width;
        decoder.up[i] = up.module().register_module(
            std::to_string(i), torch::nn::ConvTranspose2d(
                                   torch::nn::ConvTranspose2dOptions(below, width, 2).stride(2)));
        decoder.join[i] = add_pair(join.add(i), 2 * width, width, width, kDropout[i]);
    }
    decoder.head = folder.module().register_module("head", conv(base_, 1, 1));
    return decoder;
}

at::Tensor DdUNetImpl::twice(Pair& pair, const at::Tensor& x) const {
    const at::Tensor middle = at::relu(pair.first->forward(x));
    return at::relu(pair.second->forward(at::dropout(middle, pair.dropout, is_training())));
}

at::Tensor DdUNetImpl::decode(Decoder& decoder, const std::array<at::Tensor, kLevels>& maps,
                              const at::Tensor& bottom) const {
    at::Tensor y = bottom;
    for (size_t i = kLevels; i-- > 0;)
        y = twice(decoder.join[i], at::cat({decoder.up[i]->forward(y), maps[i]}, 1));
    return decoder.head->forward(y);
}

at::Tensor DdUNetImpl::forward(const at::Tensor& images, const at::Tensor& embedding) {
    WSI_CHECK(!embedding.defined());
    std::array<at::Tensor, kLevels> maps;
    for (size_t i = 0; i < kLevels; ++i)
        maps[i] = twice(down_[i], i == 0 ? images : at::max_pool2d(maps[i - 1], 2));
    const at::Tensor bottom = twice(bottom_, at::max_pool2d(maps.back(), 2));
    const at::Tensor nucleus = decode(segmentation_, maps, bottom);
    return at::cat({nucleus.neg(), nucleus, decode(distance_, maps, bottom)}, 1);
}

}  // namespace wsi::nn
