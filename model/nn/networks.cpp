#include "model/nn/networks.h"

#include <array>

#include "config/config_io.h"
#include "config/error.h"
#include "model/nn/awgunet.h"
#include "model/nn/blocks.h"
#include "model/nn/ddunet.h"
#include "model/nn/encoders.h"
#include "model/nn/unet.h"
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
    options.residual = config.fusion_residual;
    options.norm = config.fusion_norm;
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
    options.deep_supervision = config.deep_supervision;
    options.classification = config.classification;
    options.nucleus_classes = std::ssize(class_names(config));
    options.fusion = fusion_of(config, int64_t{16} * config.base);
    return std::make_shared<UNet3PlusImpl>(options);
}

/// For those that take no embedding.
void refuse_fusion(const NetworkConfig& config) {
    if (config.fusion != FusionKind::None)
        fail(ErrorKind::Config, "network.architecture = '", config.architecture,
             "' takes no embedding: set network.fusion=none, or use eunet3plus");
}

/// For those with one scale's head.
void refuse_supervision(const NetworkConfig& config) {
    if (config.deep_supervision)
        fail(ErrorKind::Config, "network.architecture = '", config.architecture,
             "' has a head on one scale only: set network.deep_supervision=false, or use "
             "unet3plus or eunet3plus");
    if (config.classification)
        fail(ErrorKind::Config, "network.architecture = '", config.architecture,
             "' has no module that says whether there is a nucleus: set "
             "network.classification=false, or use unet3plus or eunet3plus");
}

/// For those that find nuclei and nothing more.
void refuse_classes(const NetworkConfig& config) {
    if (config.classes != "none")
        fail(ErrorKind::Config, "network.architecture = '", config.architecture,
             "' has no head for network.classes = ", config.classes,
             ": set network.classes=none, or use eunet3plus, unet3plus or one of the U-Nets");
}

std::shared_ptr<Network> make_unet3plus(const NetworkConfig& config) {
    refuse_fusion(config);
    UNet3PlusOptions options;
    options.base = config.base;
    options.classes = 2;
    options.distance = config.distance;
    options.dropout = config.dropout;
    options.deep_supervision = config.deep_supervision;
    options.classification = config.classification;
    options.nucleus_classes = std::ssize(class_names(config));
    return std::make_shared<UNet3PlusImpl>(options);
}

UNetOptions unet_options(const NetworkConfig& config) {
    refuse_fusion(config);
    refuse_supervision(config);
    UNetOptions options;
    options.base = config.base;
    options.classes = 2;
    options.distance = config.distance;
    options.nucleus_classes = std::ssize(class_names(config));
    options.sharp = config.architecture == "sharpunet";
    options.pyramid = config.architecture == "asppunet";
    options.gated = config.architecture == "deau";
    return options;
}

std::shared_ptr<Network> make_unet(const NetworkConfig& config) {
    return std::make_shared<UNetImpl>(unet_options(config));
}

std::shared_ptr<Network> make_ddunet(const NetworkConfig& config) {
    refuse_fusion(config);
    refuse_supervision(config);
    refuse_classes(config);
    if (!config.distance)
        fail(ErrorKind::Config,
             "network.architecture = 'ddunet' has a decoder for the distance: "
             "set network.distance=true");
    return std::make_shared<DdUNetImpl>(config.base);
}

std::shared_ptr<Network> make_awgunet(const NetworkConfig& config) {
    refuse_fusion(config);
    refuse_supervision(config);
    refuse_classes(config);
    return std::make_shared<AwgUNetImpl>(config.base, 2, config.distance);
}

struct Architecture {
    const char* name;
    std::shared_ptr<Network> (*make)(const NetworkConfig&);
};
constexpr std::array kArchitectures{Architecture{"eunet3plus", make_eunet3plus},
                                    Architecture{"unet3plus", make_unet3plus},
                                    Architecture{"unet", make_unet},
                                    Architecture{"sharpunet", make_unet},
                                    Architecture{"asppunet", make_unet},
                                    Architecture{"deau", make_unet},
                                    Architecture{"ddunet", make_ddunet},
                                    Architecture{"awgunet", make_awgunet}};

}  // namespace

std::vector<std::string> architectures() {
    std::vector<std::string> names;
    for (const Architecture& architecture : kArchitectures) names.emplace_back(architecture.name);
    return names;
}

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
