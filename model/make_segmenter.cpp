#include "model/classical.h"
#include "model/haematoxylin_vote.h"
#include "model/network_library.h"
#include "model/shipped_weights.h"

namespace wsi {

namespace {
bool is_file_name(const std::string& name) {
    return name.find('/') != std::string::npos || name.ends_with(".safetensors") ||
           name.ends_with(".pth") || name.ends_with(".pt") || name.ends_with(".tar");
}

std::unique_ptr<Segmenter> open_network(const std::string& file, const ModelConfig& config) {
    std::unique_ptr<Segmenter> network = network_library().open_segmenter(file, config);
    if (config.haematoxylin_weight == 0) return network;
    return std::make_unique<HaematoxylinVote>(std::move(network), config.haematoxylin_weight);
}
}  // namespace

std::unique_ptr<Segmenter> make_segmenter(const ModelConfig& config) {
    if (config.name == "classical") return std::make_unique<ClassicalSegmenter>();
    if (is_file_name(config.name)) return open_network(config.name, config);
    if (const std::string file = shipped_weights_file(config.name); !file.empty())
        return open_network(file, config);
    std::string known = "classical";
    for (const std::string& name : shipped_weights()) known += ", " + name;
    fail(ErrorKind::Config, "model.name: unknown model '", config.name, "'; known names: ", known,
         "; or a file: .safetensors, .pth, .tar, .pt");
}

}  // namespace wsi
