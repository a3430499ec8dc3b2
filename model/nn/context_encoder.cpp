#include "model/nn/context_encoder.h"

#include <bit>
#include <filesystem>

#include "config/error.h"
#include "model/nn/encoders.h"
#include "model/nn/sam_encoder.h"
#include "model/nn/state.h"

namespace wsi::nn {

namespace fs = std::filesystem;

namespace {

/// Work pixels per cell of the networks' bottleneck and encoder pixels per cell of the embedding.
constexpr int64_t kCellPx = 16;

int64_t scale_of(const Config& config) {
    const NetworkConfig& n = config.network;
    if (n.encoder_px % kCellPx != 0)
        fail(ErrorKind::Config, "network.encoder_px = ", n.encoder_px,
             ": expected a multiple of 16, e.g. 1024, 512 or 256");
    if (config.train.patch_px % kCellPx != 0)
        fail(ErrorKind::Config, "train.patch_px = ", config.train.patch_px,
             ": expected a multiple of 16 with network.fusion");
    if (n.context == EncoderContext::Field) return 1;
    const int patch = config.train.patch_px, scale = n.encoder_px / patch;
    if (scale * patch != n.encoder_px || !std::has_single_bit(static_cast<unsigned>(scale)))
        fail(ErrorKind::Config, "network.encoder_px = ", n.encoder_px,
             " is not train.patch_px = ", patch,
             " times a power of two, as network.context = tile needs; e.g. 1024 and 256");
    return scale;
}

}  // namespace

ContextEncoder::ContextEncoder(const Config& config, const std::string& weights,
                               const std::string& sha256, const Execution& execution)
    : encoder_px_(config.network.encoder_px),
      scale_(scale_of(config)),
      input_(config.network.encoder_input),
      device_(execution.device) {
    const StateFile file = read_state(weights, Reading::Mapped);
    sha256_ = file.sha256;
    if (!sha256.empty() && sha256_ != sha256)
        fail(ErrorKind::Checkpoint, weights,
             " is not the encoder that the network learned with: ", "its SHA-256 is ", sha256_,
             ", expected ", sha256, "; give that file with --set model.encoder_weights=FILE");
    encoder_ = make_encoder(config.network, file.tensors, weights, execution);
    identity_ = config.network.encoder + " " + sha256_ + " " + std::to_string(encoder_px_) + " " +
                std::to_string(scale_) + (input_ == EncoderInput::MedSam ? " medsam" : " sam");
}

at::Tensor ContextEncoder::embed(ConstRgbView rgb) const {
    const PixelSize size{rgb.width * scale_, rgb.height * scale_};
    WSI_CHECK(size.width <= encoder_px_ && size.height <= encoder_px_);
    const at::Tensor image = input_ == EncoderInput::MedSam
                                 ? medsam_input_of_size(rgb, size, encoder_px_)
                                 : sam_input_of_size(rgb, size, encoder_px_);
    return encoder_->forward(image.to(device_)).to(at::kFloat);
}

at::Tensor ContextEncoder::part(const at::Tensor& embedding, const PixelRect& rect) const {
    WSI_CHECK(rect.x % kCellPx == 0 && rect.y % kCellPx == 0);
    const auto cells = [&](int64_t px) { return (px + kCellPx - 1) / kCellPx * scale_; };
    return embedding.narrow(2, cells(rect.y), cells(rect.height))
        .narrow(3, cells(rect.x), cells(rect.width));
}

int64_t ContextEncoder::weights_bytes() const {
    int64_t bytes = 0;
    for (const at::Tensor& p : encoder_->parameters()) bytes += static_cast<int64_t>(p.nbytes());
    return bytes;
}

std::string encoder_file(const ModelConfig& config, const std::string& weights,
                         const std::string& named) {
    if (config.encoder_weights != "auto") return config.encoder_weights;
    const std::string beside = (fs::path(weights).parent_path() / named).string();
    std::error_code ignored;
    if (!named.empty() && fs::is_regular_file(beside, ignored)) return beside;
    fail(ErrorKind::Config, weights, " needs the frozen encoder it learned with, ",
         named.empty() ? "whose name it does not say" : named + ", which does not lie beside it",
         "; give it with --set model.encoder_weights=FILE");
}

}  // namespace wsi::nn
