#include "model/nn/networks.h"

#include <array>

#include "config/error.h"
#include "model/nn/blocks.h"
#include "model/nn/encoders.h"
#include "model/nn/unet3plus.h"

namespace wsi::nn {

namespace {

Activation activation_of(NetworkActivation activation) {
    switch (activation) {
        case NetworkActivation::Relu: return Activation::Relu;
        case NetworkActivation::LeakyRelu: return Activation::LeakyRelu;
        case NetworkActivation::Swish: return Activation::Swish;
        case NetworkActivation::Glu: return Activation::Glu;
    }
    return Activation::Relu;
}

FusionOptions fusion_of(const NetworkConfig& config, int64_t channels) {
    if (config.fusion == FusionKind::None) return no_fusion();
    FusionOptions options;
    if (config.fusion == FusionKind::EfbLiteral) options = literal_efb(channels);
    if (config.fusion == FusionKind::Concat) options.kind = Fusion::Concat;
    if (config.fusion == FusionKind::EfbR) options.kind = Fusion::EfbR;
    if (config.fusion == FusionKind::EfbX) options.kind = Fusion::EfbX;
    options.channels = channels;
    options.embedding_channels = embedding_channels(config);
    return options;
}

std::shared_ptr<Network> make_eunet3plus(const NetworkConfig& config) {
    UNet3PlusOptions options;
    options.base = config.base;
    options.classes = 2;  // background and nucleus, as published
    options.activation = activation_of(config.activation);
    options.place =
        config.place == ActivationPlacement::All ? ActivationPlace::All : ActivationPlace::Encoder;
    options.blur_pool = config.blur_pool;
    options.dropout = config.dropout;
    options.distance = config.distance;
    options.fusion = fusion_of(config, int64_t{16} * config.base);
    return std::make_shared<UNet3PlusImpl>(options);
}

struct Architecture {
    const char* name;
    std::shared_ptr<Network> (*make)(const NetworkConfig&);
};
constexpr std::array kArchitectures{Architecture{"eunet3plus", make_eunet3plus}};

}  // namespace

std::shared_ptr<Network> make_network(const NetworkConfig& config, uint64_t seed) {
    std::string known;
    for (const Architecture& architecture : kArchitectures) {
        known += (known.empty() ? "" : ", ") + std::string(architecture.name);
        if (config.architecture != architecture.name) continue;
        std::shared_ptr<Network> network = architecture.make(config);
        initialise(*network, seed);
        network->open_gates();
        return network;
    }
    fail(ErrorKind::Config, "network.architecture = '", config.architecture, "': expected one of ",
         known);
}

}  // namespace wsi::nn
