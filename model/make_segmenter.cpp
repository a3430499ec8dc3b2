#include "config/error.h"
#include "model/classical.h"
#include "model/haematoxylin_vote.h"
#include "model/network_library.h"
#include "model/network_settings.h"
#include "model/shipped_weights.h"

namespace wsi {

namespace {
bool is_file_name(const std::string& name) {
    return name.find('/') != std::string::npos || name.ends_with(".safetensors") ||
           name.ends_with(".pth") || name.ends_with(".pt") || name.ends_with(".tar");
}

std::unique_ptr<Segmenter> open_network(const std::string& file, const ModelConfig& config,
                                        const std::string& device) {
    std::unique_ptr<Segmenter> network = network_library().open_segmenter(file, config, device);
    if (config.haematoxylin_weight == 0) return network;
    return std::make_unique<HaematoxylinVote>(std::move(network), config.haematoxylin_weight);
}
}  // namespace

std::unique_ptr<Segmenter> make_segmenter(const ModelConfig& config, const std::string& device) {
    if (config.name == "classical") {
        refuse_network_settings(config, device,
                                " is for networks; --model classical runs on the CPU on tiles of "
                                "its own size: leave it out, or name a network");
        return std::make_unique<ClassicalSegmenter>();
    }
    if (is_file_name(config.name)) return open_network(config.name, config, device);
    if (const std::string file = shipped_weights_file(config.name); !file.empty())
        return open_network(file, config, device);
    std::string known = "classical";
    for (const std::string& name : shipped_weights()) known += ", " + name;
    fail(ErrorKind::Config, "model.name: unknown model '", config.name, "'; known names: ", known,
         "; or a file: .safetensors, .pth, .tar, .pt");
}

}  // namespace wsi
