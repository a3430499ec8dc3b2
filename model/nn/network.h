#pragma once

#include <vector>

#include "model/nn/torch.h"

namespace wsi::nn {

/// What a network says in training.
struct Supervised {
    /// forward()'s logits, and after them those of coarser scales' heads, [N, 2, H, W] each.
    std::vector<at::Tensor> scales;
    /// [N, 2] logits of "no nucleus" and "a nucleus" in the image; undefined where nothing says so.
    at::Tensor presence;
};

/// A network that is trained here: images, and for fused ones a frozen encoder's embedding, to
/// logits. What the pipeline, the trainer and the `model` commands know of it.
class Network : public torch::nn::Module {
public:
    /// images [N, 3, H, W] float32 or bfloat16, RGB / 255, H and W multiples of side_multiple();
    /// embedding [N, E, h, w] of the same pixels when wants_embedding(), else undefined
    /// → logits [N, 2 (+ 1) (+ K), H, W]: background, nucleus (, distance) (, classes of nuclei).
    virtual at::Tensor forward(const at::Tensor& images, const at::Tensor& embedding) = 0;
    at::Tensor forward(const at::Tensor& images) { return forward(images, {}); }
    /// The same, in `storage` where the network can (maps_in(), tensors.h).
    virtual at::Tensor forward_in(at::Tensor& /*storage*/, const at::Tensor& images,
                                  const at::Tensor& embedding) {
        return forward(images, embedding);
    }
    /// What training compares with the truth.
    virtual Supervised supervised(const at::Tensor& images, const at::Tensor& embedding) {
        return {{forward(images, embedding)}, {}};
    }
    virtual bool wants_embedding() const { return false; }
    /// Parameters that must not start where initialise() (blocks.h) puts them.
    virtual void open_gates() {}
    virtual int64_t side_multiple() const { return 16; }
    /// Batch norm into convolutions where that can be done; for inference.
    virtual void fold_batch_norm() {}
    /// Once, after the weights are there: whatever makes forward() fast, fold_batch_norm()
    /// included.
    virtual void prepare_for_inference() { fold_batch_norm(); }
    /// Memory of copies of the weights that prepare_for_inference() made.
    virtual int64_t packed_bytes() const { return 0; }
    /// float32 values per input pixel that are alive at once at the worst moment of forward()
    /// without gradients; sizes the memory plan.
    virtual int64_t peak_channels() const = 0;
};

}  // namespace wsi::nn
