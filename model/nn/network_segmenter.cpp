#include "model/nn/network_segmenter.h"

#include "config/error.h"
#include "model/nn/networks.h"
#include "model/nn/translated.h"
#include "model/nn/weights_settings.h"

namespace wsi::nn {

namespace {
/// Half the field of view that matters: what lies farther changes maps by less than one level.
constexpr int kCorePx = 512, kHaloPx = 64, kFeatherPx = 32;

std::string note(const Notes& notes, const char* key) {
    const auto found = notes.find(key);
    return found == notes.end() ? "" : found->second;
}

std::shared_ptr<const ContextEncoder> open_context(const Config& settings, const Notes& notes,
                                                   const std::string& weights,
                                                   const ModelConfig& config) {
    if (settings.network.fusion == FusionKind::None) return nullptr;
    const std::string sha256 = note(notes, kEncoderHashNote);
    if (sha256.empty())
        fail(ErrorKind::Checkpoint, weights,
             " has network.fusion but does not say which encoder's "
             "weights it learned with (no ",
             kEncoderHashNote, " in its metadata)");
    const std::string file = encoder_file(config, weights, note(notes, kEncoderFileNote));
    return std::make_shared<const ContextEncoder>(settings, file, sha256);
}

/// Tiles of a fused network: what one embedding shows, halo included.
void set_context_tile(InputSpec& spec, const ContextEncoder& context) {
    spec.halo_px = NetworkRunner::kPartHaloPx;
    spec.feather_px = NetworkRunner::kPartHaloPx;
    spec.core_px = static_cast<int>(context.view_px()) - 2 * spec.halo_px;
}
}  // namespace

NetworkSegmenter::NetworkSegmenter(const std::string& weights, const ModelConfig& config) {
    const StateFile file = read_state(weights);
    const Config settings = settings_of(file.notes, weights);
    const std::shared_ptr<Network> network =
        with_context([&] { return make_network(settings.network, 0); }, weights);
    load_into(*network, file.tensors, weights);
    network->eval();
    network->prepare_for_inference();
    for (at::Tensor& p : network->parameters()) p.set_requires_grad(false);
    spec_.name = settings.network.architecture;
    spec_.mpp = Mpp{settings.train.mpp};
    spec_.core_px = kCorePx;
    spec_.halo_px = kHaloPx;
    spec_.feather_px = kFeatherPx;
    spec_.normalised = settings.train.normalised_share > 0;
    spec_.distance = settings.network.distance;
    spec_.hash = file.sha256;
    const auto context = open_context(settings, file.notes, weights, config);
    if (context) set_context_tile(spec_, *context);
    const bool parts = context && settings.network.context == EncoderContext::Field;
    runner_ = std::make_unique<const NetworkRunner>(network, context,
                                                    parts ? settings.train.patch_px : 0);
}

int64_t NetworkSegmenter::working_bytes() const { return runner_->working_bytes(spec_.input_px()); }

/// Only what lies on the slide is looked at: the painted background beyond would be an edge that no
/// image the network learned from has.
ConstRgbView NetworkSegmenter::seen(const TileSlot& slot) const {
    const RgbImage& rgb = spec_.normalised ? slot.normalised : slot.rgb;
    return slot.inside.empty() ? rgb.view() : rgb.view().crop(slot.inside);
}

at::Tensor NetworkSegmenter::embedding_of(const TileSlot& slot) const {
    const c10::InferenceMode inference;
    return runner_->embed(seen(slot));
}

void NetworkSegmenter::fill_maps(TileSlot& slot, const at::Tensor& embedding) const {
    const c10::InferenceMode inference;
    const ConstRgbView rgb = seen(slot);
    for (const size_t map : spec_.maps()) slot.maps[map].fill(0);
    const PixelRect target{slot.inside.x, slot.inside.y, rgb.width, rgb.height};
    GrayImage unused;
    if (!spec_.distance) unused.resize(rgb.width, rgb.height);
    runner_->maps(rgb, embedding, slot.maps[kProbability].view().crop(target),
                  spec_.distance ? slot.maps[kDistance].view().crop(target) : unused.view());
}

void NetworkSegmenter::segment(std::span<TileSlot* const> batch, std::span<const double>) {
    translated([&] {
        at::set_num_threads(1);
        for (TileSlot* slot : batch) fill_maps(*slot, embedding_of(*slot));
    });
}

}  // namespace wsi::nn
