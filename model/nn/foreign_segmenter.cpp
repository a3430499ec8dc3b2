#include "model/nn/foreign_segmenter.h"

#include <array>
#include <cstdlib>

#include "model/nn/tensors.h"
#include "model/nn/translated.h"

namespace wsi::nn {

ForeignSegmenter::ForeignSegmenter(std::unique_ptr<ForeignNetwork> network)
    : network_(std::move(network)), spec_(network_->spec()), offset_distance_(spec_.mpp.value) {
    const int needed = network_->margin_px() + spec_.feather_px;
    if (spec_.halo_px < needed)
        fail(ErrorKind::Config, spec_.name, ": halo_px = ", spec_.halo_px,
             " is too small: the network's maps begin ", network_->margin_px(),
             " px inside its input, and feather_px = ", spec_.feather_px, "; at least ", needed,
             " is needed");
}

namespace {

/// Indices [side] into n pixels whose first one stands at `begin`, mirrored beyond both ends.
at::Tensor mirrored_indices(int64_t begin, int64_t n, int64_t side) {
    at::Tensor indices = at::empty({side}, at::kLong);
    auto* out = indices.data_ptr<int64_t>();
    const int64_t period = std::max<int64_t>(1, 2 * (n - 1));
    for (int64_t i = 0; i < side; ++i) {
        const int64_t at = ((i - begin) % period + period) % period;
        out[i] = std::min(at, period - at);
    }
    if (n == 1) indices.zero_();
    return indices;
}

/// [h, w] float32 in 0..1 into the middle of a map; its rim is 0.
void write_map(const at::Tensor& values, int64_t margin, GrayView out) {
    const at::Tensor bytes = values.clamp(0, 1).mul_(255).round_().to(at::kByte).contiguous();
    const int64_t width = bytes.size(1), height = bytes.size(0);
    copy_pixels(ConstGrayView{bytes.const_data_ptr<uint8_t>(), width, height, width},
                out.crop({margin, margin, width, height}));
}

ImageView<const float> view_of(const at::Tensor& map) {
    return {map.const_data_ptr<float>(), map.size(1), map.size(0), map.size(1)};
}

}  // namespace

at::Tensor mirrored_square(ConstRgbView pixels, const PixelRect& inside, int64_t side) {
    const std::array<ConstRgbView, 1> view{pixels.crop(inside)};
    const at::Tensor images = to_images(view);
    if (inside.width == side && inside.height == side) return images.contiguous();
    return images.index_select(2, mirrored_indices(inside.y, inside.height, side))
        .index_select(3, mirrored_indices(inside.x, inside.width, side))
        .contiguous();
}

void ForeignSegmenter::segment_tile(TileSlot& slot) const {
    const RgbImage& rgb = spec_.normalised ? slot.normalised : slot.rgb;
    const PixelRect whole{0, 0, rgb.width(), rgb.height()};
    const ForeignMaps maps = (*network_)(
        mirrored_square(rgb.view(), slot.inside.empty() ? whole : slot.inside, rgb.width()));
    const int64_t margin = network_->margin_px();
    for (const size_t map : spec_.maps()) slot.maps[map].fill(0);
    write_map(maps.probability, margin, slot.maps[kProbability]);
    if (maps.distance.defined()) write_map(maps.distance, margin, slot.maps[kDistance]);
    if (maps.offsets.defined()) {
        const at::Tensor offsets = maps.offsets.contiguous();
        offset_distance_(view_of(offsets[0]), view_of(offsets[1]),
                         slot.maps[kDistance].view().crop(whole.grown(static_cast<int>(-margin))));
    }
    for (size_t c = 0; c < spec_.classes.size(); ++c)
        write_map(maps.classes[static_cast<int64_t>(c)], margin, slot.maps[kFirstClass + c]);
}

void ForeignSegmenter::segment(std::span<TileSlot* const> batch, std::span<const double>) {
    translated([&] {
        const c10::InferenceMode inference;
        at::set_num_threads(1);
        for (TileSlot* slot : batch) segment_tile(*slot);
    });
}

}  // namespace wsi::nn
