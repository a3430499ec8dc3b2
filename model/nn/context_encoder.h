#pragma once

#include <memory>
#include <string>

#include "config/config.h"
#include "io/types/image.h"
#include "model/nn/execution.h"
#include "model/nn/image_encoder.h"

namespace wsi::nn {

/// The frozen encoder of a fused network and what it is shown. Two modes (network.context):
/// `tile`: every tile of train.patch_px, upsampled to network.encoder_px, as in the paper;
/// `field`: encoder_px work pixels at their own scale, whose embedding is cut to the tiles in it.
/// Thread-safe: many threads embed at once and share the weights.
class ContextEncoder {
public:
    /// Throws Error{Config} when sizes do not go together, Error{Checkpoint} when the file does not
    /// fit the encoder or, where `sha256` is not empty, is another one than the network learned
    /// with.
    ContextEncoder(const Config& config, const std::string& weights, const std::string& sha256,
                   const Execution& execution = {});
    /// Work pixels that one embedding shows on either side.
    int64_t view_px() const { return encoder_px_ / scale_; }
    /// rgb: at most view_px() on either side → [1, E, S / 16, S / 16]; what the picture does not
    /// reach is what the encoder pads with.
    at::Tensor embed(ConstRgbView rgb) const;
    /// The part that shows `rect` of the picture: x and y multiples of 16, its size rounded up to
    /// one. Cells stay `scale` times finer than the network's bottleneck.
    at::Tensor part(const at::Tensor& embedding, const PixelRect& rect) const;
    const std::string& sha256() const { return sha256_; }
    /// Everything beside the picture that an embedding depends on.
    const std::string& identity() const { return identity_; }
    int64_t working_bytes() const { return encoder_->working_bytes(); }
    int64_t weights_bytes() const;

private:
    int64_t encoder_px_, scale_;  ///< encoder pixels per work pixel
    EncoderInput input_;
    std::string sha256_, identity_;
    at::Device device_;
    std::shared_ptr<ImageEncoder> encoder_;
};

/// Keys in a weights file's metadata that say which encoder it learned with.
inline constexpr const char* kEncoderHashNote = "encoder.sha256";
inline constexpr const char* kEncoderFileNote = "encoder.file";  ///< its name, without a folder

/// Where the encoder of the weights file `weights` lies: model.encoder_weights, else the file that
/// its metadata name, beside it. Throws Error{Config} that says what to give.
std::string encoder_file(const ModelConfig& config, const std::string& weights,
                         const std::string& named);

}  // namespace wsi::nn
