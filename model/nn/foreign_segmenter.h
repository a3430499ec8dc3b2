#pragma once

#include <memory>

#include "model/nn/foreign_network.h"
#include "stages/offset_maps.h"

namespace wsi::nn {

/// Takes a network of another program through the pipeline. Every tile is its own forward pass in
/// one torch thread, so that its maps depend neither on its batch nor on how many workers run.
/// Where a tile leaves the slide the network sees the slide mirrored, as such networks were
/// trained.
class ForeignSegmenter final : public Segmenter {
public:
    /// Throws Error{Config} when the network's margin does not fit into its halo.
    explicit ForeignSegmenter(std::unique_ptr<ForeignNetwork> network);
    const InputSpec& input_spec() const override { return spec_; }
    int64_t working_bytes() const override { return network_->working_bytes(); }
    int64_t shared_bytes() const override { return network_->weights_bytes(); }
    void segment(std::span<TileSlot* const> batch, std::span<const double>) override;

private:
    void segment_tile(TileSlot& slot) const;
    std::unique_ptr<ForeignNetwork> network_;
    const InputSpec spec_;
    const OffsetDistance offset_distance_;
};

/// The part `inside` of a square of `side` pixels, continued to the whole by mirroring at its ends
/// (the end's own pixel is not repeated): [1, 3, side, side] float32, RGB / 255.
at::Tensor mirrored_square(ConstRgbView pixels, const PixelRect& inside, int64_t side);

}  // namespace wsi::nn
