#pragma once

#include <memory>
#include <span>
#include <vector>

#include "io/types/idle_workers.h"
#include "io/types/image.h"
#include "model/nn/context_encoder.h"
#include "model/nn/execution.h"
#include "model/nn/network.h"
#include "model/nn/network_pass.h"

namespace wsi::nn {

/// A network, with its frozen encoder if it is a fused one, on pictures of any size: what a slide
/// and the development images of a training run have in common. Thread-safe.
class NetworkRunner {
public:
    /// part_px > 0: pictures are shown in parts of this side, with kPartHaloPx around each, blended
    /// over it; a multiple of 16. 0: whole. classes: how many channels of the network are classes'.
    /// Network and encoder are on the execution's device.
    NetworkRunner(std::shared_ptr<Network> network, std::shared_ptr<const ContextEncoder> context,
                  int part_px, const Execution& execution = {}, int64_t classes = 0);
    static constexpr int kPartHaloPx = 32;
    /// Undefined for a network that is not fused. rgb: at most the encoder's view.
    at::Tensor embed(ConstRgbView rgb) const;
    /// Fills the maps of all pictures from what they show and their embeddings, as many at once as
    /// the execution says: those of one size together, the last pass of a size filled up with
    /// nothing. What a picture gets depends on no other.
    void maps(std::span<const Picture> pictures) const;
    /// The same of one picture, probability and distance alone.
    void maps(ConstRgbView rgb, const at::Tensor& embedding, GrayView probability,
              GrayView distance) const;
    /// Memory of embed() and maps() on square pictures, as many as a pass takes: what the process
    /// takes on a CPU, the device elsewhere.
    int64_t working_bytes(int64_t side_px) const;
    int64_t weights_bytes() const;
    const Execution& execution() const { return pass_.execution(); }

private:
    struct Parts;
    void whole_pictures(std::span<const Picture> pictures) const;
    void blended_parts(const Picture& picture, Parts& memory) const;
    std::shared_ptr<Network> network_;
    std::shared_ptr<const ContextEncoder> context_;
    int part_px_;
    NetworkPass pass_;
    std::shared_ptr<IdleWorkers<Parts>> parts_;
};

}  // namespace wsi::nn
