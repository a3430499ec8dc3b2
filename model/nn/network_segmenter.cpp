#include "model/nn/network_segmenter.h"

#include "config/config_io.h"
#include "config/error.h"
#include "model/nn/foreign_classes.h"
#include "model/nn/networks.h"
#include "model/nn/translated.h"
#include "model/nn/weights_settings.h"

namespace wsi::nn {

namespace {
/// Half the field of view that matters: what lies farther changes maps by less than one level.
constexpr int kCorePx = 512, kHaloPx = 64, kFeatherPx = 32;
constexpr int kLeastCorePx = 128;

std::string note(const Notes& notes, const char* key) {
    const auto found = notes.find(key);
    return found == notes.end() ? "" : found->second;
}

std::shared_ptr<const ContextEncoder> open_context(const Config& settings, const Notes& notes,
                                                   const std::string& weights,
                                                   const ModelConfig& config,
                                                   const Execution& execution) {
    if (settings.network.fusion == FusionKind::None) return nullptr;
    const std::string sha256 = note(notes, kEncoderHashNote);
    if (sha256.empty())
        fail(ErrorKind::Checkpoint, weights,
             " has network.fusion but does not say which encoder's "
             "weights it learned with (no ",
             kEncoderHashNote, " in its metadata)");
    const std::string file = encoder_file(config, weights, note(notes, kEncoderFileNote));
    return std::make_shared<const ContextEncoder>(settings, file, sha256, execution);
}

/// Tiles of a network without an encoder.
void set_tile(InputSpec& spec, const ModelConfig& config) {
    if (config.tile_px != 0 && config.tile_px < kLeastCorePx)
        fail(ErrorKind::Config, "model.tile_px = ", config.tile_px, ": expected at least ",
             kLeastCorePx, ", or 0 for the model's own ", kCorePx);
    spec.core_px = config.tile_px != 0 ? config.tile_px : kCorePx;
    spec.halo_px = kHaloPx;
    spec.feather_px = kFeatherPx;
}

/// Tiles of a fused network: what one embedding shows, halo included.
void set_context_tile(InputSpec& spec, const ModelConfig& config, const ContextEncoder& context) {
    if (config.tile_px != 0)
        fail(ErrorKind::Config, "model.tile_px = ", config.tile_px, ": this model's encoder sees ",
             context.view_px(), " px at once, which sets the size of its tiles; leave it out");
    spec.halo_px = NetworkRunner::kPartHaloPx;
    spec.feather_px = NetworkRunner::kPartHaloPx;
    spec.core_px = static_cast<int>(context.view_px()) - 2 * spec.halo_px;
}
/// Ready for inference where it will run.
void prepare(Network& network, const Execution& execution) {
    network.eval();
    if (execution.plain())
        network.prepare_for_inference();
    else
        network.fold_batch_norm();
    narrow_weights(network, execution);
    if (!execution.on_cpu()) network.to(execution.device);
    for (at::Tensor& p : network.parameters()) p.set_requires_grad(false);
}
}  // namespace

NetworkSegmenter::NetworkSegmenter(const std::string& weights, const ModelConfig& config,
                                   const Execution& execution) {
    const StateFile file = read_state(weights);
    const Config settings = settings_of(file.notes, weights);
    const std::shared_ptr<Network> network =
        with_context([&] { return make_network(settings.network, 0); }, weights);
    load_into(*network, file.tensors, weights);
    prepare(*network, execution);
    spec_.name = settings.network.architecture;
    spec_.mpp = Mpp{settings.train.mpp};
    spec_.normalised = settings.train.normalised_share > 0;
    spec_.distance = settings.network.distance;
    spec_.classes = classes_named(class_names(settings.network));
    spec_.hash = file.sha256 + execution.text();
    const auto context = open_context(settings, file.notes, weights, config, execution);
    if (context)
        set_context_tile(spec_, config, *context);
    else
        set_tile(spec_, config);
    const bool parts = context && settings.network.context == EncoderContext::Field;
    runner_ =
        std::make_unique<const NetworkRunner>(network, context, parts ? settings.train.patch_px : 0,
                                              execution, std::ssize(spec_.classes));
    check_memory();
}

/// Before a slide is opened.
void NetworkSegmenter::check_memory() const {
    const Execution& execution = runner_->execution();
    if (const auto free_bytes = free_device_bytes(execution))
        check_device_memory(execution, runner_->working_bytes(spec_.input_px()), *free_bytes,
                            spec_.input_px());
}

int NetworkSegmenter::max_concurrency() const {
    return owns_thread() ? 1 : Segmenter::max_concurrency();
}

/// Of a device's pass only what goes there and comes back lies in the process's memory.
int64_t NetworkSegmenter::working_bytes() const {
    const int64_t side = spec_.input_px();
    if (!owns_thread()) return runner_->working_bytes(side);
    return runner_->execution().batch * side * side * (3 + std::ssize(spec_.maps()));
}

int64_t NetworkSegmenter::shared_bytes() const {
    return owns_thread() ? 0 : runner_->weights_bytes();
}

/// Only what lies on the slide is looked at: the painted background beyond would be an edge that no
/// image the network learned from has.
ConstRgbView NetworkSegmenter::seen(const TileSlot& slot) const {
    const RgbImage& rgb = spec_.normalised ? slot.normalised : slot.rgb;
    return slot.inside.empty() ? rgb.view() : rgb.view().crop(slot.inside);
}

at::Tensor NetworkSegmenter::embedding_of(const TileSlot& slot) const {
    const ExecutionScope scope(runner_->execution());
    return runner_->embed(seen(slot));
}

Picture NetworkSegmenter::picture_of(TileSlot& slot, const at::Tensor& embedding) const {
    const ConstRgbView rgb = seen(slot);
    const PixelRect target{slot.inside.x, slot.inside.y, rgb.width, rgb.height};
    Picture picture{rgb, embedding, std::vector<GrayView>(kMapCount + spec_.classes.size())};
    for (const size_t map : spec_.maps()) {
        slot.maps[map].fill(0);
        picture.maps[map] = slot.maps[map].view().crop(target);
    }
    return picture;
}

void NetworkSegmenter::fill_maps(TileSlot& slot, const at::Tensor& embedding) const {
    const ExecutionScope scope(runner_->execution());
    const std::array<Picture, 1> picture{picture_of(slot, embedding)};
    runner_->maps(picture);
}

void NetworkSegmenter::segment(std::span<TileSlot* const> batch, std::span<const double>) {
    translated([&] {
        const ExecutionScope scope(runner_->execution());
        std::vector<Picture> pictures;
        for (TileSlot* slot : batch)
            pictures.push_back(picture_of(*slot, runner_->embed(seen(*slot))));
        runner_->maps(pictures);
    });
}

}  // namespace wsi::nn
