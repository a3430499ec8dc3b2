#include "model/nn/network_runner.h"

#include <algorithm>
#include <array>

#include "io/types/tile.h"
#include "model/nn/tensors.h"
#include "stages/blend.h"

namespace wsi::nn {

namespace {

/// Repeats the last row and column until the network's poolings divide the size.
at::Tensor padded(const at::Tensor& images, int64_t multiple) {
    const auto missing = [&](int64_t size) { return (multiple - size % multiple) % multiple; };
    return at::replication_pad2d(images, {0, missing(images.size(3)), 0, missing(images.size(2))});
}

}  // namespace

NetworkRunner::NetworkRunner(std::shared_ptr<Network> network,
                             std::shared_ptr<const ContextEncoder> context, int part_px)
    : network_(std::move(network)), context_(std::move(context)), part_px_(part_px) {
    WSI_CHECK(network_->wants_embedding() == (context_ != nullptr));
}

at::Tensor NetworkRunner::embed(ConstRgbView rgb) const {
    return context_ ? context_->embed(rgb) : at::Tensor();
}

void NetworkRunner::part_maps(ConstRgbView rgb, const at::Tensor& embedding, const PixelRect& rect,
                              GrayView probability, GrayView distance) const {
    const std::array<ConstRgbView, 1> view{rgb.crop(rect)};
    const at::Tensor seen = context_ ? context_->part(embedding, rect) : at::Tensor();
    const at::Tensor logits =
        network_->forward(padded(to_images(view), network_->side_multiple()), seen);
    to_maps(logits.narrow(2, 0, rect.height).narrow(3, 0, rect.width), probability, distance);
}

void NetworkRunner::maps(ConstRgbView rgb, const at::Tensor& embedding, GrayView probability,
                         GrayView distance) const {
    const PixelRect whole{0, 0, rgb.width, rgb.height};
    if (part_px_ == 0) return part_maps(rgb, embedding, whole, probability, distance);
    const TileGrid parts(rgb.size(), part_px_, kPartHaloPx);
    Image<uint16_t> sums[2];
    for (auto& sum : sums) sum = Image<uint16_t>(rgb.width, rgb.height, 0);
    GrayImage maps[2];
    for (int32_t row = 0; row < parts.rows(); ++row)
        for (int32_t column = 0; column < parts.columns(); ++column) {
            // The halo is where neighbours overlap; all of it is blended.
            const PixelRect square = parts.input({row, column});
            const PixelRect rect = intersection(square, whole);
            for (GrayImage& map : maps) map.resize(rect.width, rect.height);
            part_maps(rgb, embedding, rect, maps[0], maps[1]);
            const TileEnds ends{column == 0, row == 0, column + 1 == parts.columns(),
                                row + 1 == parts.rows()};
            for (size_t m = 0; m < 2; ++m)
                blend_tile(maps[m], sums[m].view().crop(rect),
                           {rect.x - square.x, rect.y - square.y}, part_px_, kPartHaloPx, ends);
        }
    finish_blend(sums[0], probability);
    finish_blend(sums[1], distance);
}

int64_t NetworkRunner::working_bytes(int64_t side_px) const {
    const int64_t shown =
        part_px_ == 0 ? side_px : std::min<int64_t>(side_px, part_px_ + 2 * kPartHaloPx);
    const int64_t network = network_->peak_channels() * 4 * shown * shown;
    // One after the other.
    return context_ ? std::max(network, context_->working_bytes()) : network;
}

int64_t NetworkRunner::weights_bytes() const {
    int64_t bytes = network_->packed_bytes() + (context_ ? context_->weights_bytes() : 0);
    for (const at::Tensor& p : network_->parameters()) bytes += static_cast<int64_t>(p.nbytes());
    return bytes;
}

}  // namespace wsi::nn
