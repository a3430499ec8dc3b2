#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "io/weights_file.h"
#include "model/nn/blocks.h"
#include "model/nn/foreign_network.h"
#include "model/nn/sam_encoder.h"

namespace wsi::nn {

/// Shape of a CellViT, all of it told by a checkpoint's tensors.
struct CellVitOptions {
    SamOptions encoder;      ///< of a ViT-256 encoder: dim, depth, heads and image_px alone
    bool sam = true;         ///< SAM's encoder; else a plain ViT with a class token (ViT-256)
    int64_t types = 6;       ///< classes and background
    int64_t binary = 2;      ///< channels of the nucleus head; 4 when trained with regression loss
    int64_t positions = 14;  ///< ViT: side of the table of positions that was trained
};

/// Plain vision transformer with a class token (DINO's ViT-S as HIPT trained it); names of the
/// published code (cellvit 1.0.9, models/base/vision_transformer.py).
class VitEncoderImpl : public torch::nn::Module {
public:
    explicit VitEncoderImpl(const CellVitOptions& options);
    /// images [N, 3, S, S] → tokens [N, D, S / 16, S / 16] after each of the given blocks, from 1.
    std::vector<at::Tensor> tokens_after(const at::Tensor& images,
                                         const std::vector<int64_t>& blocks);

private:
    struct Block {
        torch::nn::LayerNorm norm1{nullptr}, norm2{nullptr};
        torch::nn::Linear qkv{nullptr}, proj{nullptr}, fc1{nullptr}, fc2{nullptr};
    };
    at::Tensor attend(Block& block, const at::Tensor& x) const;
    at::Tensor positions(int64_t grid) const;

    int64_t dim_, heads_, trained_grid_;
    at::Tensor cls_token_, pos_embed_;
    torch::nn::Conv2d patches_{nullptr};
    std::vector<Block> blocks_;
};
TORCH_MODULE(VitEncoder);

/// CellViT (Hörst et al. 2024; cellvit 1.0.9, models/cell_segmentation/cellvit.py): an encoder
/// whose tokens after four blocks feed three UNETR-style decoders with shared skip connections.
class CellVitImpl : public torch::nn::Module {
public:
    explicit CellVitImpl(const CellVitOptions& options);
    struct Logits {
        at::Tensor np;  ///< [N, 2, S, S] background, nucleus
        at::Tensor hv;  ///< [N, 2, S, S] horizontal, vertical
        at::Tensor tp;  ///< [N, types, S, S]
    };
    /// images [N, 3, S, S] float32, normalised as in training, S = options.encoder.image_px
    Logits forward(const at::Tensor& images);
    /// Batch norm into convolutions; for inference.
    void fold_batch_norm();

private:
    /// Doubles the size, then conv3x3, batch norm, ReLU.
    struct Deconv {
        torch::nn::ConvTranspose2d up{nullptr};
        ConvBnAct conv;
    };
    using Deconvs = std::vector<Deconv>;
    /// Some ConvBnAct and a last layer without norm.
    struct Upsampler {
        std::vector<ConvBnAct> convs;
        torch::nn::ConvTranspose2d up{nullptr};
    };
    struct Branch {
        torch::nn::ConvTranspose2d bottleneck{nullptr};
        std::array<Upsampler, 3> stages;  // of 1/8, 1/4, 1/2 of the size
        std::vector<ConvBnAct> convs;
        torch::nn::Conv2d head{nullptr};
    };
    Deconvs add_deconvs(const std::string& name, const std::vector<int64_t>& widths);
    Branch add_branch(const std::string& name, int64_t out);
    static at::Tensor run(Deconvs& deconvs, at::Tensor x);
    static at::Tensor decode(Branch& branch, const std::array<at::Tensor, 5>& skips);
    std::vector<at::Tensor> encode(const at::Tensor& images);

    CellVitOptions options_;
    SamEncoder sam_{nullptr};
    VitEncoder vit_{nullptr};
    int64_t bottleneck_;
    std::vector<ConvBnAct> decoder0_;
    Deconvs decoder1_, decoder2_, decoder3_;
    std::array<Branch, 3> branches_;  // nucleus, offsets, types
};
TORCH_MODULE(CellVit);

/// Do the tensors' names say CellViT?
bool is_cellvit(const WeightsFile& file);

/// The network that a checkpoint's tensors are of, with an input of image_px, filled with them.
/// Throws Error{Checkpoint}.
CellVit cellvit_from(StateDict tensors, int64_t image_px, const std::string& path);

/// From a published checkpoint. Its settings give the colours' normalisation.
std::unique_ptr<ForeignNetwork> open_cellvit(const std::string& path);

}  // namespace wsi::nn
