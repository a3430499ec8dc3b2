#include "model/nn/encoders.h"

#include <array>

#include "config/error.h"
#include "model/nn/sam_encoder.h"

namespace wsi::nn {

namespace {

using Maker = std::shared_ptr<ImageEncoder> (*)(const NetworkConfig&, const StateDict&,
                                                const std::string&);

std::shared_ptr<ImageEncoder> make_sam(const NetworkConfig& config, const StateDict& checkpoint,
                                       const std::string& path) {
    const SamOptions options = sam_options(config.encoder, config.encoder_px);
    auto encoder = std::make_shared<SamEncoderImpl>(options);
    share_into(*encoder, sam_encoder_state(checkpoint, options), path);
    return encoder;
}

struct Row {
    const char* name;
    int64_t channels;
    Maker make;
};
constexpr std::array kEncoders{Row{"vit_b", 256, make_sam}, Row{"vit_l", 256, make_sam},
                               Row{"vit_h", 256, make_sam}, Row{"tiny", 16, make_sam}};

const Row& row_of(const NetworkConfig& config) {
    std::string known;
    for (const Row& row : kEncoders) {
        if (config.encoder == row.name) return row;
        known += (known.empty() ? "" : ", ") + std::string(row.name);
    }
    fail(ErrorKind::Config, "network.encoder = '", config.encoder, "': expected one of ", known);
}

}  // namespace

int64_t embedding_channels(const NetworkConfig& config) { return row_of(config).channels; }

std::shared_ptr<ImageEncoder> make_encoder(const NetworkConfig& config, const StateDict& checkpoint,
                                           const std::string& path) {
    const at::NoGradGuard no_gradients;
    auto encoder = row_of(config).make(config, checkpoint, path);
    encoder->eval();
    for (at::Tensor& p : encoder->parameters()) p.set_requires_grad(false);
    return encoder;
}

}  // namespace wsi::nn
