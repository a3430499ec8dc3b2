#include "model/classical.h"
#include "model/network_library.h"
#include "model/shipped_weights.h"

namespace wsi {

namespace {
bool is_file_name(const std::string& name) {
    return name.find('/') != std::string::npos || name.ends_with(".safetensors") ||
           name.ends_with(".pth") || name.ends_with(".pt") || name.ends_with(".tar");
}
}  // namespace

std::unique_ptr<Segmenter> make_segmenter(const ModelConfig& config) {
    if (config.name == "classical") return std::make_unique<ClassicalSegmenter>();
    if (is_file_name(config.name)) return network_library().open_segmenter(config.name, config);
    if (const std::string file = shipped_weights_file(config.name); !file.empty())
        return network_library().open_segmenter(file, config);
    std::string known = "classical";
    for (const std::string& name : shipped_weights()) known += ", " + name;
    fail(ErrorKind::Config, "model.name: unknown model '", config.name, "'; known names: ", known,
         "; or a file: .safetensors, .pth, .tar, .pt");
}

}  // namespace wsi
