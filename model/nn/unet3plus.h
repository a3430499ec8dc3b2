#pragma once

#include <array>
#include <map>
#include <string>

#include "model/nn/blocks.h"
#include "model/nn/fusion.h"
#include "model/nn/network.h"
#include "model/nn/unet3plus_plan.h"

namespace wsi::nn {

enum class ActivationPlace { Encoder, All };

struct UNet3PlusOptions {
    int64_t base = 64;    ///< b: encoder widths b·(1, 2, 4, 8, 16), every decoder branch b
    int64_t classes = 1;  ///< channels of the segmentation head
    Activation activation = Activation::Relu;
    ActivationPlace place = ActivationPlace::Encoder;  ///< the decoder has ReLU elsewhere
    bool blur_pool = false;              ///< max-blur pooling between encoder stages (eU-Net3+)
    double dropout = 0;                  ///< of whole channels of the bottleneck, while training
    bool distance = false;               ///< a second head: per-nucleus normalised distance
    FusionOptions fusion = no_fusion();  ///< at the bottleneck, before its dropout
    bool deep_supervision = false;       ///< a head on every scale: supervised()
    bool classification = false;  ///< says whether there is a nucleus at all; 0 silences all heads
    int64_t nucleus_classes = 0;  ///< channels of a head that tells nuclei apart
};

/// U-Net 3+ (Huang et al. 2020) and eU-Net3+ (Swain et al. 2024): every decoder stage joins all
/// five scales. Parameter names are those of the published code (ZJUGiveLab/UNet-Version).
class UNet3PlusImpl : public Network {
public:
    explicit UNet3PlusImpl(const UNet3PlusOptions& options);
    /// images [N, 3, H, W] float32 or bfloat16, RGB / 255, H and W multiples of 16
    /// → logits [N, classes (+ 1: distance) (+ nucleus_classes), H, W].
    at::Tensor forward(const at::Tensor& images, const at::Tensor& embedding) override;
    at::Tensor forward_in(at::Tensor& storage, const at::Tensor& images,
                          const at::Tensor& embedding) override;
    using Network::forward;
    /// The five encoder maps, finest first; the last is the bottleneck [N, 16 b, H/16, W/16].
    std::array<at::Tensor, 5> encode(const at::Tensor& images);
    /// Decoder and heads on the encoder's maps.
    at::Tensor decode(const std::array<at::Tensor, 5>& maps);
    /// With deep supervision all five scales, finest first, each brought to the images' size: what
    /// the published code's full-scale losses see.
    Supervised supervised(const at::Tensor& images, const at::Tensor& embedding) override;
    bool wants_embedding() const override { return fusion_ != nullptr; }
    void open_gates() override;
    void fold_batch_norm() override;
    /// Folds, and packs the weights for kernels of our own (UNet3PlusPlan): from then on float32 on
    /// the CPU goes through them, in one thread. A decoder that has no ReLU stays with LibTorch.
    void prepare_for_inference() override;
    int64_t packed_bytes() const override { return plan_ ? plan_->bytes() : 0; }
    /// With a plan: all encoder and decoder maps, halved from scale to scale, the concatenation,
    /// and images and logits. LibTorch's at the finest decoder stage: two encoder maps, five
    /// branches, their concatenation and the convolution's result and workspace.
    int64_t peak_channels() const override {
        return plan_ ? 15 * options_.base + 32 : 24 * options_.base;
    }
    const UNet3PlusOptions& options() const { return options_; }
    /// Its layers, counted from 0 (finest).
    const DoubleConvImpl& encoder(size_t scale) const { return *encoder_[scale]; }
    const ConvBnAct& branch(size_t stage, size_t scale) const {
        return stages_[stage].branches[scale];
    }
    const ConvBnAct& fusion(size_t stage) const { return stages_[stage].fusion; }
    /// Weights and biases of all heads of the finest scale, one after the other.
    std::pair<at::Tensor, at::Tensor> heads() const;

private:
    static constexpr int kScales = 5;
    struct Stage {
        std::array<ConvBnAct, kScales> branches;
        ConvBnAct fusion;
    };
    void add_stage(int stage);
    at::Tensor branch_input(const std::array<at::Tensor, 5>& encoded,
                            const std::array<at::Tensor, 5>& decoded, int stage, int scale) const;

    std::array<at::Tensor, 5> fused(const at::Tensor& images, const at::Tensor& embedding);
    std::array<at::Tensor, 5> decoded(const std::array<at::Tensor, 5>& maps);
    at::Tensor finest_logits(const at::Tensor& finest, const at::Tensor& presence);
    at::Tensor presence(const at::Tensor& bottleneck);
    bool planned(const at::Tensor& x) const;

    UNet3PlusOptions options_;
    std::shared_ptr<const UNet3PlusPlan> plan_;
    std::array<DoubleConv, kScales> encoder_{{nullptr, nullptr, nullptr, nullptr, nullptr}};
    std::array<Stage, kScales - 1> stages_;
    torch::nn::Conv2d head_{nullptr}, distance_head_{nullptr}, class_head_{nullptr},
        classifier_{nullptr};
    std::array<torch::nn::Conv2d, kScales - 1> coarser_heads_{{nullptr, nullptr, nullptr, nullptr}};
    std::shared_ptr<FusionBlock> fusion_;
};
TORCH_MODULE(UNet3Plus);

}  // namespace wsi::nn
