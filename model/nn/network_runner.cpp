#include "model/nn/network_runner.h"

#include <algorithm>
#include <array>

#include "io/types/tile.h"
#include "stages/blend.h"

namespace wsi::nn {

/// Maps of the parts of one picture, and the sums they are blended in.
struct NetworkRunner::Parts {
    std::vector<std::vector<GrayImage>> maps;  ///< [part][map]
    std::vector<Image<uint16_t>> sums;
};

NetworkRunner::NetworkRunner(std::shared_ptr<Network> network,
                             std::shared_ptr<const ContextEncoder> context, int part_px,
                             const Execution& execution, int64_t classes)
    : network_(std::move(network)),
      context_(std::move(context)),
      part_px_(part_px),
      pass_(network_, execution, classes),
      parts_(std::make_shared<IdleWorkers<Parts>>()) {
    WSI_CHECK(network_->wants_embedding() == (context_ != nullptr));
}

at::Tensor NetworkRunner::embed(ConstRgbView rgb) const {
    return context_ ? context_->embed(rgb) : at::Tensor();
}

namespace {

struct Part {
    PixelRect square, rect;  ///< rect: what of the square lies on the picture
    TileEnds ends;
};

/// In raster order.
std::vector<Part> parts_of(PixelSize size, int part_px) {
    const TileGrid grid(size, part_px, NetworkRunner::kPartHaloPx);
    std::vector<Part> parts;
    for (int32_t row = 0; row < grid.rows(); ++row)
        for (int32_t column = 0; column < grid.columns(); ++column) {
            // The halo is where neighbours overlap; all of it is blended.
            const PixelRect square = grid.input({row, column});
            parts.push_back(
                {square,
                 intersection(square, {0, 0, size.width, size.height}),
                 {column == 0, row == 0, column + 1 == grid.columns(), row + 1 == grid.rows()}});
        }
    return parts;
}

}  // namespace

void NetworkRunner::blended_parts(const Picture& picture, Parts& memory) const {
    const std::vector<Part> parts = parts_of(picture.rgb.size(), part_px_);
    const size_t count = picture.maps.size();
    memory.maps.resize(std::max(memory.maps.size(), parts.size()));
    std::vector<Picture> shown;
    for (size_t p = 0; p < parts.size(); ++p) {
        const PixelRect& rect = parts[p].rect;
        shown.push_back({picture.rgb.crop(rect),
                         context_ ? context_->part(picture.embedding, rect) : at::Tensor(),
                         {}});
        memory.maps[p].resize(count);
        for (GrayImage& map : memory.maps[p]) {
            map.resize(rect.width, rect.height);
            shown.back().maps.push_back(map.view());
        }
    }
    pass_(shown);
    memory.sums.resize(count);
    for (size_t m = 0; m < count; ++m) {
        if (picture.maps[m].empty()) continue;
        memory.sums[m].resize(picture.rgb.width, picture.rgb.height);
        memory.sums[m].fill(0);
        for (size_t p = 0; p < parts.size(); ++p) {
            const auto& [square, rect, ends] = parts[p];
            blend_tile(memory.maps[p][m], memory.sums[m].view().crop(rect),
                       {rect.x - square.x, rect.y - square.y}, part_px_, kPartHaloPx, ends);
        }
        finish_blend(memory.sums[m], picture.maps[m]);
    }
}

/// An embedding shows more than the picture where that is smaller than the encoder's view.
void NetworkRunner::whole_pictures(std::span<const Picture> pictures) const {
    std::vector<Picture> shown(pictures.begin(), pictures.end());
    for (Picture& picture : shown)
        picture.embedding =
            context_->part(picture.embedding, {0, 0, picture.rgb.width, picture.rgb.height});
    pass_(shown);
}

void NetworkRunner::maps(std::span<const Picture> pictures) const {
    if (part_px_ == 0 && !context_) return pass_(pictures);
    if (part_px_ == 0) return whole_pictures(pictures);
    auto memory = parts_->borrow([] { return std::make_unique<Parts>(); });
    for (const Picture& picture : pictures) blended_parts(picture, *memory);
    parts_->give_back(std::move(memory));
}

void NetworkRunner::maps(ConstRgbView rgb, const at::Tensor& embedding, GrayView probability,
                         GrayView distance) const {
    const std::array<Picture, 1> picture{Picture{rgb, embedding, {probability, distance}}};
    maps(picture);
}

int64_t NetworkRunner::working_bytes(int64_t side_px) const {
    const int64_t shown =
        part_px_ == 0 ? side_px : std::min<int64_t>(side_px, part_px_ + 2 * kPartHaloPx);
    const int64_t network =
        execution().batch * network_->peak_channels() * int64_t{4} * shown * shown;
    // One after the other.
    return context_ ? std::max(network, context_->working_bytes()) : network;
}

int64_t NetworkRunner::weights_bytes() const {
    int64_t bytes = network_->packed_bytes() + (context_ ? context_->weights_bytes() : 0);
    for (const at::Tensor& p : network_->parameters()) bytes += static_cast<int64_t>(p.nbytes());
    return bytes;
}

}  // namespace wsi::nn
