#pragma once

#include <functional>

#include "model/segmenter.h"

namespace wsi::test {

/// Paints the maps of a work-frame rectangle.
using MapPainter =
    std::function<void(const PixelRect& rect_work, GrayView probability, GrayView distance)>;

enum class FakeKind { Host, Device };

/// A segmenter that answers from a painter instead of the pixels, at any tile geometry.
class FakeSegmenter final : public Segmenter {
public:
    FakeSegmenter(InputSpec spec, MapPainter paint, FakeKind kind = FakeKind::Host)
        : spec_(std::move(spec)), paint_(std::move(paint)), kind_(kind) {}
    const InputSpec& input_spec() const override { return spec_; }
    bool owns_thread() const override { return kind_ == FakeKind::Device; }
    void segment(std::span<TileSlot* const> batch, std::span<const double>) override {
        for (TileSlot* slot : batch) {
            if (before_) before_();
            const PixelRect rect =
                PixelRect{int64_t{slot->tile.column} * spec_.core_px,
                          int64_t{slot->tile.row} * spec_.core_px, spec_.core_px, spec_.core_px}
                    .grown(spec_.halo_px);
            paint_(rect, slot->maps[kProbability], slot->maps[kDistance]);
        }
    }
    /// Called before each tile, by any thread: to throw or to count.
    void before_tile(std::function<void()> hook) { before_ = std::move(hook); }

private:
    InputSpec spec_;
    MapPainter paint_;
    FakeKind kind_;
    std::function<void()> before_;
};

/// A mask that is one single component over everything, with a bumpy distance map: nothing about it
/// is local but what the rules make local.
MapPainter percolating_maps();

}  // namespace wsi::test
