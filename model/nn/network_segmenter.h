#pragma once

#include <string>

#include "model/nn/networks.h"
#include "model/segmenter.h"

namespace wsi::nn {

/// A network from a weights file of ours. On the CPU every tile is its own forward pass in one
/// torch thread, so that a tile's maps depend neither on its batch nor on how many workers run.
class NetworkSegmenter final : public Segmenter {
public:
    /// Throws Error{Checkpoint} when the file's architecture or preprocessing is not known here.
    explicit NetworkSegmenter(const std::string& weights);
    const InputSpec& input_spec() const override { return spec_; }
    int64_t working_bytes() const override;
    void segment(std::span<TileSlot* const> batch, std::span<const double> slide_params) override;

private:
    void segment_tile(TileSlot& slot);
    InputSpec spec_;
    UNet3Plus network_{nullptr};
};

}  // namespace wsi::nn
