#pragma once

#include "io/result_store.h"
#include "model/segmenter.h"

namespace wsi {

/// Answers with the maps that a finished result kept: a run from which everything after the network
/// is done again. One thread: HDF5 is read.
class KeptMapsSegmenter final : public Segmenter {
public:
    /// tile_px, halo_px: of the run that made the result, so that the same blocks of the slide are
    /// read. Throws Error{Config} when the result kept no maps.
    KeptMapsSegmenter(const std::string& result, int tile_px, int halo_px);
    const InputSpec& input_spec() const override { return spec_; }
    int max_concurrency() const override { return 1; }
    void segment(std::span<TileSlot* const> batch, std::span<const double>) override;

private:
    ResultReader result_;
    InputSpec spec_;
    GrayImage part_;
};

}  // namespace wsi
