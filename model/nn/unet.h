#pragma once

#include <array>

#include "model/nn/blocks.h"
#include "model/nn/network.h"

namespace wsi::nn {

struct UNetOptions {
    int64_t base = 64;            ///< b: widths b·(1, 2, 4, 8, 16)
    int64_t classes = 1;          ///< channels of the segmentation head
    bool distance = false;        ///< a second head: per-nucleus normalised distance
    bool sharp = false;           ///< Sharp U-Net: skips pass a fixed sharpening filter
    bool pyramid = false;         ///< ASPPU-Net: an atrous pyramid at the bottleneck
    bool gated = false;           ///< DEAU: a second encoder, of haematoxylin, gates the skips
    int64_t nucleus_classes = 0;  ///< channels of a head that tells nuclei apart
};

/// Four 3x3 convolutions of dilation 1, 6, 12 and 18 with a quarter of the channels each, batch
/// norm, ReLU; a 1x1 over all of them, batch norm, ReLU. [N, C, H, W] → the same shape.
class AtrousPyramidImpl : public torch::nn::Module {
public:
    explicit AtrousPyramidImpl(int64_t channels);
    at::Tensor forward(const at::Tensor& x);

private:
    std::array<torch::nn::Conv2d, 4> convolutions_{{nullptr, nullptr, nullptr, nullptr}};
    std::array<BatchNorm, 4> norms_{{nullptr, nullptr, nullptr, nullptr}};
    torch::nn::Conv2d project_{nullptr};
    BatchNorm project_norm_{nullptr};
};

/// Additive attention gate (Oktay et al. 2018), skip and signal of equal shape.
class AttentionGateImpl : public torch::nn::Module {
public:
    explicit AttentionGateImpl(int64_t channels);
    at::Tensor forward(const at::Tensor& skip, const at::Tensor& signal);

private:
    torch::nn::Conv2d skip_, signal_, score_;
};

/// U-Net (Ronneberger et al. 2015) with padding and batch norm, transposed convolutions up, and the
/// variants of it that UNetOptions names; what they leave open is in docs/models.md.
class UNetImpl : public Network {
public:
    explicit UNetImpl(const UNetOptions& options);
    at::Tensor forward(const at::Tensor& images, const at::Tensor& embedding) override;
    using Network::forward;
    void fold_batch_norm() override;
    void prepare_for_inference() override;
    int64_t packed_bytes() const override;
    /// At the finest stage: skip, upsampled map, both joined, a convolution's result and workspace,
    /// and the coarser encoder maps; the second encoder's maps.
    int64_t peak_channels() const override { return (options_.gated ? 16 : 10) * options_.base; }

private:
    static constexpr size_t kScales = 5, kSkips = 4;
    std::array<at::Tensor, kSkips> stain_gates(const at::Tensor& images);
    at::Tensor skip_of(size_t scale, const at::Tensor& map, const at::Tensor& gate,
                       const at::Tensor& signal);
    std::vector<DoubleConv> blocks() const;

    UNetOptions options_;
    std::array<DoubleConv, kScales> down_{{nullptr, nullptr, nullptr, nullptr, nullptr}};
    std::array<torch::nn::ConvTranspose2d, kSkips> up_{{nullptr, nullptr, nullptr, nullptr}};
    std::array<DoubleConv, kSkips> join_{{nullptr, nullptr, nullptr, nullptr}};
    std::array<DoubleConv, kSkips> stain_{{nullptr, nullptr, nullptr, nullptr}};
    std::array<torch::nn::Conv2d, kSkips> stain_gate_{{nullptr, nullptr, nullptr, nullptr}};
    std::array<std::shared_ptr<AttentionGateImpl>, kSkips> attention_;
    std::shared_ptr<AtrousPyramidImpl> pyramid_;
    torch::nn::Conv2d head_{nullptr}, distance_head_{nullptr}, class_head_{nullptr};
};

/// [N, 3, H, W] RGB / 255 → [N, 1, H, W] ≥ 0: haematoxylin's share of the optical density, by least
/// squares on Macenko's reference vectors (torchstain's HERef, white 240).
at::Tensor haematoxylin(const at::Tensor& images);

}  // namespace wsi::nn
