#pragma once

#include "model/nn/torch.h"
#include "model/segmenter.h"

namespace wsi::nn {

/// What a network of another program says about a square of pixels: float32 maps of one size [h,
/// w], or [k, h, w]. Undefined where it says nothing.
struct ForeignMaps {
    at::Tensor probability;  ///< of nucleus
    at::Tensor distance;     ///< 1 in the middle of a nucleus, 0 at its border
    at::Tensor offsets;      ///< [2, h, w] horizontal, vertical (stages/offset_maps.h)
    at::Tensor classes;      ///< [classes, h, w] probability of nucleus of that class
};

/// A network that other people trained, as the pipeline sees it. Calls from several threads.
class ForeignNetwork {
public:
    virtual ~ForeignNetwork() = default;
    /// Tile geometry and resolution that the network was made for; its input is spec.input_px().
    virtual const InputSpec& spec() const = 0;
    /// How far inside the input its maps begin, on every side.
    virtual int margin_px() const { return 0; }
    /// Memory of one call.
    virtual int64_t working_bytes() const = 0;
    virtual int64_t weights_bytes() const = 0;
    /// Whose layers can be listed; null when they are another program's.
    virtual const torch::nn::Module* module() const { return nullptr; }
    /// images [1, 3, S, S] float32, RGB / 255, S = spec().input_px() → maps of S - 2 margin_px().
    virtual ForeignMaps operator()(const at::Tensor& images) = 0;
};

/// Of parameters and statistics.
inline int64_t bytes_of(const torch::nn::Module& network) {
    size_t bytes = 0;
    for (const at::Tensor& p : network.parameters()) bytes += p.nbytes();
    for (const at::Tensor& b : network.buffers()) bytes += b.nbytes();
    return static_cast<int64_t>(bytes);
}

/// Softmax over channels [k, h, w].
inline at::Tensor softmax_of(const at::Tensor& logits) { return at::softmax(logits, 0); }

}  // namespace wsi::nn
