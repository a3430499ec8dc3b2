#include "model/nn/networks.h"

#include "config/error.h"

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

}  // namespace

UNet3Plus make_network(const NetworkConfig& config, uint64_t seed) {
    if (config.architecture != "eunet3plus")
        fail(ErrorKind::Config, "network.architecture = '", config.architecture,
             "': expected one of eunet3plus");
    UNet3PlusOptions options;
    options.base = config.base;
    options.classes = 2;  // background and nucleus, as published
    options.activation = activation_of(config.activation);
    options.place =
        config.place == ActivationPlacement::All ? ActivationPlace::All : ActivationPlace::Encoder;
    options.blur_pool = config.blur_pool;
    options.dropout = config.dropout;
    options.distance = config.distance;
    UNet3Plus network(options);
    initialise(*network, seed);
    return network;
}

}  // namespace wsi::nn
