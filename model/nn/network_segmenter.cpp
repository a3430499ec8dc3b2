#include "model/nn/network_segmenter.h"

#include <array>

#include "config/config_io.h"
#include "model/nn/state.h"
#include "model/nn/tensors.h"
#include "model/nn/translated.h"

namespace wsi::nn {

namespace {
/// Half the field of view that matters: what lies farther changes maps by less than one level.
constexpr int kCorePx = 512, kHaloPx = 64, kFeatherPx = 32;

/// The settings a weights file was trained with.
Config settings_of(const Notes& notes, const std::string& path) {
    if (!notes.contains("network.architecture"))
        fail(ErrorKind::Checkpoint, path,
             " does not say what network it is for (no network.architecture in its metadata); "
             "expected a file written by `wsi-segment train`");
    Config config;
    for (const auto& [key, value] : notes)
        if (key.starts_with("network.") || key.starts_with("train."))
            with_context([&] { apply_set(config, key + "=" + value); }, path);
    return config;
}
}  // namespace

NetworkSegmenter::NetworkSegmenter(const std::string& weights) {
    const StateFile file = read_state(weights);
    const Config settings = settings_of(file.notes, weights);
    network_ = make_network(settings.network, 0);
    load_into(*network_, file.tensors, weights);
    network_->eval();
    network_->fold_batch_norm();
    for (at::Tensor& p : network_->parameters()) p.set_requires_grad(false);
    spec_.name = settings.network.architecture;
    spec_.mpp = Mpp{settings.train.mpp};
    spec_.core_px = kCorePx;
    spec_.halo_px = kHaloPx;
    spec_.feather_px = kFeatherPx;
    spec_.normalised = settings.train.normalised_share > 0;
    spec_.hash = file.sha256;
}

int64_t NetworkSegmenter::working_bytes() const {
    // At the finest decoder stage: two encoder maps, five branches, their concatenation and the
    // convolution's result and workspace, each `base` channels wide per branch; float32.
    const int64_t channels = 24 * int64_t{network_->options().base};
    return channels * 4 * int64_t{spec_.input_px()} * spec_.input_px();
}

namespace {

/// Repeats the last row and column until the network's four poolings divide the size.
at::Tensor padded(const at::Tensor& images) {
    const auto missing = [](int64_t size) { return (16 - size % 16) % 16; };
    return at::replication_pad2d(images, {0, missing(images.size(3)), 0, missing(images.size(2))});
}

}  // namespace

void NetworkSegmenter::segment_tile(TileSlot& slot) {
    for (GrayImage& map : slot.maps) map.fill(0);
    const RgbImage& rgb = spec_.normalised ? slot.normalised : slot.rgb;
    // Only what lies on the slide is looked at: the painted background beyond would be an edge that
    // no image the network learned from has.
    const PixelRect whole{0, 0, rgb.width(), rgb.height()};
    const PixelRect inside = slot.inside.empty() ? whole : slot.inside;
    const std::array<ConstRgbView, 1> view{rgb.view().crop(inside)};
    const at::Tensor logits = network_->forward(padded(to_images(view)));
    to_maps(logits.narrow(2, 0, inside.height).narrow(3, 0, inside.width),
            slot.maps[kProbability].view().crop(inside), slot.maps[kDistance].view().crop(inside));
}

void NetworkSegmenter::segment(std::span<TileSlot* const> batch, std::span<const double>) {
    translated([&] {
        const c10::InferenceMode inference;
        at::set_num_threads(1);
        for (TileSlot* slot : batch) segment_tile(*slot);
    });
}

}  // namespace wsi::nn
