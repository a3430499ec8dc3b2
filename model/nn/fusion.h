#pragma once

#include <string>

#include "model/nn/torch.h"

namespace wsi::nn {

/// How a frozen encoder's embedding enters the network at its bottleneck.
enum class Fusion {
    None,    ///< no embedding
    Concat,  ///< concatenation, 1x1 convolution, batch norm, ReLU: the paper's row "without GFB"
    EfbR,    ///< as the authors coded it (models.md 4.2)
    EfbP,    ///< the paper's reading (4.3): gates on the fused features
    EfbX     ///< spatial cross-attention (4.4): the network asks, SAM answers
};

struct FusionOptions {
    Fusion kind = Fusion::EfbP;
    int64_t channels = 512;  ///< Cu of the bottleneck
    int64_t embedding_channels = 256;
    bool residual = true;            ///< EfbP, EfbX: out = U + gamma · attention
    bool norm = true;                ///< EfbP, EfbX: layer norm before attention
    bool queries_from_unet = false;  ///< EfbP: Q = LN(U) instead of LN(G)
};

/// The paper's words taken literally: one path, no residual, no norm.
FusionOptions literal_efb(int64_t channels);
FusionOptions no_fusion();

/// Enhanced Fusion Block (Swain et al. 2024) in its readings, before channel dropout.
class FusionBlock : public torch::nn::Module {
public:
    /// bottleneck U [N, Cu, h, w], embedding E [N, 256, H, W] with H, W multiples of h, w by a
    /// power of two → [N, Cu, h, w]
    virtual at::Tensor forward(const at::Tensor& bottleneck, const at::Tensor& embedding) = 0;
    /// Lets gates start near 0.9, where a plain GLU would start near 0.
    virtual void open_gates() {}
};

/// Null for Fusion::None.
std::shared_ptr<FusionBlock> make_fusion(const FusionOptions& options);

}  // namespace wsi::nn
