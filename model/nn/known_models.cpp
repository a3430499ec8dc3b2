#include "model/nn/known_models.h"

#include <algorithm>

#include "config/error.h"
#include "model/nn/encoders.h"
#include "model/nn/layer_list.h"
#include "model/nn/networks.h"
#include "model/nn/open_model.h"
#include "model/nn/state.h"
#include "model/nn/weights_settings.h"

namespace wsi::nn {

namespace {

std::vector<LayerRow> network_layers(const Config& config, int64_t side_px) {
    const std::shared_ptr<Network> network = make_network(config.network, 0);
    network->eval();
    const int64_t side = side_px > 0 ? side_px : 256;
    if (side % network->side_multiple() != 0)
        fail(ErrorKind::Config, "--px = ", side, ": expected a multiple of ",
             network->side_multiple(), " for ", config.network.architecture);
    at::Tensor embedding;
    if (network->wants_embedding()) {
        const bool field = config.network.context == EncoderContext::Field;
        const int64_t cells = (field ? side : config.network.encoder_px) / 16;
        embedding = at::zeros({1, embedding_channels(config.network), cells, cells});
    }
    const at::Tensor images = at::zeros({1, 3, side, side});
    return list_layers(*network, [&] { network->forward(images, embedding); });
}

std::vector<LayerRow> encoder_layers(const Config& config) {
    const std::shared_ptr<ImageEncoder> encoder = bare_encoder(config.network);
    const at::Tensor images =
        at::zeros({1, 3, config.network.encoder_px, config.network.encoder_px});
    return list_layers(*encoder, [&] { encoder->forward(images); });
}

std::vector<LayerRow> foreign_layers(ForeignNetwork& network, const std::string& path) {
    if (network.module() == nullptr)
        fail(ErrorKind::Config, path, " is a TorchScript program, whose layers are not listed");
    const int64_t side = network.spec().input_px();
    const at::Tensor images = at::zeros({1, 3, side, side});
    return list_layers(*network.module(), [&] { network(images); });
}

bool among(const std::vector<std::string>& names, const std::string& name) {
    return std::ranges::find(names, name) != names.end();
}

}  // namespace

std::vector<LayerRow> layers_of(const std::string& name, const Config& config, int64_t side_px) {
    Config settings = config;
    if (among(architectures(), name)) {
        settings.network.architecture = name;
    } else if (among(encoder_names(), name)) {
        settings.network.encoder = name;
        if (side_px > 0) settings.network.encoder_px = static_cast<int>(side_px);
        return encoder_layers(settings);
    } else if (const auto foreign = open_foreign(name)) {
        return foreign_layers(*foreign, name);
    } else {
        const StateFile file = read_state(name);
        settings = settings_of(file.notes, name);
        load_into(*make_network(settings.network, 0), file.tensors, name);
    }
    return network_layers(settings, side_px);
}

void check_weights(const std::string& weights, const Config& config) {
    load_into(*make_network(config.network, 0), read_state(weights).tensors, weights);
}

}  // namespace wsi::nn
