#pragma once

#include <memory>

#include "io/types/image.h"
#include "model/nn/context_encoder.h"
#include "model/nn/network.h"

namespace wsi::nn {

/// A network, with its frozen encoder if it is a fused one, on pictures of any size: what a slide
/// and the development images of a training run have in common. Thread-safe.
class NetworkRunner {
public:
    /// part_px > 0: pictures are shown in parts of this side, with kPartHaloPx around each, blended
    /// over it; a multiple of 16. 0: whole.
    NetworkRunner(std::shared_ptr<Network> network, std::shared_ptr<const ContextEncoder> context,
                  int part_px);
    static constexpr int kPartHaloPx = 32;
    /// Undefined for a network that is not fused. rgb: at most the encoder's view.
    at::Tensor embed(ConstRgbView rgb) const;
    /// Fills probability and distance of the picture, uint8, from what it shows and `embedding`.
    void maps(ConstRgbView rgb, const at::Tensor& embedding, GrayView probability,
              GrayView distance) const;
    /// Memory of embed() and maps() on one square picture.
    int64_t working_bytes(int64_t side_px) const;
    int64_t weights_bytes() const;

private:
    void part_maps(ConstRgbView rgb, const at::Tensor& embedding, const PixelRect& rect,
                   GrayView probability, GrayView distance) const;
    std::shared_ptr<Network> network_;
    std::shared_ptr<const ContextEncoder> context_;
    int part_px_;
};

}  // namespace wsi::nn
