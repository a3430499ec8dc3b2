#pragma once

#include <memory>
#include <string>

#include "model/nn/network_runner.h"
#include "model/segmenter.h"

namespace wsi::nn {

/// A network from a weights file of ours. In float32 on the CPU every tile is its own forward pass
/// in one torch thread. On a CUDA device one thread runs passes of model.batch tiles; tiles that
/// reach beyond the slide, and so are smaller, form passes of their own. Either way a tile's maps
/// depend neither on its batch nor on how many workers run.
///
/// What a tile is: model.tile_px, by default 512 px, and a halo of 64 without an encoder; with
/// one, the square that one embedding shows, less a halo of 32: the patch of training
/// (network.context = tile), or a field (field), which the network then sees in parts the size of
/// that patch. Fields are tiles, and so fixed on the work frame: each is embedded once, whatever
/// the order.
class NetworkSegmenter final : public Segmenter {
public:
    /// Throws Error{Checkpoint} when the file's architecture or preprocessing is not known here, or
    /// its encoder is not the one it learned with; Error{Config} for a tile size that it cannot
    /// have; Error{Device} when the device has not the memory for a pass.
    NetworkSegmenter(const std::string& weights, const ModelConfig& config,
                     const Execution& execution = {});
    const InputSpec& input_spec() const override { return spec_; }
    int max_concurrency() const override;
    int64_t working_bytes() const override;
    int64_t shared_bytes() const override;
    bool owns_thread() const override { return !runner_->execution().on_cpu(); }
    void segment(std::span<TileSlot* const> batch, std::span<const double> slide_params) override;

    /// What the encoder says about a tile; undefined when there is none.
    at::Tensor embedding_of(const TileSlot& slot) const;
    /// Fills a tile's maps as if the encoder had said `embedding` about it.
    void fill_maps(TileSlot& slot, const at::Tensor& embedding) const;

private:
    ConstRgbView seen(const TileSlot& slot) const;
    Picture picture_of(TileSlot& slot, const at::Tensor& embedding) const;
    void check_memory() const;
    InputSpec spec_;
    std::unique_ptr<const NetworkRunner> runner_;
};

}  // namespace wsi::nn
