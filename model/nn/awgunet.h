#pragma once

#include <array>
#include <vector>

#include "model/nn/blocks.h"
#include "model/nn/network.h"

namespace wsi::nn {

/// Wavelet-guided channel attention (AWGUNET): a map weighted by what its Haar wavelets and its
/// channels say. [N, C, H, W], even H and W → the same shape.
class WaveletAttentionImpl : public torch::nn::Module {
public:
    explicit WaveletAttentionImpl(int64_t channels);
    at::Tensor forward(const at::Tensor& x);

private:
    /// A 1x1 convolution per channel, then one across channels.
    struct Separable {
        torch::nn::Conv2d depth{nullptr}, point{nullptr};
        at::Tensor operator()(const at::Tensor& x) { return point->forward(depth->forward(x)); }
    };
    Separable add_separable(const std::string& name, int64_t in, int64_t out);

    torch::nn::ConvTranspose2d raise_{nullptr};
    Separable wavelet_, direct_, score_;
    at::Tensor importance_;
    torch::nn::Linear squeeze_{nullptr}, excite_{nullptr};
};

/// AWGUNET (Roy et al. 2024, arXiv 2406.08425; AyushRoy2001/AWGUNET): DenseNet-121 encoder without
/// weights of ImageNet, wavelet attention on the skips, decoder with instance norm. Published with
/// base 64 (growth 32).
class AwgUNetImpl : public Network {
public:
    AwgUNetImpl(int64_t base, int64_t classes, bool distance);
    at::Tensor forward(const at::Tensor& images, const at::Tensor& embedding) override;
    using Network::forward;
    int64_t side_multiple() const override { return 32; }
    /// At the finest stage: two upsampled maps of 2·base, joined and once more as workspace, the
    /// first dense block at a quarter.
    int64_t peak_channels() const override { return 16 * base_; }

private:
    static constexpr size_t kBlocks = 3, kStages = 4;
    struct DenseLayer {
        BatchNorm norm1{nullptr}, norm2{nullptr};
        torch::nn::Conv2d conv1{nullptr}, conv2{nullptr};
    };
    struct NormedConv {
        torch::nn::Conv2d conv{nullptr};
        at::Tensor weight, bias;  ///< of instance norm
        at::Tensor operator()(const at::Tensor& x);
    };
    struct UpStage {
        torch::nn::Conv2d smooth{nullptr}, mix{nullptr};
        torch::nn::ConvTranspose2d raise{nullptr};
        std::shared_ptr<WaveletAttentionImpl> attention;
        NormedConv five, three, one, last;
    };
    int64_t add_encoder();
    static DenseLayer add_dense_layer(torch::nn::Module& owner, int64_t in, int64_t growth);
    static UpStage add_stage(torch::nn::Module& owner, int64_t in, int64_t skip, int64_t out);
    static at::Tensor run(UpStage& stage, const at::Tensor& x, const at::Tensor& skip);

    int64_t base_;
    torch::nn::Conv2d stem_{nullptr};
    BatchNorm stem_norm_{nullptr};
    std::array<std::vector<DenseLayer>, kBlocks> dense_;
    std::array<BatchNorm, kBlocks> norms_{{nullptr, nullptr, nullptr}};
    std::array<torch::nn::Conv2d, kBlocks - 1> shrink_{{nullptr, nullptr}};
    std::array<int64_t, kBlocks> skip_channels_{};
    std::shared_ptr<WaveletAttentionImpl> bridge_;
    std::array<UpStage, kStages> up_;
    torch::nn::Conv2d head_{nullptr}, distance_head_{nullptr};
};

}  // namespace wsi::nn
