#include "interface_hash.h"
#include "model/network_library.h"
#include "model/nn/encoders.h"
#include "model/nn/known_models.h"
#include "model/nn/networks.h"
#include "model/nn/open_model.h"
#include "model/nn/self_test.h"
#include "model/nn/translated.h"
#include "model/train/torch_trainer.h"

namespace wsi {

namespace {

constexpr NetworkLibrary kLibrary{
    [](const std::string& weights, const ModelConfig& config,
       const std::string& device) -> std::unique_ptr<Segmenter> {
        return nn::translated([&] { return nn::open_model(weights, config, device); });
    },
    [](const Config& config) -> std::unique_ptr<Trainer> {
        return nn::translated([&] { return std::make_unique<train::TorchTrainer>(config); });
    },
    nn::architectures,
    nn::encoder_names,
    [](const std::string& name, const Config& config, int64_t side_px) {
        return nn::translated([&] { return nn::layers_of(name, config, side_px); });
    },
    [](const std::string& weights, const Config& config) {
        nn::translated([&] { nn::check_weights(weights, config); });
    },
    [] { return nn::translated([] { return nn::self_test(); }); }};

}  // namespace

extern "C" const char* wsi_network_interface() { return kInterfaceHash; }
extern "C" const NetworkLibrary* wsi_network_library() { return &kLibrary; }

}  // namespace wsi
