#include "model/nn/encoders.h"

#include <array>

#include "config/error.h"
#include "model/nn/sam_encoder.h"
#include "model/nn/tiny_vit.h"

namespace wsi::nn {

namespace {

std::shared_ptr<ImageEncoder> make_sam(const NetworkConfig& config) {
    return std::make_shared<SamEncoderImpl>(sam_options(config.encoder, config.encoder_px));
}

StateDict sam_state(const NetworkConfig& config, const StateDict& checkpoint) {
    return sam_encoder_state(checkpoint, sam_options(config.encoder, config.encoder_px));
}

std::shared_ptr<ImageEncoder> make_mobile_sam(const NetworkConfig& config) {
    TinyVitOptions options;
    options.image_px = config.encoder_px;
    return std::make_shared<TinyVitImpl>(options);
}

StateDict mobile_sam_state(const NetworkConfig&, const StateDict& checkpoint) {
    return tiny_vit_state(checkpoint);
}

struct Row {
    const char* name;
    int64_t channels;
    std::shared_ptr<ImageEncoder> (*make)(const NetworkConfig&);
    StateDict (*state)(const NetworkConfig&, const StateDict& checkpoint);
};
constexpr std::array kEncoders{Row{"vit_b", 256, make_sam, sam_state},
                               Row{"vit_l", 256, make_sam, sam_state},
                               Row{"vit_h", 256, make_sam, sam_state},
                               Row{"mobile_sam", 256, make_mobile_sam, mobile_sam_state},
                               Row{"tiny", 16, make_sam, sam_state}};

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

std::vector<std::string> encoder_names() {
    std::vector<std::string> names;
    for (const Row& row : kEncoders) names.emplace_back(row.name);
    return names;
}

std::shared_ptr<ImageEncoder> bare_encoder(const NetworkConfig& config) {
    const at::NoGradGuard no_gradients;
    auto encoder = row_of(config).make(config);
    encoder->eval();
    for (at::Tensor& p : encoder->parameters()) p.set_requires_grad(false);
    return encoder;
}

std::shared_ptr<ImageEncoder> make_encoder(const NetworkConfig& config, const StateDict& checkpoint,
                                           const std::string& path, const Execution& execution) {
    auto encoder = bare_encoder(config);
    share_into(*encoder, row_of(config).state(config, checkpoint), path);
    if (execution.plain()) encoder->fold_batch_norm();
    narrow_weights(*encoder, execution);
    if (!execution.on_cpu()) encoder->to(execution.device);
    return encoder;
}

}  // namespace wsi::nn
