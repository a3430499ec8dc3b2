#pragma once

#include <array>
#include <memory>
#include <vector>

#include "io/weights_file.h"
#include "model/nn/foreign_network.h"

namespace wsi::nn {

/// "fast" pads its first convolution and has 3x3 kernels in the decoder (the PanNuke and MoNuSAC
/// weights); "original" has neither (CoNSeP, Kumar, CPM17).
enum class HoverNetMode { Fast, Original };

struct HoverNetOptions {
    HoverNetMode mode = HoverNetMode::Fast;
    int64_t types = 0;  ///< classes and background; 0 = no type branch
    int64_t base = 64;  ///< channels of the first convolution; all others are multiples of it
};

/// HoVer-Net (Graham et al. 2019; vqdang/hover_net, models/hovernet/net_desc.py). Names of
/// parameters are the published ones, slashes and all.
class HoverNetImpl : public torch::nn::Module {
public:
    explicit HoverNetImpl(const HoverNetOptions& options);
    struct Logits {
        at::Tensor np;  ///< [N, 2, h, h] background, nucleus
        at::Tensor hv;  ///< [N, 2, h, h] horizontal, vertical
        at::Tensor tp;  ///< [N, types, h, h]; undefined without types
    };
    /// images [N, 3, S, S] float32, RGB / 255; S = 8 k (fast) or 8 k + 6 → h = S - 2 margin_px().
    Logits forward(const at::Tensor& images);
    static int margin_px(HoverNetMode mode) { return mode == HoverNetMode::Fast ? 46 : 95; }

private:
    struct ResidualUnit {
        torch::nn::BatchNorm2d before{nullptr}, after1{nullptr}, after2{nullptr};
        torch::nn::Conv2d conv1{nullptr}, conv2{nullptr}, conv3{nullptr};
        int64_t stride = 1;
    };
    struct ResidualBlock {
        std::vector<ResidualUnit> units;
        torch::nn::Conv2d shortcut{nullptr};
        torch::nn::BatchNorm2d after{nullptr};
    };
    struct DenseBlock {
        struct Unit {
            torch::nn::BatchNorm2d before{nullptr}, between{nullptr};
            torch::nn::Conv2d conv1{nullptr}, conv2{nullptr};
        };
        std::vector<Unit> units;
        torch::nn::BatchNorm2d after{nullptr};
    };
    struct DecoderStage {
        torch::nn::Conv2d first{nullptr}, last{nullptr};
        DenseBlock dense;
    };
    struct Branch {
        DecoderStage u3, u2;
        torch::nn::Conv2d u1{nullptr}, head{nullptr};
        torch::nn::BatchNorm2d norm{nullptr};
    };
    ResidualBlock add_residual(const std::string& name, int64_t in, int64_t middle, int units,
                               int64_t stride);
    DenseBlock add_dense(torch::nn::Module& owner, int64_t in, int units) const;
    DecoderStage add_stage(torch::nn::Module& owner, const std::string& name, int64_t in,
                           int64_t out, int units) const;
    Branch add_branch(torch::nn::Module& decoder, const std::string& name, int64_t out) const;
    static at::Tensor run(ResidualBlock& block, at::Tensor x);
    static at::Tensor run(DenseBlock& block, at::Tensor x);
    static at::Tensor run(DecoderStage& stage, const at::Tensor& x);
    at::Tensor decode(Branch& branch, const std::array<at::Tensor, 4>& encoded);

    HoverNetOptions options_;
    int64_t kernel_;  ///< of the decoder
    torch::nn::Conv2d first_{nullptr}, bottom_{nullptr};
    torch::nn::BatchNorm2d first_norm_{nullptr};
    std::array<ResidualBlock, 4> encoder_;
    Branch np_, hv_, tp_;
};
TORCH_MODULE(HoverNet);

/// Do the tensors' names say HoVer-Net?
bool is_hovernet(const WeightsFile& file);

/// From a published checkpoint (what lies under "desc"): mode and number of types are told by the
/// tensors. Throws Error{Checkpoint} when they do not fit.
std::unique_ptr<ForeignNetwork> open_hovernet(const std::string& path);

}  // namespace wsi::nn
