#pragma once

#include <array>

#include "model/nn/blocks.h"
#include "model/nn/network.h"

namespace wsi::nn {

/// DDU-Net (Mahbod et al. 2022; masih4/dual_decoder_nuclei_segmentation): one encoder without batch
/// norm and two equal decoders, for nuclei and for the distance map. Published with base 16.
class DdUNetImpl : public Network {
public:
    explicit DdUNetImpl(int64_t base);
    /// Channels: the nucleus logit negated, the nucleus logit, distance.
    at::Tensor forward(const at::Tensor& images, const at::Tensor& embedding) override;
    using Network::forward;
    /// At the finest stage of the second decoder: skips, and as in a U-Net.
    int64_t peak_channels() const override { return 10 * base_; }

private:
    static constexpr size_t kLevels = 4;
    struct Pair {
        torch::nn::Conv2d first{nullptr}, second{nullptr};
        double dropout = 0;  ///< between the two, while training
    };
    struct Decoder {
        std::array<torch::nn::ConvTranspose2d, kLevels> up{{nullptr, nullptr, nullptr, nullptr}};
        std::array<Pair, kLevels> join;
        torch::nn::Conv2d head{nullptr};
    };
    Pair add_pair(torch::nn::Module& owner, int64_t in, int64_t middle, int64_t out,
                  double dropout) const;
    Decoder add_decoder(const std::string& name);
    at::Tensor twice(Pair& pair, const at::Tensor& x) const;
    at::Tensor decode(Decoder& decoder, const std::array<at::Tensor, kLevels>& maps,
                      const at::Tensor& bottom) const;

    int64_t base_;
    std::array<Pair, kLevels> down_;
    Pair bottom_;
    Decoder segmentation_, distance_;
};

}  // namespace wsi::nn
