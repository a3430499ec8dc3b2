#pragma once

#include <functional>
#include <memory>

#include "model/segmenter.h"
#include "tests/support/planted.h"

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
            GrayImage unused(rect.width, rect.height);
            paint_(rect, slot->maps[kProbability],
                   spec_.distance ? slot->maps[kDistance].view() : unused.view());
            for (size_t c = 0; c < spec_.classes.size(); ++c)
                paint_(rect.moved(kClassStep * (static_cast<int64_t>(c) + 1), 0), unused,
                       slot->maps[kFirstClass + c]);
        }
    }
    /// A class's map is the distance map this many pixels to the right, times its number.
    static constexpr int64_t kClassStep = 1009;
    /// Called before each tile, by any thread: to throw or to count.
    void before_tile(std::function<void()> hook) { before_ = std::move(hook); }

private:
    InputSpec spec_;
    MapPainter paint_;
    FakeKind kind_;
    std::function<void()> before_;
};

/// Of a fake segmenter with tiles of this geometry.
InputSpec fake_spec(int core_px, int halo_px, int feather_px);

/// Makes segmenters that find exactly what was planted, on a slide of twice the work resolution.
/// The nuclei must live as long as they do.
std::function<std::unique_ptr<Segmenter>()> finds(const PlantedNuclei& planted, InputSpec spec);

/// A mask that is one single component over everything, with a bumpy distance map: nothing about it
/// is local but what the rules make local.
MapPainter percolating_maps();

}  // namespace wsi::test
