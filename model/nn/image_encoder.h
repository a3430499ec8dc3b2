#pragma once

#include "model/nn/torch.h"

namespace wsi::nn {

/// A frozen image encoder of the SAM family. Call it without gradients.
class ImageEncoder : public torch::nn::Module {
public:
    /// images [N, 3, S, S] float32 as its own preprocessing makes them
    /// → embedding [N, E, S / 16, S / 16]
    virtual at::Tensor forward(const at::Tensor& images) = 0;
    /// Memory of one running forward() on one image, weights not counted.
    virtual int64_t working_bytes() const = 0;
    /// Batch norm into convolutions, where there is any; once the weights are there.
    virtual void fold_batch_norm() {}
};

}  // namespace wsi::nn
